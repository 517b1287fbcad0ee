"""The stop line: one owner for each arm, a stop that arrives, and nothing left behind."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from dofbot_ros.errors import DofbotError, InputError
from dofbot_ros.safety.stop_line import STOP, WHO, Address, StopLine, addresses, ask, chosen, stop

HERE = Address(os.getpid() + 1000, "left/hand")
"""A domain that no arm has: ROS ends at 232."""


@pytest.fixture
def stops() -> list[int]:
    return []


@pytest.fixture
def line(stops: list[int]) -> Iterator[StopLine]:
    line = StopLine(HERE, "driver_node", lambda: stops.append(1))
    yield line
    line.close()


def test_a_stop_arrives_before_it_is_confirmed_and_a_question_stops_nothing(line: StopLine, stops: list[int]) -> None:
    assert str(ask(HERE, WHO)) == f"driver_node (process {os.getpid()})"
    assert stops == []
    assert stop([HERE]) == [f"driver_node (process {os.getpid()}), {HERE}"]
    assert stops == [1]


def test_whoever_does_not_wait_for_the_answer_or_talks_nonsense_does_not_end_the_line(
    line: StopLine, stops: list[int]
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as nameless:
        nameless.sendto(STOP, HERE.name)
        nameless.sendto(b"\xff" * 4000, HERE.name)
    assert ask(HERE, b"go") is not None
    assert stops == [1]


def test_an_arm_has_one_node(line: StopLine) -> None:
    with pytest.raises(DofbotError, match=rf"driver_node \(process {os.getpid()}\) commands an arm in ROS domain"):
        StopLine(HERE, "sim_node", lambda: None)
    assert ask(HERE, WHO) is not None
    line.close()
    StopLine(HERE, "sim_node", lambda: None).close()
    assert ask(HERE, STOP) is None


def test_arms_of_this_machine_are_found(line: StopLine) -> None:
    assert HERE in addresses()
    line.close()
    assert HERE not in addresses()


def test_who_names_no_arm_means_all_of_this_machine(line: StopLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROS_DOMAIN_ID", raising=False)
    assert HERE in chosen(None, None)
    assert chosen(None, "/left/") == [Address(0, "left")]
    monkeypatch.setenv("ROS_DOMAIN_ID", "7")
    assert chosen(None, None) == [Address(7)]
    assert chosen(3, None) == [Address(3)]
    monkeypatch.setenv("ROS_DOMAIN_ID", "seven")
    with pytest.raises(InputError, match="ROS_DOMAIN_ID=seven"):
        chosen(None, None)
