"""Pictures of a hopping teacher, rendered in a new look each, with what is true of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dofbot_ros.core.array_files import load_arrays
from dofbot_ros.errors import InputError
from dofbot_ros.lab.hopper.policy import HopperPolicy
from dofbot_ros.lab.hopper.world.body import KEYPOINTS
from dofbot_ros.lab.hopper.world.camera import SIZE, HopperCamera
from dofbot_ros.lab.hopper.world.env import HopperEnv

SHOWN_EVERY = 4
"""Steps between two pictures of an episode."""

ACTION_NOISE = (0.0, 0.3, 0.6)
"""Standard deviations of what is added to the teacher's actions, one for each episode: a student stumbles, too."""

PICTURE_SEEDS = 3_000_000
"""First seed of the episodes that are rendered."""

Report = Callable[[str, int, int, float], None]
"""Told what is being done, how much of it is done, of how much, and how it goes."""


@dataclass(frozen=True)
class Pictures:
    """Rendered pictures and what is true of them.

    Attributes:
        pictures: (n, 64, 64, 3).
        points: keypoints, x from the centre of mass and height [m], (n, 5, 2).
    """

    pictures: NDArray[np.uint8]
    points: NDArray[np.float32]

    def split(self) -> tuple[Pictures, Pictures]:
        """Nine tenths to learn from, and the last tenth, of other episodes, to measure on."""
        n = len(self.pictures) * 9 // 10
        return Pictures(self.pictures[:n], self.points[:n]), Pictures(self.pictures[n:], self.points[n:])


def render_pictures(teacher: Path, level: str, count: int, path: Path, *, seed: int, report: Report) -> Pictures:
    """Pictures of a hopping teacher, in a new look each; read from `path` where they are there already."""
    if path.exists():
        arrays = load_arrays(path, "set of pictures")
        if {"pictures", "points"} - set(arrays) or len(arrays["pictures"]) != count:
            raise InputError(f"{path} does not hold the {count} pictures of this run: delete it to render them anew")
        return Pictures(arrays["pictures"], arrays["points"])
    env, policy, rng = HopperEnv("source", level), HopperPolicy(teacher), np.random.default_rng([seed, 1])
    camera = HopperCamera(env.body)
    pictures = np.empty((count, SIZE, SIZE, 3), np.uint8)
    points = np.empty((count, len(KEYPOINTS), 2), np.float32)
    done, step, ended = 0, 0, True
    while done < count:
        if ended:
            seen, _ = env.reset(seed=PICTURE_SEEDS + int(rng.integers(1_000_000)))
            noise = float(rng.choice(ACTION_NOISE))
        else:
            action = policy.act(seen[None], [0])[0] + rng.normal(0.0, noise, 3).astype(np.float32)
            seen, _, fallen, cut, _ = env.step(action)
        ended, step = not ended and (fallen or cut), step + 1
        if step % SHOWN_EVERY == 0:
            camera.reset(env.ranges.draw(rng))
            pictures[done], points[done] = camera.picture(), env.body.keypoints()
            done += 1
            report("pictures", done, count, float("nan"))
    camera.close()
    with path.open("wb") as file:
        np.savez(file, pictures=pictures, points=points)
    return Pictures(pictures, points)
