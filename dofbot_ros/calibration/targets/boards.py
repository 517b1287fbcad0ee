"""Boards to print at true size: a ChArUco board for lenses, the sheet before the base plate, labels for blocks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2

from dofbot_ros.errors import DependencyError, InputError, UsageError, one_of
from dofbot_ros.vision.markers.aruco import dictionary_named
from dofbot_ros.vision.markers.block_layout import BlockSet
from dofbot_ros.vision.markers.block_texture import face_texture
from dofbot_ros.vision.markers.sheet import SHEET

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAGE_MM = (297.0, 210.0)
"""A4, the long side across."""
RULER_MM = 250
MM_PER_INCH = 25.4

CHARUCO_SQUARES = (8, 5)
"""Squares of the ChArUco board across and down."""
CHARUCO_SQUARE_M = 0.032
CHARUCO_MARKER_M = 0.024
CHARUCO_DICTIONARY = "DICT_5X5_100"
"""Not that of the blocks, so that a block in the picture is no part of the board."""
LABEL_GAP_MM = 12.0


def charuco_board() -> cv2.aruco.CharucoBoard:
    """The ChArUco board that `dofbot calibrate board` prints and `dofbot calibrate camera` looks for."""
    dictionary = dictionary_named(CHARUCO_DICTIONARY)
    return cv2.aruco.CharucoBoard(CHARUCO_SQUARES, CHARUCO_SQUARE_M, CHARUCO_MARKER_M, dictionary)


def write_board(kind: str, blocks: BlockSet, path: Path) -> None:
    """Write the page of one kind of board as PDF.

    Args:
        kind: a key of BOARDS.
        blocks: whose labels are drawn, for "blocks".
        path: of the PDF.

    Raises:
        InputError: no such kind, or more labels than the page holds.
        DependencyError: Matplotlib is not installed.
    """
    draw_board(kind, blocks).savefig(path, format="pdf")


def draw_board(kind: str, blocks: BlockSet) -> Figure:
    """The page as a Matplotlib figure of A4's size; raises like write_board."""
    if kind not in BOARDS:
        raise UsageError(one_of("board", kind, BOARDS))
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise DependencyError("matplotlib", "sim", "a PDF") from error
    figure = Figure(figsize=(PAGE_MM[0] / MM_PER_INCH, PAGE_MM[1] / MM_PER_INCH))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    caption = BOARDS[kind](axes, blocks)
    axes.text(0.5 * PAGE_MM[0], PAGE_MM[1] - 6.0, caption, ha="center", va="center", fontsize=8)
    _ruler(axes)
    # Millimetres from the page's top left.
    axes.set(xlim=(0.0, PAGE_MM[0]), ylim=(PAGE_MM[1], 0.0))
    axes.axis("off")
    return figure


def _charuco(axes: Any, blocks: BlockSet) -> str:  # noqa: ARG001
    width, height = (1e3 * CHARUCO_SQUARE_M * n for n in CHARUCO_SQUARES)
    image = charuco_board().generateImage((320 * CHARUCO_SQUARES[0], 320 * CHARUCO_SQUARES[1]))
    _picture(axes, image, (0.5 * (PAGE_MM[0] - width), 20.0, width, height))
    return "ChArUco board: print at 100 %, not fitted to the page; glue it flat onto something stiff"


def _sheet(axes: Any, blocks: BlockSet) -> str:  # noqa: ARG001
    edge = 1e3 * SHEET.marker
    for marker, corners in SHEET.corners().items():
        x, y, _ = 1e3 * corners.mean(axis=0)
        code = cv2.aruco.generateImageMarker(dictionary_named(SHEET.dictionary), marker, 6)
        _picture(axes, code, (0.5 * PAGE_MM[0] - y - 0.5 * edge, PAGE_MM[1] - x - 0.5 * edge, edge, edge))
    middle = 0.5 * PAGE_MM[0]
    axes.plot([middle, middle], [PAGE_MM[1] - 4.0, PAGE_MM[1]], color="black", linewidth=0.8)
    return (
        "Sheet before the base plate: print at 100 %, not fitted; push this edge against the plate's front edge, "
        "the mark at its middle"
    )


def _blocks(axes: Any, blocks: BlockSet) -> str:
    top = 20.0
    for block in blocks.blocks:
        edge = 1e3 * block.size
        for column, face in enumerate(sorted(block.faces)):
            left = 20.0 + column * (edge + LABEL_GAP_MM)
            if left + edge > PAGE_MM[0] or top + edge > PAGE_MM[1] - 12.0:
                raise InputError(f"{block.name} {face}: the labels of so many or so large blocks do not fit on A4")
            _picture(axes, face_texture(block, face, blocks.dictionary, 600), (left, top, edge, edge))
            axes.text(left, top - 1.5, f"{block.name} {face}  {block.faces[face].id}", fontsize=7)
        top += edge + LABEL_GAP_MM
    return "Labels for blocks: print at 100 %, not fitted to the page; cut along the coloured edge"


BOARDS: dict[str, Callable[[Any, BlockSet], str]] = {"charuco": _charuco, "sheet": _sheet, "blocks": _blocks}
"""Name of each board -> what draws it in millimetres and returns its caption."""


def _ruler(axes: Any) -> None:
    """A ruler along the top edge."""
    left, top = 0.5 * (PAGE_MM[0] - RULER_MM), 4.0
    axes.plot([left, left + RULER_MM], [top, top], color="black", linewidth=0.4)
    for mm in range(0, RULER_MM + 1, 5):
        length = 3.0 if mm % 50 == 0 else 2.0 if mm % 10 == 0 else 1.2
        axes.plot([left + mm] * 2, [top, top + length], color="black", linewidth=0.4)
        if mm % 50 == 0:
            axes.text(left + mm, top + 3.4, f"{mm}", fontsize=6, ha="center", va="top")
    axes.text(left + 25.0, top + 2.6, f"must measure {RULER_MM} mm", fontsize=6, va="top", ha="center")


def _picture(axes: Any, image: cv2.typing.MatLike, box: tuple[float, float, float, float]) -> None:
    """An image into a box (left, top, width, height) [mm], one rectangle of ink a pixel, nothing smoothed."""
    left, top, width, height = box
    colour = {"cmap": "gray", "vmin": 0, "vmax": 255} if image.ndim == 2 else {}
    axes.imshow(image, extent=(left, left + width, top + height, top), interpolation="none", aspect="auto", **colour)
