"""Arms, cameras and blocks with the hidden errors of a typical desk, and what a camera sees of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from dofbot_ros.arm.gripper import gap_to_joint
from dofbot_ros.arm.robot import DRAWN
from dofbot_ros.calibration.camera import BoardView
from dofbot_ros.calibration.fitting.bundle import Noise
from dofbot_ros.calibration.fitting.chain import ArmGeometry
from dofbot_ros.calibration.fitting.gravity import gravity_load
from dofbot_ros.calibration.observations import Observations
from dofbot_ros.calibration.plan_poses import PosePlan, Rig
from dofbot_ros.calibration.priors import POSE, ArmSigma
from dofbot_ros.calibration.scene import Scene
from dofbot_ros.calibration.targets.block_in_hand import FACES, blank, block_scene, visible_faces
from dofbot_ros.core.resources import share_file
from dofbot_ros.core.transforms import apply, exp_so3, transform
from dofbot_ros.core.types import ARM_JOINTS, N_ARM, FloatArray
from dofbot_ros.sim.config import load_world_config
from dofbot_ros.vision.extrinsics import load_extrinsics
from dofbot_ros.vision.intrinsics import from_field_of_view
from dofbot_ros.vision.markers.block_layout import load_blocks

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
BOARDS = 15
"""Pictures of a board, held by hand, from which the lens is calibrated first."""
SHARPNESS = 0.03
"""Share of the load at which the true play is taken up; the calibration believes another one."""

NOISE = Noise(CORNER_PX, math.radians(0.15))


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


def _direction(rng: np.random.Generator) -> FloatArray:
    """A random unit vector, shape (3,)."""
    v = rng.normal(size=3)
    return np.asarray(v / np.linalg.norm(v))


def _shift(put: Callable[[str, float], None], pose: str, translation: FloatArray, rotation: FloatArray) -> None:
    """Add to the six unknowns of a pose."""
    for end, value in zip(POSE, (*translation, *rotation), strict=True):
        put(f"{pose}.{end}", float(value))
