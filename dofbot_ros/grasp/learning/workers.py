"""Who carries out grasps: processes on this machine, or a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import TypeAlias, TypeVar

from dofbot_ros.core.parallel import in_processes
from dofbot_ros.grasp.learning.ray_cluster import RayCluster

Job = TypeVar("Job")
Result = TypeVar("Result")


Workers: TypeAlias = int | RayCluster
"""So many processes on this machine, or a Ray cluster."""


def parallel(
    work: Callable[[Job], Result], jobs: Iterable[Job], workers: Workers
) -> Generator[tuple[Job, Result], None, None]:
    """Jobs with their results in the order in which they are done, as core.parallel.in_processes gives them.

    Close it to end the workers: an interrupted loop does not by itself.

    Args:
        work: a module's function.
        jobs: its arguments; may be endless.
        workers: who does them.

    Raises:
        DofbotError: a worker was killed.
    """
    return workers.run(work, jobs) if isinstance(workers, RayCluster) else in_processes(work, jobs, workers)
