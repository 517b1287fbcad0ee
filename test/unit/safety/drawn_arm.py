"""The arm as its URDF draws it, read here on its own: what the workspace's model is judged by."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree

import numpy as np

from dofbot_ros.arm.model import ArmModel, at_base_height, forward_chain, load_model
from dofbot_ros.core.transforms import rot_rpy
from dofbot_ros.core.types import BoolArray, FloatArray

UPPER_ARM = "link2"
FIXED = ("base_link", "link1")


@dataclass(frozen=True, eq=False)
class Primitive:
    """A visual or collision element: a box by its half lengths, or a cylinder by radius (twice) and half length [m]."""

    link: str
    round: bool
    half: FloatArray
    centre: FloatArray
    turn: FloatArray

    def reach(self, direction: FloatArray) -> FloatArray:
        """How far it reaches from its centre along unit vectors (..., 3) in its own frame [m]."""
        if self.round:
            aside = np.hypot(direction[..., 0], direction[..., 1])
            reach: FloatArray = self.half[0] * aside + self.half[2] * np.abs(direction[..., 2])
        else:
            reach = np.abs(direction) @ self.half
        return reach

    def surface(self) -> FloatArray:
        """A grid of points on it and in it, in the link's frame (k, 3) [m]."""
        steps = np.linspace(-1.0, 1.0, 3)
        if self.round:
            turns = np.linspace(0.0, 2.0 * np.pi, 12, endpoint=False)
            ring = self.half[0] * np.stack([np.cos(turns), np.sin(turns)], axis=-1)
            points = np.vstack([np.column_stack([ring, np.full(12, self.half[2] * z)]) for z in steps])
        else:
            points = self.half * np.array([(x, y, z) for x in steps for y in steps for z in steps])
        surface: FloatArray = points @ self.turn.T + self.centre
        return surface

    def contains(self, points: FloatArray) -> BoolArray:
        """Which points (..., 3) in the link's frame [m] lie in it."""
        local = np.abs((points - self.centre) @ self.turn)
        if self.round:
            held: BoolArray = (np.hypot(local[..., 0], local[..., 1]) < self.half[0]) & (local[..., 2] < self.half[2])
        else:
            held = (local < self.half).all(axis=-1)
        return held


def primitives(model: ArmModel) -> list[Primitive]:
    """All of them."""
    found = []
    for link in ElementTree.fromstring(model.urdf).findall("link"):
        for element in [*link.findall("visual"), *link.findall("collision")]:
            origin, shape = element.find("origin"), element.find("geometry")[0]
            numbers = {key: [float(w) for w in value.split()] for key, value in shape.attrib.items()}
            round_ = shape.tag == "cylinder"
            half = [*numbers["radius"] * 2, numbers["length"][0] / 2] if round_ else np.array(numbers["size"]) / 2
            xyz, rpy = ([float(w) for w in origin.get(key, "0 0 0").split()] for key in ("xyz", "rpy"))
            found.append(Primitive(link.get("name"), round_, np.array(half), np.array(xyz), rot_rpy(*rpy)))
    return found


class DrawnArm:
    """The arm at a base height [m]."""

    def __init__(self, base_height: float = 0.1075) -> None:
        self.model = at_base_height(load_model(), base_height)
        self.primitives = primitives(self.model)

    def poses(self, q: FloatArray) -> dict[str, FloatArray]:
        """Link -> its frame in base_link (n, 4, 4), of joint vectors (n, 6) [rad]."""
        return {link: forward_chain(self.model, q, link) for link in {p.link for p in self.primitives}}

    def lowest(self, q: FloatArray, links: tuple[str, ...] = ()) -> FloatArray:
        """The lowest point of all that moves beyond joint 2, or of `links`, (n,) [m], of joint vectors (n, 6) [rad]."""
        poses = self.poses(q)
        heights = [
            poses[p.link][:, 2, 3] + poses[p.link][:, 2, :3] @ p.centre - p.reach(poses[p.link][:, 2, :3] @ p.turn)
            for p in self.primitives
            if (p.link in links if links else p.link not in FIXED)
        ]
        lowest: FloatArray = np.min(heights, axis=0)
        return lowest

    def touching(self, q: FloatArray, movers: tuple[str, ...], obstacles: tuple[str, ...]) -> BoolArray:
        """Whether a point of `movers` lies in one of `obstacles`, (n,), of joint vectors (n, 6) [rad]."""
        poses = self.poses(q)
        touching = np.zeros(len(q), dtype=bool)
        for obstacle in obstacles:
            frame = poses[obstacle]
            for mover in movers:
                local = np.vstack([p.surface() for p in self.primitives if p.link == mover])
                points = local @ np.swapaxes(poses[mover][:, :3, :3], 1, 2) + poses[mover][:, None, :3, 3]
                inside = (points - frame[:, None, :3, 3]) @ frame[:, :3, :3]
                for primitive in self.primitives:
                    if primitive.link == obstacle:
                        touching |= primitive.contains(inside).any(axis=1)
        return touching
