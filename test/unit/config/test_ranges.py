"""Values that no arm, stick, block or light can have are refused where they are configured."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dofbot_ros.config.loader import from_mapping
from dofbot_ros.config.ranges import Checked, Positive, Range, Rising
from dofbot_ros.errors import ConfigError
from dofbot_ros.sim.config import Light, PlainBlock
from dofbot_ros.teleop.config import GamepadConfig, ManualConfig


@pytest.mark.parametrize(
    ("kind", "content", "message"),
    [
        (ManualConfig, {"linear": 0.0}, "linear must be above 0 and at most 10, got 0"),
        (ManualConfig, {"gap": 1e306}, "gap must be above 0 and at most 10"),
        (ManualConfig, {"dead_zone": 1.0}, "dead_zone must be at least 0 and below 1, got 1"),
        (ManualConfig, {"dead_zone": float("nan")}, "dead_zone: expected a finite number"),
        (GamepadConfig, {"hold": -1}, "hold must be at least 0, got -1"),
        (PlainBlock, {"name": "a", "colour": [0, 256, 0]}, r"colour must be 0 to 255 each, got \[0, 256, 0\]"),
        (PlainBlock, {"name": "a", "colour": [0, 0, 0], "size": 0.0}, "size must be above 0 and at most 1, got 0"),
        (Light, {"direction": [0, 0, 0]}, "direction must not be 0, 0, 0"),
        (Light, {"diffuse": -0.1}, "diffuse must be at least 0, got -0.1"),
    ],
)
def test_a_value_out_of_range_is_refused_with_the_range(kind: type, content: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^f: .*{message}"):
        from_mapping(kind, content, "f")


@given(st.floats(allow_nan=True))
def test_a_number_is_refused_exactly_outside_its_range(value: float) -> None:
    for rule, inside in (
        (Range(0.0, 1.0), 0.0 <= value <= 1.0),
        (Range(above=0.0), 0.0 < value < math.inf),
        (Range(0.0, below=1.0), 0.0 <= value < 1.0),
        (Range(0.0, infinite=True), value >= 0.0),
        (Range(), math.isfinite(value)),
    ):
        problem = rule.problem("speed", value)
        assert (problem == "") is inside
        assert inside or problem.startswith("speed must be ")
        assert inside or problem.endswith(f", got {value}")


@pytest.mark.parametrize(
    ("rule", "value", "problem"),
    [
        (Range(1), 0, "speed must be at least 1, got 0"),
        (Range(above=0.0), math.inf, "speed must be finite and positive, got inf"),
        (Range(above=0.0, at_most=10.0), math.nan, "speed must be above 0 and at most 10, got nan"),
        (Range(0, 255), (0, 256, 0), "speed must be 0 to 255 each, got [0, 256, 0]"),
        (Range(), math.nan, "speed must be finite, got nan"),
        (Rising(), (2.0, 2.0), "speed must be [min, max] with min < max, got [2.0, 2.0]"),
        (Rising(or_equal=True), (2.0, 1.0), "speed must be [min, max] with min <= max, got [2.0, 1.0]"),
    ],
)
def test_the_message_says_what_would_be_right(rule: Range | Rising, value: Any, problem: str) -> None:
    assert rule.problem("speed", value) == problem


@dataclass(frozen=True)
class Motor(Checked):
    low: Positive = 1.0
    high: Positive | None = None
    mode: Literal["soft", "hard"] = "soft"

    def problems(self) -> Iterator[str]:
        if self.high is not None and self.high <= self.low:
            yield f"high must be above low, got {self.high} and {self.low}"


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"low": 0.0}, "low must be positive, got 0.0"),
        ({"high": -1.0}, "high must be positive, got -1.0"),
        ({"high": 0.5}, "high must be above low, got 0.5 and 1.0"),
        ({"mode": "sof"}, "mode 'sof' is not one of soft, hard (did you mean soft?)"),
    ],
)
def test_fields_words_and_what_holds_between_them_are_checked(fields: dict[str, Any], problem: str) -> None:
    assert Motor(low=1.0, high=None).high is None
    with pytest.raises(ConfigError) as refused:
        Motor(**fields)
    assert str(refused.value) == problem
