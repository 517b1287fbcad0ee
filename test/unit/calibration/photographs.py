"""Pictures that a camera with a known lens takes of a printed page."""

from __future__ import annotations

import cv2
import numpy as np

from dofbot_ros.calibration.targets.boards import MM_PER_INCH, PAGE_MM, draw_board
from dofbot_ros.core.transforms import exp_so3, invert, transform
from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.vision.intrinsics import Intrinsics
from dofbot_ros.vision.markers.block_layout import load_blocks

DPI = 200
LENS = Intrinsics(640, 480, np.array([[605.0, 0, 322], [0, 602.0, 236], [0, 0, 1]]), np.array([-0.28, 0.08, 0, 0, 0]))


def page(kind: str) -> ImageArray:
    """A printed board, grey."""
    figure = draw_board(kind, load_blocks())
    figure.set_dpi(DPI)
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(cv2.cvtColor(np.asarray(canvas.buffer_rgba()), cv2.COLOR_RGBA2GRAY))


def photograph(
    paper: ImageArray, T_camera_page: FloatArray, rng: np.random.Generator, lens: Intrinsics = LENS
) -> ImageArray:
    """The page, whose frame has its origin at the top left, x right, y down the page [m]: RGB."""
    u, v = np.meshgrid(np.arange(lens.width), np.arange(lens.height))
    rays = lens.rays(np.column_stack([u.ravel(), v.ravel()]).astype(np.float64))
    T = invert(T_camera_page)
    direction = np.column_stack([rays, np.ones(len(rays))]) @ T[:3, :3].T
    hit = T[:3, 3] - direction * (T[2, 3] / direction[:, 2])[:, None]
    at = (1e3 * hit[:, :2] * DPI / MM_PER_INCH - 0.5).reshape(lens.height, lens.width, 2).astype(np.float32)
    # Averaged before it is sampled, as a pixel sees an area.
    softened = cv2.GaussianBlur(paper, (0, 0), 2.5)
    grey = cv2.remap(softened, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderValue=200)
    noisy = np.clip(grey + rng.normal(0.0, 2.0, grey.shape), 0, 255).astype(np.uint8)
    return np.repeat(noisy[..., None], 3, axis=2)


def board_pose(rng: np.random.Generator, tilt: float = 0.5) -> FloatArray:
    """A page held before the camera, shape (4, 4)."""
    middle = transform(translation=(-0.5e-3 * PAGE_MM[0], -0.5e-3 * PAGE_MM[1], 0.0))
    place = rng.uniform([-0.1, -0.07, 0.26], [0.1, 0.07, 0.4])
    return transform(exp_so3(rng.uniform([-tilt, -tilt, -0.3], [tilt, tilt, 0.3])), place) @ middle
