"""What a trial needs of the arm and its camera; behind it stands ROS, in tests the daemon itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import cv2
import numpy as np

from dofbot_ros.core.transforms import invert
from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.grasp.retiming import TimedPath
from dofbot_ros.policy.fit import ArmAbilities
from dofbot_ros.sim.arrangement import Arrangement
from dofbot_ros.vision.intrinsics import Intrinsics


@dataclass(frozen=True, eq=False)
class Look:
    """What the camera showed after it was asked.

    Attributes:
        stamp_s: when the image was taken, on the arm's clock [s].
        blocks: name -> pose in base_link, shape (4, 4) [m], as localised in the image.
        image: the image, RGB, shape (h, w, 3).
        refused: name of a block, or of a marker, that was seen and not believed -> why.
    """

    stamp_s: float
    blocks: dict[str, FloatArray]
    image: ImageArray
    refused: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class View:
    """Where the camera is, for drawing on its images.

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


class TrialArm(Protocol):
    """An arm on a table with blocks. A motion returns when the arm has come to rest."""

    @property
    def view(self) -> View:
        """Where the camera is."""
        ...

    def now_s(self) -> float:
        """The arm's own time [s]: that of its joint states, which in simulation may run faster than the clock."""
        ...

    def prepare(self) -> None:
        """Bring the arm upright with open fingers, from whatever state it is in short of an emergency stop.

        Raises:
            DofbotError: it cannot be done.
        """
        ...

    def stop(self) -> None:
        """Brake and hold."""
        ...

    def follow(self, path: TimedPath) -> None:
        """Move along `path`.

        Raises:
            CommandRefusedError: the arm refused it, or ended it early, and why.
        """
        ...

    def grip(self, gap: float) -> None:
        """Open or close to `gap` [m], or until a block stops the fingers.

        Raises:
            CommandRefusedError: the arm refused it, and why.
        """
        ...

    def gap(self) -> float:
        """Where the fingers stand now [m]."""
        ...

    def look(self) -> Look:
        """An image taken from now on, and what it shows."""
        ...

    def reset_scene(self, seed: int) -> None:
        """Put the blocks where `seed` says; returns when they rest."""
        ...

    def truth(self) -> dict[str, FloatArray] | None:
        """True poses of the blocks, (4, 4) each; None where nobody tells. For the judge alone."""
        ...


class PickArm(TrialArm, Protocol):
    """What grasp trials need beyond that."""

    def tighten(self) -> None:
        """Let the fingers close on what they hold while the next motion runs; returns at once."""
        ...

    def rest(self, seconds: float) -> None:
        """Return after so much of the arm's time [s]; the arm goes on holding what it holds."""
        ...

    def abilities(self) -> ArmAbilities:
        """What the arm and its driver can do.

        Raises:
            DofbotError: nobody tells.
        """
        ...

    @property
    def state(self) -> str:
        """Of the arm, as safety.states.ArmState says it."""
        ...

    def joints(self) -> tuple[FloatArray, float]:
        """Measured angles [rad] (6,), and when the oldest of them was read, on the arm's clock [s]."""
        ...

    def seen(self) -> tuple[dict[str, FloatArray], float]:
        """What the localiser found last: poses (4, 4) [m] by name, and the stamp of that image [s]."""
        ...

    def stream(self, position: FloatArray, stamp_s: float) -> None:
        """Follow a point [rad] (6,) that was made at `stamp_s` on the arm's clock [s]; the next one is due soon."""
        ...

    def wait_until(self, time_s: float) -> None:
        """Return when the arm's clock has reached `time_s` [s]."""
        ...

    def arrange(self, arrangement: Arrangement) -> None:
        """Put the objects of a simulated world there; returns when they rest.

        Raises:
            DofbotError: there is no simulated world, or not with these objects.
        """
        ...
