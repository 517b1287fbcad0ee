"""`dofbot policy evaluate --view`: episodes at the pace of the clock, on the console's page."""

from __future__ import annotations

import _thread
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dofbot_ros.core.console import console
from dofbot_ros.errors import DependencyError

if TYPE_CHECKING:
    from dofbot_ros.console.watched import WatchedArm
    from dofbot_ros.policy.env.environments import DofBotEnv

GREY = (150, 150, 150)


class EpisodeView:
    """Shows each period of an episode, and holds the next one back until its time.

    Args:
        arm: that the page watches.
        episodes: how many there are to be.
        paced: whether whoever runs the episodes keeps time already.
    """

    def __init__(self, arm: WatchedArm, episodes: int, *, paced: bool) -> None:
        self._arm, self._episodes, self._paced = arm, episodes, paced
        self._done = self._succeeded = 0
        self._due_s = 0.0

    def report(self, done: int, succeeded: int) -> None:
        """Episodes that are over, and how many of them succeeded."""
        self._done, self._succeeded = done, succeeded

    def show(self, env: DofBotEnv) -> None:
        """Called after each period."""
        import numpy as np

        from dofbot_ros.console.arm import SeenBlock
        from dofbot_ros.policy.interface.action_mapper import PERIOD_S

        world = env.sim.world
        looks = {block.name: (block.size, block.colour) for block in world.blocks.blocks}
        blocks = []
        for name, pose in world.truth().items():
            size, colour = looks.get(name, (0.03, GREY))
            red, green, blue = (int(value) for value in colour)
            blocks.append(SeenBlock(name, pose, size, (red, green, blue)))
        words = f"Episode {self._done + 1} of {self._episodes}: {self._succeeded} of {self._done} succeeded so far."
        self._arm.put(np.array(env.sim.state.joints), blocks, words)
        if self._paced:
            return
        now_s = time.monotonic()
        self._due_s = max(self._due_s + PERIOD_S, now_s)
        time.sleep(self._due_s - now_s)


@contextmanager
def episode_view(episodes: int, *, paced: bool) -> Iterator[EpisodeView]:
    """The page of an evaluation; its address is printed. Stop on the page is Ctrl-C here.

    Raises:
        DependencyError: aiohttp is not installed.
    """
    try:
        from dofbot_ros.console.beside import served
    except ModuleNotFoundError as error:
        if error.name != "aiohttp":
            raise
        raise DependencyError("aiohttp", "console", "the console") from error
    from dofbot_ros.arm.robot import load_robot
    from dofbot_ros.console.watched import WatchedArm

    arm = WatchedArm(load_robot(""), _thread.interrupt_main)
    with served(arm) as address:
        console.print(f"watch it at {address} (Stop there, or Ctrl-C here, ends it)", highlight=False, soft_wrap=True)
        yield EpisodeView(arm, episodes, paced=paced)
