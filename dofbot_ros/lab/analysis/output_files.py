"""Names for pictures: descriptive, and never one that is taken."""

from __future__ import annotations

import re
from pathlib import Path


def free_path(folder: Path, *words: object, suffix: str = ".png") -> Path:
    """A file in `folder` that does not exist yet, named after `words`; the folder is made.

    A second file of the same name gets _2, and so on: nothing is overwritten.
    """
    folder.mkdir(parents=True, exist_ok=True)
    parts = [re.sub(r"[^A-Za-z0-9._]+", "-", str(word)).strip("-.") for word in words]
    stem = "_".join(part for part in parts if part)[:120]
    for number in range(1, 10**6):
        path = folder / (f"{stem}{suffix}" if number == 1 else f"{stem}_{number}{suffix}")
        if not path.exists():
            return path
    raise FileExistsError(f"{folder} has no free name left for {stem}")
