"""The sheet of markers that lies before the base plate: which marker is where, in metres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dofbot_ros.core.transforms import rot_z, transform
from dofbot_ros.core.types import FloatArray
from dofbot_ros.vision.markers.block_layout import square_corners

BASE_FRONT_M = 0.060
"""Front edge of the base plate in base_link, against which the sheet is pushed [m]."""


@dataclass(frozen=True)
class Sheet:
    """Markers in a grid on A4, the long side against the base plate.

    Sheet frame: origin in the middle of the edge that touches the plate, x forward, y left, z up.

    Attributes:
        dictionary: of the markers.
        first_id: of the marker nearest to the plate on the left; rows go to the right, then forward.
        rows: along x.
        columns: along y.
        pitch: between the middles of neighbours [m].
        marker: edge of a marker's black square [m].
        length: of the edge that touches the plate [m].
        depth: [m].
    """

    dictionary: str = "DICT_4X4_50"
    first_id: int = 25
    rows: int = 4
    columns: int = 6
    pitch: float = 0.046
    marker: float = 0.034
    length: float = 0.297
    depth: float = 0.210

    def middle(self, row: int, column: int) -> FloatArray:
        """Middle of a marker in the sheet frame, shape (3,) [m]."""
        x = 0.5 * self.depth + self.pitch * (row - 0.5 * (self.rows - 1))
        y = self.pitch * (0.5 * (self.columns - 1) - column)
        return np.array([x, y, 0.0])

    def corners(self) -> dict[int, FloatArray]:
        """Marker id -> its corners in the sheet frame, clockwise from the marker's top left, shape (4, 3) [m].

        The markers' tops point away from the base plate.
        """
        square = square_corners(self.marker) @ transform(rot_z(-0.5 * np.pi))[:3, :3].T
        return {
            self.first_id + row * self.columns + column: square + self.middle(row, column)
            for row in range(self.rows)
            for column in range(self.columns)
        }


SHEET = Sheet()
"""The sheet that `dofbot calibrate board` prints and the bundle adjustment expects."""
