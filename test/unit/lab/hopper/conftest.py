"""What tests of the hopper share."""

from __future__ import annotations

import pytest

from dofbot_ros.errors import DofbotError
from dofbot_ros.lab.hopper.world.body import HopperBody
from dofbot_ros.lab.hopper.world.camera import HopperCamera


@pytest.fixture(scope="session")
def drawing() -> None:
    """Skips where MuJoCo has nothing to draw with."""
    try:
        HopperCamera(HopperBody(0.0)).close()
    except (DofbotError, ImportError) as error:
        pytest.skip(f"no drawing without a display here: {error}")
