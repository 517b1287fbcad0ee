"""A recorded calibration run: servo ticks and marker corners of each view, as a JSON file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dofbot_ros.arm.calibration import Calibration
from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.calibration.fitting.gravity import gravity_load, gravity_side
from dofbot_ros.calibration.observations import Observations
from dofbot_ros.calibration.targets.block_in_hand import FACES, SHEET_TARGET
from dofbot_ros.config.loader import from_mapping, to_mapping
from dofbot_ros.config.ranges import Checked
from dofbot_ros.core.files import write_whole
from dofbot_ros.core.types import N_ARM, N_JOINTS, FloatArray
from dofbot_ros.errors import ConfigError
from dofbot_ros.vision.markers.block_layout import Block, square_corners
from dofbot_ros.vision.markers.sheet import SHEET

MAX_BYTES = 32 * 2**20
"""Longest file that is read; a thousand views have 2 MB."""


@dataclass(frozen=True)
class View(Checked):
    """One pose of the arm at rest.

    Attributes:
        ticks: what the six servos read.
        markers: id -> its corners, clockwise from its top left [px].
        approach: side from which joints 1 and 5 came, -1 or 1, as gravity does not take up their play; 0: unknown.
    """

    ticks: list[int]
    markers: dict[str, list[list[float]]]
    approach: list[int] = field(default_factory=lambda: [0, 0])

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        if len(self.ticks) != N_JOINTS or len(self.approach) != 2:
            yield f"a view has {N_JOINTS} ticks and 2 sides, got {self.ticks} and {self.approach}"
        for name, corners in self.markers.items():
            if not name.isdigit() or np.shape(corners) != (4, 2):
                yield f"marker {name[:20]!r} has a number as its id and four corners u, v"


@dataclass(frozen=True)
class Session:
    """A calibration run.

    Attributes:
        image_size: width and height of the pictures [px].
        held: name of the block in the fingers.
        views: in the order in which they were taken.
    """

    image_size: tuple[int, int]
    held: str
    views: list[View]

    def observations(self, calibration: Calibration, kinematics: Kinematics, block: Block) -> Observations:
        """The same for a bundle adjustment of block_in_hand.block_scene; other markers are passed over.

        View 0 is the sheet, view v + 1 the block in view v.

        Args:
            calibration: what makes angles of the ticks.
            kinematics: the believed arm, for gravity.
            block: the one that is held.
        """
        faces = {block.faces[face].id: i for i, face in enumerate(FACES) if face in block.faces}
        sheet, square = SHEET.corners(), square_corners(block.marker_size)
        lying: dict[int, list[FloatArray]] = {}
        seen: list[tuple[int, int, FloatArray, FloatArray]] = []
        for v, one in enumerate(self.views):
            for name, found in one.markers.items():
                marker, corners = int(name), np.array(found, dtype=np.float64)
                if marker in faces:
                    seen.append((v + 1, faces[marker], square, corners))
                elif marker in sheet:
                    lying.setdefault(marker, []).append(corners)
        # Camera and sheet stand still, and all pictures of them have the same small errors: they count once, in a
        # view of their own.
        once = [(0, SHEET_TARGET, sheet[m], np.median(corners, axis=0)) for m, corners in sorted(lying.items())]
        seen = once + seen
        if not seen:
            raise ConfigError(f"no view shows block {block.name} or the sheet")
        read = np.zeros((len(self.views) + 1, N_ARM))
        read[1:] = calibration.ticks_to_rad([v.ticks for v in self.views])[:, :N_ARM]
        load = gravity_load(kinematics, read)
        side = gravity_side(load)
        side[1:, [0, 4]] = [v.approach for v in self.views]
        views, targets = (np.repeat(np.array([row[i] for row in seen], dtype=np.int64), 4) for i in (0, 1))
        points, pixels = (np.concatenate([row[2] for row in seen]), np.concatenate([row[3] for row in seen]))
        return Observations(read, views, targets, points, pixels, side, load)


def load_session(path: Path) -> Session:
    """Read a session.

    Raises:
        ConfigError: no such file, no JSON, other content.
    """
    where = str(path)
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1)
        if len(text) > MAX_BYTES:
            raise ConfigError(f"is longer than {MAX_BYTES // 2**20} MB", where)
        content = json.loads(text)
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where) from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"is no JSON: {' '.join(str(error).split())[:200]}", where) from error
    return from_mapping(Session, content, where)


def save_session(session: Session, path: Path) -> None:
    """Write what load_session reads."""
    write_whole(path, json.dumps(to_mapping(session)) + "\n")
