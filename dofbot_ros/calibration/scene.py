"""What a camera should see of targets on the table or in the hand: predicted pixels of all unknowns together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dofbot_ros.calibration.chain import ArmGeometry, link4_poses, tool_poses
from dofbot_ros.calibration.parameters import Parameter, ParameterSet
from dofbot_ros.core.transforms import exp_so3
from dofbot_ros.core.types import ARM_JOINTS, N_ARM, FloatArray
from dofbot_ros.errors import InputError

IndexArray = NDArray[np.int64]

Carrier = Literal["base_link", "link4", "tool_link"]
"""What a camera or a target is fixed to."""

CAMERA = ("focal_x", "focal_y", "centre_x", "centre_y", "k1", "k2")
"""Names of the camera's unknowns: fx, fy, cx, cy [px] and two radial distortion coefficients."""
LENGTHS = ("base_height", "upper_arm", "forearm", "tool")
"""Names of the arm's lengths [m]."""
POSE = ("x", "y", "z", "rx", "ry", "rz")
"""Endings of a pose's six unknowns: translation [m] and rotation vector [rad], both in the parent frame."""

NEAREST_M = 0.01
"""Points nearer to the camera are predicted as if they were this far [m]: a start that is far off stays finite."""


@dataclass(frozen=True)
class ArmSigma:
    """How well an arm is known beforehand: standard deviations.

    Attributes:
        zero: of a servo's zero [rad]; owners report +-2 degrees.
        scale: of its ticks a radian, relative; owners report 1 to 3 %.
        turn: of the amplitudes of its once-per-turn error [rad].
        base_height: of joint 2 above the table [m]; 98 to 120 mm seen.
        link: of upper arm and forearm [m].
        tool: of joint 4 to tool_link [m].
        play: of half the play of each gear [rad].
        flex: of what a joint gives at full load [rad].
    """

    zero: float = math.radians(2.0)
    scale: float = 0.01
    turn: float = math.radians(0.02)
    base_height: float = 0.01
    link: float = 0.001
    tool: float = 0.002
    play: float = math.radians(0.01)
    flex: float = math.radians(0.01)


@dataclass(frozen=True, eq=False)
class UnknownPose:
    """A rigid pose that is known roughly.

    Attributes:
        name: its parameters are name.x ... name.rz.
        parent: frame that it is in.
        nominal: the pose believed, shape (4, 4) [m].
        sigma: standard deviations along and about the parent's axes, shape (6,) [m, rad].
        size_sigma: of the relative error of a target's printed size, its parameter name.size; 0: it is exact.
    """

    name: str
    parent: Carrier
    nominal: FloatArray
    sigma: FloatArray
    size_sigma: float = 0.0

    def parameters(self) -> tuple[Parameter, ...]:
        """The six deviations from the nominal pose, and that of the size."""
        pose = [Parameter(f"{self.name}.{end}", 0.0, float(s)) for end, s in zip(POSE, self.sigma, strict=True)]
        size = [Parameter(f"{self.name}.size", 0.0, self.size_sigma)] if self.size_sigma else []
        return (*pose, *size)

    def pose(self, deviation: FloatArray) -> FloatArray:
        """The pose with that deviation (6,), shape (4, 4)."""
        T = self.nominal.copy()
        T[:3, 3] += deviation[:3]
        T[:3, :3] = exp_so3(deviation[3:]) @ T[:3, :3]
        return T


@dataclass(frozen=True, eq=False)
class Observations:
    """Points of targets seen by one camera from several arm poses.

    Attributes:
        read: joint angles that the servos reported at each view, by the nominal calibration, shape (v, 5) [rad].
        view: index of the view of each point, rising, shape (n,).
        target: index of the target of each point, shape (n,).
        points: in the target's frame, shape (n, 3) [m].
        pixels: where they were seen, shape (n, 2) [px].
        side, load: of the joints at each view, see ArmGeometry.joints, shape (v, 5) or none for 0.
    """

    read: FloatArray
    view: IndexArray
    target: IndexArray
    points: FloatArray
    pixels: FloatArray
    side: FloatArray | None = None
    load: FloatArray | None = None

    def __post_init__(self) -> None:
        n = len(self.pixels)
        if not (len(self.view) == len(self.target) == len(self.points) == n):
            raise InputError(f"{n} pixels do not pair with {len(self.points)} points of {len(self.view)} views")
        if not all(np.all(np.isfinite(a)) for a in (self.read, self.points, self.pixels)):
            raise InputError("observations hold a number that is not finite")

    def of_views(self, views: Sequence[int]) -> Observations:
        """Only those views, numbered anew."""
        new = np.full(len(self.read), -1)
        new[list(views)] = np.arange(len(views))
        keep = np.flatnonzero(new[self.view] >= 0)
        keep = keep[np.argsort(new[self.view[keep]], kind="stable")]
        side, load = (None if a is None else a[list(views)] for a in (self.side, self.load))
        seen = self.target[keep], self.points[keep], self.pixels[keep]
        return Observations(self.read[list(views)], new[self.view[keep]], *seen, side, load)


def joined(first: Observations, second: Observations) -> Observations:
    """The views of both, one after the other; both have sides and loads, or neither."""
    pairs = ((first.side, second.side), (first.load, second.load))
    extra = [None if a is None or b is None else np.vstack([a, b]) for a, b in pairs]
    return Observations(
        np.vstack([first.read, second.read]),
        np.concatenate([first.view, second.view + len(first.read)]),
        np.concatenate([first.target, second.target]),
        np.concatenate([first.points, second.points]),
        np.concatenate([first.pixels, second.pixels]),
        *extra,
    )


class Scene:
    """One arm, one camera, some targets, and the unknowns of all of them.

    Args:
        arm: the believed geometry; its zeros and scales are the priors' means.
        arm_sigma: how well that geometry is known.
        camera: nominal value and deviation of each of CAMERA.
        mount: where the camera is, on base_link or link4.
        targets: what it looks at, on base_link or tool_link.
    """

    def __init__(
        self,
        arm: ArmGeometry,
        arm_sigma: ArmSigma,
        camera: Mapping[str, tuple[float, float]],
        mount: UnknownPose,
        targets: Sequence[UnknownPose],
    ) -> None:
        self.mount, self.targets = mount, tuple(targets)
        sigma = arm_sigma
        joints = [
            Parameter(f"{joint}.{what}", float(value), deviation)
            for what, values, deviation in (
                ("zero", arm.zeros, sigma.zero),
                ("scale", arm.scales, sigma.scale),
                ("sine", arm.sines, sigma.turn),
                ("cosine", arm.cosines, sigma.turn),
                ("play", arm.plays, sigma.play),
                ("flex", arm.flexes, sigma.flex),
            )
            for joint, value in zip(ARM_JOINTS, values, strict=True)
        ]
        deviations = (sigma.base_height, sigma.link, sigma.link, sigma.tool)
        lengths = [Parameter(n, float(getattr(arm, n)), d) for n, d in zip(LENGTHS, deviations, strict=True)]
        lens = [Parameter(name, *camera[name]) for name in CAMERA]
        poses = [p for pose in (mount, *self.targets) for p in pose.parameters()]
        self.parameters = ParameterSet((*joints, *lengths, *lens, *poses))
        self._lengths = slice(len(joints), len(joints) + len(LENGTHS))
        self._lens = slice(self._lengths.stop, self._lengths.stop + len(CAMERA))

    def arm(self, x: FloatArray) -> ArmGeometry:
        """The arm of a vector of unknowns."""
        zeros, scales, sines, cosines, plays, flexes = x[: self._lengths.start].reshape(-1, N_ARM)
        base_height, upper_arm, forearm, tool = x[self._lengths].tolist()
        return ArmGeometry(zeros, scales, sines, cosines, plays, flexes, base_height, upper_arm, forearm, tool)

    def joints(self, x: FloatArray, seen: Observations) -> FloatArray:
        """True joint angles of the views, shape (v, 5) [rad]."""
        none = np.zeros_like(seen.read)
        side, load = (none if a is None else a for a in (seen.side, seen.load))
        return self.arm(x).joints(seen.read, side, load)

    def lens(self, x: FloatArray) -> FloatArray:
        """fx, fy, cx, cy [px], k1, k2 of a vector of unknowns."""
        return x[self._lens]

    def pose(self, x: FloatArray, of: UnknownPose) -> FloatArray:
        """Pose of the camera's mount or of a target in its parent, shape (4, 4) [m]."""
        at = self.parameters.index(f"{of.name}.x")
        return of.pose(x[at : at + len(POSE)])

    def camera_poses(self, x: FloatArray, seen: Observations) -> FloatArray:
        """Poses of the camera in base_link at the views, shape (v, 4, 4) [m]."""
        mount = self.pose(x, self.mount)
        if self.mount.parent == "base_link":
            return np.broadcast_to(mount, (len(seen.read), 4, 4))
        poses: FloatArray = link4_poses(self.arm(x), self.joints(x, seen)) @ mount
        return poses

    def predict(self, x: FloatArray, seen: Observations, shift: FloatArray | None = None) -> FloatArray:
        """Pixels (n, 2) where the points of `seen` should appear.

        Args:
            x: the unknowns, shape (p,).
            seen: their pixels are not used.
            shift: added to all joint angles, shape (5,) [rad].
        """
        return _project(self.lens(x), self.optical(x, seen, shift))

    def optical(self, x: FloatArray, seen: Observations, shift: FloatArray | None = None) -> FloatArray:
        """The points of `seen` in the camera's optical frame, shape (n, 3) [m]; arguments as of predict."""
        arm = self.arm(x)
        q = self.joints(x, seen) + (0.0 if shift is None else shift)
        frames: dict[str, FloatArray] = {}
        if self.mount.parent == "link4":
            frames["link4"] = link4_poses(arm, q)
        if any(t.parent == "tool_link" for t in self.targets):
            frames["tool_link"] = tool_poses(arm, q)
        base = np.empty_like(seen.points)
        for i, target in enumerate(self.targets):
            mine = seen.target == i
            T = self.pose(x, target)
            size = 1.0 + (self.parameters.value(x, f"{target.name}.size") if target.size_sigma else 0.0)
            local = size * seen.points[mine] @ T[:3, :3].T + T[:3, 3]
            base[mine] = _carry(frames.get(target.parent), seen.view[mine], local)
        X = self.pose(x, self.mount)
        optical: FloatArray = (_bring(frames.get(self.mount.parent), seen.view, base) - X[:3, 3]) @ X[:3, :3]
        return optical

    def project(self, x: FloatArray, base: FloatArray) -> FloatArray:
        """Pixels (n, 2) of points (n, 3) in base_link [m], seen by a camera that is fixed there."""
        X = self.pose(x, self.mount)
        return _project(self.lens(x), (base - X[:3, 3]) @ X[:3, :3])


def _project(lens: FloatArray, optical: FloatArray) -> FloatArray:
    """Pixels (n, 2) of points (n, 3) [m] in the optical frame; radial distortion 1 + k1 r^2 + k2 r^4 (Brown, 1971)."""
    fx, fy, cx, cy, k1, k2 = lens
    z = np.maximum(optical[:, 2], NEAREST_M)
    u, v = optical[:, 0] / z, optical[:, 1] / z
    r2 = u * u + v * v
    by = 1.0 + r2 * (k1 + k2 * r2)
    return np.column_stack([fx * u * by + cx, fy * v * by + cy])


def _carry(frame: FloatArray | None, view: IndexArray, points: FloatArray) -> FloatArray:
    """Points (n, 3) of a carrier into base_link; without frames the carrier is base_link."""
    if frame is None:
        return points
    moved: FloatArray = np.einsum("nij,nj->ni", frame[view, :3, :3], points) + frame[view, :3, 3]
    return moved


def _bring(frame: FloatArray | None, view: IndexArray, points: FloatArray) -> FloatArray:
    """Points (n, 3) of base_link into a carrier's frame."""
    if frame is None:
        return points
    moved: FloatArray = np.einsum("nji,nj->ni", frame[view, :3, :3], points - frame[view, :3, 3])
    return moved
