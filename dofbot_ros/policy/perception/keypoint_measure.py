"""How well a pose network finds arm and block: pixels of keypoints, millimetres and degrees on the table."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from dofbot_ros.core.types import FloatArray
from dofbot_ros.policy.perception.camera_estimate import CameraEstimate
from dofbot_ros.policy.perception.keypoint_data import KeypointData
from dofbot_ros.policy.perception.keypoint_network import HIDDEN_BELOW, PoseNetwork
from dofbot_ros.policy.perception.keypoints import ARM_KEYPOINTS, BLOCK, on_plane, yaw_of
from dofbot_ros.policy.perception.pixels import nominal_view

NEVER_SEEN_PX = 1.0
"""Standard deviation of a keypoint that lies outside all pictures [px]."""

SETTLED = 10
"""Looks at one picture before the camera's estimate is taken as settled."""


@dataclass(frozen=True)
class Found:
    """What a network finds in n pictures.

    Attributes:
        pixels: of KEYPOINTS, (n, 7, 2).
        yaw: of the block in the picture, modulo a quarter turn [rad], (n,).
        shown: probability of its being seen, (n,).
        spread: of the keypoints' heat [px], (n, 7).
    """

    pixels: FloatArray
    yaw: FloatArray
    shown: FloatArray
    spread: FloatArray


def found(network: PoseNetwork, pictures: NDArray[np.uint8]) -> Found:
    """What `network` finds in pictures (n, rows, width, 3)."""
    parts: list[list[FloatArray]] = []
    with torch.no_grad():
        for first in range(0, len(pictures), 64):
            part = torch.from_numpy(pictures[first : first + 64]).permute(0, 3, 1, 2).float()
            poses = network(part.contiguous(memory_format=torch.channels_last))
            yaw = 0.25 * torch.atan2(poses.yaw[:, 1], poses.yaw[:, 0])
            told = (poses.pixels, yaw, poses.shown.sigmoid(), poses.spread)
            parts.append([one.numpy().astype(np.float64) for one in told])
    return Found(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def sigma_px(network: PoseNetwork, data: KeypointData) -> list[float]:
    """Robust standard deviation of each of ARM_KEYPOINTS along an axis [px], of those in the picture."""
    away = np.abs(found(network, data.pictures).pixels - data.pixels)[:, : len(ARM_KEYPOINTS)]
    rows, width = data.pictures.shape[1:3]
    seen = data.pixels[:, : len(ARM_KEYPOINTS)]
    away[~np.all((seen >= 0) & (seen <= (width - 1, rows - 1)), axis=2)] = np.nan
    return [
        NEVER_SEEN_PX if np.isnan(column).all() else round(max(0.1, 1.4826 * float(np.nanmedian(column))), 3)
        for column in away.transpose(1, 0, 2).reshape(len(ARM_KEYPOINTS), -1)
    ]


def measure(network: PoseNetwork, data: KeypointData) -> dict[str, float]:
    """Errors over the pictures in which the block lies on the table and shows.

    Returns:
        `centre_mm_p50`, `_p95` with the camera found by the arm's keypoints, `uncorrected_mm_p50`, `_p95` with its
        calibration, `yaw_deg_p50`, `_p95`, `arm_px_p50`, and `sight`: share of pictures in which it is rightly told
        whether the block shows.
    """
    seen = found(network, data.pictures)
    intrinsics, calibrated = nominal_view(data.pictures.shape[2])
    sigma = sigma_px(network, data)
    centre: list[float] = []
    uncorrected: list[float] = []
    turned: list[float] = []
    for i in range(len(data)):
        position = data.place[i, :3].astype(np.float64)
        if position[2] > 0.019 or data.shown[i] < HIDDEN_BELOW:
            continue
        camera = CameraEstimate(intrinsics, calibrated, sigma)
        for _ in range(SETTLED):
            camera.update(seen.pixels[i, :BLOCK], seen.spread[i, :BLOCK], data.joints[i], data.joints[i])
        for pose, errors in ((camera.pose, centre), (calibrated, uncorrected)):
            there = on_plane(seen.pixels[i, BLOCK:], intrinsics, pose, 0.015)[0]
            errors.append(1000 * math.dist(there[:2], position[:2]))
        told = yaw_of(seen.pixels[i, BLOCK], float(seen.yaw[i]), intrinsics, camera.pose, 0.015)
        turned.append(abs(math.degrees(math.remainder(told - float(data.place[i, 3]), 0.5 * math.pi))))
    arm = np.linalg.norm(seen.pixels - data.pixels, axis=2)[:, :BLOCK]
    quantile: Callable[[list[float], int], float] = lambda values, q: float(np.percentile(values, q))  # noqa: E731
    return {
        "centre_mm_p50": quantile(centre, 50),
        "centre_mm_p95": quantile(centre, 95),
        "uncorrected_mm_p50": quantile(uncorrected, 50),
        "uncorrected_mm_p95": quantile(uncorrected, 95),
        "yaw_deg_p50": quantile(turned, 50),
        "yaw_deg_p95": quantile(turned, 95),
        "arm_px_p50": float(np.median(arm)),
        "sight": float(np.mean((seen.shown > 0.5) == (data.shown >= HIDDEN_BELOW))),
    }
