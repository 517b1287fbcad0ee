"""The protocol of grasp trials: which objects, where, in which company and light, and what counts as lifted."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Annotated

import numpy as np

from dofbot_ros.config.ranges import Checked, Colour, Count, Index, Interval, NotNegative, Range
from dofbot_ros.errors import ConfigError, one_of
from dofbot_ros.sim.arrangement import Arrangement
from dofbot_ros.sim.config import Light, PlainBlock, WorldConfig

PLACE_DIGITS = 3
YAW_STEP = math.radians(5.0)
"""Placements are drawn as finely as a person can set them up by ruler and protractor."""

REACH = (0.15, 0.27)
"""Distances from joint 1 within which the arm can take things off the table [m]."""

DRAWS = 2000


@dataclass(frozen=True)
class TrialObject(Checked):
    """A cube of the trials.

    Attributes:
        size: edge [m].
        colour: red, green, blue, each 0..255; without one it is the marked block of config/blocks.yaml of this name.
        description: for the person who sets it up.
    """

    size: Annotated[float, Range(0.01, 0.045)] = 0.030
    colour: Colour | None = None
    description: str = ""


@dataclass(frozen=True)
class Condition(Checked):
    """One way in which trials are made.

    Attributes:
        name: of the condition, in tables and file names.
        objects: one of these is drawn for each trial, to be lifted.
        clutter: so many others stand around it, drawn from all objects of the protocol.
        light: name of the light.
    """

    name: str
    objects: tuple[str, ...]
    clutter: Index = 0
    light: str = "normal"

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        if not self.name.replace("-", "").replace("_", "").isalnum():
            yield f"a condition's name has letters, digits, - and _, got {self.name!r}"
        if not self.objects:
            yield f"condition {self.name} has no objects"


@dataclass(frozen=True)
class PickProtocol(Checked):
    """What makes the trials of two planners, or of simulation and reality, comparable.

    Attributes:
        name: of the protocol.
        objects: by name.
        conditions: in the order in which they are run.
        trials: of each condition.
        x, y: the rectangle of the table in which objects stand, in base_link [m].
        spacing: smallest distance between two objects' centres [m].
        lights: by name; what simulation makes of it, and a person too.
        lift: an object has to rise by this much [m].
        hold_s: and to be up there still after this much of the arm's time [s].
    """

    name: str
    objects: dict[str, TrialObject]
    conditions: tuple[Condition, ...]
    trials: Count = 20
    x: Interval = (0.15, 0.25)
    y: Interval = (-0.06, 0.06)
    spacing: NotNegative = 0.060
    lights: dict[str, Light] = field(default_factory=lambda: {"normal": Light()})
    lift: Annotated[float, Range(above=0.0, at_most=0.055)] = 0.050
    hold_s: NotNegative = 1.0

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        if not self.conditions:
            yield "a protocol has at least one condition"
        names = [condition.name for condition in self.conditions]
        for condition in self.conditions:
            if names.count(condition.name) > 1:
                yield f"two conditions are called {condition.name}"
            for name in condition.objects:
                if name not in self.objects:
                    yield f"condition {condition.name}: {one_of('object', name, self.objects)}"
            if condition.light not in self.lights:
                yield f"condition {condition.name}: {one_of('light', condition.light, self.lights)}"
            if condition.clutter >= len(self.objects):
                yield f"condition {condition.name}: {condition.clutter} others of {len(self.objects)} objects"

    def condition(self, name: str) -> Condition:
        """The condition called `name`."""
        return next(condition for condition in self.conditions if condition.name == name)

    def world(self, base: WorldConfig) -> WorldConfig:
        """A simulated world with all objects of this protocol."""
        marked = tuple(name for name, thing in self.objects.items() if thing.colour is None)
        plain = tuple(
            PlainBlock(name, thing.colour, thing.size) for name, thing in self.objects.items() if thing.colour
        )
        return replace(base, marked=marked, plain=plain)


@dataclass(frozen=True)
class PlacedObject:
    """Where one object stands: centre x, y in base_link [m]; yaw of a side [rad], counted modulo a quarter turn."""

    name: str
    x: float
    y: float
    yaw: float


@dataclass(frozen=True)
class Placement:
    """What one trial begins with.

    Attributes:
        condition: its name.
        number: 0, 1, ... within the condition.
        objects: the one to be lifted first.
        light: name of the light.
    """

    condition: str
    number: int
    objects: tuple[PlacedObject, ...]
    light: str

    @property
    def target(self) -> str:
        """Name of the object to be lifted."""
        return self.objects[0].name

    @property
    def label(self) -> str:
        """Condition and number: names files, and the trial in messages."""
        return f"{self.condition}-{self.number:03d}"

    def arrangement(self, protocol: PickProtocol) -> Arrangement:
        """The same for a simulated world."""
        return Arrangement({o.name: (o.x, o.y, o.yaw) for o in self.objects}, protocol.lights[self.light])


def draw(protocol: PickProtocol, seed: int, condition: Condition, number: int) -> Placement:
    """Placement of a trial: it depends on seed, the condition's name and number, and on nothing that ran before.

    Raises:
        ConfigError: so many objects do not fit.
    """
    rng = np.random.default_rng([seed, zlib.crc32(condition.name.encode()), number])
    target = condition.objects[int(rng.integers(len(condition.objects)))]
    others = [name for name in protocol.objects if name != target]
    names = [target, *(others[int(i)] for i in rng.permutation(len(others))[: condition.clutter])]
    for _ in range(DRAWS):
        spots = np.round(
            rng.uniform((protocol.x[0], protocol.y[0]), (protocol.x[1], protocol.y[1]), (len(names), 2)), PLACE_DIGITS
        )
        radius = np.hypot(*spots.T)
        gaps = np.linalg.norm(spots[:, None] - spots[None], axis=-1) + np.diag(np.full(len(names), np.inf))
        if radius.min() >= REACH[0] and radius.max() <= REACH[1] and gaps.min() >= protocol.spacing:
            break
    else:
        raise ConfigError(
            f"condition {condition.name}: {len(names)} objects {protocol.spacing} m apart do not fit into "
            f"x {protocol.x}, y {protocol.y} within {REACH[0]} to {REACH[1]} m of joint 1"
        )
    yaws = YAW_STEP * rng.integers(round(0.5 * math.pi / YAW_STEP), size=len(names))
    objects = tuple(
        PlacedObject(name, float(x), float(y), float(yaw)) for name, (x, y), yaw in zip(names, spots, yaws, strict=True)
    )
    return Placement(condition.name, number, objects, condition.light)
