"""The arm's URDF with the lengths and finger places of one real arm in place of the drawing's."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from xml.etree import ElementTree

from dofbot_ros.arm.model import FINGER_JOINTS
from dofbot_ros.core.resources import share_file
from dofbot_ros.sim.rendering.flaws import ArmFlaws

DISPENSABLE = ("left_bar", "right_bar", "tool_link", "camera_optical_frame")
"""Links that carry nothing and touch nothing."""


def arm_urdf(folder: Path, flaws: ArmFlaws, lean: bool) -> Path | None:
    """Write the URDF of an arm that is not the shipped one.

    Args:
        folder: where the file goes.
        flaws: differences from the drawing.
        lean: leave out what carries nothing (the bars that only show the parallelogram, bare frames): two joints and
            two links fewer, a physics step takes a third less time. What is left out weighs 8 g together.

    Returns:
        Its path; None for the shipped file as it is.
    """
    as_drawn = ArmFlaws(tilt=flaws.tilt, droop_rad=flaws.droop_rad, flex_rad=flaws.flex_rad, play_rad=flaws.play_rad)
    if flaws == as_drawn and not lean:
        return None
    path = folder / "arm.urdf"
    path.write_bytes(_urdf(flaws, lean))
    return path


@lru_cache(maxsize=8)
def _urdf(flaws: ArmFlaws, lean: bool) -> bytes:
    """The file's text. A training has thousands of episodes with the same arm, for which it is made once."""
    robot = ElementTree.parse(share_file("urdf", "dofbot.urdf")).getroot()
    if lean:
        _drop_dispensable(robot)
    bend(robot, flaws)
    text: bytes = ElementTree.tostring(robot)
    return text


def bend(robot: ElementTree.Element, flaws: ArmFlaws) -> None:
    """Move the joints of a URDF's root element by the differences of `flaws`; tilt and compliance are not in a URDF."""
    up = {
        "joint1": flaws.base_height_m,
        "joint3": flaws.upper_arm_m,
        "joint4": flaws.forearm_m,
        "joint5": flaws.tool_m,
    }
    for name, by in up.items():
        _shift(robot, name, (0.0, 0.0, by))
    for name in FINGER_JOINTS:
        _shift(robot, name, (0.0, flaws.finger_across_m, flaws.finger_along_m))


def _drop_dispensable(robot: ElementTree.Element) -> None:
    for element in list(robot):
        child = element.find("child")
        name = element.get("name") if child is None else child.get("link")
        if name in DISPENSABLE:
            robot.remove(element)


def _shift(robot: ElementTree.Element, joint: str, by: tuple[float, float, float]) -> None:
    origin = robot.find(f"joint[@name='{joint}']/origin")
    if origin is None or not any(by):
        return
    place = [float(v) for v in origin.get("xyz", "0 0 0").split()]
    origin.set("xyz", " ".join(repr(p + b) for p, b in zip(place, by, strict=True)))
