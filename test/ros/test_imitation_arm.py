"""A hand drives a simulated arm through its driver: gripper gaps, stored poses, and no motion without a hand."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pybullet")

from dofbot_ros.arm.poses import NamedPoses, save_poses
from dofbot_ros.errors import InputError
from dofbot_ros.lab.imitation.driving.drive import HandDrive, poses_of_signs

from .conftest import DOFBOT, SOON_S, StartArm

OPEN, HALF, FIST = [0.1] * 5, [0.3, *[0.45] * 4], [0.9] * 5
TWO, ROCK = [0.9, 0.1, 0.1, 0.9, 0.9], [0.9, 0.1, 0.9, 0.9, 0.1]
FRAME_S = 1.0 / 15.0
HANDS = Path(__file__).resolve().parents[3] / "shared" / "data" / "hands"
STORED = NamedPoses({"left": [0.4, 0.0, 0.0, 0.0, 0.0], "far": [-1.4, 0.0, 0.0, 0.0, 0.0]})


class Operator:
    """Shows a hand to a drive; time is that of its frames."""

    def __init__(self, drive: HandDrive) -> None:
        self.drive, self.now_s = drive, 0.0

    def show(self, bends: list[float] | None, seconds: float) -> None:
        for _ in range(round(seconds / FRAME_S)):
            self.now_s += FRAME_S
            self.drive.observe(self.now_s, None if bends is None else np.array(bends))


def test_a_hand_moves_the_gripper_and_calls_poses_and_without_it_the_arm_stops(start_own_arm: StartArm) -> None:
    client = start_own_arm("sim_node").client
    client.enable()
    client.home()
    client.gripper(0.02)
    poses = poses_of_signs({"two": "left", "rock": "far"}, STORED)
    with HandDrive(client, poses) as drive:
        hand = Operator(drive)
        hand.show(OPEN, 2.0)
        hand.show(HALF, 1.0)
        assert drive.counts["gaps"] == 0
        assert client.gap == pytest.approx(0.02, abs=0.003)
        hand.show(FIST, 0.3)
        hand.show(OPEN, 1.0)
        assert drive.reader.engaged
        hand.show(HALF, 1.5)
        client.wait_until(lambda: abs(client.gap - 0.03) < 0.003, SOON_S, "gap of half a curl")

        hand.show(TWO, 0.8)
        assert drive.going == "two"
        client.wait_until(lambda: abs(float(client.position[0]) - 0.4) < 0.02, SOON_S, "stored pose")
        drive.finish()
        assert drive.counts["poses"] == 1
        assert client.gap == pytest.approx(0.03, abs=0.003)

        hand.show(ROCK, 0.8)
        client.wait_until(lambda: float(client.position[0]) < 0.1, SOON_S, "motion to the next pose")
        hand.show(None, 1.2)
        assert not drive.reader.engaged
        assert drive.counts["refused"] == 1
        client.wait_until(lambda: client.state == "HOLD", SOON_S, "rest")
        assert float(client.position[0]) > -1.2
        rested = float(client.position[0])
        hand.show(ROCK, 2.0)
        assert float(client.position[0]) == pytest.approx(rested, abs=0.03)

        hand.show(FIST, 0.3)
        hand.show(OPEN, 1.0)
        assert drive.reader.engaged
        assert drive.counts["engagements"] == 2
        client.estop()
        client.wait_until(lambda: client.state == "ESTOP", SOON_S, "emergency stop")
        hand.show(FIST, 0.3)
        assert not drive.reader.engaged
        assert "ESTOP" in drive.reader.why


def test_signs_and_poses_that_there_are_not_are_one_line() -> None:
    with pytest.raises(InputError, match="did you mean two"):
        poses_of_signs({"tow": "left"}, STORED)
    with pytest.raises(InputError, match="did you mean left"):
        poses_of_signs({"two": "lift"}, STORED)


@pytest.mark.slow
@pytest.mark.skipif(not HANDS.is_dir(), reason="the photos of hands in ../shared/data are not here")
def test_the_command_follows_a_source_to_its_end(start_own_arm: StartArm, tmp_path: Path) -> None:
    pytest.importorskip("mediapipe", reason="hands are found by MediaPipe, extra teleop")
    pytest.importorskip("torch", reason="the imitation needs the extra learn")
    client = start_own_arm("sim_node").client
    client.enable()
    before = client.gap
    photos = tmp_path / "photos"
    photos.mkdir()
    for number, name in enumerate(("rock.jpg", "four.jpg", "none.jpg")):
        shutil.copy(HANDS / name, photos / f"{number}.jpg")
    save_poses(STORED, tmp_path / "poses.yaml")
    words = [*DOFBOT, "imitate", "arm", "--source", str(photos), "--poses", str(tmp_path / "poses.yaml"), "--json"]
    words += ["--namespace", str(client.node.get_namespace()).strip("/")]
    done = subprocess.run([*words, "--sign", "rock=left"], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["frames"] + told["dropped"] == 3
    assert told["engagements"] == told["gaps"] == told["poses"] == 0
    assert client.gap == pytest.approx(before, abs=0.002)
