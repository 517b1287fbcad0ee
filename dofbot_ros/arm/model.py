"""The arm as its URDF describes it: tree of links, joint limits, mimic joints, and the pose of any link."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from numpy.typing import ArrayLike

from dofbot_ros.core.resources import share_file
from dofbot_ros.core.transforms import rot_rpy, skew, transform
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import ConfigError, InputError, one_of

MAX_URDF = 1_000_000
"""Longest description that is read [characters]; this package's has 11,000."""
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_MOVING = ("revolute", "continuous", "prismatic")


@dataclass(frozen=True)
class Mimic:
    """A joint that follows another: multiplier * q(joint) + offset [rad]."""

    joint: str
    multiplier: float
    offset: float


@dataclass(frozen=True, eq=False)
class Joint:
    """One joint.

    Attributes:
        kind: revolute, continuous, prismatic or fixed.
        origin: child link in the parent link at q = 0, shape (4, 4).
        axis: unit vector in the child link, shape (3,).
        lower: [rad] or [m]; -inf where the joint is not limited.
        upper: [rad] or [m]; +inf where the joint is not limited.
        max_velocity: [rad/s] or [m/s].
        max_effort: [N m] or [N].
    """

    name: str
    kind: str
    parent: str
    child: str
    origin: FloatArray
    axis: FloatArray
    lower: float
    upper: float
    max_velocity: float
    max_effort: float
    mimic: Mimic | None


@dataclass(frozen=True, eq=False)
class ArmModel:
    """A tree of joints.

    Attributes:
        urdf: the text it was read from, for robot_description.
        links: names, in the order of the file.
        joints: all joints, in the order of the file.
    """

    urdf: str
    links: tuple[str, ...]
    joints: tuple[Joint, ...]

    @cached_property
    def actuated(self) -> tuple[Joint, ...]:
        """The joints that are commanded (moving, no mimic): the order of every joint vector of this model."""
        return tuple(j for j in self.joints if j.kind in _MOVING and j.mimic is None)

    @cached_property
    def joint_names(self) -> tuple[str, ...]:
        """Names of the actuated joints; for the DofBot, JOINT_NAMES."""
        return tuple(j.name for j in self.actuated)

    @cached_property
    def lower(self) -> FloatArray:
        """Lower limits of the actuated joints [rad], shape (6,)."""
        return np.array([j.lower for j in self.actuated])

    @cached_property
    def upper(self) -> FloatArray:
        """Upper limits of the actuated joints [rad], shape (6,)."""
        return np.array([j.upper for j in self.actuated])

    @cached_property
    def max_velocity(self) -> FloatArray:
        """Greatest speed of the actuated joints [rad/s], shape (6,)."""
        return np.array([j.max_velocity for j in self.actuated])

    @cached_property
    def max_effort(self) -> FloatArray:
        """Greatest torque of the actuated joints [N m], shape (6,)."""
        return np.array([j.max_effort for j in self.actuated])

    def joint(self, name: str) -> Joint:
        """One joint by its name.

        Raises:
            InputError: there is no such joint; lists those there are.
        """
        for joint in self.joints:
            if joint.name == name:
                return joint
        raise InputError(one_of("joint", name, (j.name for j in self.joints)))

    def chain(self, link: str) -> tuple[Joint, ...]:
        """The joints from the root to `link`, the root's first.

        Raises:
            InputError: there is no such link; lists those there are.
        """
        if link not in self.links:
            raise InputError(one_of("link", link, self.links))
        above = {j.child: j for j in self.joints}
        chain: list[Joint] = []
        while link in above:
            chain.append(above[link])
            link = above[link].parent
        return tuple(reversed(chain))


def load_model(path: str | Path | None = None) -> ArmModel:
    """Read a URDF file; without `path` this package's DofBot.

    Raises:
        ConfigError: no such file, no XML, no tree of links, a number or a joint that cannot be read.
    """
    path = share_file("urdf", "dofbot.urdf") if path is None else Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        raise ConfigError(f"cannot be read: {why}", str(path)) from error
    return parse_model(text, str(path))


def parse_model(urdf: str, where: str = "URDF") -> ArmModel:
    """Read the text of a URDF; `where` names the place in messages.

    Raises:
        ConfigError: no XML, no tree of links, a number or a joint that cannot be read.
    """
    try:
        if len(urdf) > MAX_URDF or "<!" in _COMMENT.sub("", urdf):
            # Entities multiply; no URDF needs any.
            raise ConfigError(f"is no URDF: longer than {MAX_URDF} characters, or with a document type", where)
        root = ElementTree.fromstring(urdf)
    except (ElementTree.ParseError, ValueError) as error:
        raise ConfigError(f"is not XML: {error}", where) from error
    links = tuple(_attribute(link, "name", where) for link in root.findall("link"))
    joints = tuple(_joint(element, where) for element in root.findall("joint"))
    _check_tree(links, joints, where)
    return ArmModel(urdf, links, joints)


def at_base_height(model: ArmModel, base_height: float) -> ArmModel:
    """The same arm with joint 2 `base_height` above base_link [m]: joint 1 is raised, as a calibration asks.

    Raises:
        InputError: the model has no joint1 above which joint2 stands.
    """
    root = ElementTree.fromstring(model.urdf)
    first, second = (root.find(f"joint[@name='{name}']/origin") for name in ("joint1", "joint2"))
    if first is None or second is None:
        raise InputError("the base height is that of joint2 on joint1; the model lacks the origin of one of them")
    x, y, _ = _vector(first, "xyz", "0 0 0", "joint1").tolist()
    above = float(_vector(second, "xyz", "0 0 0", "joint2")[2])
    first.set("xyz", f"{x:.9g} {y:.9g} {float(base_height - above)!r}")
    return parse_model(ElementTree.tostring(root, encoding="unicode"))


FINGER_JOINTS = ("grip_joint", "right_bar_joint", "left_crank_joint", "left_bar_joint")
"""The joints that carry the fingers on link5."""


def with_fingers(model: ArmModel, across: float, along: float) -> ArmModel:
    """The same arm, its fingers off their drawn place as a calibration says; tool_link, between them, goes with them.

    Args:
        model: a DofBot.
        across: along y of link5 [m].
        along: further out [m].
    """
    if not across and not along:
        return model
    root = ElementTree.fromstring(model.urdf)
    for joint in root.iter("joint"):
        child, origin = joint.find("child"), joint.find("origin")
        carries = joint.get("name") in FINGER_JOINTS
        if origin is not None and (carries or (child is not None and child.get("link") == "tool_link")):
            x, y, z = _vector(origin, "xyz", "0 0 0", str(joint.get("name"))).tolist()
            origin.set("xyz", f"{x!r} {y + across!r} {z + along!r}")
    return parse_model(ElementTree.tostring(root, encoding="unicode"))


def with_footprint(model: ArmModel) -> ArmModel:
    """The same arm on a root link without mass (REP 120): KDL, behind RViz and MoveIt, takes no inertia at the root."""
    root = ElementTree.fromstring(model.urdf)
    joint = ElementTree.Element("joint", name="base_joint", type="fixed")
    ElementTree.SubElement(joint, "parent", link="base_footprint")
    ElementTree.SubElement(joint, "child", link="base_link")
    root.insert(0, ElementTree.Element("link", name="base_footprint"))
    root.insert(1, joint)
    return parse_model(ElementTree.tostring(root, encoding="unicode"))


def with_limits(model: ArmModel, limits: Mapping[str, tuple[float, float]], velocity: float | None = None) -> ArmModel:
    """The same arm with other joint limits, name -> (lower, upper) [rad], bit for bit, and their velocity [rad/s].

    Raises:
        InputError: a joint that the model has not, or one without limits.
    """
    root = ElementTree.fromstring(model.urdf)
    for name, (lower, upper) in limits.items():
        limit = root.find(f"joint[@name='{name}']/limit")
        if limit is None:
            raise InputError(f"{name} is to be limited to {lower:.3f}..{upper:.3f} rad; the model has no limit of it")
        limit.set("lower", repr(float(lower)))
        limit.set("upper", repr(float(upper)))
        if velocity is not None:
            limit.set("velocity", repr(float(velocity)))
    return parse_model(ElementTree.tostring(root, encoding="unicode"))


def forward_chain(model: ArmModel, q: ArrayLike, link: str) -> FloatArray:
    """Pose of `link` in the root link, shape (..., 4, 4), of joint vectors `q` (..., n) in `model.joint_names` order.

    Raises:
        InputError: no such link, or `q` of another length.
    """
    q = np.asarray(q, dtype=np.float64)
    index = {name: i for i, name in enumerate(model.joint_names)}
    if q.ndim < 1 or q.shape[-1] != len(index):
        raise InputError(f"q needs {len(index)} joints ({', '.join(index)}), got shape {q.shape}")
    pose: FloatArray = np.broadcast_to(np.eye(4), (*q.shape[:-1], 4, 4))
    for joint in model.chain(link):
        pose = pose @ joint.origin
        if joint.kind in _MOVING:
            follows = joint.mimic or Mimic(joint.name, 1.0, 0.0)
            pose = pose @ _motion(joint, follows.multiplier * q[..., index[follows.joint]] + follows.offset)
    return pose


def child_poses(model: ArmModel, q: FloatArray) -> Iterator[tuple[Joint, FloatArray]]:
    """Each joint with the pose (4, 4) [m] of its child in its parent, at the joint vector `q` (n,)."""
    index = {name: i for i, name in enumerate(model.joint_names)}
    for joint in model.joints:
        if joint.kind in _MOVING:
            follows = joint.mimic or Mimic(joint.name, 1.0, 0.0)
            yield joint, joint.origin @ _motion(joint, follows.multiplier * q[index[follows.joint]] + follows.offset)
        else:
            yield joint, joint.origin


def _motion(joint: Joint, q: FloatArray) -> FloatArray:
    """Displacement of the child by `q` (...,), shape (..., 4, 4); rotations by Rodrigues' formula."""
    motion = np.zeros((*q.shape, 4, 4))
    motion[...] = np.eye(4)
    if joint.kind == "prismatic":
        motion[..., :3, 3] = q[..., None] * joint.axis
    else:
        k = skew(joint.axis)
        motion[..., :3, :3] += np.sin(q)[..., None, None] * k + (1.0 - np.cos(q))[..., None, None] * (k @ k)
    return motion


def _joint(element: ElementTree.Element, where: str) -> Joint:
    name = _attribute(element, "name", where)
    where = f"{where}: joint {name}"
    kind = _attribute(element, "type", where)
    if kind not in (*_MOVING, "fixed"):
        raise ConfigError(one_of("type", kind, (*_MOVING, "fixed")), where)
    origin = element.find("origin")
    xyz, rpy = (_vector(origin, key, "0 0 0", where) for key in ("xyz", "rpy"))
    axis = _vector(element.find("axis"), "xyz", "1 0 0", where)
    length = float(np.linalg.norm(axis))
    if length < 1e-9:
        raise ConfigError("axis has no direction", where)
    limit = element.find("limit")
    if limit is None and kind in ("revolute", "prismatic"):
        raise ConfigError(f"a {kind} joint needs a limit", where)
    limited = kind in ("revolute", "prismatic")
    lower, upper = (_number(limit, key, "0", where) for key in ("lower", "upper")) if limited else (-math.inf, math.inf)
    if lower > upper:
        raise ConfigError(f"limits are reversed: {lower} > {upper}", where)
    return Joint(
        name=name,
        kind=kind,
        parent=_attribute(element.find("parent"), "link", where),
        child=_attribute(element.find("child"), "link", where),
        origin=transform(rot_rpy(*rpy.tolist()), xyz),
        axis=axis / length,
        lower=lower,
        upper=upper,
        max_velocity=_number(limit, "velocity", "inf", where),
        max_effort=_number(limit, "effort", "inf", where),
        mimic=_mimic(element.find("mimic"), where),
    )


def _mimic(element: ElementTree.Element | None, where: str) -> Mimic | None:
    if element is None:
        return None
    multiplier, offset = _number(element, "multiplier", "1", where), _number(element, "offset", "0", where)
    return Mimic(_attribute(element, "joint", where), multiplier, offset)


def _check_tree(links: tuple[str, ...], joints: tuple[Joint, ...], where: str) -> None:
    actuated = {j.name for j in joints if j.kind in _MOVING and j.mimic is None}
    above: dict[str, Joint] = {}
    for joint in joints:
        for end in (joint.parent, joint.child):
            if end not in links:
                raise ConfigError(one_of("link", end, links), f"{where}: joint {joint.name}")
        if joint.child in above:
            raise ConfigError(f"{joint.child} hangs on both {above[joint.child].name} and {joint.name}", where)
        if joint.mimic is not None and joint.mimic.joint not in actuated:
            raise ConfigError(one_of("joint to mimic", joint.mimic.joint, actuated), f"{where}: joint {joint.name}")
        above[joint.child] = joint
    roots = [link for link in links if link not in above]
    if len(roots) != 1 or len(joints) != len(links) - 1:
        raise ConfigError(f"is no tree: it has {len(roots)} roots ({', '.join(roots)}) and needs one", where)
    reached = set(roots)
    while more := {j.child for j in joints if j.parent in reached} - reached:
        reached |= more
    if reached != set(links):
        raise ConfigError(f"is no tree: {', '.join(sorted(set(links) - reached))} hang on themselves", where)


def _attribute(element: ElementTree.Element | None, key: str, where: str) -> str:
    value = None if element is None else element.get(key)
    if not value:
        raise ConfigError(f"{'an element' if element is None else element.tag} lacks {key}", where)
    return value


def _number(element: ElementTree.Element | None, key: str, default: str, where: str) -> float:
    return float(_numbers(element, key, default, 1, where)[0])


def _vector(element: ElementTree.Element | None, key: str, default: str, where: str) -> FloatArray:
    return _numbers(element, key, default, 3, where)


def _numbers(element: ElementTree.Element | None, key: str, default: str, count: int, where: str) -> FloatArray:
    text = default if element is None else element.get(key, default)
    try:
        values = np.array([float(word) for word in text.split()])
    except ValueError as error:
        raise ConfigError(f"{key}={text[:80]!r} is not made of numbers", where) from error
    if values.size != count:
        raise ConfigError(f"{key}={text[:80]!r} needs {count} numbers", where)
    if text != default and not np.all(np.isfinite(values)):
        raise ConfigError(f"{key}={text[:80]!r} is not finite", where)
    return values
