"""Goals of actions wait for the end of their motion, which another thread tells."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from rclpy.node import Node

from dofbot_ros.driver.motion_events import EndCode, Event, MotionEvent
from dofbot_ros.ros.arm.actions import MotionEnds

ENDED = MotionEvent(Event.ENDED, 7, "gripper", code=EndCode.ARRIVED)


class Wakes:
    """A node's executor, of which only the waking counts here."""

    def __init__(self) -> None:
        self.count = 0
        self.node = cast(Node, SimpleNamespace(executor=self))

    def wake(self) -> None:
        self.count += 1


def step(task: Any) -> MotionEvent | None:
    """Run a coroutine to its next await, as an executor does. Returns what it returned; None while it waits."""
    try:
        task.send(None)
    except StopIteration as ended:
        return cast(MotionEvent, ended.value)
    return None


def test_the_executor_is_woken_until_the_goal_has_its_result() -> None:
    """An executor with threads passes over a task that one of them looks at, and one wake is lost then."""
    wakes = Wakes()
    ends = MotionEnds(wakes.node)
    goal = ends.of(7)
    assert step(goal) is None
    ends.rouse()
    assert wakes.count == 0, "nothing has ended"
    ends.note(ENDED)
    for number in range(1, 4):
        ends.rouse()
        assert wakes.count == number
    assert step(goal) == ENDED
    ends.rouse()
    assert wakes.count == 3


def test_a_motion_that_has_ended_is_not_waited_for() -> None:
    ends = MotionEnds(Wakes().node)
    ends.note(ENDED)
    assert step(ends.of(7)) == ENDED


def test_a_goal_that_is_given_up_is_waited_for_no_more() -> None:
    wakes = Wakes()
    ends = MotionEnds(wakes.node)
    goal = ends.of(7)
    step(goal)
    with pytest.raises(GeneratorExit):
        goal.throw(GeneratorExit())
    ends.note(ENDED)
    ends.rouse()
    assert wakes.count == 0
