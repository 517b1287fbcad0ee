"""The arm, camera and table as trials use them. TrialClient implements it over ROS, DirectArm in one process."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import cv2
import numpy as np

from dofbot_ros.core.transforms import invert
from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.motion.arm import Arm
from dofbot_ros.policy.interface.compatibility import RobotCapabilities
from dofbot_ros.sim.arrangement import Arrangement
from dofbot_ros.vision.intrinsics import Intrinsics


@dataclass(frozen=True, eq=False)
class Look:
    """An image, and the blocks that were localised in it.

    Attributes:
        stamp_s: when the image was taken, on the arm's clock [s].
        blocks: name -> pose in base_link, shape (4, 4) [m], as localised in the image.
        image: the image, RGB, shape (h, w, 3).
        refused: name of a block or marker that was seen and rejected -> why.
    """

    stamp_s: float
    blocks: dict[str, FloatArray]
    image: ImageArray
    refused: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class View:
    """Intrinsics and pose of the camera: for planning from its images, and for drawing on them.

    Attributes:
        intrinsics: of the camera.
        T_base_camera: its optical frame in base_link, shape (4, 4) [m].
    """

    intrinsics: Intrinsics
    T_base_camera: FloatArray

    def pixels(self, points: FloatArray) -> FloatArray:
        """Where points (n, 3) [m] of base_link are in the image, (n, 2) [px]."""
        T_camera_base = invert(self.T_base_camera)
        K, distortion = self.intrinsics.K, self.intrinsics.distortion
        rotation_vector = cv2.Rodrigues(T_camera_base[:3, :3])[0]
        seen, _ = cv2.projectPoints(points, rotation_vector, T_camera_base[:3, 3], K, distortion)
        return np.asarray(seen[:, 0], dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Pictures:
    """The camera's images at the beginning and at the end of a trial, RGB, shape (h, w, 3)."""

    before: ImageArray
    after: ImageArray


class TrialArm(Arm, Protocol):
    """An arm with a camera over its table."""

    @property
    def view(self) -> View:
        """Where the camera is."""
        ...

    def prepare(self) -> None:
        """Bring the arm upright with open fingers, from any state but an emergency stop.

        Raises:
            DofbotError: it cannot be done.
        """
        ...

    def look(self) -> Look:
        """The first image that is taken from now on, with the blocks in it."""
        ...

    def capabilities(self) -> RobotCapabilities:
        """What the arm and its driver can do.

        Raises:
            DofbotError: description or driver parameters are not received.
        """
        ...

    def joints(self) -> tuple[FloatArray, float]:
        """Measured angles [rad] (6,), and when the oldest of them was read, on the arm's clock [s]."""
        ...

    def seen(self) -> tuple[dict[str, FloatArray], float]:
        """The localiser's last result: poses (4, 4) [m] by name, and the stamp of its image [s]."""
        ...

    def stream(self, position: FloatArray, *, stamp_s: float) -> None:
        """Follow a point [rad] (6,) that was made at `stamp_s` on the arm's clock [s]; the next one is due soon."""
        ...

    def wait_until_time(self, time_s: float) -> None:
        """Return when the arm's clock has reached `time_s` [s]."""
        ...

    def reset_scene(self, seed: int) -> None:
        """Put the blocks where `seed` says; returns when they rest."""
        ...

    def arrange(self, arrangement: Arrangement) -> None:
        """Put the objects of a simulated world there; returns when they rest.

        Raises:
            DofbotError: there is no simulated world, or not with these objects.
        """
        ...

    def truth(self) -> dict[str, FloatArray] | None:
        """True poses of the blocks, (4, 4) [m]; None where they are unknown, as on a real table. For judging alone."""
        ...
