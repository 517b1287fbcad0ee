"""A program's threads go before ordinary ones where the system permits it, and only those that are to."""

from __future__ import annotations

import os
import threading

from dofbot_ros.core.realtime import NICE, before_ordinary_programs


def test_the_calling_thread_and_those_that_it_starts_go_first_where_permitted() -> None:
    before, found = os.getpriority(os.PRIO_PROCESS, 0), []

    def note() -> None:
        found.append(os.getpriority(os.PRIO_PROCESS, 0))

    def first() -> None:
        expected = max(before + NICE, -20) if before_ordinary_programs() else before
        found.append(expected)
        child = threading.Thread(target=note)
        child.start()
        child.join()

    thread = threading.Thread(target=first)
    thread.start()
    thread.join()
    assert found[0] == found[1]
    assert os.getpriority(os.PRIO_PROCESS, 0) == before
