"""Jobs in processes of their own: each with its result, an end that leaves nothing, one that is killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
from itertools import count

import pytest

from dofbot_ros.core.parallel import in_processes
from dofbot_ros.errors import DofbotError, InputError


def square(number: int) -> int:
    return number**2


def refuse(number: int) -> int:
    raise InputError(f"{number} is refused")


def die(_: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def test_each_job_comes_with_its_result() -> None:
    assert dict(in_processes(square, range(5), 2)) == {number: number**2 for number in range(5)}


def test_whoever_stops_asking_leaves_no_process() -> None:
    results = in_processes(square, count(), 2)
    next(results)
    assert len(multiprocessing.active_children()) >= 1
    results.close()
    assert multiprocessing.active_children() == []


def test_what_a_job_raises_arrives_as_it_is() -> None:
    with pytest.raises(InputError, match=r"^7 is refused$"):
        next(in_processes(refuse, [7], 1))


def test_a_worker_that_is_killed_is_told_in_one_line() -> None:
    with pytest.raises(DofbotError, match="a worker process was killed"):
        next(in_processes(die, [1], 1))
