"""Writes frames as an animated GIF; the same frames give the same file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from dofbot_ros.lab.live.drawing import draw
from dofbot_ros.lab.live.recorder import Frame

FRAME_MS, LAST_MS = 70, 2000
"""How long a picture stays, and the last one [ms]."""
COLOURS = 64
"""Of the palette, which all pictures share."""


def write_gif(frames: Sequence[Frame], path: Path, title: str, sample: int | None = None) -> int:
    """Write the film. Returns its size [bytes]."""
    drawn = [draw(frame, frames[: k + 1], title, sample) for k, frame in enumerate(frames)]
    # A palette of all times: the first picture lacks the colours of the last.
    chosen = drawn[:: max(1, len(drawn) // 6)]
    palette = Image.fromarray(np.concatenate([*chosen, drawn[-1]])).quantize(COLOURS, dither=Image.Dither.NONE)
    pictures = [Image.fromarray(one).quantize(palette=palette, dither=Image.Dither.NONE) for one in drawn]
    new = path.with_name(f"new_{path.name}")
    pictures[0].save(
        new,
        format="GIF",
        save_all=True,
        append_images=pictures[1:],
        duration=[FRAME_MS] * (len(pictures) - 1) + [LAST_MS],
        loop=0,
        optimize=False,
    )
    new.replace(path)
    return path.stat().st_size
