"""The bodies of the arm as points that follow the joints, taken from the URDF, and how far they reach along an axis.

The frame used here is the arm's plane: base_link turned about its z axis by joint 1, with the axes r (outward), s (to
the left) and h (up). In it, every point of the arm is a constant times a row of sixteen features of the joint angles:
places and axes of the links, and the axes of the hand times the sine and cosine of the crank angle. One matrix product
gives all points of all bodies, so that the lowest point of a body is exact and costs little.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.arm.model import ArmModel, forward_chain, load_model, with_fingers
from dofbot_ros.arm.shapes import convex_corners, convex_faces, convex_outline, link_shapes, outer_points
from dofbot_ros.core.transforms import invert
from dofbot_ros.core.types import GRIP, N_JOINTS, BoolArray, FloatArray

BODIES = ("upper arm", "forearm", "wrist", "wrist camera", "gripper", "right finger", "left finger")
"""Everything that moves beyond joint 2, from the inside out. The gripper is the hand with its cranks and bars."""

_LINKS = {
    "upper arm": ("link2",),
    "forearm": ("link3",),
    "wrist": ("link4",),
    "wrist camera": ("camera_link",),
    "gripper": ("link5", "right_crank", "right_bar", "left_crank", "left_bar"),
    "right finger": ("right_finger",),
    "left finger": ("left_finger",),
}

# Columns of the features: place and axes of each link in the arm's plane. All pitch links share the axis s.
(_J2, _X2, _Z2, _S, _J3, _X3, _Z3, _J4, _X4, _Z4, _HX, _HY, _HY_COS, _HY_SIN, _Z4_COS, _Z4_SIN) = range(16)
N_FEATURES = 16


@dataclass(frozen=True, eq=False)
class Bodies:
    """The points of all bodies.

    Attributes:
        matrix: of the points, one a row, shape (k, N_FEATURES).
        starts: the first row of each of BODIES, shape (7,).
    """

    matrix: FloatArray
    starts: tuple[int, ...]

    def lowest(self, along: FloatArray) -> FloatArray:
        """The least coordinate of each body on an axis [m], shape (7, n).

        Args:
            along: features along that axis, shape (N_FEATURES, n); the third row of `features` is the height.
        """
        least: FloatArray = np.minimum.reduceat(self.matrix @ along, self.starts, axis=0)
        return least

    def span(self, along: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The least and the greatest coordinate of each body on several axes [m], each of shape (7, axes, n).

        Args:
            along: features along these axes, shape (N_FEATURES, axes, n).
        """
        points = self.matrix @ along.reshape(N_FEATURES, -1)
        least, most = (reduce.reduceat(points, self.starts, axis=0) for reduce in (np.minimum, np.maximum))
        shape = (len(self.starts), *along.shape[1:])
        return least.reshape(shape), most.reshape(shape)


@functools.cache
def dofbot_bodies(finger_across: float = 0.0, finger_along: float = 0.0) -> Bodies:
    """Those of the shipped URDF, its fingers off by so much [m] (Kinematics); made once a process."""
    return bodies_of(with_fingers(load_model(), finger_across, finger_along))


def bodies_of(model: ArmModel) -> Bodies:
    """The bodies of a DofBot's URDF.

    Raises:
        InputError: a link of the arm is missing; lists those there are.
        ConfigError: a link is drawn with a mesh.
    """
    rows = [np.vstack([_rows(model, link) for link in _LINKS[body]]) for body in BODIES]
    starts = np.cumsum([0, *(len(block) for block in rows[:-1])])
    return Bodies(np.vstack(rows), tuple(int(start) for start in starts))


def features(kinematics: Kinematics, q: FloatArray) -> FloatArray:
    """The features in the arm's plane, shape (N_FEATURES, 3, n), of joint vectors (n, 6) [rad].

    The second index is the axis: r, s, h.
    """
    angles = q.T.copy()
    angles[2] += angles[1]
    angles[3] += angles[2]
    _, s2, s3, s4, s5, sg = np.sin(angles)
    _, c2, c3, c4, c5, cg = np.cos(angles)
    f = np.zeros((N_FEATURES, 3, len(q)))
    for x, z, sine, cosine in ((_X2, _Z2, s2, c2), (_X3, _Z3, s3, c3), (_X4, _Z4, s4, c4)):
        f[x, 0], f[x, 2], f[z, 0], f[z, 2] = cosine, -sine, sine, cosine
    f[_S, 1] = 1.0
    f[_J2, 2] = kinematics.base_height
    f[_J3] = f[_J2] + kinematics.upper_arm * f[_Z2]
    f[_J4] = f[_J3] + kinematics.forearm * f[_Z3]
    # Joint 5 turns the hand's x and y out of the wrist's x axis and s.
    f[_HX], f[_HY] = c5 * f[_X4], -s5 * f[_X4]
    f[_HX, 1], f[_HY, 1] = s5, c5
    f[_HY_COS], f[_HY_SIN] = f[_HY] * cg, f[_HY] * sg
    f[_Z4_COS], f[_Z4_SIN] = f[_Z4] * cg, f[_Z4] * sg
    return f


def link_axes(f: FloatArray) -> FloatArray:
    """Unit vectors (6, 3, n) in the arm's plane, of `features`: x and z of forearm and wrist, x and y of the hand."""
    return f[[_X3, _Z3, _X4, _Z4, _HX, _HY]]


def _rows(model: ArmModel, link: str) -> FloatArray:
    """The rows of one link's points, shape (k, N_FEATURES)."""
    points = outer_points(link_shapes(model, link))
    places = {"link2": (_J2, _X2, _Z2), "link3": (_J3, _X3, _Z3), "link4": (_J4, _X4, _Z4)}
    if link in places:
        return _pitch_rows(points, places[link])
    if link == "camera_link":
        return _pitch_rows(_carried(model, "link4", link, points, 0.0), places["link4"])
    return _hand_rows(model, link, points)


def _pitch_rows(points: FloatArray, place: tuple[int, int, int]) -> FloatArray:
    """Of a link that does not roll: the outline of its side view, as wide everywhere as it is at its widest."""
    outline = convex_outline(points[:, [0, 2]])
    origin, x, z = place
    rows = np.zeros((2, len(outline), N_FEATURES))
    rows[..., origin] = 1.0
    rows[..., x], rows[..., z] = outline.T
    rows[0, :, _S], rows[1, :, _S] = points[:, 1].min(), points[:, 1].max()
    return rows.reshape(-1, N_FEATURES)


def _hand_rows(model: ArmModel, link: str, points: FloatArray) -> FloatArray:
    """Of a link in the hand.

    Each point is a constant, plus one times the cosine and one times the sine of the crank angle, because the linkage
    turns about the hand's x axis only.
    """
    points = convex_corners(points)
    if link != "link5":
        points = points[~_always_in_hand(model, link, points)]
    open_, square, back = (_carried(model, "link5", link, points, turn * math.pi) for turn in (0.0, 0.5, 1.0))
    constant = 0.5 * (open_ + back)
    cosine, sine = open_ - constant, square - constant
    rows = np.zeros((len(points), N_FEATURES))
    rows[:, _J4] = 1.0
    rows[:, _HX] = constant[:, 0]
    rows[:, _HY], rows[:, _HY_COS], rows[:, _HY_SIN] = constant[:, 1], cosine[:, 1], sine[:, 1]
    rows[:, _Z4] = constant[:, 2] + model.joint("joint5").origin[2, 3]
    rows[:, _Z4_COS], rows[:, _Z4_SIN] = cosine[:, 2], sine[:, 2]
    return rows


def _always_in_hand(model: ArmModel, link: str, points: FloatArray) -> BoolArray:
    """Which points (k, 3) [m] of a link of the linkage never leave the hull of link5, at whatever crank angle, (k,)."""
    normals, offsets = _faces_of_hand(model)
    carried = _carried(model, "link5", link, points, np.linspace(-math.pi, math.pi, 361))
    inside: BoolArray = (carried @ normals.T <= offsets).all(axis=(0, 2))
    return inside


@functools.lru_cache(maxsize=1)
def _faces_of_hand(model: ArmModel) -> tuple[FloatArray, FloatArray]:
    """Normals (m, 3) and offsets (m,) [m] of link5's hull, which every link of the linkage asks for."""
    return convex_faces(outer_points(link_shapes(model, "link5")))


def _carried(model: ArmModel, frame: str, link: str, points: FloatArray, grip: FloatArray | float) -> FloatArray:
    """Points (k, 3) [m] of `link` in `frame`, which the cranks do not move, with the arm upright.

    Args:
        model: the arm.
        frame, link: names of links.
        points: of `link`, shape (k, 3) [m].
        grip: angles of the cranks, shape (...,) [rad].

    Returns:
        Shape (..., k, 3) [m].
    """
    q = np.zeros((*np.shape(grip), N_JOINTS))
    q[..., GRIP] = grip
    pose = invert(forward_chain(model, np.zeros(N_JOINTS), frame)) @ forward_chain(model, q, link)
    carried: FloatArray = points @ pose[..., :3, :3].swapaxes(-1, -2) + pose[..., None, :3, 3]
    return carried
