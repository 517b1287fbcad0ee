"""Pages: who has control, what they may say, who may open one."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dofbot_ros.console.access import Access
from dofbot_ros.console.messages import WORDS, parse
from dofbot_ros.console.operators import Operators
from dofbot_ros.core.clock import ManualClock
from dofbot_ros.errors import CommandRefusedError, InputError


def test_the_first_page_has_control_and_the_second_takes_it_when_it_is_free() -> None:
    clock = ManualClock()
    operators = Operators(clock)
    first, second = operators.join(), operators.join()
    assert operators.commander == first
    operators.ask(second)
    assert operators.asking() == [second]
    assert operators.leave(first)
    assert operators.commander is None  # it has to be taken: whoever watches may not be looking
    operators.ask(second)
    assert operators.commander == second
    assert operators.asking() == []
    clock.advance(0.2)
    assert operators.silent_s() == pytest.approx(0.2)
    operators.heard(second)
    assert operators.silent_s() == 0.0
    with pytest.raises(CommandRefusedError, match=f"operator {first} has left; there is operator {second}"):
        operators.hand_over(second, first)


@pytest.mark.slow
@given(st.text(max_size=200) | st.recursive(st.none() | st.floats() | st.text(), st.lists).map(json.dumps))
def test_whatever_a_page_says_is_understood_or_refused_in_one_line(text) -> None:
    said = ""
    try:
        assert parse(text).do in WORDS
    except InputError as error:
        said = str(error)
    assert "\n" not in said


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"do": "joint"}', "did you mean joints"),
        ('{"do": "joints", "numbers": [1, 2]}', "joints comes with 5 finite numbers"),
        ('{"do": "joints", "numbers": [1, 2, 3, 4, NaN]}', "joints comes with 5 finite numbers"),
        ('{"do": "gripper", "numbers": [true]}', "gripper comes with 1 finite numbers"),
        ('{"do": "job", "text": 3}', "text is a text"),
        ("[1]", "one JSON object"),
        ("{" + " " * 5000 + "}", "at most 4096"),
    ],
)
def test_what_is_wrong_with_a_message_is_said(text, reason) -> None:
    with pytest.raises(InputError, match=reason):
        parse(text)


def test_a_message_comes_apart() -> None:
    request = parse('{"do": "job", "text": "plan", "about": "red"}')
    assert (request.do, request.text, request.about) == ("job", "plan", "red")
    assert parse('{"do": "tool", "numbers": [0.2, 0, 0.1, 3, 0]}').numbers == (0.2, 0.0, 0.1, 3.0, 0.0)


def test_this_machine_alone_opens_the_console_unless_told_otherwise() -> None:
    local = Access.of("127.0.0.1")
    assert local.token == ""
    assert local.refusal("127.0.0.1:8090", None, "") == ""
    assert local.refusal("localhost:8090", "http://localhost:8090", "") == ""
    assert "may not command this arm" in local.refusal("localhost:8090", "http://evil.example", "")
    assert "may not command this arm" in local.refusal("localhost:8090", "http://localhost:1234", "")
    assert "may not command this arm" in local.refusal("localhost:8090", "null", "")
    assert "not as evil.example" in local.refusal("evil.example:8090", "http://evil.example:8090", "")


def test_other_machines_need_the_token() -> None:
    wide = Access.of("0.0.0.0")
    assert len(wide.token) >= 16
    assert Access.of("0.0.0.0").token != wide.token
    assert wide.refusal("arm.local:8090", None, wide.token) == ""
    for token in ("", "wrong", wide.token[:-1], "ü"):
        assert "lacks the token" in wide.refusal("arm.local:8090", None, token)
    assert "may not command" in wide.refusal("arm.local:8090", "http://evil.example", wide.token)
