"""A recorded motion on an arm: the same path again, softly begun, governed all the way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from .episodes import At, episode, gripper, state, stream

pytest.importorskip("pybullet", reason="the simulated arm needs pybullet")

from dofbot_ros.core.rate import Rate
from dofbot_ros.core.types import ARM_JOINTS, GRIP, FloatArray
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.errors import CommandRefusedError, DofbotError, InputError
from dofbot_ros.record.arms import open_arm
from dofbot_ros.record.motion import RecordedMotion
from dofbot_ros.record.reader import Episode
from dofbot_ros.record.replay import Replay, ReplayResult


def wave(t: float) -> FloatArray:
    """A smooth motion well within the limits: at most 0.8 rad/s."""
    return np.array([0.5, 0.2, 0.4, 0.3, 0.4]) * np.sin(np.array([1.5, 2.0, 1.2, 2.0, 1.5]) * t)


@pytest.fixture(scope="module")
def moments() -> list[At]:
    """What a recorder would have got while the simulated arm was streamed along `wave` for three seconds."""
    result = []
    with open_arm("sim", DriverConfig(soft_start_s=0.2)) as (daemon, clock):
        rate = Rate(clock, 50.0)
        daemon.step()
        daemon.set_torque(True)
        while clock.now() < 0.5:
            daemon.step()
            rate.wait()
        begun = clock.now()
        while (now := clock.now()) - begun < 3.0:
            daemon.stream(wave(now - begun), now, ARM_JOINTS)
            reading = daemon.step().reading
            assert reading is not None
            result += [stream(now - begun, wave(now - begun)), state(reading.stamp_s - begun, reading.position)]
            rate.wait()
    return result


def motion_of(folder: Path, moments: list[At]) -> RecordedMotion:
    return RecordedMotion(Episode(episode(folder, moments)))


def played(motion: RecordedMotion, speed: float = 1.0) -> ReplayResult:
    with open_arm("sim", DriverConfig()) as (daemon, clock):
        replay = Replay(daemon, clock, motion, speed)
        replay.go_to_start()
        return replay.play()


def test_commands_played_on_the_sim_make_the_recorded_path(tmp_path: Path, moments: list[At]) -> None:
    result = played(motion_of(tmp_path, moments))
    assert result.rms_error_rad < 0.01
    assert result.max_error_rad < 0.05
    assert result.lag_s <= 0.02
    assert result.duration_s == pytest.approx(3.0, abs=0.1)
    assert result.told == pytest.approx(result.points, abs=3)
    assert result.points == pytest.approx(150, abs=5)


@pytest.mark.slow
def test_without_commands_it_follows_where_the_arm_was_one_servo_delay_later(tmp_path: Path, moments: list[At]) -> None:
    result = played(motion_of(tmp_path, [m for m in moments if m.topic == "/joint_states"]))
    assert result.told == 0
    assert result.rms_error_without_lag_rad < 0.01
    assert 0.0 < result.lag_s <= 0.2


@pytest.mark.slow
def test_at_half_the_speed_it_is_the_same_path(tmp_path: Path, moments: list[At]) -> None:
    result = played(motion_of(tmp_path, moments), speed=0.5)
    assert result.duration_s == pytest.approx(6.0, abs=0.1)
    assert result.rms_error_rad < 0.05


def test_too_fast_is_clamped_and_said(tmp_path: Path, moments: list[At]) -> None:
    result = played(motion_of(tmp_path, moments), speed=4.0)
    assert result.clamped > 0.3 * result.points
    assert "joint3" in result.clamped_by["velocity limit"] or "joint2" in result.clamped_by["velocity limit"]


def test_the_way_to_the_start_is_soft_and_the_first_point_is_where_it_starts(tmp_path: Path) -> None:
    start = np.array([1.2, 0.3, 0.5, 0.4, -0.8])
    motion = motion_of(tmp_path, [stream(0.02 * i, start) for i in range(50)] + [gripper(0.0, 0.03)])
    with open_arm("sim", DriverConfig()) as (daemon, clock):
        steps: list[FloatArray] = []
        step = daemon.step

        def watched():
            snapshot = step()
            if snapshot.sent is not None:
                steps.append(snapshot.sent.position)
            return snapshot

        daemon.step = watched  # type: ignore[method-assign]
        Replay(daemon, clock, motion).go_to_start()
        assert steps[-1][:GRIP] == pytest.approx(start, abs=0.005)
        assert np.abs(np.diff(steps, axis=0)).max() <= 1.6 / 50 + 0.005
        reading = daemon.snapshot().reading
        assert reading is not None
        assert reading.position[:GRIP] == pytest.approx(start, abs=0.02)
        assert reading.position[GRIP] == pytest.approx(np.arccos(0.5), abs=0.05)


def test_the_gripper_is_told_again_what_it_was_told(tmp_path: Path) -> None:
    standing = [state(0.02 * i, [0.0] * 6) for i in range(101)]
    with open_arm("sim", DriverConfig()) as (daemon, clock):
        replay = Replay(daemon, clock, motion_of(tmp_path, [*standing, gripper(0.0, 0.06), gripper(0.5, 0.02)]))
        replay.go_to_start()
        replay.play()
        reading = daemon.snapshot().reading
        assert reading is not None
        assert 0.06 * np.cos(reading.position[GRIP]) == pytest.approx(0.02, abs=0.002)


def test_a_start_inside_the_table_is_refused(tmp_path: Path) -> None:
    motion = motion_of(tmp_path, [stream(0.02 * i, [0, 1.5, 1.0, 0.5, 0]) for i in range(50)])
    with pytest.raises(CommandRefusedError, match="table"):
        played(motion)


def test_an_emergency_stop_on_the_way_ends_it(tmp_path: Path, moments: list[At]) -> None:
    motion = motion_of(tmp_path, moments)
    with open_arm("sim", DriverConfig()) as (daemon, clock):
        replay = Replay(daemon, clock, motion)
        replay.go_to_start()
        with pytest.raises(CommandRefusedError, match="hand in the way"):
            replay.play(lambda: daemon.estop("hand in the way") if replay.time_s > 1.0 else None)
        assert replay.time_s < 1.1


@pytest.mark.slow
def test_what_it_cannot_do_is_said(tmp_path: Path) -> None:
    motion = motion_of(tmp_path, [stream(0.02 * i, [0.0] * 5) for i in range(50)])
    with open_arm("sim", DriverConfig()) as (daemon, clock), pytest.raises(InputError, match="positive"):
        Replay(daemon, clock, motion, 0.0)
    nowhere = DriverConfig(port=str(tmp_path / "ttyUSB9"), waive_check=True)
    with open_arm("serial", nowhere) as (daemon, clock), pytest.raises(DofbotError, match="ttyUSB9"):
        Replay(daemon, clock, motion).go_to_start()


@pytest.mark.slow
def test_the_same_path_comes_out_of_emulated_servos(tmp_path: Path) -> None:
    motion = motion_of(tmp_path, [stream(0.02 * i, wave(0.02 * i)) for i in range(75)])
    with open_arm("emulator", DriverConfig(soft_start_s=0.1)) as (daemon, clock):
        replay = Replay(daemon, clock, motion)
        replay.go_to_start()
        result = replay.play()
    assert result.rms_error_without_lag_rad < 0.03
    assert result.lag_s < 1.0  # in real time: a machine that is busy adds to it
