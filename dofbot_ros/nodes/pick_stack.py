"""The stack of grasp trials as a context: its processes, the arm of the trials before them, and the recorder beside."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from dofbot_ros.config.loader import save_yaml
from dofbot_ros.core.dds import private_domain
from dofbot_ros.errors import DofbotError
from dofbot_ros.launching import processes
from dofbot_ros.nodes.demo_stack import HEALTHY_BUS, READY_S, WORLD_NODES
from dofbot_ros.nodes.pick_client import PickClient
from dofbot_ros.nodes.record_node import RecordNode
from dofbot_ros.record.episode import EpisodeWriter
from dofbot_ros.record.metadata import EpisodeInfo, Outcome
from dofbot_ros.record.topics import default_topics
from dofbot_ros.sim.config import WorldConfig
from dofbot_ros.stacks import find
from dofbot_ros.supervisor import ProcessGroup
from dofbot_ros.trials.pick_runner import Episode

IMAGE_HZ = 5.0
"""Camera images in a recording [1/s]."""


@contextmanager
def pick_arm(backend: str, world: WorldConfig, given: Mapping[str, str]) -> Iterator[PickClient]:
    """Start the stack, wait until it serves, and end it however the context ends.

    What is simulated has a ROS domain of its own.

    Args:
        backend: sim, emulator (real time) or serial (a real arm).
        world: what is simulated.
        given: further arguments of the stack.

    Raises:
        DofbotError: a node ended, or is not ready in time.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dofbot-trials-")))
        if backend != "serial":
            stack.enter_context(private_domain())
        save_yaml(world, folder / "world.yaml")
        arguments = {
            "backend": backend,
            "emulator_port": str(folder / "servo_bus"),
            "bus_faults": HEALTHY_BUS,
            **given,
            "world_file": str(folder / "world.yaml"),
        }
        commands = [process.command() for process in processes(find("trials"), arguments)]
        group = stack.enter_context(ProcessGroup(commands))
        group.wait_ready(READY_S)

        def check() -> None:
            if ended := group.ended():
                raise DofbotError(f"{ended[0]}: the trials end with it")

        extrinsics = Path(given["extrinsics_file"]) if given.get("extrinsics_file") else None
        arm = PickClient(WORLD_NODES.get(backend, ""), extrinsics, check)
        stack.enter_context(arm)
        yield arm


class PickRecorder:
    """Records each trial as an episode of its own.

    Args:
        folder: of the episodes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._writer: EpisodeWriter | None = None
        self._node = RecordNode(default_topics(IMAGE_HZ))

    def __enter__(self) -> PickRecorder:
        self._node.start(self._write)
        return self

    def __exit__(self, *_: object) -> None:
        self._node.close()

    @contextmanager
    def record(self, label: str) -> Iterator[Episode]:
        """A pick_runner.Record: an episode that is interrupted is kept, and says so by having no outcome."""
        writer = EpisodeWriter(self._folder, EpisodeInfo(time.time(), label))
        episode = _Episode(writer.path.name)
        begun = time.monotonic()
        with self._lock:
            self._writer = writer
        try:
            yield episode
        finally:
            with self._lock:
                self._writer = None
            writer.finish(Outcome(episode.success, time.monotonic() - begun))
        self._node.arrivals()  # raises what went wrong with the recording

    def _write(self, topic: str, type_name: str, cdr: bytes, received_ns: int, sent_ns: int) -> None:
        with self._lock:
            if self._writer is not None:
                self._writer.write(topic, type_name, cdr, received_ns, sent_ns)


class _Episode:
    def __init__(self, name: str) -> None:
        self.name = name
        self.success: bool | None = None

    def succeeded(self, success: bool | None) -> None:
        self.success = success
