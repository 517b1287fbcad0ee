"""Values that no arm, stick, block or light can have are refused where they are configured."""

from __future__ import annotations

from typing import Any

import pytest

from dofbot_ros.config.loader import from_mapping
from dofbot_ros.errors import ConfigError
from dofbot_ros.sim.config import Light, PlainBlock
from dofbot_ros.teleop.config import GamepadConfig, ManualConfig


@pytest.mark.parametrize(
    ("kind", "content", "message"),
    [
        (ManualConfig, {"linear": 0.0}, "linear is above 0 and at most 10, got 0"),
        (ManualConfig, {"gap": 1e306}, "gap is above 0 and at most 10"),
        (ManualConfig, {"dead_zone": 1.0}, "dead_zone is at least 0 and below 1, got 1"),
        (ManualConfig, {"dead_zone": float("nan")}, "dead_zone: expected a finite number"),
        (GamepadConfig, {"hold": -1}, "counted from 0, got hold: -1"),
        (PlainBlock, {"name": "a", "colour": [0, 256, 0]}, "each 0 to 255"),
        (PlainBlock, {"name": "a", "colour": [0, 0, 0], "size": 0.0}, "size is above 0 and at most 1 m"),
        (Light, {"direction": [0, 0, 0]}, "direction is not 0, 0, 0"),
        (Light, {"diffuse": -0.1}, "ambient and diffuse are 0 or more"),
    ],
)
def test_a_value_out_of_range_is_refused_with_the_range(kind: type, content: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^f: .*{message}"):
        from_mapping(kind, content, "f")
