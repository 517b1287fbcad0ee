from __future__ import annotations

import os
import pty
import struct
import termios
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.types import N_ARM
from dofbot_ros.errors import DofbotError, InputError
from dofbot_ros.safety.workspace import Workspace
from dofbot_ros.teleop.config import GamepadConfig, ManualConfig, TeleopConfig
from dofbot_ros.teleop.input.gamepad import AXIS, BUTTON, EVENT, INIT, Gamepad, joy_input
from dofbot_ros.teleop.input.keyboard import PRESSED_S, Keyboard
from dofbot_ros.teleop.retargeting.clutch import Reason
from dofbot_ros.teleop.retargeting.manual import Axis, ManualInput
from dofbot_ros.teleop.retargeting.pipeline import TeleopPipeline, manual_pipeline

from ..synthetic_operator import START, start_joints

PERIOD = 1 / TeleopConfig().control_rate_hz
LAYOUT, MANUAL = GamepadConfig(), ManualConfig()


class Driver:
    """Feeds inputs at the control rate and follows."""

    def __init__(self) -> None:
        kinematics = Kinematics()
        self.teleop: TeleopPipeline[ManualInput] = manual_pipeline(TeleopConfig(), kinematics, Workspace(kinematics))
        self.joints, self.now = start_joints(), 1.0

    def hold(self, seconds: float, engage: bool = True, **rates: float) -> Driver:
        vector = np.zeros(len(Axis))
        for name, rate in rates.items():
            vector[Axis[name.upper()]] = rate
        for _ in range(round(seconds / PERIOD)):
            self.now += PERIOD
            self.teleop.observe(ManualInput(self.now, vector, "engage" if engage else "release"), self.now)
            if command := self.teleop.step(self.joints, self.now):
                self.joints = command.position
        return self


def test_a_second_of_full_deflection_moves_the_tool_its_speed() -> None:
    driver = Driver().hold(1.2)
    driver.hold(0.5, y=1.0).hold(1.0)
    tool = Kinematics().forward(driver.joints[:N_ARM])
    assert (tool.x, tool.y, tool.z) == pytest.approx((START.x, 0.05, START.z), abs=0.003)


def test_the_gripper_and_the_roll_move_alone() -> None:
    driver = Driver().hold(1.2)
    driver.hold(0.5, gap=-1.0, roll=1.0).hold(1.0)
    tool = Kinematics().forward(driver.joints[:N_ARM])
    assert (tool.x, tool.y, tool.z) == pytest.approx((START.x, START.y, START.z), abs=1e-3)
    assert tool.roll == pytest.approx(0.4, abs=0.03)
    assert driver.joints[5] > 0.5


def test_nothing_moves_without_the_engage_button() -> None:
    driver = Driver().hold(2.0, engage=False, x=1.0, y=1.0)
    np.testing.assert_array_equal(driver.joints, start_joints())


def test_pushing_against_a_bound_winds_nothing_up() -> None:
    driver = Driver().hold(1.2).hold(8.0, x=1.0, z=-1.0)
    at_bound = Kinematics().forward(driver.joints[:N_ARM])
    driver.hold(0.5, x=-1.0)
    assert Kinematics().forward(driver.joints[:N_ARM]).x < at_bound.x - 0.015


def test_a_device_that_says_nothing_more_lets_go() -> None:
    driver = Driver().hold(1.2, y=0.5)
    driver.teleop.step(driver.joints, driver.now + 0.2)
    assert not driver.teleop.status.engaged
    assert driver.teleop.status.reason is Reason.STALE


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    ours, theirs = pty.openpty()
    yield ours, theirs
    for fd in (ours, theirs):
        try:
            os.close(fd)
        except OSError:
            continue


def test_keys_deflect_while_they_repeat(terminal: tuple[int, int]) -> None:
    ours, theirs = terminal
    with Keyboard(theirs) as keyboard:
        os.write(ours, b"wO")
        rates = keyboard.read(10.0).rates
        assert (rates[Axis.X], rates[Axis.GAP]) == (1.0, 1.0)
        assert keyboard.read(10.0 + 0.9 * PRESSED_S).rates[Axis.X] == 1.0
        assert not keyboard.read(10.0 + 1.1 * PRESSED_S).rates.any()
        os.write(ours, b"ws")
        assert keyboard.read(11.0).rates[Axis.X] == -1.0
        os.write(ours, b"\n")
        assert keyboard.read(12.0).clutch == "engage"
        os.write(ours, b"?\n ")
        assert keyboard.read(12.0).clutch == "release"
        assert keyboard.read(12.0).clutch is None


def test_the_terminal_is_left_as_it_was(terminal: tuple[int, int]) -> None:
    _, theirs = terminal
    before = termios.tcgetattr(theirs)
    with Keyboard(theirs):
        assert termios.tcgetattr(theirs) != before
    assert termios.tcgetattr(theirs) == before


def test_a_terminal_that_goes_away_is_an_error(terminal: tuple[int, int]) -> None:
    ours, theirs = terminal
    keyboard = Keyboard(theirs)
    os.close(ours)
    with pytest.raises(DofbotError, match="terminal is gone"):
        keyboard.read(1.0)


def test_keys_from_before_do_not_engage() -> None:
    """A person who types while the program starts means something else."""
    ours, theirs = pty.openpty()
    os.write(ours, b"\nw")
    with Keyboard(theirs) as keyboard:
        given = keyboard.read(10.0)
        assert given.clutch is None
        assert not given.rates.any()
    os.close(ours)
    os.close(theirs)


def test_a_pipe_is_no_keyboard() -> None:
    reader, writer = os.pipe()
    with pytest.raises(DofbotError, match="standard input is none"):
        Keyboard(reader)
    os.close(reader)
    os.close(writer)


def test_a_joy_message_becomes_rates() -> None:
    axes, buttons = [0.0] * 8, [0] * 8
    axes[LAYOUT.x], axes[LAYOUT.y], buttons[LAYOUT.close], buttons[LAYOUT.hold] = 1.0, -0.05, 1, 1
    read = joy_input(axes, buttons, 3.0, LAYOUT, MANUAL)
    assert read.rates.tolist() == [1.0, 0.0, 0.0, 0.0, 0.0, -1.0]
    assert (read.clutch, read.stamp_s) == ("engage", 3.0)
    assert joy_input(axes, [0] * 8, 3.0, LAYOUT, MANUAL).clutch == "release"


def test_a_pad_with_too_few_axes_is_refused() -> None:
    with pytest.raises(InputError, match="2 axes and 8 buttons"):
        joy_input([0.0, 0.0], [0] * 8, 3.0, LAYOUT, MANUAL)


def test_the_joystick_device_is_read_event_by_event(tmp_path: Path) -> None:
    """A fifo in place of /dev/input/js0: the same reads, the same eight bytes an event."""
    path = tmp_path / "js0"
    os.mkfifo(path)
    pad = Gamepad(path, LAYOUT, MANUAL)
    writer = os.open(path, os.O_WRONLY)
    for number in range(8):
        os.write(writer, EVENT.pack(0, 0, AXIS | INIT, number) + EVENT.pack(0, 0, BUTTON | INIT, number))
    assert pad.read(1.0).clutch == "release"
    # Stick pushed away: the device counts that as negative, Joy as positive.
    os.write(writer, EVENT.pack(5, -32767, AXIS, LAYOUT.x) + EVENT.pack(6, 1, BUTTON, LAYOUT.hold))
    for stamp in (2.0, 2.1):
        read = pad.read(stamp)
        assert (read.rates[Axis.X], read.clutch, read.stamp_s) == (1.0, "engage", stamp)
    os.close(writer)
    with pytest.raises(DofbotError, match="unplugged"):
        pad.read(3.0)
    pad.close()


def test_the_event_is_the_kernels() -> None:
    """struct js_event { __u32 time; __s16 value; __u8 type; __u8 number; } of linux/joystick.h."""
    assert EVENT.size == 8
    assert EVENT.unpack(struct.pack("=I", 7) + struct.pack("=h", -2) + bytes([1, 3])) == (7, -2, 1, 3)


def test_no_gamepad_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no gamepad can be read there: No such file"):
        Gamepad(tmp_path / "js9", LAYOUT, MANUAL)
