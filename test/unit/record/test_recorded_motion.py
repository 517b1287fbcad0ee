"""What an episode says of the arm's motion, from episodes whose motion is known."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from dofbot_ros.core.types import ARM_JOINTS, JOINT_NAMES
from dofbot_ros.errors import InputError
from dofbot_ros.record.export import export_npz
from dofbot_ros.record.motion import RecordedMotion
from dofbot_ros.record.reader import Episode

from .episodes import T0, At, episode, gripper, image, state, stream, text, trajectory


def motion_of(folder: Path, moments: list[At]) -> RecordedMotion:
    return RecordedMotion(Episode(episode(folder, moments)))


def standing(end_s: float, q: float = 0.0, clock_s: float = T0) -> list[At]:
    """Joint states of an arm whose joints all stand at `q`."""
    return [state(0.02 * i, [q] * 6, clock_s=clock_s) for i in range(round(end_s / 0.02) + 1)]


def test_without_commands_it_is_where_the_arm_was(tmp_path: Path) -> None:
    motion = motion_of(tmp_path, [state(0.02 * i, [0.01 * i] * 6) for i in range(101)])
    assert motion.duration_s == pytest.approx(2.0)
    times = np.array([0.0, 0.5, 1.01, 2.0])
    assert motion.wanted(times) == pytest.approx(np.tile(0.5 * times[:, None], 5), abs=1e-6)
    assert motion.measured(times) == pytest.approx(np.tile(0.5 * times[:, None], 6), abs=1e-6)
    assert not motion.told(times).any()


def test_a_stream_is_what_was_told_and_in_its_pauses_it_is_where_the_arm_was(tmp_path: Path) -> None:
    moments = standing(3.0, q=0.1)
    moments += [stream(t, [0.3] * 5) for t in np.arange(0.5, 1.001, 0.02)]
    moments += [stream(t, [0.2, 0.2], ARM_JOINTS[:2]) for t in np.arange(2.0, 2.501, 0.02)]
    motion = motion_of(tmp_path, moments)
    assert motion.wanted(0.25) == pytest.approx([0.1] * 5)
    assert motion.wanted(0.75) == pytest.approx([0.3] * 5)
    assert motion.wanted(1.5) == pytest.approx([0.1] * 5)
    assert motion.wanted(2.25) == pytest.approx([0.2, 0.2, 0.1, 0.1, 0.1])
    assert motion.told(2.25).tolist() == [True, True, False, False, False]


def test_a_command_that_the_arm_did_not_carry_out_is_not_played(tmp_path: Path) -> None:
    motion = motion_of(tmp_path, [*standing(1.0), *(stream(t, [0.9, 0, 0, 0, 0]) for t in np.arange(0, 1, 0.02))])
    assert motion.wanted(0.5) == pytest.approx([0.0] * 5)
    assert not motion.told(0.5).any()


def test_a_trajectory_is_followed_from_where_the_arm_was_until_the_next_command(tmp_path: Path) -> None:
    moments = [state(0.0, [0.0] * 6), *(stream(t, [0.05] * 5) for t in np.arange(1.5, 2.0, 0.02))]
    moments += [trajectory(0.5, [1.0, 3.0], [[0.2] * 5, [0.4] * 5]), state(4.0, [0.1] * 6)]
    motion = motion_of(tmp_path, moments)
    assert motion.wanted(0.5) == pytest.approx([0.0125] * 5, abs=1e-6)
    assert motion.wanted(1.0)[0] == pytest.approx(0.1, abs=0.03)
    assert motion.wanted(1.49)[0] == pytest.approx(0.2, abs=0.01)
    assert motion.wanted(1.6) == pytest.approx([0.05] * 5)
    assert motion.told(1.0).all()
    assert not motion.told(3.0).any()


@pytest.mark.parametrize(
    "bad",
    [
        trajectory(0.1, [1.0, 0.5], [[0.2] * 5, [0.4] * 5]),
        trajectory(0.1, [1.0], [[0.2] * 3]),
        trajectory(0.1, [1.0], [[0.2]], ["elbow"]),
        trajectory(0.1, [1.0], [[math.nan] * 5]),
        trajectory(0.1, [], []),
        stream(0.1, [0.2] * 5, ["elbow"] * 5),
    ],
)
def test_commands_that_no_arm_would_take_are_left_out(tmp_path: Path, bad: At) -> None:
    assert not motion_of(tmp_path, [*standing(1.0), bad]).told(np.linspace(0.0, 1.0, 50)).any()


@pytest.mark.parametrize("clock_s", [1000.0, T0 - 3600.0, T0 + 0.5])
def test_the_stamps_of_another_clock_are_moved_to_the_recorder_s(tmp_path: Path, clock_s: float) -> None:
    moments = [state(0.02 * i, [0.01 * i] * 6, clock_s=clock_s) for i in range(101)]
    late = np.random.default_rng(0)
    for moment in moments:
        moment.time_s += 0.01 * late.random()
    motion = motion_of(tmp_path, [*moments, gripper(1.0, 0.03)])
    assert motion.measured(1.0) == pytest.approx([0.5] * 6, abs=1e-6)
    ((gap_s, gap),) = motion.gaps
    assert gap == 0.03
    assert gap_s == pytest.approx(1.0, abs=0.01)


def test_simulated_time_that_ran_faster_is_refused(tmp_path: Path) -> None:
    moments = standing(8.0, clock_s=0.0)
    for moment in moments:
        moment.time_s /= 4
    with pytest.raises(InputError, match=r"8\.0 s of joint_states came within 2\.0 s"):
        motion_of(tmp_path, moments)


def test_a_short_recording_whose_end_came_late_is_taken(tmp_path: Path) -> None:
    moments = standing(2.0, clock_s=0.0)
    for moment in moments:
        moment.time_s += 0.3 * (moment.time_s > 1.8)
    assert motion_of(tmp_path, moments).duration_s == pytest.approx(2.0, abs=0.05)


def test_gripper_commands_count_where_there_are_any(tmp_path: Path) -> None:
    moving = [state(0.02 * i, [0, 0, 0, 0, 0, 0.01 * i]) for i in range(51)]
    assert motion_of(tmp_path, [*moving, gripper(0.5, 0.02), gripper(0.8, 0.0201), gripper(0.9, 7.0)]).gaps == [
        (pytest.approx(0.5), 0.02)
    ]
    by_stream = motion_of(tmp_path, [*moving, *(stream(t, [math.pi / 3], ["grip_joint"]) for t in (0.3, 0.32))])
    assert by_stream.gaps == [(pytest.approx(0.3), pytest.approx(0.03))]
    followed = motion_of(tmp_path, moving).gaps
    assert followed[0] == (0.0, pytest.approx(0.06))
    assert followed[-1][1] == pytest.approx(0.06 * math.cos(0.5), abs=0.0006)
    assert np.diff([gap for _, gap in followed]).max() <= -0.0005 + 1e-9


@pytest.mark.parametrize(
    "moments",
    [
        [],
        [text(0.0, "HOLD")],
        [state(0.0, [0.0], ["elbow"])],
        [stream(0.0, [0.1, 0.1], ARM_JOINTS[:2])],
        [state(0.0, [math.nan] * 6)],
    ],
)
def test_an_episode_without_the_arm_is_refused(tmp_path: Path, moments: list[At]) -> None:
    with pytest.raises(InputError, match="does not say how the arm moved"):
        motion_of(tmp_path, moments)


def test_commands_alone_are_enough(tmp_path: Path) -> None:
    motion = motion_of(tmp_path, [stream(0.02 * i, [0.01 * i] * 5) for i in range(51)])
    assert motion.wanted(0.5) == pytest.approx([0.25] * 5)
    assert not motion.has_states
    assert np.isnan(motion.measured(0.5)).all()


def test_export_writes_what_the_motion_says(tmp_path: Path) -> None:
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[..., 2] = 200
    jpeg = cv2.imencode(".jpg", picture)[1].tobytes()
    moments = [*standing(1.0, q=0.1), *(stream(t, [0.2] * 5) for t in np.arange(0.5, 1.001, 0.02))]
    path = episode(tmp_path, [*moments, gripper(0.4, 0.05), image(0.3, jpeg), image(0.6, jpeg)])
    shapes = export_npz(path, tmp_path / "out.npz", images=True)
    with np.load(tmp_path / "out.npz") as file:
        data = {name: file[name] for name in file.files}
    assert {name: array.shape for name, array in data.items()} == shapes
    assert shapes["positions"] == (len(data["times"]), len(JOINT_NAMES))
    assert data["commands"][10] == pytest.approx([0.1] * 5)
    assert data["commands"][40] == pytest.approx([0.2] * 5)
    assert data["told"][40].all()
    assert np.isnan(data["gaps"][10])
    assert data["gaps"][30] == 0.05
    assert data["image_times"] == pytest.approx([0.3, 0.6], abs=1e-6)
    assert data["images"].shape == (2, 48, 64, 3)
    assert data["images"][0, 0, 0] == pytest.approx([200, 0, 0], abs=5)
    assert "images" not in export_npz(path, tmp_path / "small.npz")


def test_export_says_what_is_wrong(tmp_path: Path) -> None:
    path = episode(tmp_path, [*standing(0.1), image(0.05, b"no jpeg")])
    with pytest.raises(InputError, match="is no image that OpenCV can read"):
        export_npz(path, tmp_path / "out.npz", images=True)
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        export_npz(path, tmp_path / "folder.npz")
    with pytest.raises(InputError, match=r"has to end in \.npz"):
        export_npz(path, tmp_path / "out.csv")
