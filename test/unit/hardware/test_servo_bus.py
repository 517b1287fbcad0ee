"""Questions and answers over a byte stream in memory: exact reads, retries, strangers on the line."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dofbot_ros.errors import InputError
from dofbot_ros.hardware.servo_bus import NOISE_LIMIT, ServoBus
from dofbot_ros.hardware.wire import bus as protocol_bus
from dofbot_ros.hardware.wire import se as protocol_se
from dofbot_ros.hardware.wire.protocol import PositionReply, host_protocol

REPLY = protocol_bus.encode_reply(protocol_bus.Reply(3, protocol_bus.OVERLOAD_BIT, b"\x07\xd0"))
QUESTION = host_protocol("bus").position(3)
ANSWER = PositionReply(2000, protocol_bus.OVERLOAD_BIT)


class Line:
    """A byte stream that answers each frame with the next of `answers` (an empty read is a read that timed out)."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = deque(answers)
        self.written: list[bytes] = []
        self.waits = 0
        self.asked_for: list[int] = []
        self._input = b"\xff\xf5 stale bytes of an earlier owner"

    def read(self, size: int) -> bytes:
        self.asked_for.append(size)
        data, self._input = self._input[:size], self._input[size:]
        self.waits += len(data) < size
        return data

    def write(self, data: bytes) -> None:
        self.written.append(data)
        self._input += self.answers.popleft() if self.answers else b""

    def discard_input(self) -> None:
        self._input = b""

    def close(self) -> None:
        pass


def test_a_clean_answer_takes_one_read_of_exactly_its_size_and_no_wait():
    line = Line(REPLY)
    assert ServoBus(line).ask(QUESTION) == ANSWER
    assert line.asked_for == [8]
    assert line.waits == 0


def test_a_whole_frame_of_another_size_is_no_answer():
    one_byte = protocol_bus.encode_reply(protocol_bus.Reply(3, 0, b"\x07"))
    assert ServoBus(Line(one_byte), retries=0).ask(QUESTION) is None


def test_the_host_s_echo_costs_a_read_but_no_wait():
    line = Line(QUESTION.frame + REPLY)
    assert ServoBus(line).ask(QUESTION) == ANSWER
    assert line.waits == 0


@given(st.binary(max_size=40).filter(lambda noise: b"\xff\xf5" not in noise))
def test_noise_before_the_answer_costs_no_wait(noise):
    line = Line(noise + REPLY)
    assert ServoBus(line).ask(QUESTION) == ANSWER
    assert line.waits == 0


def test_an_unanswered_question_is_asked_again_a_bounded_number_of_times():
    line = Line()
    bus = ServoBus(line, retries=2)
    assert bus.ask(QUESTION) is None
    assert line.written == [QUESTION.frame] * 3
    assert (bus.frames_sent, bus.replies, bus.retried, bus.lost) == (3, 0, 2, 1)


def test_asking_once_means_once():
    line = Line()
    assert ServoBus(line, retries=2).ask(QUESTION, once=True) is None
    assert len(line.written) == 1


def test_a_retry_that_is_answered_is_no_loss():
    bus = ServoBus(Line(b"", REPLY))
    assert bus.ask(QUESTION) == ANSWER
    assert (bus.retried, bus.lost) == (1, 0)


@pytest.mark.parametrize(
    "stranger",
    [
        protocol_bus.encode_reply(protocol_bus.Reply(4, 0, b"\x01\x02")),
        protocol_bus.encode_reply(protocol_bus.Reply(3, 0, b"\x30")),
        protocol_bus.encode_reply(protocol_bus.Reply(3, 0, b"\xff\xff")),
        REPLY[:-1] + bytes([REPLY[-1] ^ 1]),
        REPLY[:5],
    ],
    ids=["another servo", "another question", "no position", "wrong sum", "cut off"],
)
def test_what_is_no_answer_to_the_question_is_passed_over(stranger):
    assert ServoBus(Line(stranger + REPLY)).ask(QUESTION) == ANSWER
    assert ServoBus(Line(stranger), retries=0).ask(QUESTION) is None


def test_a_babbling_line_does_not_hold_the_loop():
    line = Line(b"\x55" * 100_000)
    assert ServoBus(line, retries=0).ask(QUESTION) is None
    assert sum(line.asked_for) <= NOISE_LIMIT + 8


@given(st.lists(st.binary(max_size=60), max_size=3))
def test_whatever_comes_back_nothing_but_an_answer_or_none(answers):
    answer = ServoBus(Line(*answers)).ask(QUESTION)
    assert answer is None or 0 <= answer.ticks <= 4095


def test_the_board_s_zero_means_that_it_could_not_read_the_servo():
    question = host_protocol("se").position(2)
    assert ServoBus(Line(protocol_se.position_reply(2, 1500))).ask(question) == PositionReply(1500)
    assert ServoBus(Line(protocol_se.position_reply(2, 0)), retries=0).ask(question) is None
    assert (
        ServoBus(Line(protocol_se.encode(protocol_se.Message(0x2A, b"abc"), protocol_se.BOARD))).ask(question) is None
    )


def test_goal_frames_of_each_protocol():
    goals = {1: 2000, 2: 2100, 3: 2200, 4: 2300, 5: 1486, 6: 1500}
    some, times = frozenset({2, 5}), dict.fromkeys(goals, 40) | {1: 900, 5: 60}
    assert host_protocol("bus").goals(goals, some, times) == [
        protocol_bus.write_goal(2, 2100, 40),
        protocol_bus.write_goal(5, 1486, 60),
    ]
    assert host_protocol("bus", sync_write=True).goals(goals, some, times) == [
        protocol_bus.sync_write_goals({2: (2100, 40), 5: (1486, 60)})
    ]
    # The board has one time for all: the longest of those that are sent a new goal.
    assert host_protocol("se").goals(goals, some, times) == [protocol_se.write_goals(list(goals.values()), 60)]
    assert all(host_protocol(name).goals(goals, frozenset(), times) == [] for name in ("bus", "se"))


def test_a_protocol_that_is_none_names_those_there_are():
    with pytest.raises(InputError, match="bus, se"):
        host_protocol("i2c")
