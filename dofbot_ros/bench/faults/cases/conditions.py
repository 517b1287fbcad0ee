"""What a machine does beside the cases of real time, and whether the driver goes before it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from dofbot_ros.core.parallel import ending_with_this_process


@dataclass(frozen=True)
class Conditions:
    """Of the cases in real time; virtual time does not depend on them.

    Attributes:
        load: programs that compute without end beside every case.
        priority: whether drivers ask for real-time priority.
    """

    load: int = 0
    priority: bool = True

    @property
    def usual(self) -> bool:
        """Whether they are those of the table in docs/safety.md."""
        return self == Conditions()

    def __str__(self) -> str:
        return f"load of {self.load}, {'with' if self.priority else 'without'} real-time priority"


@contextmanager
def busy(programs: int) -> Iterator[None]:
    """Let so many programs compute meanwhile, each a core's worth."""
    words = [sys.executable, "-c", "while True: pass"]
    # They end with this process, also where it is killed; what is called before exec takes no lock.
    workers = [subprocess.Popen(words, preexec_fn=ending_with_this_process()) for _ in range(programs)]  # noqa: PLW1509
    try:
        yield
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
