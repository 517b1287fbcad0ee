"""Plays frames in a window as they come: space pauses, arrows step, s changes the sample, q ends."""

from __future__ import annotations

from collections.abc import Iterator

import cv2

from dofbot_ros.errors import InputError
from dofbot_ros.lab.live.drawing import draw
from dofbot_ros.lab.live.recorder import Frame

WAIT_MS = 40
"""A frame stays for so long at least [ms]."""
BACK, ON = (81, 2424832, 65361), (83, 2555904, 65363)
"""Codes of the left and right arrow, which differ from window system to window system."""


class Player:
    """Which frame is shown, and of which sample.

    Args:
        frames: that come.
    """

    def __init__(self, frames: Iterator[Frame]) -> None:
        self._coming = frames
        self.history: list[Frame] = []
        self.at = -1
        self.paused = False
        self.sample: int | None = None

    def key(self, code: int) -> bool:
        """React to a key. Returns whether to go on."""
        if code in (ord("q"), 27):
            return False
        if code == ord(" "):
            self.paused = not self.paused
        elif code == ord("s") and self.history:
            count = len(self.history[0].activations[0])
            following = 0 if self.sample is None else self.sample + 1
            self.sample = following if following < count else None
        elif code in BACK:
            self.paused, self.at = True, max(0, self.at - 1)
        elif code in ON:
            self.paused = True
            self.advance()
        return True

    def advance(self) -> bool:
        """One frame on. Returns whether there was one."""
        if self.at + 1 >= len(self.history):
            following = next(self._coming, None)
            if following is None:
                return False
            self.history.append(following)
        self.at += 1
        return True


def play(frames: Iterator[Frame], title: str) -> list[Frame]:
    """Show frames until they end and a key is pressed. Returns those that came.

    Raises:
        InputError: there is no display.
    """
    player = Player(frames)
    player.advance()
    try:
        cv2.namedWindow(title)
    except cv2.error as error:
        raise InputError("a window needs a display: take --out F.gif, or --serve 0 for a browser") from error
    try:
        while True:
            shown = draw(player.history[player.at], player.history[: player.at + 1], title, player.sample)
            cv2.imshow(title, shown[..., ::-1])
            if not player.key(cv2.waitKeyEx(WAIT_MS)):
                return player.history
            if not player.paused:
                player.paused = not player.advance()
    finally:
        cv2.destroyAllWindows()
