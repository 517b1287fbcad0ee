"""Real-time priority: taken where permitted, given back, and no reason to fail where it is not."""

from __future__ import annotations

import os
import threading

from dofbot_ros.core.realtime import realtime


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
