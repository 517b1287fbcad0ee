"""Puts the blocks of a simulated world at given places, under a given light."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace

from dofbot_ros.config.loader import from_mapping, to_mapping
from dofbot_ros.core.transforms import rot_z, transform
from dofbot_ros.errors import InputError, one_of
from dofbot_ros.sim.config import Light
from dofbot_ros.sim.world import World

AWAY_X, AWAY_STEP = -1.0, 0.1
"""Blocks that are not arranged stand here, behind the arm, where neither arm nor camera reaches [m]."""


@dataclass(frozen=True)
class Arrangement:
    """What stands where.

    Attributes:
        places: of blocks by name: x, y in base_link [m], yaw [rad]; the others are put out of the way.
        light: that shines from now on.
    """

    places: dict[str, tuple[float, float, float]]
    light: Light = field(default_factory=Light)


def arrange(world: World, arrangement: Arrangement) -> None:
    """Put the blocks there, at rest; arm and time stay as they are.

    Raises:
        InputError: a block that is not in this world; nothing is moved then.
    """
    for name in arrangement.places:
        if name not in world.block_names:
            raise InputError(one_of("block", name, world.block_names))
    with world.lock:
        world.config = replace(world.config, camera=replace(world.config.camera, light=arrangement.light))
        for number, name in enumerate(world.block_names):
            x, y, yaw = arrangement.places.get(name, (AWAY_X, AWAY_STEP * number, 0.0))
            world.place(name, transform(rot_z(yaw), (x, y, 0.5 * world.block_size(name))))


def as_text(arrangement: Arrangement) -> str:
    """One line of JSON: the form in which a node's parameter takes it."""
    return json.dumps(to_mapping(arrangement))


def from_text(text: str) -> Arrangement:
    """What as_text() wrote.

    Raises:
        InputError: something else.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"an arrangement is JSON, not {text[:60]!r}: {error}") from error
    return from_mapping(Arrangement, content, "arrangement")
