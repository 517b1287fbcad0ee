"""Jobs in parallel processes: results as they come, and no process left behind however it ends."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import islice
from typing import TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")


def parallel(work: Callable[[Job], Result], jobs: Iterable[Job], workers: int) -> Iterator[tuple[Job, Result]]:
    """Jobs with their results in the order in which they are done; `jobs` may be endless.

    Each worker is a fresh process that lives as long as this iterator. Whoever stops iterating, or is interrupted, ends
    them at once.

    Args:
        work: a module's function.
        jobs: its arguments.
        workers: processes.
    """
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
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in set(multiprocessing.active_children()) - others:
            child.terminate()
            child.join()


def _leave_ctrl_c() -> None:
    """Ctrl-C reaches every process of a terminal; the parent alone decides what it means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
