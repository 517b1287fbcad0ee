"""Views of single objects with what is known of them in simulation: family, place, and how they are turned."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dofbot_ros.config.loader import load_yaml, save_yaml
from dofbot_ros.core.array_files import load_arrays
from dofbot_ros.core.files import whole_file
from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.errors import InputError
from dofbot_ros.grasp.detection.view import TopDownView
from dofbot_ros.grasp.learning.collect import scene_seed
from dofbot_ros.grasp.learning.workers import parallel
from dofbot_ros.grasp.simulation.families import families_of
from dofbot_ros.grasp.simulation.scenes import Scene, SceneMaker, SceneRules

SALT = 0x71E3
"""Keeps these scenes apart from those in which grasps are tried."""

BLOCK = 50
"""Views in a file."""

WANTED = "views.yaml"
"""Which views a folder holds."""


@dataclass(frozen=True, eq=False)
class LabelledViews:
    """Views and what they show.

    Attributes:
        images: RGB (n, size, size, 3) uint8.
        family: number of the object's family, in the order of families_of, (n,).
        place: row and column of the middle of its outline [pixels], and its stretch, cosine and sine parts, -1..1: how
            much longer than wide the outline is, along which direction; (n, 4).
    """

    images: ImageArray
    family: NDArray[np.int64]
    place: FloatArray

    def __len__(self) -> int:
        return len(self.images)

    def take(self, index: NDArray[np.int64]) -> LabelledViews:
        """Some of the rows."""
        return LabelledViews(self.images[index], self.family[index], self.place[index])


@dataclass(frozen=True)
class Wanted:
    """Which views.

    Attributes:
        objects: a split or family names, see families.py.
        views: how many.
        seed: of the scenes.
        size: pixels along each side.
    """

    objects: str = "train"
    views: int = 4000
    seed: int = 0
    size: int = 64


def labelled_views(
    wanted: Wanted,
    folder: Path,
    workers: int,
    report: Callable[[int, int], None] | None = None,
    block: int = BLOCK,
) -> LabelledViews:
    """Draw the views, `block` to a file of `folder`; files that are there are read.

    Args:
        wanted: which; a view depends on the seed and its number alone.
        folder: for the files; it holds views of these settings only.
        workers: processes.
        report: told how many views there are, and of how many.
        block: views in a file.

    Raises:
        InputError: `folder` holds views of other settings.
    """
    _require_same(wanted, folder)
    starts = range(0, wanted.views, block)
    missing = [start for start in starts if not _file(folder, start).exists()]
    done = len(starts) - len(missing)
    if missing:
        with closing(
            parallel(partial(_draw_block, wanted, folder, block), missing, min(workers, len(missing)))
        ) as results:
            for _ in results:
                done += 1
                if report is not None:
                    report(min(done * block, wanted.views), wanted.views)
    parts = [load_arrays(_file(folder, start), "file of views") for start in starts]
    images, family, place = (
        np.concatenate([part[name] for part in parts])[: wanted.views] for name in ("images", "family", "place")
    )
    return LabelledViews(images, family, place)


def outline_moments(outline: FloatArray) -> tuple[float, float, float, float]:
    """Centre and stretch of a convex outline.

    Its second moments of area, over their sum, as cosine and sine parts of twice the direction: 0 for a disc or a
    square, towards 1 the thinner it is.

    Args:
        outline: points (n, 2), row and column; their convex hull counts.

    Returns:
        Row, column, and the two parts.
    """
    moments = cv2.moments(cv2.convexHull(outline.astype(np.float32)))
    area = moments["m00"]
    # A contour's point is (x, y); here that is (row, column).
    whole = moments["mu20"] + moments["mu02"]
    stretch = (moments["mu20"] - moments["mu02"]) / whole, 2.0 * moments["mu11"] / whole
    return moments["m10"] / area, moments["m01"] / area, *stretch


def _require_same(wanted: Wanted, folder: Path) -> None:
    """Begin the folder, or compare it; a larger number of views goes on with those that are there."""
    file = folder / WANTED
    if file.exists():
        before = load_yaml(Wanted, file)
        if replace(before, views=wanted.views) != wanted:
            raise InputError(f"{folder} holds views of other settings ({before}): take another --out, or delete it")
    folder.mkdir(parents=True, exist_ok=True)
    save_yaml(wanted, file)


def _file(folder: Path, start: int) -> Path:
    return folder / f"views-{start:06d}.npz"


def _draw_block(wanted: Wanted, folder: Path, block: int, start: int) -> int:
    """Draw the views of one file, in this process's own world."""
    families = families_of(wanted.objects)
    names = list(families)
    view = TopDownView(size=wanted.size)
    maker = SceneMaker(families, SceneRules(view=view))
    try:
        images, family, place = [], [], []
        for number in range(start, start + block):
            scene = maker.make(scene_seed(wanted.seed ^ SALT, number))
            images.append(scene.image)
            family.append(names.index(scene.things[0].family))
            place.append(outline_moments(_outline(maker, view, scene)))
    finally:
        maker.close()
    with whole_file(_file(folder, start)) as draft:
        np.savez(draft, images=np.array(images), family=np.array(family), place=np.array(place))
    return start


def _outline(maker: SceneMaker, view: TopDownView, scene: Scene) -> FloatArray:
    """What the scene's one object covers of the view, from straight above: points (n, 2), row and column."""
    (thing,) = scene.things
    if thing.shape is None:
        raise InputError(f"the outline of {thing.family} is not known: it was read from a file")
    pose = maker.poses(scene)[thing.body]
    points = (thing.shape.hull() - thing.shape.centroid) @ pose[:3, :3].T + pose[:3, 3]
    return np.array([view.to_pixel(x, y) for x, y, _ in points])
