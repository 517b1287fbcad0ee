"""Scenes for grasping: objects dropped on the table of a simulated world, everything about them drawn from one seed."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from dofbot_ros.core.transforms import matrix_from_quat, quat_from_matrix, rot_z, transform
from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.desks.config import CALIBRATED, OWN, name_and_told
from dofbot_ros.desks.installation import Installation, install
from dofbot_ros.errors import InputError
from dofbot_ros.grasp.detection.view import TopDownView
from dofbot_ros.grasp.simulation.appearance import (
    Colour,
    TexturedTableCamera,
    as_bytes,
    distinct_colour,
    random_colour,
    random_texture,
)
from dofbot_ros.grasp.simulation.families import KIT, Family
from dofbot_ros.grasp.simulation.photograph import Photograph
from dofbot_ros.grasp.simulation.shapes import Shape, write_urdf
from dofbot_ros.sim.config import CameraConfig, Light, PhysicsConfig, WorldConfig
from dofbot_ros.sim.objects import add_marked_cube
from dofbot_ros.sim.rendering.camera import SimCamera
from dofbot_ros.sim.scene import FACE_UP
from dofbot_ros.sim.world import World

FALL = 0.002
"""Objects are let go this far above where they rest [m]."""

OTHER_DESKS = 24
OTHER_DESKS_FROM = 1 << 40
"""Further pictures of scenes are of so many installations from this one on: drawing a table takes longer than its
picture."""

MAP_STEP = 0.001
"""Resolution of the map that keeps objects apart [m]."""


@dataclass(frozen=True)
class Randomisation:
    """From which ranges a scene is drawn; each pair is (low, high), uniform.

    Attributes:
        object_friction: Coulomb coefficient of the objects; contacts multiply those of both sides, the pads have 1.
        table_friction: of the table.
        density: of the objects [kg/m^3].
        camera_shift: largest displacement of the camera and of the point it looks at, along each axis [m].
        calibration_shift: standard deviation of the error in the camera's believed position, along each axis [m].
        ambient: share of light without direction.
        light_lean: largest horizontal part of the light's direction, its vertical part is 1.
        table_texture: share of scenes with a textured table.
        object_texture: share of objects with a texture.
        noise: of the camera, standard deviation [grey levels].
    """

    object_friction: tuple[float, float] = (0.6, 1.0)
    table_friction: tuple[float, float] = (0.5, 0.9)
    density: tuple[float, float] = (300.0, 1100.0)
    camera_shift: float = 0.015
    calibration_shift: float = 0.001
    ambient: tuple[float, float] = (0.45, 0.75)
    light_lean: float = 1.0
    table_texture: float = 0.5
    object_texture: float = 0.3
    noise: tuple[float, float] = (0.0, 4.0)


@dataclass(frozen=True)
class SceneRules:
    """What a scene consists of.

    Attributes:
        objects: how many lie on the table.
        bare: share of the scenes in which none does.
        square: side of the square in the middle of the view in which their centres lie [m].
        gap: kept between their footprints when they are put down [m].
        view: what the planner sees.
        ranges: what is drawn at random.
        looks: pictures of each scene, over other tables and from other cameras; more than one for data only.
    """

    objects: int = 1
    bare: float = 0.0
    square: float = 0.100
    gap: float = 0.003
    view: TopDownView = field(default_factory=TopDownView)
    ranges: Randomisation = field(default_factory=Randomisation)
    looks: int = 1


@dataclass(frozen=True)
class Thing:
    """An object in a scene.

    Attributes:
        body: its id in the physics client.
        family: what kind of shape it is.
        shape: its geometry; None for one that was read from a file.
    """

    body: int
    family: str
    shape: Shape | None = None


@dataclass(frozen=True, eq=False)
class Scene:
    """A scene at rest.

    Attributes:
        seed: it was drawn from.
        things: what lies on the table.
        image: the view, RGB (size, size, 3).
        others: the same as other cameras show it over other tables, SceneRules.looks less one.
    """

    seed: int
    things: tuple[Thing, ...]
    image: ImageArray
    others: tuple[ImageArray, ...] = ()


class SceneMaker:
    """Makes scene after scene in one world. The same seed gives the same scene, whatever came before it.

    Args:
        families: which the objects are drawn from, each as likely as any other.
        rules: how many, where, how different.
        desk: errors of arm, camera and table that planners are not told: a name or file, as desks.config.load_desk
            takes it. Each scene is on an installation of its own.

    Attributes:
        installation: of the present scene.
        whole: the same for a camera whose image shows the whole table; None before the first scene on a desk.

    Raises:
        InputError: several pictures of a scene on a desk on which a place in one is another in the next.
    """

    def __init__(self, families: Mapping[str, Family], rules: SceneRules | None = None, desk: str = OWN) -> None:
        self.rules = rules or SceneRules()
        self.desk = desk
        if self.rules.looks > 1 and desk != OWN and name_and_told(desk)[1] != CALIBRATED:
            raise InputError(
                f"several pictures of a scene agree on the own desk and on calibrated ones, not on {desk}, whose "
                "cameras are not where they are believed to be"
            )
        self.installation = install(desk, 0)
        self.world = World(WorldConfig(marked=(), plain=()))
        self._families = dict(families)
        self._folder = tempfile.TemporaryDirectory(prefix="dofbot-grasp-")
        self._markers = tempfile.TemporaryDirectory(prefix="dofbot-markers-")
        self._made = 0
        self._eye: tuple[CameraConfig, FloatArray] | None = None
        self._view: Callable[[], ImageArray] | None = None
        self._tables: dict[int, ImageArray] = {}
        self.whole: Installation | None = None

    def close(self) -> None:
        """Let go of the world; may be called twice."""
        self.world.close()
        self._folder.cleanup()
        self._markers.cleanup()

    def make(self, seed: int) -> Scene:
        """Draw a scene, let it come to rest, look at it."""
        rng = np.random.default_rng([seed, 0x5CE1E])
        physics = self._physics(rng)
        self.world.config = replace(self.world.config, physics=physics)
        if self.desk != OWN:
            physics = self._stand_on_desk(seed, physics)
        self.world.reset(0)
        self._made += 1
        table = [random_colour(rng)]
        if rng.random() < self.rules.ranges.table_texture:
            table.append(random_colour(rng))
        bare = self.rules.bare > 0.0 and rng.random() < self.rules.bare
        things = () if bare else tuple(self._drop(rng, physics, table))
        for file in Path(self._folder.name).iterdir():
            file.unlink()
        self._settle([thing.body for thing in things])
        image = self._look(rng, table, seed)
        return Scene(seed, things, image, self._other_looks(table, seed) if self.rules.looks > 1 else ())

    def poses(self, scene: Scene) -> dict[int, FloatArray]:
        """True pose of every thing's centre of mass, by body, (4, 4): for judges, never for planners."""
        client = self.world.client
        with self.world.lock:
            found = {thing.body: client.getBasePositionAndOrientation(thing.body) for thing in scene.things}
        return {body: transform(matrix_from_quat(quat), position) for body, (position, quat) in found.items()}

    def look_again(self) -> ImageArray:
        """The view of the present scene as it is now, by the same camera; there has to be one."""
        if self._view is None:
            raise InputError("there is no scene to look at yet")
        return self._view()

    def photograph(self) -> Photograph:
        """The present scene at the camera's full size, from where the view was taken.

        Raises:
            InputError: no scene has been made.
        """
        if self._eye is None:
            raise InputError("there is no scene to photograph yet")
        config, believed = self._eye
        camera = SimCamera(self.world, config)
        return Photograph(camera.render(), camera.intrinsics, believed)

    def _stand_on_desk(self, seed: int, physics: PhysicsConfig) -> PhysicsConfig:
        """Another installation, for the scene `seed`. Returns its physics."""
        self.installation = install(self.desk, seed, replace(self.world.config, camera=CameraConfig(), blocks=None))
        true = self.installation.world
        physics = replace(true.physics, block_friction=physics.block_friction)
        self.world.config = replace(self.world.config, physics=physics, arm=true.arm, blocks=true.blocks)
        return physics

    # -- objects -----------------------------------------------------------------------------------------------------

    def _physics(self, rng: np.random.Generator) -> PhysicsConfig:
        ranges = self.rules.ranges
        return replace(
            self.world.config.physics,
            table_friction=float(rng.uniform(*ranges.table_friction)),
            block_friction=float(rng.uniform(*ranges.object_friction)),
            block_density=float(rng.uniform(*ranges.density)),
        )

    def _drop(self, rng: np.random.Generator, physics: PhysicsConfig, table: list[Colour]) -> list[Thing]:
        names = list(self._families)
        family_names = [names[rng.integers(len(names))] for _ in range(self.rules.objects)]
        shapes = [self._families[name](rng) for name in family_names]
        things = []
        for number, (shape, pose) in enumerate(zip(shapes, self._places(rng, shapes), strict=True)):
            mass = physics.block_density * shape.volume
            if shape.family == KIT:
                things.append(self._add_marked_cube(rng, shape, pose, physics))
                continue
            textured = rng.random() < self.rules.ranges.object_texture
            colours = [distinct_colour(rng, table) for _ in range(1 + textured)]
            folder = Path(self._folder.name)
            # The engine caches files by their name: a name must not come up again with another content.
            name = f"object{self._made}-{number}"
            urdf = write_urdf(shape, mass, (1.0, 1.0, 1.0) if textured else colours[0], folder, name)
            body = self._load(urdf, pose, physics.block_friction)
            if textured:
                picture = folder / f"{name}.png"
                cv2.imwrite(str(picture), random_texture(rng, 32, *colours)[..., ::-1])
                self.world.client.changeVisualShape(
                    body, -1, textureUniqueId=self.world.client.loadTexture(str(picture))
                )
            things.append(Thing(body, shape.family, shape))
        return things

    def _load(self, urdf: Path, pose: FloatArray, friction: float) -> int:
        client = self.world.client
        body = int(client.loadURDF(str(urdf), pose[:3, 3].tolist(), quat_from_matrix(pose[:3, :3]).tolist()))
        self._set_contact(body, friction)
        return body

    def _add_marked_cube(
        self, rng: np.random.Generator, shape: Shape, pose: FloatArray, physics: PhysicsConfig
    ) -> Thing:
        client, blocks = self.world.client, self.world.blocks
        block = blocks.blocks[rng.integers(len(blocks.blocks))]
        mass = physics.block_density * shape.volume
        body = add_marked_cube(client, block, blocks.dictionary, mass, Path(self._markers.name))
        turned = pose[:3, :3] @ FACE_UP[rng.integers(len(FACE_UP))]
        client.resetBasePositionAndOrientation(body, pose[:3, 3].tolist(), quat_from_matrix(turned).tolist())
        self._set_contact(body, physics.block_friction)
        return Thing(body, shape.family, shape)

    def _set_contact(self, body: int, friction: float) -> None:
        self.world.client.changeDynamics(
            body,
            -1,
            lateralFriction=friction,
            # Without it a ball or a capsule would roll for ever.
            rollingFriction=5e-4,
            spinningFriction=5e-4,
            frictionAnchor=1,
        )

    def _places(self, rng: np.random.Generator, shapes: list[Shape]) -> list[FloatArray]:
        """A free place and any yaw for each shape; the square grows where they do not fit.

        Raises:
            InputError: so many objects do not fit.
        """
        view = self.rules.view
        for square in np.linspace(self.rules.square, view.side, 5):
            free = np.zeros((round(1.5 * view.side / MAP_STEP),) * 2, np.uint8)
            poses = []
            for shape in shapes:
                pose = self._place(rng, shape, square, free)
                if pose is None:
                    break
                poses.append(pose)
            if len(poses) == len(shapes):
                return poses
        raise InputError(f"{len(shapes)} objects do not fit into a square of {view.side} m: take fewer objects")

    def _place(self, rng: np.random.Generator, shape: Shape, square: float, taken: ImageArray) -> FloatArray | None:
        """A pose whose footprint is free in the map `taken`, which it then takes; None where none was found."""
        view = self.rules.view
        hull, centroid = shape.hull(), shape.centroid
        for _ in range(60):
            yaw = rng.uniform(-math.pi, math.pi)
            at = np.array(view.centre) + rng.uniform(-0.5 * square, 0.5 * square, size=2)
            outline = (hull - centroid) @ rot_z(yaw).T
            pixels = np.rint((outline[:, :2] + at - view.centre) / MAP_STEP + 0.5 * len(taken)).astype(np.int32)
            footprint = np.zeros_like(taken)
            cv2.fillConvexPoly(footprint, cv2.convexHull(pixels), (1,))
            margin = 2 * round(self.rules.gap / MAP_STEP) + 1
            grown = np.asarray(cv2.dilate(footprint, np.ones((margin, margin), np.uint8)), np.uint8)
            if not np.any(grown & taken):
                taken |= footprint
                return transform(rot_z(yaw), (*at, centroid[2] - hull[:, 2].min() + FALL))
        return None

    def _settle(self, bodies: list[int]) -> None:
        """Let the objects come to rest; at most a second and a half."""
        client, world = self.world.client, self.world
        for _ in range(15):
            world.run_until(world.now_s + 0.1)
            speeds = [np.abs(np.concatenate(client.getBaseVelocity(body))).max() for body in bodies]
            if max(speeds, default=0.0) < 0.02:
                break

    # -- camera ------------------------------------------------------------------------------------------------------

    def _look(self, rng: np.random.Generator, table: list[Colour], seed: int) -> ImageArray:
        view, ranges = self.rules.view, self.rules.ranges
        base = CameraConfig()
        seen = 1.25 * view.side
        height = base.position[2]
        shift = rng.uniform(-ranges.camera_shift, ranges.camera_shift, size=(2, 3))
        lean = rng.uniform(-ranges.light_lean, ranges.light_lean, size=2)
        ambient = float(rng.uniform(*ranges.ambient))
        turn = rng.uniform(-0.1, 0.1)
        position = np.add((*view.centre, height), shift[0])
        target = np.add((*view.centre, 0.0), (*shift[1, :2], 0.0))
        config = replace(
            base,
            # Only the part of the picture that the view needs, at a little more than the view's resolution.
            width=2 * view.size,
            height=2 * view.size,
            field_of_view=2.0 * math.atan2(0.5 * seen, height - abs(shift[0, 2])),
            position=(float(position[0]), float(position[1]), float(position[2])),
            target=(float(target[0]), float(target[1]), float(target[2])),
            up=(math.cos(turn), math.sin(turn), 0.0),
            supersampling=1,
            noise=float(rng.uniform(*ranges.noise)),
            light=Light((float(lean[0]), float(lean[1]), 1.0), ambient, 1.0 - ambient),
            table_colour=as_bytes(table[0]),
        )
        texture = random_texture(rng, 48, *table) if len(table) > 1 else None
        if self.desk != OWN:
            full = CameraConfig()
            large = replace(config, width=full.width, height=full.height, field_of_view=full.field_of_view)
            self.whole = install(self.desk, seed, WorldConfig(camera=large))
            return self._look_on_desk(rng, install(self.desk, seed, WorldConfig(camera=config)), seed)
        camera = TexturedTableCamera(self.world, config, rng, texture)
        believed = camera.pose()
        believed[:3, 3] += rng.normal(0.0, ranges.calibration_shift, size=3)
        full = CameraConfig()
        self._eye = replace(config, width=full.width, height=full.height, field_of_view=full.field_of_view), believed
        return self._seen(lambda: view.rectify(camera.render(), camera.intrinsics, believed))

    def _seen(self, view: Callable[[], ImageArray]) -> ImageArray:
        self._view = view
        return view()

    def _other_looks(self, table: list[Colour], seed: int) -> tuple[ImageArray, ...]:
        eye, whole, view, rng = self._eye, self.whole, self._view, np.random.default_rng([seed, 0x100C])
        chosen = rng.choice(OTHER_DESKS, self.rules.looks - 1, replace=False)
        images = tuple(self._look(rng, table, OTHER_DESKS_FROM + int(number)) for number in chosen)
        self._eye, self.whole, self._view = eye, whole, view
        return images

    def _look_on_desk(self, rng: np.random.Generator, seen: Installation, seed: int) -> ImageArray:
        """The view as it is believed to be, of what the camera of an installation shows."""
        camera = SimCamera(self.world, seen.world.camera, rng, self._tables.get(seed))
        if OTHER_DESKS_FROM <= seed < OTHER_DESKS_FROM + OTHER_DESKS:
            self._tables[seed] = camera.table
        full = CameraConfig()
        whole = replace(camera.config, width=full.width, height=full.height, field_of_view=full.field_of_view)
        self._eye = whole, seen.belief.T_base_camera
        believed, view = seen.belief, self.rules.view
        return self._seen(lambda: view.rectify(camera.render(), believed.intrinsics, believed.T_base_camera))
