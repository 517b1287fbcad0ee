"""Arms on a desk that calibrate themselves without ROS, through rendered pictures and servo models."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dofbot_ros.calibration.arm_command import Inputs, calibrate_servos
from dofbot_ros.calibration.automatic import calibrate_all
from dofbot_ros.calibration.targets.hand_held_board import lens_of
from dofbot_ros.core.files import whole_file
from dofbot_ros.core.types import ARM_JOINTS, GRIP, FloatArray
from dofbot_ros.desks.held_block import with_block_in_hand
from dofbot_ros.desks.installation import Installation
from dofbot_ros.desks.truth import compared_with_truth
from dofbot_ros.errors import CalibrationError
from dofbot_ros.sim.arm import SimArm
from dofbot_ros.sim.rendering.camera import SimCamera
from dofbot_ros.sim.world import World
from dofbot_ros.vision.markers.aruco import Marker, MarkerDetector
from dofbot_ros.vision.markers.block_layout import load_blocks

HELD = "red"
SPEED = 0.8
"""Of the joint that moves furthest [rad/s]."""
PERIOD_S, SETTLE_S = 0.02, 0.6


class SimulatedArm:
    """A CalibrationArm on a desk, a block in its fingers.

    Args:
        installation: what is true of it, and what it believes.
    """

    def __init__(self, installation: Installation) -> None:
        self.world = World(installation.world)
        self._belief = installation.belief.calibration
        self.arm = SimArm(
            self.world, calibration=self._belief, servo=installation.servos, truth=installation.calibration
        )
        self.camera = SimCamera(
            self.world, installation.world.camera, np.random.default_rng([installation.seed, 0xCA1])
        )
        self._detector = MarkerDetector(self.world.blocks.dictionary)
        self._goal = self.arm.connect().position

    def move(self, q: FloatArray) -> None:
        """Go there and rest."""
        start, goal = self._goal, np.append(q, self._goal[GRIP])
        steps = max(1, math.ceil(float(np.max(np.abs(goal - start))) / (SPEED * PERIOD_S)))
        for share in np.linspace(0.0, 1.0, steps + 1)[1:]:
            # Smooth at both ends.
            self.arm.write(start + (3 * share**2 - 2 * share**3) * (goal - start), PERIOD_S)
            self._wait(PERIOD_S)
        self._goal = goal
        self._wait(SETTLE_S)

    def ticks(self) -> list[int]:
        """What the servos read."""
        return [int(t) for t in self._belief.rad_to_ticks(self.arm.read().position)]

    def look(self) -> list[Marker]:
        """The markers in a rendered picture."""
        return self._detector.detect(self.camera.render())

    def close(self) -> None:
        """Let go of the world."""
        self.world.close()

    def _wait(self, seconds: float) -> None:
        self.arm.clock.sleep_until(self.arm.clock.now() + seconds)


def measure(
    desk: str,
    seeds: int,
    poses: int,
    *,
    first: int,
    folder: Path,
    done: Callable[[int, int], None] = lambda _seed, _pose: None,
) -> Iterator[dict[str, Any]]:
    """Calibrate the installations of a desk, one after the other, as `dofbot calibrate all` would.

    Each leaves its files in `folder/NUMBER`, with which `--desk DESK:FOLDER` tells the software what was found; an arm
    that is refused keeps what was believed of it, and the lens as the board told it. Those that are there are not
    calibrated again.

    Args:
        desk: name or file.
        seeds: how many installations.
        poses: of each arm; more where they do not suffice.
        first: number of the first.
        folder: for their files.
        done: is told the installation and how many of its poses are done.

    Yields:
        After each, the summary of all so far: see summary().
    """
    found: list[dict[str, Any]] = []
    for number in range(first, first + seeds):
        here = folder / str(number)
        kept = here / "found.json"
        if not kept.exists():
            result = _calibrate(desk, number, poses, here, done)
            with whole_file(kept) as new:
                new.write_text(json.dumps(result), encoding="utf-8")
        found.append(json.loads(kept.read_text(encoding="utf-8")))
        yield summary(found)


def _calibrate(desk: str, number: int, poses: int, folder: Path, done: Callable[[int, int], None]) -> dict[str, Any]:
    blocks = load_blocks()
    installation, _ = with_block_in_hand(desk, number, blocks.block(HELD))
    belief = replace(installation.belief, intrinsics=lens_of(installation))
    files = {name: Path(path) for name, path in belief.save(folder).items()}
    arm, record, taken = SimulatedArm(installation), folder / "session.json", 0

    def one_more(count: int) -> None:
        nonlocal taken
        taken = count
        done(number, count)

    calibration, camera_pose = files["calibration_file"], files["extrinsics_file"]
    result: dict[str, Any] = {"number": number}
    try:
        calibrate_all(
            arm,
            blocks,
            HELD,
            belief.calibration,
            T_base_camera=belief.T_base_camera,
            intrinsics=belief.intrinsics,
            poses=poses,
            rng=np.random.default_rng(number),
            record=record,
            done=one_more,
        )
        fit = calibrate_servos(Inputs(record, files["camera_info_file"], camera_pose), calibration, camera_pose)
        result |= {"held_out_mm": fit["held_out_mm"], "stored_mm": fit["stored_mm"]}
    except CalibrationError as error:
        result["refused"] = str(error)
    finally:
        arm.close()
    result |= {"poses": taken, "arm_time_s": arm.arm.clock.now()}
    return result | compared_with_truth(installation, calibration, camera_pose)


def summary(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Median and greatest error over all arms that were not refused, what was off before, and who was refused."""
    taken = [one for one in found if "refused" not in one]

    def both(values: list[float]) -> dict[str, float]:
        return {"median": float(np.median(values)), "max": float(np.max(values))} if values else {}

    names = ("hand_eye_mm", "hand_eye_deg", "base_height_mm")
    return {
        "seeds": len(found),
        "refused": {str(one["number"]): one["refused"] for one in found if "refused" in one},
        **{name: both([one[name] for one in taken]) for name in (*names, "held_out_mm", "stored_mm", "poses")},
        "arm_time_s": both([one["arm_time_s"] for one in taken]),
        "zeros_deg": {joint: both([one["zeros_deg"][joint] for one in taken]) for joint in ARM_JOINTS},
        "before": {name: both([one["before"][name] for one in taken]) for name in names},
    }
