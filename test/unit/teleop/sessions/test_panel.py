"""What the terminal says of teleoperation: what to do next, and nothing that contradicts itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.console import Console

from dofbot_ros.teleop.retargeting.clutch import Reason
from dofbot_ros.teleop.sessions.panel import panel
from dofbot_ros.teleop.sessions.report import TeleopReport
from dofbot_ros.teleop.sessions.words import ADVICE

READY = TeleopReport(
    engaged=False,
    reason=Reason.START.value,
    fault="",
    source="",
    arm="HOLD",
    progress=0.0,
    clamped=False,
    frames=90,
    dropped=3,
    hands=80,
    captured_s=0.0,
    stamp_s=0.0,
    latency_s=0.0,
    target=None,
)
FOLLOWING = replace(READY, engaged=True, target=(0.2, 0.0, 0.14, 2.0, 0.0), gap=0.043)


def shown(report: TeleopReport | None, source: str = "0", mode: str = "hand", width: int = 80) -> str:
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(panel(report, source, mode, pace=(14.0, 28) if report is not None and report.engaged else None))
    text = console.export_text()
    assert all(len(line) <= width for line in text.splitlines())
    return text


@pytest.mark.parametrize("source", ["0", "keyboard", "gamepad"])
def test_what_follows_does_not_say_that_it_is_not_engaged(source: str) -> None:
    for width in (60, 80, 120):
        text = shown(FOLLOWING, source, width=width)
        assert "following" in text
        assert Reason.START.value not in text
        assert "43 mm apart" in text
        assert "x  201" not in text
        assert "z  140 mm" in text


def test_each_step_of_the_sign_is_said_when_it_is_due() -> None:
    assert "close your hand" in shown(READY)
    assert "show your open palm and hold it" in shown(replace(READY, primed=True, progress=0.5))
    assert "fist" in shown(FOLLOWING)
    assert "raise the other hand" in shown(replace(READY, primed=True), mode="arm")


def test_a_keyboard_has_keys_and_no_pictures() -> None:
    assert "press Enter to engage" in shown(READY, "keyboard")
    assert "w/s forth, back" in shown(FOLLOWING, "keyboard")
    assert "pictures" not in shown(FOLLOWING, "keyboard")
    assert "pictures" in shown(FOLLOWING, "0")


def test_a_reason_is_told_once_there_is_one_and_a_fault_says_what_to_do() -> None:
    assert "let go because  hand lost" in shown(replace(READY, reason="hand lost"))
    assert "let go" not in shown(replace(READY, reason=Reason.RELEASED.value))
    assert "show your hand" in shown(replace(READY, fault="hand lost"))
    assert "joint3 does not answer" in shown(replace(READY, fault="arm not ready: joint3 does not answer"))
    assert "waiting for teleop_node" in shown(None)


def test_there_is_advice_for_all_that_can_be_wrong() -> None:
    said = {Reason.START, Reason.RELEASED, Reason.ARM_NOT_READY}
    assert {reason.value for reason in Reason if reason not in said} == set(ADVICE)
