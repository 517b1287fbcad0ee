"""Jobs in parallel, on this machine or on a Ray cluster: results as they come, and nothing left behind at the end."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import TypeAlias, TypeVar

from dofbot_ros.errors import DofbotError
from dofbot_ros.grasp.ray_cluster import RayCluster

Job = TypeVar("Job")
Result = TypeVar("Result")


Workers: TypeAlias = int | RayCluster
"""So many processes on this machine, or a Ray cluster."""


def parallel(work: Callable[[Job], Result], jobs: Iterable[Job], workers: Workers) -> Iterator[tuple[Job, Result]]:
    """Jobs with their results in the order in which they are done; `jobs` may be endless.

    Each worker is a fresh process that lives as long as this iterator. Whoever stops iterating, or is interrupted, ends
    them at once.

    Args:
        work: a module's function.
        jobs: its arguments.
        workers: who does them.

    Raises:
        DofbotError: a worker was killed.
    """
    return workers.run(work, jobs) if isinstance(workers, RayCluster) else _in_processes(work, jobs, workers)


def _in_processes(work: Callable[[Job], Result], jobs: Iterable[Job], workers: int) -> Iterator[tuple[Job, Result]]:
    left = iter(jobs)
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=_leave_ctrl_c)
    running: dict[Future[Result], Job] = {}
    try:
        while True:
            for job in islice(left, workers - len(running)):
                running[pool.submit(work, job)] = job
            if not running:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield running.pop(future), future.result()
    except BrokenProcessPool as error:
        raise DofbotError("a worker process was killed: is there memory for so many --workers?") from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in set(multiprocessing.active_children()) - others:
            child.terminate()
            child.join()


def _leave_ctrl_c() -> None:
    """Ctrl-C reaches every process of a terminal; the parent alone decides what it means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
