"""The arm's URDF as plain data for the page: links with coloured shapes, and the joints between them."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from dofbot_ros.arm.model import ArmModel, Joint
from dofbot_ros.arm.shapes import link_shapes
from dofbot_ros.core.types import FloatArray

GREY = [0.6, 0.6, 0.6, 1.0]
"""Of a shape whose material has no colour."""


def scene_of(model: ArmModel) -> dict[str, Any]:
    """What the page draws.

    Returns:
        joints: name, parent, child, origin (16 numbers, row by row), axis, kind, and what it follows: source (name of
        the joint), multiplier, offset; links: by name a list of shapes with kind, half sizes [m] (3), pose (16) and
        colour (RGBA, 0 to 1); names: the order of joint vectors.

    Raises:
        ConfigError: a shape that is no box, cylinder or sphere.
    """
    root = ElementTree.fromstring(model.urdf)
    colours = {m.get("name", ""): _colour(m) for m in root.findall("material")}
    return {
        "names": list(model.joint_names),
        "joints": [_joint(joint) for joint in model.joints],
        "links": {link: _link(model, root, link, colours) for link in model.links},
    }


def _joint(joint: Joint) -> dict[str, Any]:
    moves = joint.kind != "fixed"
    mimic = joint.mimic
    return {
        "parent": joint.parent,
        "child": joint.child,
        "origin": _row(joint.origin),
        "axis": [round(float(v), 6) for v in joint.axis],
        "kind": joint.kind,
        "source": (mimic.joint if mimic else joint.name) if moves else "",
        "multiplier": mimic.multiplier if mimic else 1.0,
        "offset": mimic.offset if mimic else 0.0,
    }


def _link(
    model: ArmModel, root: ElementTree.Element, link: str, colours: dict[str, list[float]]
) -> list[dict[str, Any]]:
    shapes = [shape for shape in link_shapes(model, link) if not shape.collision]
    materials = [visual.find("material") for visual in root.findall(f"link[@name='{link}']/visual")]
    return [
        {
            "kind": shape.kind,
            "size": [round(float(v), 6) for v in shape.size],
            "pose": _row(shape.pose),
            "colour": GREY if material is None else colours.get(material.get("name", ""), _colour(material)),
        }
        for shape, material in zip(shapes, materials, strict=True)
    ]


def _colour(material: ElementTree.Element) -> list[float]:
    colour = material.find("color")
    words = [] if colour is None else (colour.get("rgba") or "").split()
    return [float(word) for word in words] if len(words) == 4 else GREY


def _row(matrix: FloatArray) -> list[float]:
    return [round(float(v), 6) for v in matrix.ravel()]
