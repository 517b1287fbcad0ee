"""What 52 samples of a real arm say about it: direction of servo 1, camera, shoulder, and the held-out error."""

from __future__ import annotations

from dataclasses import dataclass
from math import degrees, radians
from pathlib import Path
from typing import Any

import numpy as np

from dofbot_ros.arm.model import forward_chain, load_model
from dofbot_ros.arm.robot import load_robot
from dofbot_ros.calibration.fitting.bundle import BundleResult, Noise, solve
from dofbot_ros.calibration.fitting.chain import ArmGeometry
from dofbot_ros.calibration.fitting.held_out import cross_validate
from dofbot_ros.calibration.hand_eye_samples import HandEyeSamples, eye_in_hand_scene, load_samples
from dofbot_ros.calibration.priors import ArmSigma
from dofbot_ros.calibration.scene import Scene
from dofbot_ros.core.transforms import invert
from dofbot_ros.core.types import ARM_JOINTS, N_JOINTS, FloatArray

FILE = "hand_eye_samples.csv"

NOISE = Noise(corner_px=5.0, joint_rad=radians(0.001))
"""The residual of this arm is half a degree of its joints, 5 px and more, alike in all directions of the picture."""

EXACT = ArmSigma(zero=1e-7, scale=1e-7, turn=1e-7, link=1e-6)
"""Servos taken at their word: what a plain hand-eye calibration assumes."""

MODELS: dict[str, ArmSigma] = {
    "exact_servos": EXACT,
    "zeros_scales": ArmSigma(turn=1e-7),
    "once_per_turn": ArmSigma(turn=radians(1.0)),
}
"""What may differ from the drawing besides lens, camera, base height and tags, from little to much."""


@dataclass(frozen=True, eq=False)
class Fit:
    """One model fitted to all samples."""

    scene: Scene
    result: BundleResult


def measure(folder: Path, shuffles: int) -> dict[str, Any]:
    """Fit each model to the samples in `folder`, and cross-validate it in `shuffles` partitions into four."""
    samples = load_samples(folder / FILE)
    arm = ArmGeometry.nominal(load_robot().kinematics)
    drawn = drawn_mount()
    directions = {
        name: fit(samples, sign, arm, drawn, EXACT).result.rms_px
        for name, sign in (("counter_clockwise", 1), ("clockwise", -1))
    }
    sign = 1 if directions["counter_clockwise"] < directions["clockwise"] else -1
    models = {}
    for name, sigma in MODELS.items():
        found = fit(samples, sign, arm, drawn, sigma)
        seen = samples.observations(sign)
        held_out = cross_validate(found.scene, seen, NOISE, found.result.x, shuffles=range(shuffles))
        models[name] = {
            "rms_px": found.result.rms_px,
            "held_out": held_out.summary(np.random.default_rng(0)),
            **describe(found),
        }
    return {
        "samples": len(samples.group),
        "servo1_rising": min(directions, key=lambda d: directions[d]),
        "servo1_rms_px": directions,
        "drawn_camera_in_link4_mm": (1e3 * drawn[:3, 3]).tolist(),
        "drawn_base_height_mm": 1e3 * arm.base_height,
        "models": models,
    }


def fit(samples: HandEyeSamples, sign: int, arm: ArmGeometry, drawn: FloatArray, sigma: ArmSigma) -> Fit:
    """Fit one model to all samples; `sign` is the direction of servo 1."""
    seen = samples.observations(sign)
    scene = eye_in_hand_scene(samples, seen, arm, drawn, sigma)
    return Fit(scene, solve(scene, seen, NOISE))


def describe(found: Fit) -> dict[str, Any]:
    """The figures of one fit, each with its standard deviation where it has one."""
    r = found.result
    camera = found.scene.pose(r.x, found.scene.mount)
    return {
        "focal_px": [r.value("focal_x"), r.value("focal_y")],
        "focal_sigma_px": [r.sigma_of("focal_x"), r.sigma_of("focal_y")],
        "centre_px": [r.value("centre_x"), r.value("centre_y")],
        "k1": r.value("k1"),
        "camera_in_link4_mm": (1e3 * camera[:3, 3]).tolist(),
        "camera_sigma_mm": [1e3 * r.sigma_of(f"camera.{axis}") for axis in "xyz"],
        "camera_turned_deg": [degrees(r.value(f"camera.r{axis}")) for axis in "xyz"],
        "base_height_mm": 1e3 * r.value("base_height"),
        "base_height_sigma_mm": 1e3 * r.sigma_of("base_height"),
        "zeros_deg": [degrees(r.value(f"{joint}.zero")) for joint in ARM_JOINTS],
        "scales": [r.value(f"{joint}.scale") for joint in ARM_JOINTS],
        "once_per_turn_deg": [
            degrees(float(np.hypot(r.value(f"{joint}.sine"), r.value(f"{joint}.cosine")))) for joint in ARM_JOINTS
        ],
    }


def drawn_mount() -> FloatArray:
    """The wrist camera's optical frame in link4 as urdf/dofbot.urdf has it, shape (4, 4) [m]."""
    model, q = load_model(), np.zeros(N_JOINTS)
    return invert(forward_chain(model, q, "link4")) @ forward_chain(model, q, "camera_optical_frame")
