"""Work in processes of its own: results as they come, and nothing left behind at the end, however it comes."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import TypeVar

from dofbot_ros.core.interrupts import interrupts_held, release_interrupts
from dofbot_ros.errors import DofbotError

Job = TypeVar("Job")
Result = TypeVar("Result")

LOOK_S = 1.0
"""A wait for results is begun anew after so long [s]."""
_PR_SET_PDEATHSIG = 1


def in_processes(
    work: Callable[[Job], Result], jobs: Iterable[Job], workers: int
) -> Generator[tuple[Job, Result], None, None]:
    """Jobs with their results in the order in which they are done; `jobs` may be endless.

    Each worker is a fresh process that lives as long as this generator. Closing it, or an interruption while it waits,
    ends them at once; so does the death of this process, however it dies. Their temporary files go with them.

    Args:
        work: a module's function.
        jobs: its arguments.
        workers: processes.

    Raises:
        DofbotError: a worker was killed; and whatever `work` raises.
    """
    left = iter(jobs)
    others = set(multiprocessing.active_children())
    folder = tempfile.TemporaryDirectory(prefix="dofbot-workers-")
    pool = ProcessPoolExecutor(
        workers, mp_context=multiprocessing.get_context("spawn"), initializer=begin_worker, initargs=(folder.name,)
    )
    running: dict[Future[Result], Job] = {}
    try:
        while True:
            for job in islice(left, workers - len(running)):
                with interrupts_held():  # a worker that is half started is nobody's: it would end with a traceback
                    running[pool.submit(work, job)] = job
            if not running:
                return
            # With a limit: a Ctrl-C that arrives just before Python waits for a lock does not end the wait.
            done, _ = wait(running, timeout=LOOK_S, return_when=FIRST_COMPLETED)
            for future in done:
                yield running.pop(future), future.result()
    except BrokenProcessPool as error:
        raise DofbotError("a worker process was killed: is there memory for so many --workers?") from error
    finally:
        for child in set(multiprocessing.active_children()) - others:
            child.kill()  # nothing less: one that is still being started holds other signals back
            child.join()
        # With nobody left to wait for: a pool whose thread outlives it complains at the interpreter's end.
        pool.shutdown(wait=True, cancel_futures=True)
        folder.cleanup()


def begin_worker(folder: str) -> None:
    """The first thing that a worker process does.

    Ctrl-C reaches every process of a terminal; the parent alone decides what it means.

    Args:
        folder: of the parent, which removes it; temporary files of the worker, and of processes that it starts, lie
            there, since a worker that is killed puts nothing in order.
    """
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    release_interrupts()
    threading.Thread(target=_end_with_parent, args=(folder,), name="parent", daemon=True).start()


def _end_with_parent(folder: str) -> None:
    """End this process when its parent has died.

    A parent that was killed closed nothing: the queue of jobs has its other end in every worker, and none would notice.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)


def ending_with_this_process() -> Callable[[], None]:
    """For subprocess.Popen's `preexec_fn`: when the thread that starts the process dies, it gets SIGTERM.

    The kernel does that (PR_SET_PDEATHSIG, prctl(2)), also where this process is killed. What is called in the new
    process takes no lock. The new process takes Ctrl-C in the usual way, whatever it inherits.
    """
    parent = os.getpid()

    def before_exec() -> None:
        release_interrupts()
        # A shell script's background has SIGINT ignored, and what it starts inherits that: nobody could interrupt it.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return before_exec
