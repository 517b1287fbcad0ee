"""Rates that a line cannot carry are refused with the rate that it can."""

import pytest

from dofbot_ros.errors import ConfigError
from dofbot_ros.hardware.wire.wire_time import carried_rate_hz, check_rates


def test_the_default_rates_are_carried_with_room():
    for protocol in ("bus", "se"):
        assert 55.0 < carried_rate_hz(protocol, 115200, 25.0) < 112.0
        check_rates(protocol, 115200, 50.0, 25.0)


@pytest.mark.parametrize(
    ("baudrate", "control", "write"), [(115200, 100.0, 25.0), (9600, 50.0, 25.0), (115200, 50.0, 150.0)]
)
def test_what_cannot_be_carried_is_refused_with_what_can(baudrate, control, write):
    with pytest.raises(ConfigError, match=r"is more than protocol bus carries at \d+ baud .*: at most \d+"):
        check_rates("bus", baudrate, control, write)


def test_more_goals_leave_less_time_for_reading():
    rates = [carried_rate_hz("bus", 115200, write) for write in (10.0, 25.0, 50.0, 100.0, 200.0)]
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] == 0.0
