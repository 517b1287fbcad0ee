"""Small sets of labelled points in the plane that networks learn while people watch: XOR, spiral, circle, or a CSV."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dofbot_ros.errors import InputError, UsageError, one_of

NAMES = ("xor", "spiral", "circle")
MOST_ROWS = 100_000
"""Of a CSV."""


@dataclass(frozen=True, eq=False)
class DataSet:
    """Labelled points.

    Attributes:
        name: of the set.
        points: (n, d), about -1..1.
        labels: 0 or 1, (n,).
        columns: names of the numbers of a point, (d,).
    """

    name: str
    points: NDArray[np.float32]
    labels: NDArray[np.float32]
    columns: tuple[str, ...] = ("x", "y")

    def __len__(self) -> int:
        return len(self.points)


def load_data_set(name: str, count: int = 200, seed: int = 0) -> DataSet:
    """A set by its name, or of a CSV file.

    Args:
        name: xor, spiral, circle, or the path of a CSV whose last column is the label, 0 or 1.
        count: points that are drawn; a CSV gives all of its rows.
        seed: of the points.

    Raises:
        InputError: no such set or file, or a CSV of another form.
    """
    if name in NAMES:
        rng = np.random.default_rng([seed, NAMES.index(name)])
        points, labels = {"xor": _xor, "spiral": _spiral, "circle": _circle}[name](count, rng)
        return DataSet(name, points.astype(np.float32), labels.astype(np.float32))
    if not name.endswith(".csv"):
        raise UsageError(one_of("data", name, (*NAMES, "a path that ends in .csv")))
    return _csv(Path(name))


def _xor(count: int, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Four clusters about the corners (+-0.7, +-0.7); those with signs that differ are 1."""
    corners = np.array([(-1, -1), (-1, 1), (1, -1), (1, 1)])[np.arange(count) % 4]
    points = 0.7 * corners + rng.normal(0.0, 0.1, (count, 2))
    return points, (corners[:, 0] * corners[:, 1] < 0).astype(float)


def _circle(count: int, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A disc inside a ring."""
    labels = np.arange(count) % 2
    radius = np.where(labels == 1, rng.uniform(0.0, 0.4, count), rng.uniform(0.6, 1.0, count))
    angle = rng.uniform(-math.pi, math.pi, count)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]), labels.astype(float)


def _spiral(count: int, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two arms that turn about each other one and a half times."""
    labels = np.arange(count) % 2
    along = np.sqrt(rng.uniform(0.02, 1.0, count))
    angle = 3.0 * math.pi * along + math.pi * labels
    noise = rng.normal(0.0, 0.02, (count, 2))
    return np.column_stack([along * np.cos(angle), along * np.sin(angle)]) + noise, labels.astype(float)


def _csv(path: Path) -> DataSet:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [row for _, row in zip(range(MOST_ROWS + 2), csv.reader(file), strict=False) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} is no CSV that can be read: {error}") from error
    if not rows:
        raise InputError(f"{path} is empty: rows of numbers are expected, the label (0 or 1) last")
    header: list[str] = []
    if any(not _is_number(cell) for cell in rows[0]):
        header, rows = [cell.strip() for cell in rows[0]], rows[1:]
    for k, row in enumerate(rows):
        if len(row) != len(rows[0]) or not all(_is_number(cell) for cell in row):
            raise InputError(f"{path}, row {k + 1 + bool(header)}: {len(rows[0])} numbers are expected, got {row[:6]}")
    if len(rows) > MOST_ROWS:
        raise InputError(f"{path} has more than {MOST_ROWS} rows")
    values = np.array(rows, np.float64).reshape(len(rows), -1)
    if values.shape[1] < 2 or len(values) < 4 or not set(np.unique(values[:, -1])) <= {0.0, 1.0}:
        raise InputError(f"{path}: four rows or more are expected, each with numbers and a last column of 0 or 1")
    points = values[:, :-1]
    spread = np.abs(points - points.mean(axis=0)).max(axis=0)
    scaled = (points - points.mean(axis=0)) / np.where(spread > 0.0, spread, 1.0)
    names = header[:-1] or [f"x{k + 1}" for k in range(points.shape[1])]
    return DataSet(path.stem, scaled.astype(np.float32), values[:, -1].astype(np.float32), tuple(names))


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False
