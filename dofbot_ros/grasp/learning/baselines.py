"""Planners without learning, to compare with: a random pixel, image moments, and the blocks' markers."""

from __future__ import annotations

import math

import cv2
import numpy as np

from dofbot_ros.core.types import ImageArray
from dofbot_ros.grasp.detection.planner import Candidate
from dofbot_ros.grasp.detection.view import TopDownView
from dofbot_ros.grasp.planning.planar_plan import PlanarGrasp
from dofbot_ros.grasp.simulation.scenes import SceneMaker
from dofbot_ros.vision.markers.blocks import BlockLocaliser

MIN_AREA_M2 = 1e-4
"""Smaller patches are noise: 10 by 10 mm."""


class RandomPixelPlanner:
    """Any pixel, any of `rotations` closing lines.

    Args:
        rotations: how many lines.
    """

    name = "random"

    def __init__(self, rotations: int = 8) -> None:
        self._rotations = rotations
        self.reseed(0)

    def reseed(self, seed: int) -> None:
        """Draw from here on what `seed` says."""
        self._rng = np.random.default_rng([seed, 0x9A4D])

    def candidates(self, image: ImageArray, view: TopDownView) -> list[Candidate]:  # noqa: ARG002
        """One."""
        row, column = self._rng.integers(view.size, size=2)
        yaw = math.pi * self._rng.integers(self._rotations) / self._rotations
        return [Candidate(PlanarGrasp(*view.to_table(row, column), yaw, view.height), 0.0)]


class ArucoPlanner:
    """Close on the faces of the marked blocks that the localiser finds in the camera's picture.

    Args:
        maker: whose scenes it looks at, in full and not in the view.
    """

    name = "aruco"

    def __init__(self, maker: SceneMaker) -> None:
        self._maker = maker

    def candidates(self, image: ImageArray, view: TopDownView) -> list[Candidate]:  # noqa: ARG002
        """Two a block, one for each pair of its upright faces, the more level one first."""
        photo = self._maker.photograph()
        localiser = BlockLocaliser(self._maker.world.blocks, photo.intrinsics)
        found = []
        for block in localiser.locate(photo.image, 0.0, photo.T_base_camera).blocks:
            x, y = (float(v) for v in block.T_base_block[:2, 3])
            level = math.atan2(y, x) + 0.5 * math.pi
            for axis in block.T_base_block[:3, :3].T:
                if abs(axis[2]) < math.sqrt(0.5):
                    yaw = math.atan2(axis[1], axis[0])
                    found.append(Candidate(PlanarGrasp(x, y, yaw, view.height), abs(math.cos(yaw - level))))
        return sorted(found, key=lambda candidate: -candidate.score)


class MomentsPlanner:
    """Close across the longer principal axis of each patch that differs from the table, at its centroid.

    The table's colour is the median of the view's border; patches are cut out by Otsu's threshold on the distance from
    it. On a textured table, or with objects that touch, this is wrong, as it is on a real bench.
    """

    name = "moments"

    def candidates(self, image: ImageArray, view: TopDownView) -> list[Candidate]:
        """One a patch, the largest first."""
        pixels = cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(np.float32)
        border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
        distance = np.linalg.norm(pixels - np.median(border, axis=0), axis=2)
        scaled = np.clip(255 * distance / max(float(distance.max()), 1.0), 0, 255).astype(np.uint8)
        _, mask = cv2.threshold(scaled, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
        mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        found = []
        for outline in cv2.findContours(np.asarray(mask), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]:
            filled = np.zeros(mask.shape, np.uint8)
            cv2.drawContours(filled, [outline], -1, (1,), cv2.FILLED)
            m = cv2.moments(filled, binaryImage=True)
            area = m["m00"] * view.resolution**2
            if area < MIN_AREA_M2:
                continue
            # OpenCV's x is the column. The minor axis is square to the angle of the major one.
            major = 0.5 * math.atan2(2 * m["mu11"], m["mu20"] - m["mu02"])
            along_column, along_row = -math.sin(major), math.cos(major)
            yaw = math.atan2(-along_column, -along_row)
            x, y = view.to_table(m["m01"] / m["m00"], m["m10"] / m["m00"])
            found.append(Candidate(PlanarGrasp(x, y, yaw, view.height), area))
        return sorted(found, key=lambda candidate: -candidate.score)
