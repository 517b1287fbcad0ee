"""Calibrates arms whose hidden errors are those of a typical desk, and compares what was found with what is true."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dofbot_ros.arm.gripper import gap_to_joint
from dofbot_ros.arm.robot import DRAWN
from dofbot_ros.calibration.block_in_hand import FACES, blank, block_scene, visible_faces
from dofbot_ros.calibration.bundle import BundleResult, Noise, solve
from dofbot_ros.calibration.camera import BoardView, calibrate_camera
from dofbot_ros.calibration.chain import ArmGeometry, tool_poses
from dofbot_ros.calibration.gravity import gravity_load
from dofbot_ros.calibration.observability import check, weakest
from dofbot_ros.calibration.plan_poses import PosePlan, Rig, plan
from dofbot_ros.calibration.scene import CAMERA, POSE, ArmSigma, Observations, Scene, joined
from dofbot_ros.core.resources import share_file
from dofbot_ros.core.transforms import apply, exp_so3, log_so3, transform
from dofbot_ros.core.types import ARM_JOINTS, N_ARM, FloatArray
from dofbot_ros.sim.config import load_world_config
from dofbot_ros.vision.block_layout import load_blocks
from dofbot_ros.vision.extrinsics import load_extrinsics
from dofbot_ros.vision.intrinsics import from_field_of_view

K1 = -0.3
"""Radial distortion that is believed."""
ZERO, SCALE, LINK, BASE_HEIGHT = math.radians(2.0), 0.01, 0.001, 0.003
"""Errors of a typical arm, each with a random sign [rad, 1, m, m]."""
CAMERA_M, CAMERA_RAD, FOCAL, LENS = 0.005, math.radians(0.7), 0.01, 0.1
"""Errors of a typical camera in a random direction [m, rad]; of its focal length and of K1, relative."""
PLAY, FLEX = math.radians(1.5), math.radians(0.5)
"""Play of the gears, and what they give at full load [rad]."""
PRINT = 0.001
"""Error of the sheet's size after its ruler was checked, relative."""
BLOCK_M, GLUE_M, GLUE_RAD = 0.001, 0.0005, math.radians(1.0)
"""How the block lies in the fingers, and how its markers were glued [m, m, rad]."""
REPEAT = math.radians(0.1)
"""What a joint does not repeat [rad]."""
CORNER_PX = 0.3
MOST_ROUNDS = 3
"""Of poses after the first, each of half as many as are asked for."""
BOARDS = 15
"""Pictures of a board, held by hand, from which the lens is calibrated first."""
SHARPNESS = 0.03
"""Share of the load at which the true play is taken up; the calibration believes another one."""

NOISE = Noise(CORNER_PX, math.radians(0.15))
NEEDED = {
    **{f"{joint}.zero": math.radians(0.6) for joint in ARM_JOINTS[1:4]},
    **{f"focal_{axis}": 4.0 for axis in "xy"},
    "base_height": 0.004,
    **{f"camera.{axis}": 0.004 for axis in "xyz"},
    **{f"camera.r{axis}": math.radians(0.6) for axis in "xyz"},
}
"""What a calibration has to find -> the standard deviation that will do [rad, px, m]."""


@dataclass(frozen=True)
class Errors:
    """How far one calibration is off.

    Attributes:
        focal: relative.
        position_mm: of the camera in base_link.
        rotation_deg: likewise.
        zeros_deg: of each joint.
        base_height_mm: of joint 2 above the table.
        poses: how many were needed.
        before_mm: of the camera, before the calibration.
        tool_mm: distance between where the camera and the arm put the tool, over the poses, root mean square.
        tool_before_mm: the same with what was believed before.
    """

    focal: float
    position_mm: float
    rotation_deg: float
    zeros_deg: tuple[float, ...]
    base_height_mm: float
    poses: int
    before_mm: float
    tool_mm: float
    tool_before_mm: float


def typical_rig() -> Rig:
    """The arm, camera and block that the calibration believes in, with how well it knows them."""
    config = load_world_config()
    lens = from_field_of_view(config.camera.width, config.camera.height, config.camera.field_of_view)
    focal = lens.focal_px
    prior = {
        "focal_x": (focal, FOCAL * focal),
        "focal_y": (focal, FOCAL * focal),
        "centre_x": (float(lens.K[0, 2]), 2.0),
        "centre_y": (float(lens.K[1, 2]), 2.0),
        "k1": (K1, LENS * abs(K1)),
        "k2": (0.0, 1e-3),
    }
    block = load_blocks().blocks[0]
    return Rig(DRAWN, typical_scene(prior), lens.size, block.marker_size, gap_to_joint(block.size), NOISE)


def typical_scene(lens: Mapping[str, tuple[float, float]]) -> Scene:
    """The unknowns with that lens: value and deviation of each of scene.CAMERA."""
    sigma = ArmSigma(zero=ZERO, scale=SCALE, base_height=BASE_HEIGHT, link=LINK, tool=0.002, play=0.5 * PLAY, flex=FLEX)
    block = load_blocks().blocks[0]
    camera = load_extrinsics(share_file("config", "sim_camera.yaml")).matrix
    return block_scene(ArmGeometry.nominal(DRAWN.kinematics), sigma, lens, camera, block)


def measure(seeds: int, poses: int) -> Iterator[dict[str, Any]]:
    """Plan once, then calibrate one arm after the other; yields the summary of all so far after each."""
    rig = typical_rig()
    found: list[Errors] = []
    for seed in range(seeds):
        found.append(calibrate(rig, poses, seed))
        yield summary(found)


def calibrate(rig: Rig, poses: int, seed: int) -> Errors:
    """Draw an arm; calibrate lens, then arm and camera from half the poses, then from poses planned with that.

    While some unknown is open still, further poses are planned.

    Raises:
        CalibrationError: MOST_ROUNDS of poses leave an unknown open.
    """
    rng = np.random.default_rng(seed)
    truth = draw(rig.scene, rng)
    rig = replace(rig, scene=with_lens(rig, board_views(rig, truth, rng)))
    first = plan(rig, poses // 2, rng)
    seen = observe(rig, first, truth, rng, sheets=rig.sheet_pictures)
    result = solve(rig.scene, seen, rig.noise)
    for _ in range(MOST_ROUNDS):
        more = plan(rig, poses - poses // 2, rng, result)
        seen = joined(seen, observe(rig, more, truth, rng, sheets=0))
        result = solve(rig.scene, seen, rig.noise, result.x)
        if weakest(result.parameters, result.information, NEEDED)[1] >= 1.0:
            break
    check(result.parameters, result.information, NEEDED)
    return compare(rig.scene, truth, result, seen)


def board_views(rig: Rig, truth: FloatArray, rng: np.random.Generator) -> list[BoardView]:
    """What the true camera sees of a board that a person holds before it: most corners in the picture."""
    grid = np.stack(np.meshgrid(np.arange(8), np.arange(6)), axis=-1).reshape(-1, 2)
    points = np.column_stack([0.03 * (grid - grid.mean(axis=0)), np.zeros(len(grid))])
    camera = rig.scene.pose(truth, rig.scene.mount)
    views: list[BoardView] = []
    while len(views) < BOARDS:
        place = rng.uniform([-0.15, -0.12, 0.30], [0.15, 0.12, 0.50])
        T_camera_board = transform(exp_so3(rng.uniform(-0.6, 0.6, 3)), place)
        pixels = rig.scene.project(truth, apply(camera @ T_camera_board, points))
        inside = np.all((pixels > 0) & (pixels < rig.size), axis=1)
        if inside.sum() >= 0.6 * len(points):
            noisy = pixels[inside] + rng.normal(0.0, CORNER_PX, (int(inside.sum()), 2))
            views.append(BoardView(f"board {len(views)}", points[inside], noisy))
    return views


def with_lens(rig: Rig, views: list[BoardView]) -> Scene:
    """The scene of `rig` with the lens that pictures of a board tell, as precisely as they tell it."""
    found = calibrate_camera(views, rig.size)
    K, lens = found.intrinsics.K, found.intrinsics.distortion
    values = (K[0, 0], K[1, 1], K[0, 2], K[1, 2], lens[0], lens[1])
    prior = {n: (float(v), float(s)) for n, v, s in zip(CAMERA, values, found.sigma, strict=True)}
    return typical_scene(prior)


def draw(scene: Scene, rng: np.random.Generator) -> FloatArray:
    """The hidden truth of one typical desk, shape (p,)."""
    names, truth = scene.parameters, scene.parameters.nominal.copy()

    def put(name: str, value: float) -> None:
        truth[names.index(name)] += value

    def sign() -> float:
        return float(rng.choice([-1.0, 1.0]))

    for joint in ARM_JOINTS:
        put(f"{joint}.zero", ZERO * sign())
        put(f"{joint}.scale", SCALE * sign())
        put(f"{joint}.play", 0.5 * PLAY)
        put(f"{joint}.flex", FLEX)
    for name, size in (("base_height", BASE_HEIGHT), ("upper_arm", LINK), ("forearm", LINK), ("tool", LINK)):
        put(name, size * sign())
    focal = FOCAL * sign()
    for name, value in (("focal_x", focal), ("focal_y", focal), ("k1", LENS * sign())):
        put(name, value * abs(names.value(names.nominal, name)))
    for name in ("centre_x", "centre_y"):
        put(name, float(rng.normal(0.0, 1.0)))
    _shift(put, "camera", CAMERA_M * _direction(rng), CAMERA_RAD * _direction(rng))
    held, turned = rng.normal(0.0, BLOCK_M, 3), rng.normal(0.0, np.radians([0.5, 2.0, 0.5]))
    for face in FACES:
        offset, turn = held + rng.normal(0.0, GLUE_M, 3), turned + rng.normal(0.0, GLUE_RAD / math.sqrt(3.0), 3)
        _shift(put, f"face{face}", offset, turn)
        put(f"face{face}.size", float(rng.normal(0.0, 0.003)))
    _shift(put, "sheet", rng.normal(0.0, [5e-4, 5e-4, 2e-4]), np.radians(rng.normal(0.0, [0.05, 0.05, 0.15])))
    put("sheet.size", PRINT * float(rng.normal()))
    return truth


def observe(rig: Rig, planned: PosePlan, truth: FloatArray, rng: np.random.Generator, sheets: int) -> Observations:
    """What the camera sees of the true arm at the planned poses; before them, `sheets` pictures of the sheet alone."""
    scene, q = rig.scene, planned.q
    read = np.vstack([np.zeros((sheets, N_ARM)), q])
    # Where the arm truly stands: play and weight taken up more sharply than the calibration believes.
    load = gravity_load(rig.robot.kinematics, read)
    approach = rng.choice([-1.0, 1.0], read.shape) * [1.0, 0.0, 0.0, 0.0, 1.0]
    side = np.tanh(load / SHARPNESS) + approach
    actual = read + rng.normal(0.0, REPEAT, read.shape)
    true_q = scene.arm(truth).joints(actual, side, load)
    visible = visible_faces(scene, truth, true_q, rig.size)
    visible[:sheets] = False
    wanted = blank(rig.robot.kinematics, read, visible, rig.marker, range(sheets))
    real = replace(wanted, read=actual, side=side, load=load)
    pixels = scene.predict(truth, real)
    assert wanted.side is not None
    return replace(wanted, pixels=pixels + rng.normal(0.0, CORNER_PX, pixels.shape), side=wanted.side + approach)


def compare(scene: Scene, truth: FloatArray, found: BundleResult, seen: Observations) -> Errors:
    """The differences between a calibration and the truth."""
    names = scene.parameters
    off = found.x - truth
    nominal = names.nominal
    true, mine, believed = (scene.pose(x, scene.mount) for x in (truth, found.x, nominal))
    focal = [math.sqrt(names.value(x, "focal_x") * names.value(x, "focal_y")) for x in (found.x, truth)]
    return Errors(
        abs(focal[0] / focal[1] - 1.0),
        1e3 * float(np.linalg.norm(mine[:3, 3] - true[:3, 3])),
        math.degrees(float(np.linalg.norm(log_so3(mine[:3, :3].T @ true[:3, :3])))),
        tuple(abs(math.degrees(off[names.index(f"{joint}.zero")])) for joint in ARM_JOINTS),
        1e3 * abs(float(off[names.index("base_height")])),
        int(np.count_nonzero(seen.read.any(axis=1))),
        1e3 * float(np.linalg.norm(believed[:3, 3] - true[:3, 3])),
        _tool_mm(scene, truth, found.x, seen),
        _tool_mm(scene, truth, nominal, seen),
    )


def _tool_mm(scene: Scene, truth: FloatArray, x: FloatArray, seen: Observations) -> float:
    """How far apart the true and the believed tool are in the camera's frame, over all views, root mean square [mm]."""
    places = []
    for values in (truth, x):
        camera = scene.pose(values, scene.mount)
        tool = tool_poses(scene.arm(values), scene.joints(values, seen))[:, :3, 3]
        places.append((tool - camera[:3, 3]) @ camera[:3, :3])
    return 1e3 * float(np.sqrt(np.mean(np.sum((places[0] - places[1]) ** 2, axis=1))))


def _direction(rng: np.random.Generator) -> FloatArray:
    """A random unit vector, shape (3,)."""
    v = rng.normal(size=3)
    return np.asarray(v / np.linalg.norm(v))


def _shift(put: Callable[[str, float], None], pose: str, translation: FloatArray, rotation: FloatArray) -> None:
    """Add to the six unknowns of a pose."""
    for end, value in zip(POSE, (*translation, *rotation), strict=True):
        put(f"{pose}.{end}", float(value))


def summary(found: list[Errors]) -> dict[str, Any]:
    """Median and maximum of each error over all arms so far."""

    def both(values: list[float]) -> dict[str, float]:
        return {"median": float(np.median(values)), "max": float(np.max(values))}

    zeros = np.array([e.zeros_deg for e in found])
    return {
        "seeds": len(found),
        "focal_percent": both([100 * e.focal for e in found]),
        "hand_eye_mm": both([e.position_mm for e in found]),
        "hand_eye_deg": both([e.rotation_deg for e in found]),
        "zeros_deg": {joint: both(zeros[:, i].tolist()) for i, joint in enumerate(ARM_JOINTS)},
        "base_height_mm": both([e.base_height_mm for e in found]),
        "poses": both([float(e.poses) for e in found]),
        "tool_mm": both([e.tool_mm for e in found]),
        "tool_before_mm": both([e.tool_before_mm for e in found]),
    }
