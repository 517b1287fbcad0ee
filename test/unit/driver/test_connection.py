"""The connection to an arm that is lost and found again, and what is believed of what it says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dofbot_ros.arm.backend import BusStats
from dofbot_ros.core.clock import ManualClock
from dofbot_ros.driver.connection import Connection
from dofbot_ros.errors import BusError, PortError


def breakable(model_arm: type) -> type:
    """A model arm that raises `trouble` at the next use, and counts how often it was let go."""

    class Arm(model_arm):  # type: ignore[misc]
        trouble: BusError | None = None
        closed = 0

        def _check_port(self) -> None:
            if self.trouble is not None:
                error, self.trouble = self.trouble, None
                raise error
            super()._check_port()

        def stats(self) -> BusStats:
            return BusStats(frames_sent=7)

        def close(self) -> None:
            self.closed += 1

    return Arm


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(100.0)


@pytest.fixture
def arm(clock: ManualClock, new_bench: Any) -> Any:
    return breakable(type(new_bench().arm))(clock)


@pytest.fixture
def link(arm: Any) -> Connection:
    return Connection(arm, reconnect_s=1.0)


def test_before_it_is_made_it_says_so(link: Connection) -> None:
    assert (link.connected, link.offline) == (False, "not connected yet")
    assert (link.reading, link.sent, link.bus_errors, link.last_bus_error) == (None, None, 0, "")
    assert link.stats() == BusStats()


def test_connecting_tells_where_the_arm_stands(link: Connection, arm: Any) -> None:
    reading = link.connect()
    assert reading is not None
    assert link.reading is reading
    assert (link.connected, link.offline, link.sent) == (True, "", None)
    assert link.stats() == BusStats(frames_sent=7)


def test_one_that_fails_is_tried_again_after_a_while_and_not_before(
    link: Connection, arm: Any, clock: ManualClock
) -> None:
    arm.absent = True
    assert link.connect() is None
    assert (link.connected, link.offline) == (False, "the port is gone")
    assert arm.closed == 1
    arm.absent = False
    clock.advance(0.99)
    assert link.connect() is None
    clock.advance(0.01)
    assert link.connect() is not None


def test_an_error_of_the_bus_is_counted_and_what_was_known_stays(link: Connection, arm: Any) -> None:
    before = link.connect()
    arm.trouble = BusError("a frame was garbled")
    assert link.poll() is before
    assert (link.bus_errors, link.last_bus_error, link.connected) == (1, "a frame was garbled", True)
    arm.trouble = BusError("another")
    link.write(np.zeros(6), 0.1)
    assert (link.bus_errors, link.last_bus_error, link.sent) == (2, "another", None)
    link.write(np.zeros(6), 0.1)
    assert link.sent is not None
    assert np.abs(link.sent.position).max() < 0.01


def test_an_error_of_the_port_is_raised_and_not_counted(link: Connection, arm: Any) -> None:
    link.connect()
    arm.absent = True
    with pytest.raises(PortError):
        link.poll()
    with pytest.raises(PortError):
        link.write(np.zeros(6), 0.1)
    assert link.bus_errors == 0


def test_losing_it_lets_go_of_the_port_and_says_why(link: Connection, arm: Any, clock: ManualClock) -> None:
    link.connect()
    link.lose("somebody pulled the cable")
    assert (link.connected, link.offline, arm.closed) == (False, "somebody pulled the cable", 1)
    assert link.stats() == BusStats()
    assert link.connect() is None
    clock.advance(1.0)
    link.write(np.zeros(6), 0.1)
    assert link.connect() is not None
    assert link.sent is None, "what was sent before is of another connection"


def test_closed_for_good_it_says_so(link: Connection, arm: Any) -> None:
    link.connect()
    link.close()
    assert (link.connected, link.offline, arm.closed) == (False, "shut down", 1)


def test_a_jump_is_not_believed_and_counts_as_silence_until_it_has_repeated_itself(
    link: Connection, arm: Any, clock: ManualClock
) -> None:
    link.connect()
    assert link.poll() is not None
    before = link.reading.position.copy()  # type: ignore[union-attr]
    arm.servos.turn_by_hand(2, arm.servos.position(2, clock.now()) + 900)
    for k in range(1, 4):
        clock.advance(0.02)
        reading = link.poll()
        assert reading is not None
        if k < 3:
            assert reading.position == pytest.approx(before)
            assert reading.fresh.tolist() == [True, False, True, True, True, True]
            assert reading.silent_s[1] == pytest.approx(0.02 * (k - 1))
    assert reading.fresh.all()
    assert reading.silent_s[1] == 0.0
    assert abs(reading.position[1] - before[1]) > 0.5


def test_a_servo_that_is_silent_longer_than_it_was_doubted_counts_by_its_silence(
    link: Connection, arm: Any, clock: ManualClock
) -> None:
    link.connect()
    arm.silent.add(4)
    for _ in range(11):
        reading = link.poll()
        clock.advance(0.02)
    assert reading is not None
    assert reading.silent_s[3] == pytest.approx(0.2)
    assert not reading.fresh[3]


@pytest.mark.parametrize("enabled", [True, False])
def test_switching_the_torque_tells_where_the_arm_stands_and_believes_it(
    link: Connection, arm: Any, clock: ManualClock, enabled: bool
) -> None:
    link.connect()
    arm.servos.turn_by_hand(1, arm.servos.position(1, clock.now()) + 900)
    clock.advance(0.02)
    reading = link.torque(enabled)
    assert link.reading is reading
    assert all(torque is enabled for torque in reading.torque)
    clock.advance(0.02)
    again = link.poll()
    assert again is not None
    assert again.fresh.all(), "the jump was read when the torque was switched: nothing is in doubt"
    assert again.position == pytest.approx(reading.position, abs=0.01)
