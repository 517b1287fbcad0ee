"""Commands that come while the arm moves, and what is told of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dofbot_ros.driver import motion_commands
from dofbot_ros.driver.motion_commands import ATTEMPTS, QUICK_POINTS, QUICK_S
from dofbot_ros.driver.motion_events import EndCode
from dofbot_ros.driver.path_check import check_trajectory
from dofbot_ros.errors import CommandRefusedError

ARM = ("joint1", "joint2", "joint3", "joint4", "joint5")


class SlowCheck:
    """Checks a trajectory as usual, while the control loop runs on for `cycles` of the first checks."""

    def __init__(self, bench: Any, cycles: int) -> None:
        self.bench, self.left, self.checks = bench, cycles, 0

    def __call__(self, *what: Any) -> None:
        self.checks += 1
        if self.left > 0:
            self.left -= 1
            self.bench.run(0.06)
        check_trajectory(*what)


@pytest.fixture
def moving(bench: Any) -> Any:
    bench.daemon.move_joints([0.8, 0.0, 0.0, 0.0, 0.0])
    bench.run(0.3)
    assert bench.daemon.snapshot().state == "ACTIVE"
    return bench


def test_a_trajectory_is_checked_again_from_where_the_arm_went_meanwhile(
    moving: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = SlowCheck(moving, 1)
    monkeypatch.setattr(motion_commands, "check_trajectory", check)
    number = moving.daemon.follow([2.0], [[0.3]], joints=["joint1"])
    assert check.checks == 2
    before = moving.daemon.snapshot().sent.position[0]
    first = moving.run(0.02)
    assert first.motion == number
    assert abs(first.sent.position[0] - before) < 0.05, "it begins where the arm is now"
    assert moving.until(lambda s: s.result is not None and s.result.motion == number).result.succeeded
    assert moving.measured()[0] == pytest.approx(0.3, abs=0.02)


def test_of_an_arm_that_stands_it_is_checked_once(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    check = SlowCheck(bench, 0)
    monkeypatch.setattr(motion_commands, "check_trajectory", check)
    bench.daemon.follow([2.0], [[0.3]], joints=ARM[:1])
    assert check.checks == 1


def test_a_short_one_is_started_though_the_arm_never_stands_while_it_is_checked(
    moving: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = SlowCheck(moving, ATTEMPTS)
    monkeypatch.setattr(motion_commands, "check_trajectory", check)
    number = moving.daemon.follow([2.0], [[0.3]], joints=["joint1"])
    assert check.checks == ATTEMPTS + 1
    assert moving.run(0.02).motion == number


def test_one_that_waited_takes_the_fingers_over_too(moving: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fingers = moving.daemon.gripper(0.02)
    monkeypatch.setattr(motion_commands, "check_trajectory", SlowCheck(moving, ATTEMPTS))
    moving.daemon.follow([3.0], [[0.3, 0.2]], joints=["joint1", "grip_joint"])
    moving.run(0.02)
    assert [event.code for event in moving.events if event.motion == fingers and event.code] == [EndCode.REPLACED]


@pytest.mark.parametrize("long", ["points", "seconds"])
def test_a_long_one_is_refused_then_and_the_motion_goes_on(
    moving: Any, monkeypatch: pytest.MonkeyPatch, long: str
) -> None:
    times = np.linspace(1.0, 0.9 * QUICK_S, QUICK_POINTS + 1) if long == "points" else np.array([1.0, QUICK_S + 1.0])
    monkeypatch.setattr(motion_commands, "check_trajectory", SlowCheck(moving, ATTEMPTS))
    number = moving.daemon.snapshot().motion
    with pytest.raises(CommandRefusedError) as refused:
        moving.daemon.follow(times, np.full((len(times), 1), 0.3), joints=["joint1"])
    assert str(refused.value) == "the arm moves while this long trajectory is checked: stop it first"
    assert moving.run(0.02).motion == number


def test_a_stream_of_the_arm_alone_leaves_the_gripper_to_its_own_commands(bench: Any) -> None:
    bench.daemon.gripper(0.02)
    for k in range(60):
        bench.daemon.stream([0.002 * k, 0.0, 0.0, 0.0, 0.0], bench.clock.now(), joints=ARM)
        bench.run(0.02)
    bench.run(1.0)
    assert bench.measured()[0] == pytest.approx(0.118, abs=0.01)
    assert bench.measured()[5] > 0.3, "the gripper went on closing"


def test_a_twist_that_cannot_go_on_is_told_among_the_limits(bench: Any) -> None:
    for _ in range(5):
        bench.daemon.twist([0.0, 0.0, 0.05], [0.0, 0.0, 0.0], bench.clock.now())
        snapshot = bench.run(0.02)
    assert snapshot.limited
    assert bench.measured()[:5] == pytest.approx(np.zeros(5), abs=0.01)


def test_a_trajectory_of_just_the_size_that_may_wait_is_started(moving: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    check = SlowCheck(moving, ATTEMPTS)
    monkeypatch.setattr(motion_commands, "check_trajectory", check)
    number = moving.daemon.follow(
        np.linspace(2.0, QUICK_S, QUICK_POINTS), np.full((QUICK_POINTS, 1), 0.3), joints=ARM[:1]
    )
    assert check.checks == ATTEMPTS + 1
    assert moving.run(0.02).motion == number


@pytest.mark.parametrize("slow_checks", [0, ATTEMPTS])
def test_accelerations_that_are_given_are_kept_however_often_it_was_checked(
    moving: Any, monkeypatch: pytest.MonkeyPatch, slow_checks: int
) -> None:
    """A cubic through these knots would begin the second piece at -0.6 and not at 0.3 rad/s^2."""
    monkeypatch.setattr(motion_commands, "check_trajectory", SlowCheck(moving, slow_checks))
    moving.daemon.follow([2.0, 3.0], [[0.6], [0.5]], [[0.0], [0.0]], ARM[:1], accelerations=[[0.3], [0.0]])
    source = moving.daemon._motion.source
    assert source._trajectory.sample(2.0 + 1e-4).velocity[0] == pytest.approx(0.3e-4, rel=0.01)


@pytest.mark.parametrize("slow_checks", [0, ATTEMPTS])
def test_velocities_that_are_given_are_kept_however_often_it_was_checked(
    moving: Any, monkeypatch: pytest.MonkeyPatch, slow_checks: int
) -> None:
    monkeypatch.setattr(motion_commands, "check_trajectory", SlowCheck(moving, slow_checks))
    number = moving.daemon.follow([2.0, 3.0], [[0.6], [0.8]], [[0.02], [0.0]], joints=ARM[:1])
    moving.run(2.0)
    assert moving.run(0.02).motion == number
    through = np.diff(np.array(moving.arm.goals)[-3:, 0]) / 0.02
    assert through == pytest.approx([0.02] * 2, abs=0.03), "a smooth one would be several times as fast"
