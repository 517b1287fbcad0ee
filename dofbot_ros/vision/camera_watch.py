"""Notices that a fixed camera was moved: what stands still on the table is no longer where it was in its picture."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from dofbot_ros.config.ranges import Checked, Positive
from dofbot_ros.core.types import BoolArray, FloatArray, ImageArray
from dofbot_ros.vision.intrinsics import Intrinsics
from dofbot_ros.vision.picture_shift import BETTER, LEAST_PATCHES, PatchedPicture, PictureShift

SAME = 0.6
"""Correlation from which a patch shows what it showed."""
AGAINST = 3
"""A move needs this many times as many patches for it as against it."""
CONFIRMATIONS = 2
"""Checks in turn that a move, and its end, need."""
LEARNING = 3
"""Checks in turn in which most of a picture has to stay as it was before it is taken for the reference."""
CHANGED, GONE = 0.25, 0.4
"""Shares of the patches that may change while the reference is learned, and that tell nothing when they are covered."""
GONE_S = 3.0
"""For so long a hand may cover more than that [s]."""
FEWEST = 12
"""Patches with a pattern that a picture needs."""


class CameraState(str, Enum):
    """What is known of the camera's place."""

    learning = "learning"
    still = "still"
    moved = "moved"
    covered = "covered"
    blind = "blind"


@dataclass(frozen=True)
class WatchConfig(Checked):
    """When a camera counts as moved.

    Attributes:
        watch_camera: whether it is watched.
        max_camera_move: things on the table appear shifted by this much after a move that is not borne [m].
        camera_check_s: time between two looked at pictures, on their own stamps [s].
    """

    watch_camera: bool = True
    max_camera_move: Positive = 0.002
    camera_check_s: Positive = 0.4


class CameraWatch:
    """Compares pictures of one fixed camera with the first ones, from place to place, light apart.

    Arms, hands and blocks move within a picture; only a shift, turn or scale of all of it is the camera's. The first
    pictures that stay the same are the reference: a camera that was moved before is found by `dofbot calibrate check`.

    Args:
        intrinsics: of the camera.
        T_base_camera: where it is believed to be, shape (4, 4) [m].
        config: when it counts as moved.

    Attributes:
        state: what is known of its place.
        moved_m: by how much things on the table appeared shifted in the last picture that told [m].
    """

    def __init__(self, intrinsics: Intrinsics, T_base_camera: FloatArray, config: WatchConfig | None = None) -> None:
        self._config = config or WatchConfig()
        self._m_per_px = abs(float(T_base_camera[2, 3])) / intrinsics.focal_px
        self._reference: PatchedPicture | None
        self._steady: BoolArray
        self.forget()

    def forget(self) -> None:
        """Take the camera's next place for the right one."""
        self.state = CameraState.learning if self._config.watch_camera else CameraState.blind
        self.moved_m = 0.0
        self._reference, self._steady = None, np.zeros(0, np.bool_)
        self._due_s, self._gone_since_s = -np.inf, np.inf
        self._last, self._agreeing = CameraState.learning, 0

    @property
    def trouble(self) -> str:
        """Why what is seen cannot be placed, "" where it can."""
        if self.state is not CameraState.moved:
            return ""
        how = f"the table appears {1e3 * self.moved_m:.0f} mm off" if self.moved_m else "or covered for long"
        return (
            f"the camera was moved ({how}): put it back, or find its place with `dofbot calibrate hand-eye`; "
            "`dofbot calibrate check` tells"
        )

    def look(self, image: ImageArray, stamp_s: float) -> None:
        """Take a picture: grey (height, width) or RGB (height, width, 3), taken at `stamp_s` [s]; most are skipped."""
        if not self._config.watch_camera or 0.0 < self._due_s - stamp_s <= self._config.camera_check_s:
            return
        self._due_s = stamp_s + self._config.camera_check_s
        if self._reference is None or self.state is CameraState.blind:
            self._begin(image)
            return
        found = self._reference.compare(image, self._steady)
        if self.state is CameraState.learning:
            self._learn(image, found)
        else:
            self._judge(found, stamp_s)

    def _begin(self, image: ImageArray) -> None:
        self._reference, self._agreeing = PatchedPicture(image), 0
        self._steady = np.ones(len(self._reference), np.bool_)
        self.state = CameraState.learning if len(self._reference) >= FEWEST else CameraState.blind

    def _learn(self, image: ImageArray, found: PictureShift) -> None:
        same = found.here >= SAME
        if self._moved(found) or np.mean(~same) > CHANGED:
            self._begin(image)
            return
        self._agreeing += 1
        if self._agreeing >= LEARNING:
            self._steady = same
            self.state = CameraState.still if same.sum() >= FEWEST else CameraState.blind

    def _judge(self, found: PictureShift, stamp_s: float) -> None:
        verdict = self._verdict(found, stamp_s)
        self._agreeing = self._agreeing + 1 if verdict is self._last else 1
        self._last = verdict
        weighty = CameraState.moved in (self.state, verdict)
        if weighty and (self._agreeing < CONFIRMATIONS or verdict is CameraState.covered):
            return
        if verdict is CameraState.still:
            self._steady, self.moved_m = found.here >= SAME, 0.0
        elif verdict is CameraState.moved:
            self.moved_m = self._off_m(found)
        self.state = verdict

    def _verdict(self, found: PictureShift, stamp_s: float) -> CameraState:
        """What one picture says; one that shows something else for long is a moved camera's."""
        if self._moved(found):
            return CameraState.moved
        if np.mean(found.here[self._steady] < SAME) <= GONE:
            self._gone_since_s = np.inf
            return CameraState.still
        self._gone_since_s = min(self._gone_since_s, stamp_s)
        return CameraState.moved if stamp_s - self._gone_since_s >= GONE_S else CameraState.covered

    def _moved(self, found: PictureShift) -> bool:
        gain = (found.there - found.here)[self._steady]
        pro, con = np.count_nonzero(gain > BETTER), np.count_nonzero(gain < -BETTER)
        return bool(pro >= max(LEAST_PATCHES, AGAINST * con)) and self._off_m(found) > self._config.max_camera_move

    def _off_m(self, found: PictureShift) -> float:
        return self._m_per_px * found.moved_px
