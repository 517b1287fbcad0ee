"""Coordinate frames by what TF says of them: the pose of one frame in another, and how old the oldest word of it is."""

from __future__ import annotations

import math

from dofbot_ros.core.transforms import invert, transform
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import InputError, nearest

MOST_FRAMES = 2000
"""Frames beyond these are not taken in: /tf is open to everybody."""


class FrameTree:
    """The newest pose of each frame in its parent's."""

    def __init__(self) -> None:
        self._above: dict[str, tuple[str, FloatArray, float]] = {}

    def put(self, parent: str, child: str, pose: FloatArray, stamp_s: float = math.inf) -> None:
        """Take in the pose (4, 4) [m] of `child` in `parent`, said at `stamp_s` [s]; inf for one that never changes."""
        if child in self._above or len(self._above) < MOST_FRAMES:
            self._above[child] = (parent, pose, stamp_s)

    def pose(self, frame: str, base: str) -> tuple[FloatArray, float]:
        """Pose (4, 4) [m] of `frame` in `base`, and the stamp of the oldest part of it [s], inf where none moves.

        Raises:
            InputError: a frame that nobody told of, or two that do not hang together.
        """
        for name in (frame, base):
            self._require(name)
        up, down = self._ancestors(frame), self._ancestors(base)
        common = next((name for name in up if name in down), None)
        if common is None:
            raise InputError(f"frame {frame!r} and {base} do not hang together on TF")
        (pose, stamp_s), (base_pose, base_stamp_s) = up[common], down[common]
        return invert(base_pose) @ pose, min(stamp_s, base_stamp_s)

    def _require(self, name: str) -> None:
        known = {*self._above, *(parent for parent, _, _ in self._above.values())}
        if name not in known:
            near = nearest(name, sorted(known))
            raise InputError(f"TF tells nothing of frame {name!r}" + (f" (did you mean {near}?)" if near else ""))

    def _ancestors(self, name: str) -> dict[str, tuple[FloatArray, float]]:
        """Each frame above `name`, itself first -> the pose of `name` in it, and its oldest stamp."""
        pose, stamp_s = transform(), math.inf
        found = {name: (pose, stamp_s)}
        while name in self._above:
            name, step, step_s = self._above[name]
            if name in found:
                break  # a ring: nothing above it
            pose, stamp_s = step @ pose, min(stamp_s, step_s)
            found[name] = (pose, stamp_s)
        return found
