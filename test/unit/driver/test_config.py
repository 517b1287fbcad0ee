"""Every number that the driver is told has a range, and every word a list."""

from __future__ import annotations

import dataclasses
import math

import pytest

from dofbot_ros.config.ranges import Range, declared
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.errors import ConfigError

RANGES = {
    name: (rule.at_least, rule.at_most)
    for name, rules in declared(DriverConfig).items()
    for rule in rules
    if isinstance(rule, Range) and math.isfinite(rule.at_most)
}


def test_the_defaults_are_allowed_and_described() -> None:
    DriverConfig()
    assert all(field.metadata["description"] for field in dataclasses.fields(DriverConfig))


def test_every_number_but_the_baudrate_has_a_range() -> None:
    numbers = {f.name for f in dataclasses.fields(DriverConfig) if type(f.default) in (int, float)}
    assert numbers == set(RANGES) | {"baudrate"}


@pytest.mark.parametrize("name", RANGES)
def test_a_number_on_the_edge_is_taken_and_one_beyond_it_is_refused_by_name(name: str) -> None:
    low, high = RANGES[name]
    for edge in (low, high):
        assert getattr(DriverConfig(**{name: edge}), name) == edge
    for beyond in (low - 0.001, high + 0.001, math.nan, math.inf, -math.inf):
        with pytest.raises(ConfigError) as refused:
            DriverConfig(**{name: beyond})
        assert str(refused.value) == f"{name} must be {low:g} to {high:g}, got {beyond}"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"baudrate": 0}, "baudrate must be positive, got 0"),
        ({"baudrate": -115200}, "baudrate must be positive, got -115200"),
        ({"protocol": "can"}, "protocol 'can' is not one of bus, se"),
        ({"on_exit": "fold"}, "on_exit 'fold' is not one of hold, park, release (did you mean hold?)"),
    ],
)
def test_a_value_that_makes_no_sense_is_named_with_those_that_do(given: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        DriverConfig(**given)  # type: ignore[arg-type]
    assert str(refused.value) == message


@pytest.mark.parametrize("protocol", ["bus", "se"])
@pytest.mark.parametrize("on_exit", ["hold", "park", "release"])
def test_every_word_that_is_offered_is_taken(protocol: str, on_exit: str) -> None:
    config = DriverConfig(protocol=protocol, on_exit=on_exit)  # type: ignore[arg-type]
    assert (config.protocol, config.on_exit) == (protocol, on_exit)
    assert DriverConfig(baudrate=1).baudrate == 1
