"""Landmark streams as files: what was seen, without the pictures.

python -m dofbot_ros.teleop.input.recording VIDEO OUT.npz
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dofbot_ros.core.array_files import load_arrays
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import InputError
from dofbot_ros.teleop.input.landmarks import N_BODY, N_HAND, Landmarks, Observation, Side

_SIDES: tuple[Side | None, ...] = (None, "left", "right")
_SHAPES: dict[str, tuple[int, ...]] = {
    "stamp_s": (), "size": (2,), "others": (), "hand_image": (N_HAND, 3), "hand_world": (N_HAND, 3), "hand_score": (),
    "hand_side": (),
}  # fmt: skip
_BODY_SHAPES = {"body_image": (N_BODY, 3), "body_world": (N_BODY, 3), "body_visibility": (N_BODY,)}
"""Of one observation, by the name of the array."""

_PIXEL_STEP, _METRE_STEP = 2.0**-5, 2.0**-15
"""Stored to 1/32 px and 0.03 mm, well below what the models resolve: the file is a third of the size."""


def save_observations(observations: Sequence[Observation], path: str | Path) -> None:
    """Write observations to a .npz file; a missing hand or body is a row of NaN."""
    hands = [o.hand for o in observations]
    content = {
        "stamp_s": np.array([o.stamp_s for o in observations]),
        "size": np.array([(o.width, o.height) for o in observations], dtype=np.int32).reshape(-1, 2),
        "others": np.array([o.others for o in observations], dtype=np.int8),
        "hand_image": _points([h.image if h else None for h in hands], N_HAND, _PIXEL_STEP),
        "hand_world": _points([h.world if h else None for h in hands], N_HAND, _METRE_STEP),
        "hand_score": np.array([h.score if h else np.nan for h in hands], dtype=np.float32),
        "hand_side": np.array([_SIDES.index(h.side) if h else 0 for h in hands], dtype=np.int8),
    }
    bodies = [o.body for o in observations]
    if any(bodies):
        content["body_image"] = _points([b.image if b else None for b in bodies], N_BODY, _PIXEL_STEP)
        content["body_world"] = _points([b.world if b else None for b in bodies], N_BODY, _METRE_STEP)
        content["body_visibility"] = np.array(
            [b.visibility if b and b.visibility is not None else np.full(N_BODY, np.nan) for b in bodies],
            dtype=np.float16,
        )
    np.savez_compressed(path, **content)


def load_observations(path: str | Path) -> list[Observation]:
    """Read what `save_observations` wrote.

    Raises:
        InputError: no such file, or not such a file.
    """
    data = load_arrays(path, "landmark recording")
    missing = [key for key in _SHAPES if key not in data]
    if missing:
        raise InputError(f"{path} is no landmark recording: it lacks {', '.join(missing)}")
    n = data["stamp_s"].shape[:1]
    for key, shape in {**_SHAPES, **(_BODY_SHAPES if "body_world" in data else {})}.items():
        if key not in data or data[key].dtype.kind not in "fiu" or data[key].shape != (*n, *shape):
            wanted = f"numbers of shape {('n', *shape)}"
            raise InputError(f"{path} is no landmark recording: {key} is not {wanted} like stamp_s")
    if not np.isfinite(data["stamp_s"]).all():
        raise InputError(f"{path} is no landmark recording: a stamp is not finite")
    if not np.isin(data["hand_side"], range(len(_SIDES))).all():
        raise InputError(f"{path} is no landmark recording: a hand_side is none of {len(_SIDES)}")
    return [_observation(data, i) for i in range(*n)]


class RecordedLandmarks:
    """A recording as a source.

    Args:
        observations: in the order of their stamps.
        shift_s: added to the stamps, to play them on another clock [s].
    """

    def __init__(self, observations: Sequence[Observation], shift_s: float = 0.0) -> None:
        self._observations = iter(observations)
        self._shift_s = shift_s

    def read(self) -> Observation | None:
        """The next observation at once; None at the end."""
        o = next(self._observations, None)
        if o is None or self._shift_s == 0.0:
            return o
        return Observation(o.stamp_s + self._shift_s, o.width, o.height, o.hand, o.body, o.others)

    def close(self) -> None:
        """Nothing is open."""


def _points(rows: Sequence[FloatArray | None], n: int, step: float) -> FloatArray:
    filled = [np.full((n, 3), np.nan) if row is None else np.round(row / step) * step for row in rows]
    return np.array(filled, dtype=np.float32).reshape(-1, n, 3)  # type: ignore[return-value]


def _observation(data: dict[str, FloatArray], i: int) -> Observation:
    hand = body = None
    score = float(data["hand_score"][i])
    if np.isfinite(score):
        side = _SIDES[int(data["hand_side"][i])]
        hand = Landmarks(_float64(data["hand_image"][i]), _float64(data["hand_world"][i]), score, side)
    if "body_world" in data and np.isfinite(data["body_world"][i]).all():
        visibility = _float64(data["body_visibility"][i])
        body = Landmarks(
            _float64(data["body_image"][i]), _float64(data["body_world"][i]), float(visibility.mean()), None, visibility
        )
    width, height = (int(v) for v in data["size"][i])
    return Observation(float(data["stamp_s"][i]), width, height, hand, body, int(data["others"][i]))


def _float64(values: FloatArray) -> FloatArray:
    return values.astype(np.float64)


def main() -> int:
    """Record what MediaPipe finds in a video. Returns the exit code."""
    from dofbot_ros.core.clock import ManualClock
    from dofbot_ros.teleop.config import TeleopConfig
    from dofbot_ros.teleop.input.landmarks import CameraLandmarks
    from dofbot_ros.teleop.input.mediapipe_detector import MediapipeDetector
    from dofbot_ros.vision.cameras.capture import CaptureConfig, open_source

    if len(sys.argv) != 3:
        sys.stderr.write("usage: python -m dofbot_ros.teleop.input.recording VIDEO OUT.npz\n")
        return 2
    # The clock of a recording is the video's own: it jumps to each frame's time.
    frames = open_source(CaptureConfig(video_device=sys.argv[1]), ManualClock())
    source = CameraLandmarks(frames, MediapipeDetector(TeleopConfig()))
    seen: list[Observation] = []
    while (observation := source.read()) is not None:
        seen.append(observation)
    source.close()
    save_observations(seen, sys.argv[2])
    sys.stderr.write(f"{sys.argv[2]}: {sum(o.hand is not None for o in seen)} hands in {len(seen)} frames\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
