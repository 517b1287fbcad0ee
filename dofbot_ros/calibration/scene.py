"""What a camera should see of targets on the table or in the hand: predicted pixels of all unknowns together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from dofbot_ros.calibration.fitting.chain import ArmGeometry, link4_poses, tool_poses
from dofbot_ros.calibration.fitting.parameters import Parameter, ParameterSet
from dofbot_ros.calibration.observations import IndexArray, Observations
from dofbot_ros.calibration.priors import POSE, ArmSigma, UnknownPose
from dofbot_ros.core.types import ARM_JOINTS, N_ARM, FloatArray

CAMERA = ("focal_x", "focal_y", "centre_x", "centre_y", "k1", "k2")
"""Names of the camera's unknowns: fx, fy, cx, cy [px] and two radial distortion coefficients."""
LENGTHS = ("base_height", "upper_arm", "forearm", "tool")
"""Names of the arm's lengths [m]."""
NEAREST_M = 0.01
"""Points nearer to the camera are predicted as if they were this far [m]: a start that is far off stays finite."""


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
        """The arm of a vector of unknowns (p,), or the arms of many, shape (..., p)."""
        angles = x[..., : self._lengths.start].reshape(*x.shape[:-1], -1, N_ARM)
        lengths = x[..., self._lengths]
        if x.ndim == 1:
            return ArmGeometry(*angles, *lengths.tolist())
        return ArmGeometry(*np.moveaxis(angles, -2, 0)[..., None, :], *np.moveaxis(lengths, -1, 0)[..., None])

    def joints(self, x: FloatArray, seen: Observations) -> FloatArray:
        """True joint angles of the views, shape (..., v, 5) [rad], of unknowns (..., p)."""
        none = np.zeros_like(seen.read)
        side, load = (none if a is None else a for a in (seen.side, seen.load))
        return self.arm(x).joints(seen.read, side, load)

    def lens(self, x: FloatArray) -> FloatArray:
        """fx, fy, cx, cy [px], k1, k2 of a vector of unknowns, shape (..., 6) of (..., p)."""
        return x[..., self._lens]

    def pose(self, x: FloatArray, of: UnknownPose) -> FloatArray:
        """Pose of the camera's mount or of a target in its parent, shape (..., 4, 4) [m], of unknowns (..., p)."""
        at = self.parameters.index(f"{of.name}.x")
        return of.pose(x[..., at : at + len(POSE)])

    def camera_poses(self, x: FloatArray, seen: Observations) -> FloatArray:
        """Poses of the camera in base_link at the views, shape (v, 4, 4) [m]."""
        mount = self.pose(x, self.mount)
        if self.mount.parent == "base_link":
            return np.broadcast_to(mount, (len(seen.read), 4, 4))
        poses: FloatArray = link4_poses(self.arm(x), self.joints(x, seen)) @ mount
        return poses

    def predict(self, x: FloatArray, seen: Observations, shift: FloatArray | None = None) -> FloatArray:
        """Pixels (..., n, 2) where the points of `seen` should appear.

        Args:
            x: the unknowns, shape (..., p).
            seen: their pixels are not used.
            shift: added to all joint angles, shape (5,) [rad].
        """
        return _project(self.lens(x), self.optical(x, seen, shift))

    def optical(self, x: FloatArray, seen: Observations, shift: FloatArray | None = None) -> FloatArray:
        """The points of `seen` in the camera's optical frame, shape (..., n, 3) [m]; arguments as of predict."""
        arm = self.arm(x)
        q = self.joints(x, seen) + (0.0 if shift is None else shift)
        frames: dict[str, FloatArray] = {}
        if self.mount.parent == "link4":
            frames["link4"] = link4_poses(arm, q)
        if any(t.parent == "tool_link" for t in self.targets):
            frames["tool_link"] = tool_poses(arm, q)
        base = np.empty((*x.shape[:-1], *seen.points.shape))
        for i, target in enumerate(self.targets):
            mine = seen.target == i
            T = self.pose(x, target)
            points = seen.points[mine]
            if target.size_sigma:
                points = (1.0 + x[..., self.parameters.index(f"{target.name}.size"), None, None]) * points
            local = points @ T[..., :3, :3].swapaxes(-1, -2) + T[..., None, :3, 3]
            base[..., mine, :] = _carry(frames.get(target.parent), seen.view[mine], local)
        X = self.pose(x, self.mount)
        carried = _bring(frames.get(self.mount.parent), seen.view, base)
        optical: FloatArray = (carried - X[..., None, :3, 3]) @ X[..., :3, :3]
        return optical

    def project(self, x: FloatArray, base: FloatArray) -> FloatArray:
        """Pixels (n, 2) of points (n, 3) in base_link [m], seen by a camera that is fixed there."""
        X = self.pose(x, self.mount)
        return _project(self.lens(x), (base - X[:3, 3]) @ X[:3, :3])


def _project(lens: FloatArray, optical: FloatArray) -> FloatArray:
    """Pixels (..., n, 2) of points (..., n, 3) [m] in the optical frame of lenses (..., 6).

    Radial distortion is 1 + k1 r^2 + k2 r^4 (Brown, 1971). The polynomial turns back where its derivative is 0: far
    beside the picture it would bring points into it again. From there on the picture goes on with the scale that it has
    there.
    """
    fx, fy, cx, cy, k1, k2 = np.moveaxis(lens, -1, 0)[..., None]
    z = np.maximum(optical[..., 2], NEAREST_M)
    u, v = optical[..., 0] / z, optical[..., 1] / z
    r2 = np.minimum(u * u + v * v, np.vectorize(_turns_back, otypes=[float])(k1, k2))
    by = 1.0 + r2 * (k1 + k2 * r2)
    return np.stack([fx * u * by + cx, fy * v * by + cy], axis=-1)


def _turns_back(k1: float, k2: float) -> float:
    """r^2 at which r (1 + k1 r^2 + k2 r^4) stops growing; inf where it never does."""
    # 1 + 3 k1 s + 5 k2 s^2 = 0 for s = r^2, by the form that does not divide by a k2 of almost 0.
    inside = 9.0 * k1 * k1 - 20.0 * k2
    if inside < 0.0:
        return math.inf
    divisors = (-3.0 * k1 + math.sqrt(inside), -3.0 * k1 - math.sqrt(inside))
    return min((2.0 / divisor for divisor in divisors if divisor > 1e-9), default=math.inf)


def _carry(frame: FloatArray | None, view: IndexArray, points: FloatArray) -> FloatArray:
    """Points (..., n, 3) of a carrier into base_link; without frames the carrier is base_link."""
    if frame is None:
        return points
    mine = frame[..., view, :, :]
    moved: FloatArray = np.einsum("...nij,...nj->...ni", mine[..., :3, :3], points) + mine[..., :3, 3]
    return moved


def _bring(frame: FloatArray | None, view: IndexArray, points: FloatArray) -> FloatArray:
    """Points (..., n, 3) of base_link into a carrier's frame."""
    if frame is None:
        return points
    mine = frame[..., view, :, :]
    moved: FloatArray = np.einsum("...nji,...nj->...ni", mine[..., :3, :3], points - mine[..., :3, 3])
    return moved
