"""Trials on a real table: shows the person what to set up, and asks what came of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import cv2

from dofbot_ros.trials.placement import PickProtocol, Placement
from dofbot_ros.trials.reporting.placement_diagram import sketch

SKETCH = "next_placement.png"
"""The picture of the placement to set up, always under the same name: a viewer that reloads shows the next one."""

Ask = Callable[[str], str]
"""Shows a question and returns what the person typed; EOFError when there is nobody."""


class Operator:
    """Whoever stands at the table. Quitting, and the end of the input, are KeyboardInterrupt: as Ctrl-C.

    Args:
        ask: how to ask.
        say: how to tell.
        folder: gets the picture.
        protocol: of the trials.
    """

    def __init__(self, ask: Ask, say: Callable[[str], None], folder: Path, protocol: PickProtocol) -> None:
        self._ask = ask
        self._say = say
        self._path = folder / SKETCH
        self._protocol = protocol

    def set_up(self, placement: Placement) -> bool:
        """Have a placement set up; False when the person skips it."""
        cv2.imwrite(str(self._path), cv2.cvtColor(sketch(placement, self._protocol), cv2.COLOR_RGB2BGR))
        self._say(f"\nset up {placement.label}, light {placement.light}, as in {self._path}:")
        for number, thing in enumerate(placement.objects):
            what = self._protocol.objects[thing.name]
            self._say(
                f"  {thing.name:10} x {1e3 * thing.x:4.0f} mm forward, y {1e3 * thing.y:+4.0f} mm left, turned "
                f"{math.degrees(thing.yaw):3.0f} deg{'  <- to be lifted' if number == 0 else ''}  {what.description}"
            )
        return self._choice("Enter when it stands, s to skip, q to quit: ", {"": True, "s": False}) is True

    def lifted(self, question: str) -> bool | None:
        """Ask `question`; None when the person skips the trial."""
        return self._choice(f"{question} y, n, s to skip, q to quit: ", {"y": True, "n": False, "s": None})

    def _choice(self, question: str, meanings: dict[str, bool | None]) -> bool | None:
        while True:
            try:
                answer = self._ask(question).strip().lower()[:1]
            except EOFError:
                raise KeyboardInterrupt from None
            if answer == "q":
                raise KeyboardInterrupt
            if answer in meanings:
                return meanings[answer]
