"""A gamepad as an input: Linux's joystick device, or the axes and buttons of a joy topic."""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from dofbot_ros.errors import DofbotError, InputError
from dofbot_ros.teleop.config import GamepadConfig, ManualConfig
from dofbot_ros.teleop.retargeting.manual import Axis, ManualInput

EVENT = struct.Struct("=IhBB")
"""js_event of linux/joystick.h: time [ms], value, type, number."""
BUTTON, AXIS, INIT = 0x01, 0x02, 0x80
FULL = 32767.0

DEFAULT_PAD = "/dev/input/js0"

T = TypeVar("T")


def joy_input(
    axes: Sequence[float], buttons: Sequence[int], stamp_s: float, layout: GamepadConfig, manual: ManualConfig
) -> ManualInput:
    """What a pad says, from axes (-1..1, left and up positive) and buttons as sensor_msgs/Joy has them.

    Args:
        axes, buttons: the state of the pad.
        stamp_s: when it was read [s].
        layout: which of them does what.
        manual: dead zone of the sticks.

    Raises:
        InputError: the pad lacks an axis or a button of the layout.
    """
    steering = {Axis.X: layout.x, Axis.Y: layout.y, Axis.Z: layout.z, Axis.PITCH: layout.pitch, Axis.ROLL: layout.roll}
    if max(steering.values()) >= len(axes) or max(layout.close, layout.open, layout.hold) >= len(buttons):
        raise InputError(
            f"this gamepad has {len(axes)} axes and {len(buttons)} buttons, fewer than the gamepad section asks for"
        )
    rates = np.zeros(len(Axis))
    for place, number in steering.items():
        rates[place] = _beyond(float(axes[number]), manual.dead_zone)
    rates[Axis.GAP] = float(bool(buttons[layout.open])) - float(bool(buttons[layout.close]))
    return ManualInput(stamp_s, rates, "engage" if buttons[layout.hold] else "release")


class Gamepad:
    """Linux's joystick device. It tells only what changes, so the state is kept here.

    Args:
        path: for instance /dev/input/js0.
        layout, manual: see `joy_input`.

    Raises:
        InputError: no such device, or no permission.
    """

    def __init__(self, path: str | Path, layout: GamepadConfig, manual: ManualConfig) -> None:
        self._path, self._layout, self._manual = Path(path), layout, manual
        try:
            self._fd = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK)
        except OSError as error:
            raise InputError(f"{path}: no gamepad can be read there: {error.strerror}") from error
        self._axes: list[float] = []
        self._buttons: list[int] = []

    def read(self, now_s: float) -> ManualInput:
        """What the pad says at `now_s` [s]; never waits.

        Raises:
            DofbotError: the pad is gone.
            InputError: it lacks an axis or a button of the layout.
        """
        while event := self._event():
            _, value, kind, number = EVENT.unpack(event)
            if kind & ~INIT == AXIS:
                # The device counts right and down as positive, sensor_msgs/Joy left and up.
                _put(self._axes, number, -value / FULL, 0.0)
            elif kind & ~INIT == BUTTON:
                _put(self._buttons, number, value, 0)
        return joy_input(self._axes, self._buttons, now_s, self._layout, self._manual)

    def close(self) -> None:
        """Close the device."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _event(self) -> bytes:
        try:
            event = os.read(self._fd, EVENT.size)
        except BlockingIOError:
            return b""
        except OSError as error:
            what = "was unplugged" if error.errno == errno.ENODEV else f"cannot be read: {error.strerror}"
            raise DofbotError(f"{self._path}: the gamepad {what}") from error
        if len(event) != EVENT.size:
            raise DofbotError(f"{self._path}: the gamepad was unplugged")
        return event


def pad_path(source: str) -> str:
    """The device that is meant by `gamepad`, or by a path."""
    return DEFAULT_PAD if source == "gamepad" else source


def _beyond(value: float, dead_zone: float) -> float:
    """The deflection beyond the dead zone, stretched so that full stays full."""
    size = max(0.0, abs(value) - dead_zone) / (1.0 - dead_zone)
    return float(np.copysign(min(size, 1.0), value))


def _put(values: list[T], place: int, value: T, empty: T) -> None:
    values.extend([empty] * (place + 1 - len(values)))
    values[place] = value
