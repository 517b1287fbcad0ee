"""One camera for all vision tests: the overhead one, 0.58 m above the table."""

from __future__ import annotations

import numpy as np
import pytest

from dofbot_ros.core.transforms import rot_x, rot_z, transform
from dofbot_ros.core.types import FloatArray
from dofbot_ros.vision.intrinsics import Intrinsics, from_field_of_view
from dofbot_ros.vision.markers.block_layout import BlockSet, load_blocks


@pytest.fixture(scope="session")
def camera() -> Intrinsics:
    return from_field_of_view(640, 480, 0.98)


@pytest.fixture(scope="session")
def T_base_camera() -> FloatArray:
    return transform(rot_x(np.pi) @ rot_z(0.5 * np.pi), (0.19, 0.0, 0.58))


@pytest.fixture(scope="session")
def blocks() -> BlockSet:
    return load_blocks()
