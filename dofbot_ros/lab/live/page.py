"""The page that plays frames in a browser: one HTML file that loads nothing, with its frames in it or fed live."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dofbot_ros.lab.live.recorder import GRID, Frame

TEMPLATE = Path(__file__).with_name("page.html")


def frame_data(frame: Frame) -> dict[str, Any]:
    """A frame as plain data for the page: numbers rounded, fields as base64 of bytes (0..255 for -1..1)."""
    return {
        "step": frame.step,
        "loss": _number(frame.loss),
        "score": _number(frame.score),
        "sizes": list(frame.sizes),
        "units": [units.tolist() for units in frame.units],
        "weights": [_rounded(weight) for weight in frame.weights],
        "activations": [_rounded(values) for values in frame.activations],
        "dead": [dead.tolist() for dead in frame.dead],
        "fields": [[_bytes(field) for field in fields] for fields in frame.fields],
    }


def page(title: str, frames: Sequence[Frame] = (), *, live: bool = False) -> str:
    """The whole page.

    Args:
        title: above the picture.
        frames: that it plays.
        live: more come from /frames of the server that the page is loaded from.
    """
    told = json.dumps({"grid": GRID, "live": live, "frames": [frame_data(frame) for frame in frames]})
    text = TEMPLATE.read_text(encoding="utf-8")
    return text.replace("{{title}}", escape(title)).replace("{{data}}", told.replace("</", "<\\/"))


def write_page(frames: Sequence[Frame], path: Path, title: str) -> int:
    """Write the page with its frames. Returns its size [bytes]."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"new_{path.name}")
    new.write_text(page(title, frames), encoding="utf-8")
    new.replace(path)
    return path.stat().st_size


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)


def _rounded(values: NDArray[np.float32]) -> list[Any]:
    rounded: list[Any] = np.round(values.astype(np.float64), 3).tolist()
    return rounded


def _bytes(field: NDArray[np.float32]) -> str:
    scaled = np.clip(127.5 + 127.5 * field, 0, 255).astype(np.uint8)
    return base64.b64encode(scaled.tobytes()).decode()
