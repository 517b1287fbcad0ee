"""What becomes of a picture: a window, a file with a descriptive name, or the numbers behind it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from dofbot_ros.errors import UsageError, one_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Mode = Literal["show", "save", "return"]


class Delivery:
    """Hands results out in one way.

    Args:
        mode: show: a window, and the numbers are returned; save: a PNG, whose path is returned; return: the numbers.
        folder: of the files.

    Raises:
        InputError: no such mode.
    """

    def __init__(self, mode: Mode, folder: Path) -> None:
        if mode not in get_args(Mode):
            raise UsageError(one_of("mode", mode, get_args(Mode)))
        self.mode, self.folder = mode, folder

    def __call__(self, figure: Figure, value: Any, *words: object) -> Any:
        """Hand out a figure with the numbers behind it; `words` name the file."""
        if self.mode == "return":
            return value
        if self.mode == "save":
            path = free_path(self.folder, *words)
            figure.savefig(path)
            return path
        self._show(figure, " ".join(str(word) for word in words))
        return value

    @staticmethod
    def _show(figure: Figure, title: str) -> None:
        import numpy as np
        from matplotlib import pyplot
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        canvas: Any = FigureCanvasAgg(figure)
        canvas.draw()
        window = pyplot.figure(num=title, figsize=figure.get_size_inches())
        window.figimage(np.asarray(canvas.buffer_rgba()), resize=True)
        pyplot.show()


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
