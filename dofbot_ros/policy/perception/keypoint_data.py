"""Rendered pictures of arm and block with the true pixels of their keypoints: what the pose network learns from."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dofbot_ros.arm.gripper import gap_to_joint
from dofbot_ros.arm.robot import DRAWN
from dofbot_ros.core.array_files import load_arrays
from dofbot_ros.core.transforms import apply, rot_axis, rot_z, transform
from dofbot_ros.core.types import FloatArray, ImageArray, ToolPose
from dofbot_ros.desks.config import OWN
from dofbot_ros.errors import InputError, UnreachableError
from dofbot_ros.policy.env.sim_robot import SimRobot, SimRobotConfig
from dofbot_ros.policy.env.tasks import ready_pose
from dofbot_ros.policy.perception.desk_camera import DeskCamera
from dofbot_ros.policy.perception.keypoints import KEYPOINTS, PLATE_CORNERS, arm_points, image_yaw
from dofbot_ros.policy.perception.pixels import WIDTH, PolicyCamera, rows
from dofbot_ros.sim.randomization import RandomizationRanges
from dofbot_ros.sim.scene import FACE_UP

MARKED = "red"

FRAMES_A_WORLD, FRAMES_A_CAMERA = 12, 3
"""Pictures in which the same block is used, and in which camera, light and table stay."""

SECTOR_RADIUS, SECTOR_AZIMUTH = (0.14, 0.28), 1.15
"""Places of blocks [m, rad]: a little more than episodes have."""


LEAN = 0.10
"""Standard deviation of the tool's tilt about the reach map's [rad]: pictures then serve other maps too."""

LOWEST = 0.006
"""Height of the tool in a grasp [m]."""


@dataclass(frozen=True)
class KeypointData:
    """Pictures and what is true in them.

    Attributes:
        pictures: RGB (n, rows, width, 3).
        pixels: of KEYPOINTS, (n, 7, 2).
        yaw: of the block in the picture, modulo a quarter turn [rad], (n,).
        shown: share of the block that is to be seen, (n,).
        place: of the block's centre in base_link and its yaw [m, rad], (n, 4).
        joints: of the arm [rad], (n, 6).
        camera: the true optical frame in base_link, (n, 4, 4).
    """

    pictures: NDArray[np.uint8]
    pixels: NDArray[np.float32]
    yaw: NDArray[np.float32]
    shown: NDArray[np.float32]
    place: NDArray[np.float32]
    joints: NDArray[np.float32]
    camera: FloatArray

    def __len__(self) -> int:
        return len(self.pictures)

    def save(self, path: Path) -> None:
        """Write them to an npz file, which is there once it is whole."""
        new = path.with_name(f"new_{path.name}")
        np.savez(new, **vars(self))
        new.replace(path)

    def part(self, chosen: slice) -> KeypointData:
        """Some of them."""
        return KeypointData(**{name: values[chosen] for name, values in vars(self).items()})


def empty_data(n: int, width: int = WIDTH) -> KeypointData:
    """Room for `n` pictures."""
    numbers = {
        "pixels": (len(KEYPOINTS), 2),
        "yaw": (),
        "shown": (),
        "place": (4,),
        "joints": (6,),
    }
    return KeypointData(
        np.zeros((n, rows(width), width, 3), np.uint8),
        **{name: np.zeros((n, *shape), np.float32) for name, shape in numbers.items()},
        camera=np.zeros((n, 4, 4)),
    )


class Camera(Protocol):
    """What takes the pictures."""

    def render(self) -> ImageArray:
        """The picture at this moment, RGB (rows, width, 3)."""

    def project(self, points: FloatArray) -> FloatArray:
        """Where the picture shows points (n, 3) of the world [m]: pixels (n, 2)."""

    def shown(self, name: str) -> float:
        """Share of a block that the last picture shows, 0..1."""

    def pose(self) -> FloatArray:
        """Where it truly is: the optical frame in the world (4, 4)."""


def render_data(
    ranges: RandomizationRanges,
    n: int,
    seed: Sequence[int],
    *,
    desk: str = OWN,
    log: Path | None = None,
    report: Callable[[int], None] | None = None,
) -> KeypointData:
    """Draw scenes and take their pictures; the same arguments, the same pictures.

    Args:
        ranges: of the worlds.
        n: pictures.
        seed: of everything.
        desk: whose arms, cameras and tables they show, a new installation for each world.
        log: the draws are added to it, a line of JSON each.
        report: told how many are done.
    """
    rng = np.random.default_rng(seed)
    sim = SimRobot(SimRobotConfig(marked=MARKED, node_physics=desk != OWN, desk=desk))
    data = empty_data(n)
    lines: list[str] = []
    try:
        for i in range(n):
            if i % FRAMES_A_WORLD == 0:
                draw = ranges.draw(rng)
                sim.reset(draw, ready_pose(rng, sim.map), int(rng.integers(2**31)))
                if sim.installation is not None:
                    lines.append(json.dumps({"picture": i, "desk": desk, **draw.to_log()}) + "\n")
                    camera: Camera = DeskCamera(sim.world, sim.installation)
            if desk == OWN and i % FRAMES_A_CAMERA == 0:
                draw = ranges.draw(rng)
                lines.append(json.dumps({"picture": i, **draw.to_log()}) + "\n")
                camera = PolicyCamera(sim.world, draw, rng=np.random.default_rng([draw.seed, 6]))
            arrange(sim, rng)
            record(data, i, sim, camera)
            if report is not None:
                report(i + 1)
    finally:
        sim.close()
    if log is not None:
        with log.open("a", encoding="utf-8") as file:
            file.writelines(lines)
    return data


def record(data: KeypointData, i: int, sim: SimRobot, camera: Camera) -> None:
    """Take picture number `i` of what is there now, and note what is true of it."""
    name = sim.world.block_names[0]
    data.pictures[i] = camera.render()
    position, yaw = sim.true_block()
    data.pixels[i] = camera.project(np.vstack([_true_arm(sim), position]))
    data.yaw[i] = image_yaw(position, yaw, camera.project)
    data.shown[i] = camera.shown(name)
    data.place[i] = *position, yaw
    data.joints[i] = sim.world.arm.positions()
    data.camera[i] = camera.pose()


def _true_arm(sim: SimRobot) -> FloatArray:
    """ARM_KEYPOINTS in the world (6, 3) [m], of an arm as drawn or of a desk's."""
    arm = sim.world.arm
    if sim.config.desk == OWN:
        return arm_points(arm.positions())
    between = apply(arm.link_pose("tool_link"), np.array([0.0, arm.flaws.finger_across_m, arm.flaws.finger_along_m]))
    joints = [arm.link_pose(link)[:3, 3] for link in ("link2", "link3", "link4")]
    return np.vstack([apply(arm.pose, np.array(PLATE_CORNERS)), *joints, between])


def arrange(sim: SimRobot, rng: np.random.Generator) -> None:
    """Put arm and block somewhere: apart, close together as in a grasp, or the block in the fingers."""
    kind = rng.random()
    size = sim.block_size
    radius = math.sqrt(rng.uniform(SECTOR_RADIUS[0] ** 2, SECTOR_RADIUS[1] ** 2))
    azimuth = rng.uniform(-SECTOR_AZIMUTH, SECTOR_AZIMUTH)
    yaw = rng.uniform(-math.pi, math.pi)
    block = np.array([radius * math.cos(azimuth), radius * math.sin(azimuth), 0.5 * size])
    flat = rot_z(yaw) @ FACE_UP[rng.integers(len(FACE_UP))]
    if kind < 0.25:
        tool_radius, z = sim.map.sample(rng, (0.14, 0.29), (0.02, 0.16)).tolist()
        joints = _joints(sim, tool_radius, z, rng)
        azimuth1, roll, gap = rng.uniform(-1.2, 1.2), rng.uniform(-1.2, 1.2), rng.uniform(0.0, 0.06)
    else:
        held = kind > 0.8
        away = 0.0 if held else 0.030 * rng.random()
        about = rng.uniform(-math.pi, math.pi)
        x, y = block[0] + away * math.cos(about), block[1] + away * math.sin(about)
        tool_radius, azimuth1 = math.hypot(x, y), math.atan2(y, x)
        z = LOWEST + 0.10 * rng.random() ** (1.0 if held else 1.5)
        joints = _joints(sim, tool_radius, z, rng)
        roll, gap = rng.uniform(-1.0, 1.0), size if held else rng.uniform(size + 0.002, 0.06)
    sim.world.arm.teleport([azimuth1, *joints, roll, gap_to_joint(min(gap, 0.06))])
    if kind > 0.8:
        block, flat = _in_fingers(sim, rng)
    sim.world.place(sim.world.block_names[0], transform(flat, block))


def _joints(sim: SimRobot, radius: float, z: float, rng: np.random.Generator) -> list[float]:
    """Joints 2 to 4 [rad] for the place nearest to this one within reach, with about the tilt of the reach map."""
    for inward in np.arange(0.0, 0.2, 0.004):
        for up in (0.0, inward):
            near, height = radius - math.copysign(inward, radius - 0.2), z + up
            mapped, pitch = sim.map.solve(near, height), sim.map.pitch(near, height)
            if mapped is None or pitch is None:
                continue
            try:
                q: list[float] = DRAWN.kinematics.solve(
                    ToolPose(near, 0.0, height, pitch + rng.normal(0.0, LEAN)), near=(0.0, *mapped, 0.0)
                ).tolist()
            except UnreachableError:
                return list(mapped)
            return q[1:4]
    raise RuntimeError(f"nothing within reach near radius {radius:.3f} m, height {z:.3f} m")


def _in_fingers(sim: SimRobot, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Place and rotation of a block that was grasped lying flat and has been tilted with the hand since."""
    q = sim.world.arm.positions()
    tool = np.asarray(arm_points(q)[-1])
    pitch = float(q[1] + q[2] + q[3])
    line = rot_z(q[0]) @ rot_axis(np.array([0.0, 1.0, 0.0]), pitch) @ rot_z(q[4])
    along = line[:, 1]
    turned = rot_z(math.atan2(along[1], along[0]))
    tilted = rot_axis(along, rng.normal(0.0, 0.12)) @ turned @ FACE_UP[rng.integers(len(FACE_UP))]
    slip = rng.normal(0.0, 0.003, size=3)
    return tool + slip, tilted


def load_data(paths: Sequence[Path]) -> KeypointData:
    """The pictures of several files, one after the other.

    Raises:
        InputError: a file that is not there, or none of pictures.
    """
    names = {field.name for field in fields(KeypointData)}
    parts = []
    for path in paths:
        arrays = load_arrays(path, "file of pictures")
        if set(arrays) != names:
            raise InputError(f"{path} is no file of pictures: it holds {', '.join(arrays)}, not {', '.join(names)}")
        parts.append(arrays)
    return KeypointData(**{name: np.concatenate([part[name] for part in parts]) for name in parts[0]})
