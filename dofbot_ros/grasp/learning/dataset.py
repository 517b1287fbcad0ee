"""Grasp data on disk: `imgs` and `actions` in an npz, so that files of that form made elsewhere load as they are."""

from __future__ import annotations

import json
import typing
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dofbot_ros.core.array_files import load_arrays
from dofbot_ros.core.types import BoolArray, ImageArray
from dofbot_ros.errors import InputError

TRAIN_FILE, VAL_FILE = "train_dataset.npz", "val_dataset.npz"

IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class GraspData:
    """Grasps that were tried.

    Attributes:
        images: views before the attempt, RGB (n, size, size, 3) uint8.
        actions: row, column, rotation index of the grasp, (n, 3).
        success: whether it was lifted and held, (n,).
        family: of the object, (n,).
        meta: how they were made: rotations, view, seed and so on; empty for files from elsewhere.
    """

    images: ImageArray
    actions: IntArray
    success: BoolArray
    family: NDArray[np.str_]
    meta: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.images)

    @property
    def size(self) -> int:
        """Pixels along each side of a view."""
        return int(self.images.shape[1])

    @property
    def rotations(self) -> int:
        """Number of rotations; where the file does not tell, as many as its actions need."""
        return int(self.meta.get("rotations", self.actions[:, 2].max() + 1))

    def take(self, index: IntArray | BoolArray) -> GraspData:
        """Some of the rows."""
        return GraspData(self.images[index], self.actions[index], self.success[index], self.family[index], self.meta)


def join(parts: list[GraspData]) -> GraspData:
    """All rows in order, with the first part's meta.

    Raises:
        InputError: there is no part, or they differ in size or rotations.
    """
    if not parts:
        raise InputError("there are no grasp data to join")
    if len({(part.size, part.rotations) for part in parts}) > 1:
        raise InputError("grasp data of different image size or number of rotations do not go together")
    return GraspData(
        np.concatenate([p.images for p in parts]),
        np.concatenate([p.actions for p in parts]),
        np.concatenate([p.success for p in parts]),
        np.concatenate([p.family for p in parts]),
        parts[0].meta,
    )


def save(data: GraspData, path: Path) -> None:
    """Write a compressed npz; the same data give the same bytes."""
    arrays = {
        "imgs": data.images,
        "actions": data.actions,
        "success": data.success,
        "family": data.family,
        "meta": np.array(json.dumps(data.meta, sort_keys=True)),
    }
    partial = path.with_suffix(".partial")
    # np.savez stamps its members with the time of day; a fixed date keeps files comparable.
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)  # type: ignore[no-untyped-call]
    partial.replace(path)


def load(path: Path) -> GraspData:
    """Read an npz with at least `imgs` and `actions`; without `success` every row is one.

    Raises:
        InputError: no such file, no npz, arrays missing or of another form.
    """
    if not path.exists():
        raise InputError(f"{path} does not exist: `dofbot grasp collect --out` makes it")
    arrays = load_arrays(path, "npz of grasp data")
    for name in ("imgs", "actions"):
        if name not in arrays:
            raise InputError(f"{path} holds no {name} (found: {', '.join(arrays) or 'nothing'})")
    images, actions = arrays["imgs"], arrays["actions"]
    n = len(images) if images.ndim else 0
    if images.ndim != 4 or images.shape[3] != 3 or images.dtype != np.uint8 or images.shape[1] != images.shape[2]:
        raise InputError(f"{path}: imgs is square RGB (N,H,W,3) uint8, got {images.shape} {images.dtype}")
    if actions.shape != (n, 3):
        raise InputError(f"{path}: actions is (N,3) row, column, rotation for {n} images, got {actions.shape}")
    if not np.issubdtype(actions.dtype, np.integer):
        raise InputError(f"{path}: actions are whole numbers, got {actions.dtype}")
    actions = actions.astype(np.int64)
    if n and (actions.min() < 0 or actions[:, :2].max() >= images.shape[1]):
        raise InputError(f"{path}: an action lies outside its image of {images.shape[1]} pixels")
    meta = _meta(arrays, path)
    for name in ("success", "family"):
        if name in arrays and arrays[name].shape != (n,):
            raise InputError(f"{path}: {name} is (N,) for {n} images, got {arrays[name].shape}")
    data = GraspData(
        images,
        actions,
        arrays.get("success", np.ones(n, dtype=bool)).astype(bool),
        arrays.get("family", np.full(n, "unknown")),
        meta,
    )
    if n and actions[:, 2].max() >= data.rotations:
        raise InputError(f"{path}: an action has rotation {actions[:, 2].max()} of {data.rotations}")
    return data


def _meta(arrays: dict[str, NDArray[Any]], path: Path) -> dict[str, Any]:
    try:
        meta = json.loads(str(arrays["meta"])) if "meta" in arrays else {}
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: meta is no JSON: {error}") from error
    rotations = meta.get("rotations", 1) if isinstance(meta, dict) else 0
    if not isinstance(rotations, int) or rotations < 1:
        raise InputError(f"{path}: meta is a JSON object, with at least one of rotations")
    return typing.cast("dict[str, Any]", meta)
