"""Tables as a camera above sees them: plain with a grid, wooden, printed, or cluttered with flat things."""

from __future__ import annotations

import cv2
import numpy as np

from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.sim.rendering.flaws import TableKind
from dofbot_ros.vision.markers.aruco import dictionary_named
from dofbot_ros.vision.markers.sheet import BASE_FRONT_M, SHEET

TABLE_HALF_M = 0.7
"""The table reaches this far from the arm in x and y [m]."""
TABLE_PIXELS_PER_M = 1000
GRID_M = 0.05
SHEET_PIXELS_PER_M = 3000
"""A table with the calibration sheet is drawn this finely [px/m]: its markers are measured."""

WOODS = ((196, 158, 112), (160, 116, 76), (214, 190, 156), (120, 84, 58))
"""Beech, oak, birch, walnut: red, green, blue."""


def table_picture(
    colour: tuple[int, int, int], pixels_per_m: int = TABLE_PIXELS_PER_M, kind: TableKind = "plain", seed: int = 0
) -> ImageArray:
    """The table from above, RGB: row 0 at x = -TABLE_HALF_M, column 0 at y = -TABLE_HALF_M.

    Args:
        colour: of a plain table: red, green, blue, each 0..255.
        pixels_per_m: resolution [px/m].
        kind: plain has a 50 mm grid; the others are drawn at random.
        seed: seeds the drawing.
    """
    pixels = round(2 * TABLE_HALF_M * pixels_per_m)
    if kind == "plain":
        return _plain(colour, pixels, pixels_per_m)
    rng = np.random.default_rng([seed, 7])
    picture = _wood(rng, pixels)
    if kind == "printed":
        _print_on(rng, picture)
    if kind == "cluttered":
        _clutter(rng, picture)
    return picture


def with_sheet(table: ImageArray) -> ImageArray:
    """A copy of a table picture, enlarged to SHEET_PIXELS_PER_M, with the calibration sheet pushed to the base plate.

    Args:
        table: as table_picture gives it, of any resolution.
    """
    side = round(2 * TABLE_HALF_M * SHEET_PIXELS_PER_M)
    large = np.asarray(cv2.resize(table, (side, side), interpolation=cv2.INTER_LINEAR), np.uint8)

    def pixel(x: float, y: float) -> tuple[int, int]:
        return round((x + TABLE_HALF_M) * SHEET_PIXELS_PER_M), round((y + TABLE_HALF_M) * SHEET_PIXELS_PER_M)

    top, left = pixel(BASE_FRONT_M, -0.5 * SHEET.length)
    bottom, right = pixel(BASE_FRONT_M + SHEET.depth, 0.5 * SHEET.length)
    large[top:bottom, left:right] = 255
    edge = round(SHEET.marker * SHEET_PIXELS_PER_M)
    for marker, corners in SHEET.corners().items():
        x, y, _ = corners.mean(axis=0)
        row, column = pixel(BASE_FRONT_M + x - 0.5 * SHEET.marker, y - 0.5 * SHEET.marker)
        code = cv2.aruco.generateImageMarker(dictionary_named(SHEET.dictionary), marker, edge)
        # Rows go along x and columns along y: the sheet as seen with x up and y to the left, turned by half a turn.
        large[row : row + edge, column : column + edge] = code[::-1, ::-1, None]
    return large


def _plain(colour: tuple[int, int, int], pixels: int, pixels_per_m: int) -> ImageArray:
    picture = np.empty((pixels, pixels, 3), np.uint8)
    picture[:] = colour
    line = tuple(round(0.9 * c) for c in colour)
    for at in np.arange(0, pixels, GRID_M * pixels_per_m).round().astype(int):
        picture[at, :] = line
        picture[:, at] = line
    return picture


def _wood(rng: np.random.Generator, pixels: int) -> ImageArray:
    """Grain: noise that is stretched along one direction, and slow waves across it."""
    coarse = rng.random((pixels // 4, max(2, pixels // 90)))
    grain = cv2.resize(coarse, (pixels, pixels), interpolation=cv2.INTER_CUBIC)
    waves = np.sin(np.linspace(0.0, rng.uniform(30.0, 90.0), pixels) + rng.uniform(0.0, 6.0))[:, None]
    bend = cv2.resize(rng.random((6, 6)), (pixels, pixels), interpolation=cv2.INTER_CUBIC)
    tone = 0.16 * (grain - 0.5) + 0.05 * waves * bend
    if rng.random() < 0.5:
        tone = tone.T
    wood = np.array(WOODS[int(rng.integers(len(WOODS)))], np.float64)
    shade = 1.0 + tone
    levels = np.stack([_levels(channel * shade) for channel in wood], axis=-1)
    return np.ascontiguousarray(levels)  # OpenCV copies any other, each time


def _print_on(rng: np.random.Generator, picture: ImageArray) -> None:
    """A printed mat over the middle: a border, checks or stripes, lines of text, in strong colours."""
    n = len(picture)
    paper, ink = (rng.integers(170, 256, 3), rng.integers(0, 120, 3))
    top, left = round(0.46 * n), round(0.22 * n)
    bottom, right = round(0.84 * n), round(0.78 * n)
    mat = picture[top:bottom, left:right]
    mat[:] = paper
    cell = int(rng.integers(12, 40))
    rows, columns = np.indices(mat.shape[:2]) // cell
    chosen = (rows + columns) % 2 == 0 if rng.random() < 0.5 else rows % 2 == 0
    mat[chosen] = (0.7 * paper + 0.3 * ink).astype(np.uint8)
    cv2.rectangle(mat, (6, 6), (mat.shape[1] - 7, mat.shape[0] - 7), ink.tolist(), 4)
    for _ in range(14):
        x, y = int(rng.integers(0, mat.shape[1] - 80)), int(rng.integers(20, mat.shape[0]))
        word = "".join(rng.choice(list("ABCDEFGHKLMNRST "), 9))
        cv2.putText(mat, word, (x, y), cv2.FONT_HERSHEY_SIMPLEX, float(rng.uniform(0.4, 1.0)), ink.tolist(), 2)


def _clutter(rng: np.random.Generator, picture: ImageArray) -> None:
    """Papers, pens, coins and a cable, all flat, where the arm works and around it."""
    n = len(picture)

    def place() -> FloatArray:
        return np.array([rng.uniform(0.22, 0.78) * n, rng.uniform(0.5, 0.88) * n])

    for _ in range(4):
        sheet = cv2.boxPoints((place().tolist(), (105.0, 148.0), float(rng.uniform(0.0, 180.0)))).round().astype(int)
        cv2.fillPoly(picture, [sheet], rng.integers(200, 256, 3).tolist(), cv2.LINE_AA)
        for share in np.linspace(0.15, 0.85, 9):
            ends = sheet[[0, 3]] + share * (sheet[[1, 2]] - sheet[[0, 3]])
            first, last = (ends[0] + t * (ends[1] - ends[0]) for t in (0.1, rng.uniform(0.5, 0.9)))
            cv2.line(picture, first.astype(int).tolist(), last.astype(int).tolist(), (70, 70, 80), 2, cv2.LINE_AA)
    for _ in range(6):
        start, angle = place(), rng.uniform(0.0, 2.0 * np.pi)
        end = start + 140.0 * np.array([np.cos(angle), np.sin(angle)])
        cv2.line(picture, start.astype(int).tolist(), end.astype(int).tolist(), rng.integers(0, 200, 3).tolist(), 8)
    for _ in range(8):
        cv2.circle(picture, place().astype(int).tolist(), 11, rng.integers(90, 210, 3).tolist(), -1, cv2.LINE_AA)
    cable = cv2.GaussianBlur(np.cumsum(rng.normal(0.0, 12.0, (300, 2)), axis=0), (1, 61), 12.0) + place()
    cv2.polylines(picture, [cable.astype(int)], False, (30, 30, 34), 5, cv2.LINE_AA)


def _levels(values: FloatArray) -> ImageArray:
    """Rounded to grey levels; `values` are overwritten: a table has six million."""
    np.rint(values, out=values)
    return np.asarray(np.clip(values, 0, 255, out=values), np.uint8)
