"""Reads where the block lies from small pictures, with the camera's displacement that the arm in them shows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dofbot_ros.config.loader import load_yaml
from dofbot_ros.core.model_files import first_words, open_onnx
from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.errors import InputError
from dofbot_ros.policy.interface.spec import PolicySpec
from dofbot_ros.policy.interface.state import SceneState
from dofbot_ros.policy.perception.camera_estimate import CameraEstimate
from dofbot_ros.policy.perception.keypoints import BLOCK, arm_points, on_plane, project, yaw_of
from dofbot_ros.policy.perception.pixels import WIDTH, nominal_view
from dofbot_ros.policy.runtime.block_tracker import BlockDetection, BlockTracker
from dofbot_ros.vision.intrinsics import Intrinsics

POSE_MODEL, POSE_SPEC = "pose.onnx", "pose.yaml"

LYING_M = 0.015
"""Height of the centre of a block that lies on the table [m]; one of another size is off by 2 mm at most."""

ASTRAY_PX = 5.0
"""A block whose heat is spread wider than this may be in two places, and counts as not seen [px]."""

JUMP_M, JUMP_PICTURES = 0.02, 3
"""A block that is suddenly further away than this is believed once so many pictures in a row show it there [m]."""

IN_HAND_PX = 6.0
"""A held block that is seen no further than this from the middle between the fingers is still in them."""


@dataclass(frozen=True)
class PoseSpec:
    """The YAML beside the pose network's ONNX file.

    Attributes:
        image_size: width of its pictures [px].
        sigma_px: standard deviation of each of ARM_KEYPOINTS as it finds them [px].
        training: level of randomisation, pictures, seed, commit.
    """

    image_size: int
    sigma_px: tuple[float, ...]
    training: dict[str, str]


def overhead_estimator(folder: Path, width: int = WIDTH, pose: FloatArray | None = None) -> BlockPoseEstimator:
    """The pose network of `folder` for the overhead camera's pictures.

    Args:
        folder: with pose.onnx and pose.yaml.
        width: of the pictures [px].
        pose: the optical frame in base_link (4, 4) as calibrated; where the nominal camera stands by default.

    Raises:
        InputError: there is no pose network.
    """
    intrinsics, nominal = nominal_view(width)
    return BlockPoseEstimator(folder, intrinsics, nominal if pose is None else pose)


def estimator_of(spec: PolicySpec, folder: Path, pose: FloatArray | None = None) -> BlockPoseEstimator | None:
    """The estimator in front of the policy in `folder`, of which this is the spec; None where its network needs none.

    Args:
        spec: of the policy.
        folder: of the policy.
        pose: as overhead_estimator takes it.

    Raises:
        InputError: its pose network is missing.
    """
    return overhead_estimator(folder, spec.image_size, pose) if spec.observed == "pipeline" else None


class BlockPoseEstimator:
    """Follows one camera through one episode.

    Args:
        folder: with pose.onnx and pose.yaml.
        intrinsics: of the pictures that will come, without distortion.
        pose: the optical frame in base_link (4, 4) as calibrated.

    Raises:
        InputError: there is no pose network.
    """

    def __init__(self, folder: Path, intrinsics: Intrinsics, pose: FloatArray) -> None:
        path = folder / POSE_MODEL
        if not path.exists():
            raise InputError(f"{path} does not exist: a policy behind a pose network brings it along")
        self.spec = load_yaml(PoseSpec, folder / POSE_SPEC)
        self._session = open_onnx(path, "pose network")
        self._intrinsics = intrinsics
        self.camera = CameraEstimate(intrinsics, pose, self.spec.sigma_px)
        self.reset()

    def reset(self) -> None:
        """The camera may have been moved since."""
        self.camera.reset()
        self._known: list[float] | None = None
        self._doubted: list[float] = []
        self._doubts = 0

    def follow(self, tracker: BlockTracker, picture: ImageArray, stamp_s: float, state: SceneState) -> None:
        """Show `tracker` where the block lies in a picture, if it is seen there; arguments and errors as for read()."""
        seen = self.read(picture, stamp_s, state.joints, state.before, held=tracker.held)
        if seen is not None:
            tracker.see(seen)

    def read(
        self, picture: ImageArray, stamp_s: float, joints: Sequence[float], before: Sequence[float], *, held: bool
    ) -> BlockDetection | None:
        """Where the block lies.

        Args:
            picture: RGB (rows, width, 3).
            stamp_s: of the picture [s].
            joints: of the arm now [rad], (5,) or more.
            before: those of the period before.
            held: whether the fingers hold the block, as far as they feel it.

        Returns:
            The block, taken to lie on the table; None when it is hidden, out of the picture or in the fingers.

        Raises:
            InputError: the network does not take such pictures, or its answer is not finite or of another shape.
        """
        pixels, yaw, shown, spread = self._look(picture)
        found: FloatArray = pixels[0].astype(np.float64)
        self.camera.update(found[:BLOCK], spread[0, :BLOCK].astype(np.float64), joints, before)
        if shown[0] < 0.5 or spread[0, BLOCK] > ASTRAY_PX:
            return None
        view = self._intrinsics, self.camera.pose
        block, tool = found[BLOCK], arm_points(joints, self.camera.kinematics)[-1:]
        if held and np.linalg.norm(block - project(tool, *view)[0]) < IN_HAND_PX:
            return None
        place = on_plane(block[None], *view, LYING_M)[0].tolist()
        if not self._believable(place):
            return None
        x, y, z = place
        turned = yaw_of(block, 0.25 * math.atan2(yaw[0, 1], yaw[0, 0]), *view, LYING_M)
        return BlockDetection((x, y, z), math.remainder(turned, 0.5 * math.pi), stamp_s)

    def _look(self, picture: ImageArray) -> list[FloatArray]:
        """Pixels (1, BLOCK + 1, 2), yaw (1, 2), whether it is shown (1,), spread (1, BLOCK + 1)."""
        try:
            answer: list[FloatArray] = self._session.run(None, {"image": picture[None]})
        except Exception as error:  # onnxruntime's own kinds, of which it exports none
            raise InputError(f"the pose network takes no {picture.shape}: {first_words(error)}") from error
        shapes = [np.shape(one) for one in answer]
        if shapes != [(1, BLOCK + 1, 2), (1, 2), (1,), (1, BLOCK + 1)]:
            raise InputError(f"the pose network answers {shapes}: it is none of this version")
        if not all(np.isfinite(one).all() for one in answer):
            raise InputError("the pose network answers numbers that are not finite")
        return answer

    def _believable(self, place: list[float]) -> bool:
        """Whether the block can be there: it does not jump, but it may have been moved while nobody looked."""
        if self._known is not None and math.dist(place, self._known) > JUMP_M:
            again = self._doubts > 0 and math.dist(place, self._doubted) < JUMP_M
            self._doubted, self._doubts = place, self._doubts + 1 if again else 1
            if self._doubts < JUMP_PICTURES:
                return False
        self._known, self._doubts = place, 0
        return True
