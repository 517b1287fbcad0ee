"""How teleoperation stands, as it goes over the wire: `teleop/status` and `teleop/landmarks` are JSON."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import InputError
from dofbot_ros.teleop.input.landmarks import Landmarks, Observation


@dataclass(frozen=True)
class TeleopReport:
    """One message on `teleop/status`.

    Attributes:
        engaged: whether the arm follows.
        reason: why it let go the last time.
        fault: what keeps it from being engaged now, the hand or the arm; "" when nothing does.
        source: what is wrong with the camera or the device; "" when nothing is.
        arm: state of the arm.
        progress: of the sign that engages or releases, 0 to 1.
        clamped: whether more is asked for than the arm can or may do.
        frames: how many came.
        dropped: how many of them were replaced by a newer one before they were looked at.
        hands: how many of those looked at showed whom to follow.
        captured_s: when the frame was captured that the last command follows, as the stamps of messages count [s].
        stamp_s: the stamp of that command [s].
        latency_s: from capture to when it was published [s].
        target: x, y, z [m], pitch, roll [rad] that the tool is led to; None while it is not.
        gap: that the fingers are led to [m]; None while they are not.
        primed: whether the sign that engages or releases counts when it is shown now: it was seen absent before.
    """

    engaged: bool
    reason: str
    fault: str
    source: str
    arm: str
    progress: float
    clamped: bool
    frames: int
    dropped: int
    hands: int
    captured_s: float
    stamp_s: float
    latency_s: float
    target: tuple[float, ...] | None
    gap: float | None = None
    primed: bool = False

    def to_json(self) -> str:
        """As text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> TeleopReport:
        """What `to_json` wrote."""
        content = json.loads(text)
        target = content.pop("target")
        return cls(**content, target=None if target is None else tuple(target))


def landmarks_json(observation: Observation, stamp_s: float) -> str:
    """An observation as text, stamped `stamp_s` [s]; what is no number becomes null."""
    return json.dumps(
        {
            "stamp_s": stamp_s,
            "width": observation.width,
            "height": observation.height,
            "others": observation.others,
            "hand": _to_dict(observation.hand),
            "body": _to_dict(observation.body),
        }
    )


def landmarks_from_json(text: str) -> Observation:
    """What `landmarks_json` wrote.

    Raises:
        InputError: it is something else.
    """
    try:
        o = json.loads(text)
        hand, body = _from_dict(o["hand"]), _from_dict(o["body"])
        return Observation(float(o["stamp_s"]), int(o["width"]), int(o["height"]), hand, body, int(o["others"]))
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        raise InputError(f"this is no message of teleop/landmarks: {error}") from error


def _to_dict(landmarks: Landmarks | None) -> dict[str, Any] | None:
    if landmarks is None:
        return None
    visibility = landmarks.visibility
    return {
        "image": _rows(landmarks.image, 2),
        "world": _rows(landmarks.world, 5),
        "score": landmarks.score if math.isfinite(landmarks.score) else None,
        "side": landmarks.side,
        "visibility": None if visibility is None else _rows(visibility, 3),
    }


def _from_dict(content: dict[str, Any] | None) -> Landmarks | None:
    if content is None:
        return None
    # None among numbers becomes nan.
    image, world = (np.array(content[key], dtype=np.float64).reshape(-1, 3) for key in ("image", "world"))
    visibility = None if content["visibility"] is None else np.array(content["visibility"], dtype=np.float64)
    score = math.nan if content["score"] is None else float(content["score"])
    return Landmarks(image, world, score, content["side"], visibility)


def _rows(values: FloatArray, digits: int) -> list[Any]:
    """To `digits` decimals, far below what the models resolve; None for what is no number."""
    rounded = np.round(values, digits).astype(object)
    rounded[~np.isfinite(values)] = None
    return list(rounded.tolist())
