"""Reads a hand from a URDF: finds its joints by their names, and says in one line what cannot be used."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dofbot_ros.arm.model import Joint, load_model
from dofbot_ros.errors import ConfigError, one_of
from dofbot_ros.lab.imitation.urdf.hand import STANDARD, UrdfHand


def read_hand(path: Path, joints: Mapping[str, str] | None = None) -> UrdfHand:
    """Read a hand.

    Args:
        path: of the URDF.
        joints: degree of freedom, as in HandModel(17).names -> the joint that it moves, with a "-" before one that
            turns the other way. Joints that are named after a degree of freedom (index_base) need no word.

    Raises:
        ConfigError: no such file, no URDF, or a hand that cannot be used; it says what is wrong with which joint.
    """
    model, given = load_model(path), dict(joints or {})
    moving = {joint.name: joint for joint in model.actuated}
    for name, word in given.items():
        if name not in STANDARD.names:
            raise ConfigError(one_of("degree of freedom", name, STANDARD.names), str(path))
        if word.removeprefix("-") not in moving:
            raise ConfigError(one_of("joint", word.removeprefix("-"), moving), str(path))
    alike = {joint.lower().replace("_", " ").replace("-", " "): joint for joint in moving}
    named = {name: given.get(name) or alike.get(name, "") for name in STANDARD.names}
    found = {name: word for name, word in named.items() if word}
    if "middle base" not in found:
        raise ConfigError(
            "no joint is the middle finger's base: name one middle_base, or say which it is with --joint "
            f"'middle base=JOINT'; its joints are {', '.join(moving) or 'none'}",
            str(path),
        )
    for name, word in found.items():
        _check(name, word, moving[word.removeprefix("-")], str(path))
    hand = UrdfHand(model, found)
    try:
        radii = hand.shapes[1]
    except ConfigError as error:
        raise ConfigError(str(error), str(path)) from error
    if not radii.numel():
        raise ConfigError("draws no link: boxes, cylinders, spheres and capsules are read", str(path))
    hand.check_frame(str(path))
    return hand


def _check(name: str, word: str, joint: Joint, where: str) -> None:
    if joint.kind != "revolute":
        raise ConfigError(f"joint {joint.name} of {name} is {joint.kind}: revolute is expected", where)
    upper = -joint.lower if word.startswith("-") else joint.upper
    if name.endswith((" base", " middle")) and upper <= 0.0:
        other = joint.name if word.startswith("-") else f"-{joint.name}"
        raise ConfigError(f"joint {word} of {name} does not bend beyond 0: is it {name}={other}?", where)
