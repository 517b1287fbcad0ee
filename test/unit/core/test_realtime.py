"""Real-time priority: taken where permitted, given back, and no reason to fail where it is not."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from dofbot_ros.core.realtime import NICE, realtime, session_niceness


def test_it_is_given_back_and_not_handed_on():
    before = os.sched_getscheduler(0)
    seen = []
    with realtime() as permitted:
        inside = os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK
        thread = threading.Thread(target=lambda: seen.append(os.sched_getscheduler(0)))
        thread.start()
        thread.join()
    assert inside == (os.SCHED_FIFO if permitted else before)
    assert os.sched_getscheduler(0) == before
    assert seen == [os.SCHED_OTHER]


def test_where_it_is_not_permitted_everything_goes_on(monkeypatch):
    def refuse(*args):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    with realtime() as permitted:
        assert not permitted


@pytest.mark.parametrize("leads", [True, False])
def test_a_program_that_leads_its_session_raises_the_session(leads):
    """Linux gives each session its share of the processor: niceness within it does not help against other sessions."""
    before = session_niceness()
    if before is None:
        pytest.skip("this kernel does not share the processor by session")
    program = (
        "from dofbot_ros.core.realtime import before_ordinary_programs, session_niceness\n"
        "print(before_ordinary_programs(), session_niceness())"
    )
    command = (sys.executable, "-c", program)
    done = subprocess.run(command, start_new_session=leads, capture_output=True, text=True, check=True)
    permitted, nice = done.stdout.split()
    if permitted == "False":
        pytest.skip("this system does not permit it")
    assert nice == str(NICE if leads else before)


@pytest.mark.parametrize(("told", "niceness"), [("", None), ("/autogroup-8036 nice -5\n", -5), (None, None)])
def test_the_niceness_of_a_session_is_read_where_the_kernel_has_one(monkeypatch, tmp_path, told, niceness):
    """A kernel that was started with `noautogroup`, and a container, have the file and nothing in it."""
    file = tmp_path / "autogroup"
    if told is not None:
        file.write_text(told, encoding="ascii")
    monkeypatch.setattr("dofbot_ros.core.realtime.AUTOGROUP", file)
    assert session_niceness() == niceness
