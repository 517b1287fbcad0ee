"""One arm on one desk: what is true of it, drawn by a seed from a desk's errors, and what the software is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION, Calibration
from dofbot_ros.core.transforms import invert, rot_x, rot_y, transform
from dofbot_ros.desks.belief import Belief, load_belief
from dofbot_ros.desks.config import CALIBRATED, OWN, DeskConfig, load_desk, name_and_told, numbers_in
from dofbot_ros.desks.drawing import MM, draw_arm, draw_blocks, draw_calibration, draw_camera, servos_of, sign
from dofbot_ros.errors import ConfigError
from dofbot_ros.hardware.emulation.servo_model import ServoModelConfig
from dofbot_ros.sim.config import WorldConfig
from dofbot_ros.sim.rendering.camera import look_at
from dofbot_ros.vision.intrinsics import from_field_of_view
from dofbot_ros.vision.markers.block_layout import BlockSet, load_blocks


@dataclass(frozen=True, eq=False)
class Installation:
    """One arm on one desk.

    Attributes:
        desk: name of the kind of desk.
        seed: which of that kind.
        world: what is true: arm, blocks, table, camera.
        calibration: what is true of the servos.
        servos: what each servo can do, by id.
        belief: what the software is told.
    """

    desk: str
    seed: int
    world: WorldConfig
    calibration: Calibration
    servos: Mapping[int, ServoModelConfig]
    belief: Belief

    @property
    def label(self) -> str:
        """As reports name it."""
        return OWN if self.desk == OWN else f"{self.desk} {self.seed}"


def calibrated(installation: Installation) -> Installation:
    """The same, its software told the truth about what a calibration can find, as if that had no error.

    That is the camera's pose and lens, the servos' zeros and scales, and the height of the base; not the lengths of
    links, the tilt of the table, droop, play and flex, the fingers, and how markers were printed and glued.
    """
    world, belief = installation.world, installation.belief
    camera, flaws = world.camera, world.arm
    R = rot_x(flaws.tilt[0]) @ rot_y(flaws.tilt[1])
    true = from_field_of_view(camera.width, camera.height, camera.field_of_view)
    told = Belief(
        replace(installation.calibration, base_height_m=belief.calibration.base_height_m + flaws.base_height_m),
        replace(true, distortion=np.array([camera.flaws.k1, 0.0, 0.0, 0.0, 0.0])),
        invert(transform(R)) @ look_at(camera.position, camera.target, camera.up),
        belief.blocks,
    )
    return replace(installation, desk=f"{installation.desk}:{CALIBRATED}", belief=told)


def as_found(desk: str, folder: Path, seed: int, base: WorldConfig | None = None) -> Installation:
    """An installation whose software is told what its arm found when it calibrated itself.

    The errors of what was found are carried over to the camera of `base`, should it be another at the same place.

    Args:
        desk: name or file of the desk.
        folder: a folder of files, as Belief.save writes them, for each installation that was calibrated, by its number.
        seed: of the installation; a number that the folder does not hold stands for one that it does.
        base: as of install().
    """
    numbers = numbers_in(folder)
    number = seed if seed in numbers else numbers[seed % len(numbers)]
    found, true = load_belief(folder / str(number)), calibrated(install(desk, number)).belief
    here = calibrated(install(desk, number, base))
    lens, size = here.belief.intrinsics, np.divide(here.belief.intrinsics.size, true.intrinsics.size)
    K = lens.K.copy()
    for axis in (0, 1):
        K[axis, axis] *= found.intrinsics.K[axis, axis] / true.intrinsics.K[axis, axis]
        K[axis, 2] += size[axis] * (found.intrinsics.K[axis, 2] - true.intrinsics.K[axis, 2])
    told = Belief(
        found.calibration,
        replace(lens, K=K, distortion=found.intrinsics.distortion),
        found.T_base_camera @ invert(true.T_base_camera) @ here.belief.T_base_camera,
        here.belief.blocks,
    )
    return replace(here, desk=f"{here.desk.removesuffix(CALIBRATED)}{folder.name}", belief=told)


def install(desk: DeskConfig | str | Path, seed: int, base: WorldConfig | None = None) -> Installation:
    """Draw the installation `seed` of a desk. The same arguments give the same one.

    Args:
        desk: the errors, or their name or file as load_desk takes it; one that ends in ":calibrated" is told what a
            calibration without error finds, see calibrated(); one that ends in ":FOLDER" what was found, see
            as_found().
        seed: seeds the signs, directions and the table.
        base: the world as the software believes it; the simulation's defaults when None.

    Raises:
        InputError: no such desk.
        ConfigError: a camera that is not overhead.
    """
    name, told = ("", "") if isinstance(desk, DeskConfig) else name_and_told(desk)
    if told == CALIBRATED:
        return calibrated(install(name, seed, base))
    if told:
        return as_found(name, Path(told), seed, base)
    chosen = desk if isinstance(desk, DeskConfig) else load_desk(desk)
    world = base or WorldConfig()
    camera, blocks = world.camera, world.blocks or _shipped_blocks()
    if camera.mount != "overhead":
        raise ConfigError(f"a desk has an overhead camera, not a {camera.mount} camera")
    intrinsics = from_field_of_view(camera.width, camera.height, camera.field_of_view)
    T_base_camera = look_at(camera.position, camera.target, camera.up)
    if chosen.name == OWN:
        belief = Belief(DEFAULT_CALIBRATION, intrinsics, T_base_camera, blocks)
        return Installation(OWN, seed, world, DEFAULT_CALIBRATION, {}, belief)
    # A generator of its own for each part: a change in one leaves the others as they were.
    arm_rng, camera_rng, block_rng = (np.random.default_rng([seed, part]) for part in (1, 2, 3))
    arm = draw_arm(arm_rng, chosen.arm)
    calibration = draw_calibration(arm_rng, chosen.arm)
    seen_by, believed_k1 = draw_camera(camera_rng, chosen, camera, rot_x(arm.tilt[0]) @ rot_y(arm.tilt[1]))
    lens = replace(intrinsics, distortion=np.array([believed_k1, 0.0, 0.0, 0.0, 0.0]))
    marked = draw_blocks(block_rng, chosen.blocks, blocks)
    friction = world.physics.block_friction
    true_world = replace(
        world,
        physics=replace(
            world.physics,
            block_density=chosen.blocks.mass_factor * world.physics.block_density,
            arm_friction=chosen.blocks.pad_friction / friction,
        ),
        camera=seen_by,
        arm=arm,
        blocks=marked,
        plain=tuple(
            replace(block, size=block.size + sign(block_rng) * MM * chosen.blocks.size_mm) for block in world.plain
        ),
    )
    belief = Belief(DEFAULT_CALIBRATION, lens, T_base_camera, blocks)
    return Installation(chosen.name, seed, true_world, calibration, servos_of(chosen.arm), belief)


@lru_cache(maxsize=1)
def _shipped_blocks() -> BlockSet:
    """Read once: an evaluation draws hundreds of installations."""
    return load_blocks()
