"""Image -> poses of the marked blocks: all visible faces of a block solved together, doubtful ones refused."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np

from dofbot_ros.config.ranges import Checked, NotNegative, Positive, Range
from dofbot_ros.core.transforms import exp_so3, invert, transform
from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.errors import InputError
from dofbot_ros.vision.intrinsics import Intrinsics
from dofbot_ros.vision.markers.aruco import Marker, MarkerDetector
from dofbot_ros.vision.markers.block_layout import Block, BlockSet
from dofbot_ros.vision.markers.corners import corner_weight
from dofbot_ros.vision.markers.marker_pose import marker_pose
from dofbot_ros.vision.markers.pose_fit import MarkerObservation, fit_pose, fit_scaled_pose

DIM_REST_S = 0.5
"""After a look for dim pictures that found nothing more, the next is so much later [s]: it takes 40 ms, and most tables
without blocks are not dim."""
SAME_POSE_RAD = 0.15
"""Two fits closer than this in rotation are one pose, not two to choose from [rad]."""


@dataclass(frozen=True)
class LocaliserConfig(Checked):
    """When a block's pose is believed.

    Attributes:
        max_reprojection_px: a fit that leaves the corners further off is refused [px].
        max_ambiguity: refused when the best fit's error is more than this fraction of the next best one's.
        corner_noise_px: added to both errors (in squares) for that ratio: errors below the noise prove nothing [px].
        flat_slack_px: a block counts as lying on the table when that costs at most so much reprojection error [px].
        table_z: height of the table in the base frame [m].
        size_range: a block counts as lying on the table, too, when that takes markers printed larger or smaller than
            told by a factor in this range. Above 1 it is narrow: a larger marker looks like a lifted block.
        sharpen: look in a sharpened copy for the blocks that are not found in the image as it is, and in one for dim
            pictures where nothing is found, or that tells of a bad picture by finding more.
        max_below_table: refused when a corner of the cube would be deeper under the table than this [m].
    """

    max_reprojection_px: Positive = 1.0
    max_ambiguity: Annotated[float, Range(above=0.0, at_most=1.0)] = 0.6
    corner_noise_px: Positive = 0.1
    flat_slack_px: NotNegative = 0.4
    table_z: float = 0.0
    size_range: tuple[float, float] = (0.90, 1.025)
    sharpen: bool = True
    max_below_table: NotNegative = 0.005

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        if not 0.5 <= self.size_range[0] <= 1.0 <= self.size_range[1] <= 2.0:
            yield f"size_range must be [0.5 to 1, 1 to 2], got {list(self.size_range)}"


@dataclass(frozen=True, eq=False)
class BlockPose:
    """A block that was found.

    Attributes:
        name: of the block.
        T_base_block: its pose in the base frame, shape (4, 4) [m].
        stamp_s: when the image was taken, on the clock of the caller [s].
        reprojection_px: root of the mean square distance of the corners from those seen, foreshortened faces counting
            less [px].
        faces: how many faces it was solved from.
        flat: it lies on the table, one face up; the height is then known and not estimated.
        ambiguity: error over that of the next best pose, noise added to both; 0 where there is no other.
        size_ratio: size of its markers against what was told, where that was fitted; else 1.
    """

    name: str
    T_base_block: FloatArray
    stamp_s: float
    reprojection_px: float
    faces: int
    flat: bool
    ambiguity: float
    size_ratio: float = 1.0

    def age_s(self, now_s: float) -> float:
        """Age at `now_s` on the clock that gave the stamp [s]."""
        return now_s - self.stamp_s


@dataclass(frozen=True)
class Refused:
    """Something that was seen and not believed: a block's name or a marker's id, and why."""

    what: str
    reason: str


@dataclass(frozen=True, eq=False)
class Localisation:
    """What one image tells."""

    stamp_s: float
    blocks: tuple[BlockPose, ...]
    refused: tuple[Refused, ...]


@dataclass(frozen=True, eq=False)
class _Face:
    """One marker of a block: its corners, and the two poses of the block that it alone allows."""

    id: int
    seen: MarkerObservation
    starts: tuple[FloatArray, FloatArray]


@dataclass(frozen=True, eq=False)
class _Fit:
    """A pose in the optical frame, its error, how near the next best comes, whether it was laid flat, marker size."""

    T_camera_block: FloatArray
    error_px: float
    ambiguity: float
    flat: bool
    size_ratio: float = 1.0


class BlockLocaliser:
    """Finds the blocks of a set in the images of one camera."""

    def __init__(self, blocks: BlockSet, intrinsics: Intrinsics, config: LocaliserConfig | None = None) -> None:
        self.blocks = blocks
        self.intrinsics = intrinsics
        self.config = config or LocaliserConfig()
        self._detector = MarkerDetector(blocks.dictionary)
        self._placed = blocks.markers()
        self._nothing_dim_s = math.inf
        """When a look for dim pictures last found nothing more [s]."""

    def locate(self, image: ImageArray, stamp_s: float, T_base_camera: FloatArray) -> Localisation:
        """Find the blocks.

        Args:
            image: grey (height, width) or RGB (height, width, 3).
            stamp_s: when it was taken [s].
            T_base_camera: the optical frame in the base frame at that time, shape (4, 4) [m].

        Raises:
            InputError: an image of another size than the camera's.
        """
        height, width = image.shape[:2]
        if (width, height) != self.intrinsics.size:
            w, h = self.intrinsics.size
            raise InputError(f"the image is {width}x{height} pixels, its camera's calibration is for {w}x{h}")
        found: list[BlockPose] = []
        refused: list[Refused] = []
        for block, seen in self._faces_by_block(self._markers(image, stamp_s)):
            faces, fit, misfits = self._solve_consistent(block, seen, T_base_camera)
            refused += misfits
            T_base_block = T_base_camera @ fit.T_camera_block
            if (doubt := self._doubt(block, fit, T_base_block)) is not None:
                refused.append(Refused(block.name, doubt))
                continue
            found.append(
                BlockPose(
                    block.name,
                    T_base_block,
                    stamp_s,
                    fit.error_px,
                    len(faces),
                    fit.flat,
                    fit.ambiguity,
                    fit.size_ratio,
                )
            )
        return Localisation(stamp_s, tuple(found), tuple(refused))

    def _markers(self, image: ImageArray, stamp_s: float) -> list[Marker]:
        """The markers in an image; those of blocks that are not found at once are looked for in a sharpened copy.

        Where nothing was found at once, or blocks came up in that copy only, the picture is a bad one, and worth the
        time of a look for dim ones; otherwise blocks that are missing are taken not to be there. Noise in a dim picture
        that was only sharpened is taken for a marker now and then.

        Of a stream of pictures in which such looks find nothing more, one in DIM_REST_S is given it.
        """
        markers = self._detector.detect(image)
        at_once, every = self._names(markers), len(self.blocks.blocks)
        if not self.config.sharpen or len(at_once) == every:
            return markers
        resting = self._nothing_dim_s < stamp_s < self._nothing_dim_s + DIM_REST_S
        if at_once or resting:
            markers = self._with_others(markers, self._detector.detect(image, sharpen=True))
            found = self._names(markers)
            if len(found) == every or found == at_once or resting:
                return markers
        else:
            found = at_once
        markers = self._with_others(markers, self._detector.detect_dim(image))
        self._nothing_dim_s = stamp_s if self._names(markers) == found else math.inf
        return markers

    def _names(self, markers: list[Marker]) -> set[str]:
        return {self._placed[m.id].block.name for m in markers if m.id in self._placed}

    def _with_others(self, markers: list[Marker], further: list[Marker]) -> list[Marker]:
        """`markers`, and those of `further` that are of other blocks."""
        found = self._names(markers)
        return markers + [m for m in further if m.id in self._placed and self._placed[m.id].block.name not in found]

    def _faces_by_block(self, markers: Sequence[Marker]) -> list[tuple[Block, list[_Face]]]:
        """The markers of this set's blocks, for each block the one seen best first."""
        by_name: dict[str, tuple[Block, list[_Face]]] = {}
        for marker in sorted(markers, key=lambda m: -corner_weight(m.corners)):
            placed = self._placed.get(marker.id)
            if placed is None:
                continue
            block = placed.block
            pose = marker_pose(marker.corners, block.marker_size, self.intrinsics)
            T = placed.T_marker_block
            starts = (pose.T_camera_marker @ T, pose.T_camera_marker_other @ T)
            weights = np.full(4, corner_weight(marker.corners))
            face = _Face(
                marker.id, MarkerObservation(placed.corners, self.intrinsics.rays(marker.corners), weights), starts
            )
            by_name.setdefault(block.name, (block, []))[1].append(face)
        return list(by_name.values())

    def _doubt(self, block: Block, fit: _Fit, T_base_block: FloatArray) -> str | None:
        """Why this fit is not to be believed, if so."""
        config = self.config
        if fit.error_px > config.max_reprojection_px:
            return f"corners are {fit.error_px:.1f} px off any pose (limit {config.max_reprojection_px:g})"
        if fit.ambiguity > config.max_ambiguity:
            return f"two poses fit as well: error ratio {fit.ambiguity:.2f} (limit {config.max_ambiguity:g})"
        lowest = T_base_block[2, 3] - 0.5 * block.size * np.sum(np.abs(T_base_block[2, :3]))
        below = config.table_z - lowest
        if below > config.max_below_table:
            return f"reaches {1e3 * below:.0f} mm under the table: is the picture sharp, the camera's pose right?"
        return None

    def _solve_consistent(
        self, block: Block, faces: list[_Face], T_base_camera: FloatArray
    ) -> tuple[list[_Face], _Fit, list[Refused]]:
        """Solve from all faces; where they fit no one pose, from those that fit the one seen best."""
        limit = self.config.max_reprojection_px
        fit = self._solve(block, faces, T_base_camera)
        if len(faces) == 1 or fit.error_px <= limit:
            return faces, fit, []
        kept, fit, refused = faces[:1], self._solve(block, faces[:1], T_base_camera), []
        for face in faces[1:]:
            wider = self._solve(block, [*kept, face], T_base_camera)
            if wider.error_px <= limit:
                kept, fit = [*kept, face], wider
            else:
                reason = f"does not fit marker {kept[0].id} of {block.name}: {wider.error_px:.1f} px off"
                refused.append(Refused(f"marker {face.id}", reason))
        return kept, fit, refused

    def _solve(self, block: Block, faces: list[_Face], T_base_camera: FloatArray) -> _Fit:
        slack = self.config.flat_slack_px
        flat = self._fit_flat(block, faces, T_base_camera)
        if flat is not None and flat.error_px <= slack:
            return flat  # no free pose can be better by more than the slack
        free = self._fit_free(faces)
        if flat is None or flat.error_px <= free.error_px + slack:
            return free if flat is None else flat
        # Markers are seldom printed and glued, and cameras seldom placed, as exactly as told; blocks lie on the table.
        sized = self._fit_sized(faces, flat, T_base_camera)
        if sized is None:
            return free
        doubtful = self._doubt(block, free, T_base_camera @ free.T_camera_block) is not None
        return sized if doubtful or sized.error_px <= free.error_px + slack else free

    def _fit_free(self, faces: list[_Face]) -> _Fit:
        """All six directions free, from the two best of the poses that the faces allow alone."""
        seen = _together(faces)
        starts = sorted((s for face in faces for s in face.starts), key=seen.error)
        return self._best([fit_pose(T, seen) for T in starts[:2]], seen, flat=False)

    def _fit_flat(self, block: Block, faces: list[_Face], T_base_camera: FloatArray) -> _Fit | None:
        """One face on the table: only x, y and yaw are free. None where the camera does not look at the table."""
        seen = _together(faces)
        height = self.config.table_z + 0.5 * block.size
        laid = [_laid_down(T_base_camera @ T, T_base_camera[:3, 3], height) for T in faces[0].starts]
        starts = [T for T in laid if T is not None]
        if not starts:
            return None
        if _angle_between(starts[0], starts[-1]) < SAME_POSE_RAD:
            starts = starts[:1]
        T_camera_base = invert(T_base_camera)
        basis = _sliding(T_base_camera)
        return self._best([fit_pose(T_camera_base @ T, seen, basis) for T in starts], seen, flat=True)

    def _fit_sized(self, faces: list[_Face], flat: _Fit, T_base_camera: FloatArray) -> _Fit | None:
        """As _fit_flat from there, with the size of the markers unknown; None where that is not to be believed."""
        seen = _together(faces)
        centres = np.concatenate([np.tile(f.seen.points.mean(axis=0), (len(f.seen.points), 1)) for f in faces])
        T, ratio = fit_scaled_pose(flat.T_camera_block, seen, centres, _sliding(T_base_camera))
        sized = replace(seen, points=centres + ratio * (seen.points - centres))
        error = self.intrinsics.focal_px * sized.error(T)
        low, high = self.config.size_range
        # Negated, so that a fit that went astray and gives no number is none.
        if not (low <= ratio <= high and error <= self.config.max_reprojection_px):
            return None
        return replace(flat, T_camera_block=T, error_px=error, size_ratio=ratio)

    def _best(self, poses: list[FloatArray], seen: MarkerObservation, flat: bool) -> _Fit:
        # Fits are made in normalised coordinates, judged in pixels.
        errors = [self.intrinsics.focal_px * seen.error(T) for T in poses]
        order = np.argsort(errors)
        best = poses[order[0]]
        others = [errors[i] for i in order[1:] if _angle_between(best, poses[i]) > SAME_POSE_RAD]
        noise = self.config.corner_noise_px
        ambiguity = float(np.hypot(errors[order[0]], noise) / np.hypot(others[0], noise)) if others else 0.0
        return _Fit(best, errors[order[0]], ambiguity, flat)


def _sliding(T_base_camera: FloatArray) -> FloatArray:
    """Basis of the motions on the table along the optical axes: x, y and yaw, shape (6, 3)."""
    T_camera_base = invert(T_base_camera)
    basis = np.zeros((6, 3))
    basis[:3, :2], basis[3:, 2] = T_camera_base[:3, :2], T_camera_base[:3, 2]
    return basis


def _together(faces: list[_Face]) -> MarkerObservation:
    points, rays, weights = zip(*((f.seen.points, f.seen.rays, f.seen.weights) for f in faces), strict=True)
    return MarkerObservation(np.concatenate(points), np.concatenate(rays), np.concatenate(weights))


def _angle_between(a: FloatArray, b: FloatArray) -> float:
    """Between two rotations [rad]: the trace of a turn by it is 1 + 2 cos, precise enough for SAME_POSE_RAD."""
    return math.acos(min(max(0.5 * (float(np.vdot(a[:3, :3], b[:3, :3])) - 1.0), -1.0), 1.0))


def _laid_down(T_base_block: FloatArray, eye: FloatArray, height: float) -> FloatArray | None:
    """The pose turned the shortest way until a face is level, its centre moved along the line of sight to `height`."""
    R, sight = T_base_block[:3, :3], T_base_block[:3, 3] - eye
    if (height - eye[2]) * sight[2] <= 0:
        return None
    axis = int(np.argmax(np.abs(R[2])))
    up = R[:, axis] * np.sign(R[2, axis])
    across = np.array([up[1], -up[0], 0.0])  # up x z
    sine = math.hypot(up[0], up[1])
    turn = exp_so3(across / sine * np.arcsin(min(sine, 1.0))) if sine > 1e-9 else np.eye(3)
    return transform(turn @ R, eye + sight * (height - eye[2]) / sight[2])
