"""From a photo to the silhouette of its hand: is there one, where, and which pixels are its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.errors import ConfigError, one_of
from dofbot_ros.lab.imitation.hand import PALM_M
from dofbot_ros.lab.imitation.silhouette import SIZE, VIEW_M
from dofbot_ros.teleop.input.landmarks import Landmarks

Mask = Literal["grabcut", "skin"]
"""What decides which pixels are the hand's: GrabCut, begun at the landmarks; or skin colour alone, to compare with."""
MASKS: tuple[Mask, ...] = get_args(Mask)

CROP_PX = 168
"""Edge of the crop in which the hand is cut out [px]; its silhouette is made small from that."""

MARGIN_PX = 2
"""That GrabCut sees about what may be a hand: in the whole crop it takes a third longer, and finds the same."""

BINS = 16
"""Of the colours' histograms, along each axis of CIELAB."""

CERTAIN = 3.0
"""Logarithm of a likelihood ratio from which on a colour alone decides."""

SKIN = ((0, 133, 77), (255, 173, 127))
"""Lowest and highest Y, Cr, Cb of skin (Chai and Ngan, IEEE Trans. Circuits Syst. Video Technol. 9, 1999)."""

BONES = (
    *((0, 1), (1, 2), (2, 3), (3, 4), (0, 5), (5, 6), (6, 7), (7, 8), (0, 9), (9, 10), (10, 11), (11, 12)),
    *((0, 13), (13, 14), (14, 15), (15, 16), (0, 17), (17, 18), (18, 19), (19, 20), (5, 9), (9, 13), (13, 17)),
)
"""Pairs of MediaPipe's landmarks between which a hand certainly is."""


@dataclass(frozen=True)
class HandCutout:
    """A photo's hand in the frame of the simulated one.

    Attributes:
        silhouette: (56, 56), true inside; mirrored where the thumb is on the right.
        crop: the photo about the hand, RGB (168, 168, 3), mirrored alike.
        landmarks: (21, 3), x right, y up, z towards the camera [m], mirrored alike.
        mirrored: whether they are.
        weight: of pixels (56, 56): 0 beyond the wrist, where sleeves hide what a forearm would show.
    """

    silhouette: NDArray[np.bool_]
    crop: ImageArray
    landmarks: FloatArray
    mirrored: bool
    weight: NDArray[np.float32]


def cut_out(image: ImageArray, hand: Landmarks, mask: Mask = "grabcut") -> HandCutout:
    """The hand of a photo.

    Args:
        image: RGB (h, w, 3).
        hand: its landmarks as a detector found them, in pixels and metres.
        mask: see Mask.
    """
    if mask not in MASKS:
        raise ConfigError(one_of("mask", mask, MASKS))
    points = np.asarray(hand.image[:, :2], float)
    world, mirrored = upright_landmarks(hand)
    crop, placed = _crop(image, points)
    if mirrored:
        crop = np.ascontiguousarray(crop[:, ::-1])
        placed = np.column_stack([CROP_PX - 1 - placed[:, 0], placed[:, 1]])
    fine = _by_grabcut(crop, placed) if mask == "grabcut" else _by_skin(crop)
    small = cv2.resize(fine.astype(np.uint8) * 255, (SIZE, SIZE), interpolation=cv2.INTER_AREA) > 127
    return HandCutout(small, crop, world, mirrored, _before_wrist(placed))


def upright_landmarks(hand: Landmarks) -> tuple[FloatArray, bool]:
    """A hand's landmarks (21, 3), x right, y up, z towards the camera [m], thumb on the left, and whether mirrored."""
    mirrored = bool(_thumb_on_right(np.asarray(hand.image[:, :2], float)))
    return np.asarray(hand.world, float) * (-1.0 if mirrored else 1.0, -1.0, -1.0), mirrored


def landmark_capsules(points: NDArray[Any], thickness: float) -> NDArray[np.bool_]:
    """Pixels (168, 168) within `thickness` / 2 of a hand's bones [px]."""
    drawn: Any = np.zeros((CROP_PX, CROP_PX), np.uint8)
    for a, b in BONES:
        _line(drawn, points[a], points[b], thickness)
    inside: NDArray[np.bool_] = drawn > 0
    return inside


def _thumb_on_right(points: NDArray[Any]) -> bool:
    """Whether the thumb's base lies on the right of the line from the wrist to the middle finger, seen upright."""
    axis, thumb = points[9] - points[0], points[2] - points[0]
    return bool(axis[0] * thumb[1] - axis[1] * thumb[0] > 0.0)


def _crop(image: ImageArray, points: NDArray[Any]) -> tuple[ImageArray, NDArray[Any]]:
    """The square around the palm that the simulated hand's view shows, and the landmarks in it [px]."""
    palm_px = max(1.0, float(np.linalg.norm(points[9] - points[0])))
    edge = VIEW_M / PALM_M * palm_px
    # The palm's middle of the simulated hand lies at 53 % of the way from wrist to knuckle.
    centre = points[0] + 0.53 * (points[9] - points[0])
    scale = CROP_PX / edge
    matrix = np.array(
        [[scale, 0.0, 0.5 * CROP_PX - scale * centre[0]], [0.0, scale, 0.5 * CROP_PX - scale * centre[1]]]
    )
    crop: Any = cv2.warpAffine(image, matrix, (CROP_PX, CROP_PX), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    return crop, points * scale + matrix[:, 2]


def _by_grabcut(crop: ImageArray, points: NDArray[Any]) -> NDArray[np.bool_]:
    """Rother et al., GrabCut, SIGGRAPH 2004, begun by colour, (168, 168).

    GrabCut fits its colour models to the labels that it is given. With all pixels near the bones labelled as hand, the
    colour of a wall between two fingers becomes part of the hand's model and stays there. So pixels are labelled by
    their colour first: is it more frequent on the bones, or far from them?
    """
    palm_px = float(np.linalg.norm(points[9] - points[0]))
    sure, likely, possible = (landmark_capsules(points, share * palm_px) for share in (0.06, 0.20, 0.50))
    palm: Any = np.zeros((CROP_PX, CROP_PX), np.uint8)
    cv2.fillConvexPoly(palm, cv2.convexHull(np.rint(points[[0, 1, 5, 9, 13, 17]]).astype(np.int32)), (255,))
    sure |= palm > 0
    # The forearm is no landmark's: it goes on from the wrist, away from the middle finger.
    forearm: Any = np.zeros((CROP_PX, CROP_PX), np.uint8)
    _line(forearm, points[0], points[0] - 2.5 * (points[9] - points[0]), 0.9 * palm_px)
    possible |= forearm > 0
    colour = _colour_ratio(crop, sure, ~possible)
    labels: Any = np.full(possible.shape, cv2.GC_BGD, np.uint8)
    labels[possible & (colour > -CERTAIN)] = cv2.GC_PR_BGD
    labels[possible & (colour > np.where(likely, -1.0, 0.0))] = cv2.GC_PR_FGD
    labels[sure & (colour > -CERTAIN)] = cv2.GC_FGD
    near = tuple(slice(max(0, place.min() - MARGIN_PX), place.max() + 1 + MARGIN_PX) for place in np.nonzero(possible))
    part, colours = labels[near].copy(), np.ascontiguousarray(crop[near][..., ::-1])
    background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)
    # To begin the models of colours takes as long as to cut, and a quarter of the pixels tells as much.
    few, some = colours[::2, ::2].copy(), part[::2, ::2].copy()
    cv2.grabCut(few, some, (0, 0, 1, 1), background, foreground, 0, cv2.GC_INIT_WITH_MASK)
    cv2.grabCut(colours, part, (0, 0, 1, 1), background, foreground, 1, cv2.GC_EVAL)
    labels[near] = part
    inside: NDArray[np.bool_] = (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)
    return _largest(inside, points)


def _colour_ratio(crop: ImageArray, inside: NDArray[np.bool_], outside: NDArray[np.bool_]) -> FloatArray:
    """Logarithm of how much likelier each pixel's colour is among those inside than among those outside, (h, w)."""
    lab = cv2.cvtColor(crop, cv2.COLOR_RGB2LAB)
    cells = tuple(np.moveaxis(lab // (256 // BINS), -1, 0))

    def share(where: NDArray[np.bool_]) -> FloatArray:
        counted: Any = cv2.calcHist([lab], [0, 1, 2], where.astype(np.uint8), [BINS] * 3, [0, 256] * 3)
        for _ in range(3):  # along each axis in turn: some hundred pixels leave gaps between their colours
            smooth = cv2.GaussianBlur(counted.reshape(BINS, -1), (1, 3), 0.7)
            counted = np.moveaxis(smooth.reshape([BINS] * 3), 0, -1)
        shares: FloatArray = counted[cells] / max(1.0, float(counted.sum())) + 1e-5
        return shares

    ratio: FloatArray = np.log(share(inside) / share(outside))
    return ratio


def _line(picture: Any, a: NDArray[Any], b: NDArray[Any], thickness: float) -> None:
    """Draw a line of a thickness [px] from `a` to `b` (x, y)."""
    start, end = ([int(v) for v in np.rint(place)] for place in (a, b))
    cv2.line(picture, start, end, (255,), max(1, round(thickness)))


def _before_wrist(points: NDArray[Any]) -> NDArray[np.float32]:
    """1 where a pixel of the silhouette lies on the hand's side of the wrist, (56, 56)."""
    axis = points[9] - points[0]
    along = (np.arange(SIZE) + 0.5) * CROP_PX / SIZE
    columns, rows = np.meshgrid(along, along)
    share = ((columns - points[0, 0]) * axis[0] + (rows - points[0, 1]) * axis[1]) / max(1.0, float(axis @ axis))
    weight: NDArray[np.float32] = (share > 0.0).astype(np.float32)
    return weight


def _by_skin(crop: ImageArray) -> NDArray[np.bool_]:
    colours = cv2.cvtColor(crop, cv2.COLOR_RGB2YCrCb)
    inside: NDArray[np.bool_] = cv2.inRange(colours, np.array(SKIN[0]), np.array(SKIN[1])) > 0
    return inside


def _largest(inside: NDArray[np.bool_], points: NDArray[Any]) -> NDArray[np.bool_]:
    """The connected part in which the palm lies, or the largest one."""
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8))
    if count < 2:
        return inside
    column, row = np.clip(np.rint(points[9]).astype(int), 0, len(inside) - 1)
    chosen = int(labels[row, column]) or 1 + int(np.argmax(statistics[1:, cv2.CC_STAT_AREA]))
    part: NDArray[np.bool_] = labels == chosen
    return part
