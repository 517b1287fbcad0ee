"""The stop line to the letter: what it answers, what it says, and that nobody who is slow or strange holds it up."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dofbot_ros.errors import DofbotError
from dofbot_ros.safety.stop_line import MOST_REASON, Address, Owner, StopLine, addresses, ask, ros_domain
from dofbot_ros.safety.stop_sender import PREFIX, STOP, WHO, chosen, exchange, main, running

HERE = Address(os.getpid() + 2_000_000, "left/hand")
BARE = Address(os.getpid() + 2_000_000)
"""A domain that no arm has: ROS ends at 232."""


@pytest.fixture
def stops() -> list[int]:
    return []


@pytest.fixture
def line(stops: list[int]) -> Iterator[StopLine]:
    line = StopLine(HERE, "driver_node", lambda: stops.append(1), lambda: ("FAULT", "it is hot"))
    yield line
    line.close()


@pytest.fixture
def silent_owner() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as silent:
        silent.bind(HERE.name)
        yield silent


def test_an_address_says_its_domain_and_its_namespace_where_it_has_one():
    assert str(Address(3)) == "ROS domain 3"
    assert str(Address(3, "left/hand")) == "ROS domain 3, namespace /left/hand"


def test_the_answer_tells_node_process_state_and_reason(line: StopLine):
    assert ask(HERE, WHO) == Owner("driver_node", os.getpid(), "FAULT", "it is hot")


def test_a_long_reason_is_cut_to_what_an_answer_carries():
    line = StopLine(HERE, "driver_node", lambda: None, lambda: ("FAULT", "x" * (MOST_REASON + 1)))
    try:
        told = ask(HERE, WHO)
    finally:
        line.close()
    assert told is not None
    assert told.reason == "x" * MOST_REASON


def test_the_second_owner_is_told_what_to_do_also_when_the_first_is_silent(silent_owner: socket.socket):
    with pytest.raises(DofbotError) as refused:
        StopLine(HERE, "sim_node", lambda: None)
    assert str(refused.value) == (
        f"another node commands an arm in {HERE} already: end it, or give this one another namespace:= or ROS_DOMAIN_ID"
    )


def test_the_second_owner_is_told_who_the_first_is(line: StopLine):
    with pytest.raises(DofbotError) as refused:
        StopLine(HERE, "sim_node", lambda: None)
    assert str(refused.value).startswith(
        f"driver_node (process {os.getpid()}) commands an arm in {HERE} already: end it"
    )


def test_a_silent_owner_is_not_waited_for_beyond_the_time_that_is_given(silent_owner: socket.socket):
    begun = time.monotonic()
    assert exchange(HERE.domain, HERE.namespace, WHO, 0.02) is None
    assert ask(HERE, WHO, 0.02) is None
    assert time.monotonic() - begun < 0.29, "both together take less than the usual wait"


def test_who_asks_and_never_reads_the_answers_does_not_hold_up_a_stop(line: StopLine, stops: list[int]):
    queue = int(Path("/proc/sys/net/unix/max_dgram_qlen").read_text())
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind("")
        for _ in range(2 * queue + 10):
            deaf.sendto(WHO, HERE.name)
        assert ask(HERE, STOP, 2.0) is not None
    assert stops == [1]


def test_its_thread_has_a_name_and_does_not_keep_a_program_alive(line: StopLine):
    threads = [thread for thread in threading.enumerate() if thread.name == "stop line"]
    assert [thread.daemon for thread in threads] == [True]


def test_the_domain_is_that_of_the_environment_and_zero_without(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("ROS_DOMAIN_ID", raising=False)
    assert ros_domain() == 0
    monkeypatch.setenv("ROS_DOMAIN_ID", "7")
    assert ros_domain() == 7


# -- the sender --------------------------------------------------------------------------------------------------------


def test_sockets_of_other_programs_whatever_their_names_do_not_hide_an_arm(line: StopLine):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as strange:
        strange.bind(b"\0\xff\xfe no text " + str(os.getpid()).encode())
        assert HERE in addresses()


def test_a_name_that_only_looks_like_an_arm_is_none():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(f"\0{PREFIX}x{os.getpid()}/left")
        assert all(namespace != "left" for _, namespace in running())


def test_only_slashes_are_taken_off_a_namespace():
    assert chosen("3", "/X/left/X/") == [(3, "X/left/X")]


@pytest.mark.parametrize("words", [["--all", "1"], ["--all"], ["--domain", "5", "--namespace"]])
def test_words_that_it_does_not_know_stop_nothing_even_where_an_arm_runs(
    line: StopLine, stops: list[int], words: list[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("ROS_DOMAIN_ID", raising=False)
    assert not main(words)
    assert stops == []


@pytest.mark.parametrize("address", [HERE, BARE])
def test_it_says_which_arm_was_stopped(address: Address, capsys: pytest.CaptureFixture[str]):
    line = StopLine(address, "driver_node", lambda: None)
    try:
        assert main(["--domain", str(address.domain), "--namespace", address.namespace])
    finally:
        line.close()
    assert capsys.readouterr().err == f"stopped the arm in {address}\n"


def test_an_arm_that_does_not_confirm_is_left_to_the_command_line(silent_owner: socket.socket):
    assert not main(["--domain", str(HERE.domain), "--namespace", HERE.namespace])
