"""A page beside a program without ROS: it shows the arm, cannot move it, and its Stop ends the program."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.request import urlopen

import numpy as np
import pytest

from dofbot_ros.arm.robot import DRAWN
from dofbot_ros.console.arm import SeenBlock
from dofbot_ros.console.messages import Request
from dofbot_ros.console.session import Session
from dofbot_ros.console.watched import WATCHED, WatchedArm
from dofbot_ros.core.clock import ManualClock
from dofbot_ros.errors import CommandRefusedError

BLOCK = SeenBlock("red", np.eye(4), 0.03, (200, 30, 30))


def test_a_page_shows_it_and_moves_nothing() -> None:
    ended: list[bool] = []
    arm, clock = WatchedArm(DRAWN, lambda: ended.append(True)), ManualClock(0.0)
    with ThreadPoolExecutor(1) as jobs:
        session = Session(arm, clock, jobs)
        page = session.operators.join()
        arm.put(np.array([0.1, 0.0, 0.0, 0.0, 0.0, 0.5]), [BLOCK], "Episode 2 of 9: 1 of 1 succeeded so far.")
        told = session.told()
        assert (told["state"], told["joints"][0], told["offers"]) == (WATCHED, 0.1, [])
        assert told["blocks"][0][0] == "red"
        assert ["note", "Episode 2 of 9: 1 of 1 succeeded so far."] in told["lines"]
        for request in (Request("joints", numbers=(0.0,) * 5), Request("gripper", numbers=(0.01,))):
            with pytest.raises(CommandRefusedError, match="only watches"):
                session.take(page, request)
        assert not ended
        session.take(page, Request("stop"))
    assert ended == [True]
    json.dumps(told)


def test_a_page_that_goes_away_ends_nothing() -> None:
    ended: list[bool] = []
    clock = ManualClock(0.0)
    with ThreadPoolExecutor(1) as jobs:
        session = Session(WatchedArm(DRAWN, lambda: ended.append(True)), clock, jobs)
        page = session.operators.join()
        session.tick()
        clock.advance(5.0)
        session.tick()
        session.leave(page)
    assert not ended


def test_it_is_served_beside_the_program_and_ends_with_it() -> None:
    pytest.importorskip("aiohttp")
    from dofbot_ros.console.beside import served

    before = threading.active_count()
    with served(WatchedArm(DRAWN, lambda: None)) as address:
        assert address.startswith("http://127.0.0.1:")
        assert b"DofBot console" in urlopen(address, timeout=10.0).read()
    assert threading.active_count() == before
