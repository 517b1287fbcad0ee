"""Jobs on a Ray cluster: as many workers as it has cores, or fewer."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from dofbot_ros.errors import DependencyError, DofbotError

Job = TypeVar("Job")
Result = TypeVar("Result")

LOCAL = "local"
REACH_S = 5.0
"""The head of a cluster is reached within this [s]."""

STORE_BYTES = 128 * 1024 * 1024
"""Shared memory of a cluster that is started here: a result is a few hundred kilobytes."""


@dataclass(frozen=True)
class RayCluster:
    """Where jobs go.

    Every machine of the cluster needs this package in the same version, and a network that is given by its path there.

    Attributes:
        address: host:port of its head, or ray://host:port of its client server; "local" starts a cluster on this
            machine and ends it again.
        workers: at most so many jobs at once, each on a core of its own; None: as many as the cluster has cores.
    """

    address: str
    workers: int | None = None

    def run(self, work: Callable[[Job], Result], jobs: Iterable[Job]) -> Generator[tuple[Job, Result], None, None]:
        """Jobs with their results in the order in which they are done; see workers.parallel.

        Raises:
            DependencyError: Ray is not installed.
            DofbotError: there is no such cluster, or a worker died; and whatever `work` raises.
        """
        try:
            import ray as ray_module
        except ImportError as error:
            raise DependencyError("ray", "ray", "--ray") from error
        ray: Any = ray_module  # its types know neither actors nor options
        with self._connected(ray):
            cores = int(ray.cluster_resources().get("CPU", 0))
            if cores < 1:
                raise DofbotError(f"the Ray cluster {self.address} has no cores")
            # Actors, not tasks: a worker builds its world once and keeps it.
            actor = ray.remote(num_cpus=1)(_Worker)
            idle = [actor.remote() for _ in range(min(cores, self.workers or cores))]
            running: dict[Any, tuple[Any, Job]] = {}
            left = iter(jobs)
            try:
                while True:
                    for job in islice(left, len(idle)):
                        worker = idle.pop()
                        running[worker.do.remote(work, job)] = worker, job
                    if not running:
                        return
                    done, _ = ray.wait(list(running), num_returns=1)
                    worker, job = running.pop(done[0])
                    idle.append(worker)
                    yield job, _result(ray, done[0])
            finally:
                for worker in [*idle, *(worker for worker, _ in running.values())]:
                    ray.kill(worker)

    @contextmanager
    def _connected(self, ray: Any) -> Iterator[None]:
        if self.address != LOCAL:
            _reach(self.address)
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
        if self.address == LOCAL:
            # Its own processes: nothing of it outlives this program.
            options |= {
                "num_cpus": self.workers or os.cpu_count(),
                "include_dashboard": False,
                "object_store_memory": STORE_BYTES,
            }
        try:
            ray.init(address=self.address, **options)
        except (ConnectionError, ValueError, RuntimeError, TimeoutError) as error:
            reason = " ".join(str(error).split())[:200]
            raise DofbotError(
                f"no Ray cluster at {self.address!r} (host:port, ray://host:port, local): {reason}"
            ) from error
        try:
            yield
        finally:
            ray.shutdown()


def _reach(address: str) -> None:
    """Find out whether somebody listens at `address`: Ray itself would try for many minutes.

    Raises:
        DofbotError: nobody does.
    """
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not (host and colon and port.isdigit()):
        raise DofbotError(f"no Ray cluster at {address!r}: an address is host:port, ray://host:port or local")
    try:
        socket.create_connection((host, int(port)), REACH_S).close()
    except OSError as error:
        raise DofbotError(f"no Ray cluster at {address!r}: {error.strerror or error}") from error


class _Worker:
    """A process of the cluster."""

    def do(self, work: Callable[[Any], Any], job: Any) -> Any:
        """One job."""
        return work(job)


def _result(ray: Any, reference: Any) -> Any:
    """What a job came to.

    Raises:
        DofbotError: its worker died; and whatever it raised there.
    """
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None
    except ray.exceptions.RayError as error:
        raise DofbotError(f"a worker of the Ray cluster died: {' '.join(str(error).split())[:200]}") from error
