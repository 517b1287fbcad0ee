"""Pictures of one hopper episode: a GIF, keypoints on frames, and the true beside the estimated state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.lab.hopper.policy import HopperPolicy
from dofbot_ros.lab.hopper.world.body import STEP_S
from dofbot_ros.lab.hopper.world.camera import HopperCamera, draw_keypoints
from dofbot_ros.lab.hopper.world.env import HopperEnv

GIF, FRAMES, STATES = "hop.gif", "keypoints.png", "state.png"
SHOWN_PX, GIF_PX, GIF_STEPS, GIF_FRAMES = 240, 160, 5, 100
"""Edges of pictures and GIF [px]; steps between two frames of the GIF, and how many frames it has at most."""
MARKED_STEPS = 25
"""Between two of the eight frames with keypoints."""
TRUE, FOUND = (0, 200, 0), (255, 40, 40)
"""Colours of true and found keypoints."""

NAMES = (
    *("height [m]", "torso [rad]", "thigh [rad]", "leg [rad]", "foot [rad]"),
    *("speed [m/s]", "climb [m/s]", "torso [rad/s]", "thigh [rad/s]", "leg [rad/s]", "foot [rad/s]"),
)
"""Of the state's numbers."""


def draw_episode(folder: Path, domain: str, seed: int, out: Path) -> dict[str, str]:
    """Play one episode and draw it.

    Args:
        folder: of the policy.
        domain: source or target.
        seed: of the episode.
        out: folder for hop.gif; of a pipeline keypoints.png (true ones green, found ones red); of policies from
            pictures state.png.

    Returns:
        The files by what they show.
    """
    out.mkdir(parents=True, exist_ok=True)
    policy = HopperPolicy(folder)
    obs = policy.spec.obs
    env = HopperEnv(domain, obs=obs, keypoints=folder if obs == "pipeline" else None)
    camera = HopperCamera(env.body, SHOWN_PX)
    seen, _ = env.reset(seed=seed)
    camera.reset(env.draw)
    policy.start(1)
    frames: list[ImageArray] = []
    marked: list[ImageArray] = []
    true: list[FloatArray] = []
    told: list[NDArray[np.float32]] = []
    ended = False
    while not ended:
        if len(true) % GIF_STEPS == 0 and len(frames) < GIF_FRAMES:
            frames.append(camera.picture().copy())
        if obs == "pipeline" and len(true) % MARKED_STEPS == 0 and len(marked) < 8:
            shown = draw_keypoints(camera.picture(), env.body.keypoints(), TRUE)
            marked.append(draw_keypoints(shown, seen.reshape(-1, 2).astype(np.float64), FOUND))
        true.append(env.body.state())
        action = policy.act(seen[None], [0])[0]
        if obs != "state":
            told.append(policy.estimate[0])
        seen, _, fallen, cut, _ = env.step(action)
        ended = fallen or cut
    camera.close()
    env.close()
    files = {"gif": _gif(frames, out / GIF)}
    if marked:
        rows = [np.hstack(marked[i : i + 4]) for i in (0, 4) if len(marked[i : i + 4]) == 4]
        cv2.imwrite(str(out / FRAMES), cv2.cvtColor(np.vstack(rows or [np.hstack(marked)]), cv2.COLOR_RGB2BGR))
        files["keypoints"] = str(out / FRAMES)
    if told:
        files["state"] = _states(np.stack(true), np.stack(told), out / STATES)
    return files


def _gif(frames: list[ImageArray], path: Path) -> str:
    from PIL import Image

    small = [cv2.resize(frame, (GIF_PX, GIF_PX), interpolation=cv2.INTER_AREA) for frame in frames]
    pictures = [Image.fromarray(frame).quantize(32, dither=Image.Dither.NONE) for frame in small]
    pictures[0].save(
        path, save_all=True, append_images=pictures[1:], duration=round(1e3 * GIF_STEPS * STEP_S), loop=0, optimize=True
    )
    return str(path)


def _states(true: FloatArray, told: NDArray[Any], path: Path) -> str:
    from matplotlib.figure import Figure

    shown = min(len(true), 250)
    figure = Figure(figsize=(12.0, 6.0), layout="constrained")
    panels = figure.subplots(3, 4).ravel()
    seconds = STEP_S * np.arange(shown)
    for axes, name, real, estimate in zip(panels, NAMES, true.T, told.T, strict=False):
        axes.plot(seconds, real[:shown], color="#4477aa", label="true")
        axes.plot(seconds, estimate[:shown], color="#ee6677", linewidth=0.9, label="estimated")
        rms = float(np.sqrt(np.mean((real - estimate) ** 2)))
        axes.set_title(f"{name}, error {rms:.2g} rms", fontsize=9)
        axes.tick_params(labelsize=7)
    panels[-1].axis("off")
    panels[-1].legend(*panels[0].get_legend_handles_labels(), loc="center", frameon=False)
    figure.supxlabel("time [s]", fontsize=9)
    figure.savefig(path, dpi=90)
    return str(path)
