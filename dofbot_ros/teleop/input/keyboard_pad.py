"""The keyboard as a gamepad: keys that are held move axes."""

from __future__ import annotations

from dofbot_ros.teleop.config import GamepadConfig
from dofbot_ros.teleop.input.keyboard import Keyboard
from dofbot_ros.teleop.retargeting.manual import Axis


class KeyboardPad:
    """A keyboard that looks like a gamepad: Enter presses the button that is held to engage, space lets go of it.

    Args:
        keyboard: to read.
        layout: which axis and button does what.
    """

    PATIENCE_S = 2.0
    """An Enter that has not engaged after so long is forgotten: the arm does not come alive by itself later."""

    def __init__(self, keyboard: Keyboard, layout: GamepadConfig) -> None:
        self._keyboard, self._layout = keyboard, layout
        self._held = self._followed = False
        self._pressed_s = 0.0

    def read(self, now_s: float, engaged: bool) -> tuple[list[float], list[int]]:
        """Axes and buttons as sensor_msgs/Joy has them.

        Args:
            now_s: [s].
            engaged: whether the arm follows; when it has let go by itself, it takes another Enter.
        """
        given = self._keyboard.read(now_s)
        if given.clutch is not None:
            self._held, self._followed, self._pressed_s = given.clutch == "engage", False, now_s
        elif not engaged and (self._followed or now_s - self._pressed_s > self.PATIENCE_S):
            self._held = False
        self._followed = self._held and (self._followed or engaged)
        layout, rates = self._layout, given.rates
        steering = {
            layout.x: Axis.X,
            layout.y: Axis.Y,
            layout.z: Axis.Z,
            layout.pitch: Axis.PITCH,
            layout.roll: Axis.ROLL,
        }
        axes = [0.0] * (max(steering) + 1)
        for number, place in steering.items():
            axes[number] = float(rates[place])
        buttons = [0] * (max(layout.open, layout.close, layout.hold) + 1)
        buttons[layout.open], buttons[layout.close] = int(rates[Axis.GAP] > 0), int(rates[Axis.GAP] < 0)
        buttons[layout.hold] = int(self._held)
        return axes, buttons
