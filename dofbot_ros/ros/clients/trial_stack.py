"""The stack of grasp trials as a context: the arm of the trials before it, and the recorder beside."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from dofbot_ros.config.loader import save_yaml
from dofbot_ros.record.episode import EpisodeWriter
from dofbot_ros.record.metadata import EpisodeInfo, Outcome
from dofbot_ros.record.steady import ClockStep
from dofbot_ros.record.topics import default_topics
from dofbot_ros.ros.clients.recorder import RecordNode
from dofbot_ros.ros.clients.trial_client import TrialClient, trial_client
from dofbot_ros.ros.runtime.managed_stack import WORLD_NODES, managed_stack
from dofbot_ros.sim.config import WorldConfig
from dofbot_ros.trials.runner import Episode

IMAGE_HZ = 5.0
"""Camera images in a recording [1/s]."""


@contextmanager
def pick_arm(backend: str, world: WorldConfig, given: Mapping[str, str]) -> Iterator[TrialClient]:
    """The stack of grasp trials (managed_stack), and the arm in it.

    Args:
        backend: sim, emulator (real time) or serial (a real arm).
        world: what is simulated.
        given: further arguments of the stack.

    Raises:
        DofbotError: a node ended, or is not ready in time.
    """
    with tempfile.TemporaryDirectory(prefix="dofbot-world-") as folder:
        world_file = Path(folder) / "world.yaml"
        save_yaml(world, world_file)
        extrinsics = Path(given["extrinsics_file"]) if given.get("extrinsics_file") else None
        with (
            managed_stack("trials", backend, {**given, "world_file": str(world_file)}) as check,
            trial_client(WORLD_NODES.get(backend, ""), check, extrinsics) as arm,
        ):
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
        self._node.start(self._write, self._note)
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

    def _note(self, step: ClockStep) -> None:
        with self._lock:
            if self._writer is not None:
                self._writer.note(step)


class _Episode:
    def __init__(self, name: str) -> None:
        self.name = name
        self.success: bool | None = None

    def succeeded(self, success: bool | None) -> None:
        self.success = success
