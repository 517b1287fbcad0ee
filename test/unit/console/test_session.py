"""What pages ask becomes commands; a page that is lost while it commands stops the arm."""

from __future__ import annotations

import numpy as np
import pytest

from dofbot_ros.console.session import FULL_SPEED, LOST, LOST_S
from dofbot_ros.errors import CommandRefusedError

from .conftest import Desk

WITHIN_S = 0.3
"""From the last word of a lost page to the arm's rest [s]."""


def turning(desk: Desk) -> None:
    """Joint 1 on its way at full speed."""
    desk.say("speed", 1.0)
    desk.say("joints", 1.5, 0.0, 0.0, 0.0, 0.0)
    desk.run(0.8, beat=desk.page)
    assert desk.joints[0] > 0.2


def test_a_slider_leads_the_arm_there_and_no_faster_than_told(desk: Desk) -> None:
    desk.say("joints", 0.5, 0.3, -0.2, 0.1, 0.4)
    fastest = 0.0
    for _ in range(120):
        before = desk.joints
        desk.run(0.02, beat=desk.page)
        fastest = max(fastest, float(np.abs(desk.joints - before).max()) / 0.02)
    assert desk.joints == pytest.approx([0.5, 0.3, -0.2, 0.1, 0.4], abs=0.02)
    assert fastest < 0.5 * FULL_SPEED * 1.5
    assert not desk.session.commanding


def test_a_tool_slider_leads_the_tool(desk: Desk) -> None:
    desk.say("tool", 0.2, 0.0, 0.1, 2.6, 0.0)
    desk.run(4.0, beat=desk.page)
    tool = desk.arm.view().tool
    assert tool is not None
    assert (tool.x, tool.z) == pytest.approx((0.2, 0.1), abs=0.01)


def test_a_jog_button_moves_while_it_is_held(desk: Desk) -> None:
    for _ in range(25):
        desk.say("jog", 1.0, text="joint2")
        desk.run(0.02)
    desk.say("hold")
    assert desk.seconds_to_rest(silent=False) <= 0.2
    assert desk.joints[1] == pytest.approx(0.5 * 0.5 * FULL_SPEED, abs=0.05)


def test_a_page_that_falls_silent_stops_what_it_commands_in_time(desk: Desk) -> None:
    turning(desk)
    assert desk.seconds_to_rest() <= WITHIN_S
    assert desk.session.news == [LOST]
    assert desk.bench.daemon.snapshot().state == "HOLD"


def test_a_page_that_is_closed_stops_what_it_commands_in_time(desk: Desk) -> None:
    turning(desk)
    desk.session.leave(desk.page)
    assert desk.seconds_to_rest() <= WITHIN_S - LOST_S
    assert desk.session.operators.commander is None


def test_a_lost_page_stops_a_job_too(desk: Desk) -> None:
    desk.say("joints", 0.9, 0.0, 0.0, 0.0, 0.0)
    desk.run(3.0, beat=desk.page)
    desk.say("job", text="home")
    desk.run(0.3, beat=desk.page)
    desk.run(LOST_S + 0.02)
    assert desk.bench.stops == 1
    assert desk.joints[0] > 0.2


def test_a_lost_page_stops_the_fingers_too(desk: Desk) -> None:
    desk.say("gripper", 0.0)
    desk.run(0.1, beat=desk.page)
    desk.session.leave(desk.page)
    desk.run(0.3)
    before = desk.arm.view().gap
    desk.run(0.5)
    assert 0.01 < before == pytest.approx(desk.arm.view().gap, abs=0.001)


def test_what_moves_nothing_outlives_its_page(desk: Desk) -> None:
    desk.say("job", text="plan")
    desk.run(0.5)
    assert desk.bench.stops == 0
    desk.threads.end()
    desk.run(0.04)
    assert desk.session.told()["ghost"] == [0.0] * 6


def test_a_late_server_does_not_take_a_page_for_lost_that_it_did_not_listen_to(desk: Desk) -> None:
    turning(desk)
    desk.bench.clock.advance(0.3)
    desk.run(0.02)
    desk.run(0.2, beat=desk.page)
    assert LOST not in desk.session.news


def test_a_server_that_is_always_late_loses_a_page_all_the_same(desk: Desk) -> None:
    turning(desk)
    for _ in range(3):
        desk.bench.run(0.1)
        desk.session.tick()
    assert LOST in desk.session.news


def test_only_the_page_with_control_commands_but_all_stop(desk: Desk) -> None:
    watcher = desk.session.operators.join()
    with pytest.raises(CommandRefusedError, match=f"operator {desk.page} has control, you are watching"):
        desk.say("joints", 0.5, 0.0, 0.0, 0.0, 0.0, page=watcher)
    turning(desk)
    desk.say("stop", page=watcher)
    assert desk.seconds_to_rest(silent=False) <= 0.2
    desk.say("estop", page=watcher)
    desk.run(0.1, beat=desk.page)
    assert desk.session.told()["state"] == "ESTOP"
    assert desk.session.told()["lines"][0][0] == "bad"


def test_control_is_handed_over_when_asked_for(desk: Desk) -> None:
    watcher = desk.session.operators.join()
    desk.say("ask", page=watcher)
    assert desk.session.told()["asking"] == [watcher]
    desk.say("hand_over", watcher)
    desk.say("joints", 0.3, 0.0, 0.0, 0.0, 0.0, page=watcher)
    desk.run(2.0, beat=watcher)
    assert desk.joints[0] == pytest.approx(0.3, abs=0.02)
    with pytest.raises(CommandRefusedError, match="you are watching"):
        desk.say("gripper", 0.03)


def test_an_arm_that_is_not_ready_is_not_led_and_says_why(desk: Desk) -> None:
    desk.bench.daemon.set_torque(False)
    desk.run(0.1)
    with pytest.raises(CommandRefusedError, match="Torque is off"):
        desk.say("joints", 0.3, 0.0, 0.0, 0.0, 0.0)


def test_the_emergency_stop_ends_the_leading_for_good(desk: Desk) -> None:
    turning(desk)
    desk.say("estop")
    assert desk.seconds_to_rest(silent=False) <= 0.2
    desk.say("job", text="reset")
    desk.threads.end()
    before = desk.joints
    desk.run(0.5, beat=desk.page)
    assert desk.joints == pytest.approx(before, abs=0.01)


def test_one_job_at_a_time_and_its_failure_is_told(desk: Desk) -> None:
    desk.say("job", text="plan")
    with pytest.raises(CommandRefusedError, match="plan is under way"):
        desk.say("job", text="home")
    desk.threads.end()
    desk.run(0.02, beat=desk.page)
    desk.say("job", text="home")
    with pytest.raises(CommandRefusedError, match="home is under way"):
        desk.say("joints", 0.3, 0.0, 0.0, 0.0, 0.0)
    desk.threads.end()
    desk.run(0.02, beat=desk.page)
    desk.say("job", text="plan", about="none")
    desk.run(0.02, beat=desk.page)
    assert desk.session.news[-1] == "plan: no such block"
    with pytest.raises(CommandRefusedError, match="did you mean home"):
        desk.say("job", text="hom")


def test_a_policy_that_a_page_started_stops_with_it(desk: Desk) -> None:
    desk.say("job", text="policy start")
    desk.arm.activity = "policy"
    desk.threads.end()
    desk.run(1.0, beat=desk.page)
    assert desk.session.commanding
    desk.session.leave(desk.page)
    assert desk.bench.stops == 0
    desk.bench.run(0.02)
    assert desk.bench.stops == 1
