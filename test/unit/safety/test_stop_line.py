"""The stop line: one owner for each arm, a stop that arrives, and nothing left behind."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from dofbot_ros.errors import DofbotError, InputError
from dofbot_ros.safety import stop_sender
from dofbot_ros.safety.stop_line import Address, StopLine, addresses, ask, ros_domain
from dofbot_ros.safety.stop_sender import STOP, WHO, chosen, main

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
    assert main(["--domain", str(HERE.domain), "--namespace", "/left/hand"])
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
    assert (HERE.domain, HERE.namespace) in (chosen(None, None) or [])
    assert chosen(None, "/left/") == [(0, "left")]
    monkeypatch.setenv("ROS_DOMAIN_ID", "7")
    assert chosen(None, None) == [(7, "")]
    assert chosen("3", None) == [(3, "")]
    monkeypatch.setenv("ROS_DOMAIN_ID", "seven")
    assert chosen(None, None) is None
    with pytest.raises(InputError, match="ROS_DOMAIN_ID=seven"):
        ros_domain()


@pytest.mark.parametrize(
    "words", [["--domain"], ["--domain", "x"], ["--help"], ["--all", "1"], ["--domain", "9999999"]]
)
def test_what_the_sender_does_not_know_it_leaves_to_the_command_line(words: list[str]) -> None:
    assert not main(words)


def test_the_sender_needs_no_site_packages_and_is_obeyed(line: StopLine, stops: list[int]) -> None:
    words = [sys.executable, "-I", "-S", stop_sender.__file__, "--domain", str(HERE.domain), "--namespace", "left/hand"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60.0, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == f"stopped the arm in ROS domain {HERE.domain}, namespace /left/hand\n"
    assert stops == [1]
