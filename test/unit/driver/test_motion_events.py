"""Motion events survive their way as text, and nothing else passes for one."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dofbot_ros.driver.motion_events import EndCode, Event, MotionEvent, MotionLog
from dofbot_ros.errors import InputError

events = st.builds(
    MotionEvent,
    st.sampled_from(Event),
    st.integers(0, 2**53),
    st.text(),
    st.text(),
    st.none() | st.sampled_from(EndCode),
    st.text(),
)


@given(events)
def test_what_was_written_is_read(event: MotionEvent) -> None:
    assert MotionEvent.from_json(event.to_json()) == event


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        '{"event": "began"}',
        json.dumps({**json.loads(MotionEvent(Event.BEGAN).to_json()), "code": 7}),
    ],
)
def test_anything_else_is_no_event(text: str) -> None:
    with pytest.raises(InputError, match="no motion event"):
        MotionEvent.from_json(text)


def test_motions_are_numbered_and_told_once_in_their_order() -> None:
    log = MotionLog()
    first, second = log.begin("home", "console"), log.begin("gripper", "console")
    log.end(second, EndCode.STALLED, "")
    log.stop("stopped")
    log.end(first, EndCode.STOPPED, "stopped")
    told = log.take()
    assert [(event.event, event.motion) for event in told] == [
        (Event.BEGAN, 1),
        (Event.BEGAN, 2),
        (Event.ENDED, 2),
        (Event.STOPPED, 0),
        (Event.ENDED, 1),
    ]
    assert [event.succeeded for event in told] == [False, False, True, False, False]
    assert log.last == told[-1]
    assert log.take() == ()
