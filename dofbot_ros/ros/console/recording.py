"""Recording from the console: an episode of the running arm that its operator begins, and keeps or discards."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from dofbot_ros.errors import CommandRefusedError, DofbotError
from dofbot_ros.record import require_mcap
from dofbot_ros.record.episode import EpisodeWriter
from dofbot_ros.record.metadata import EpisodeInfo, Outcome
from dofbot_ros.record.topics import default_topics
from dofbot_ros.ros.clients.recorder import RecordNode

START = "record start"
DISCARD = "record discard"
KEEP = {"record keep": None, "record success": True, "record failure": False}
"""Job -> what is noted of the episode's success."""
FIND_S = 5.0
"""The arm's topics are waited for so long [s]."""
IMAGE_HZ = 10.0


class Recording:
    """At most one episode at a time. Methods may be called from any thread.

    Args:
        folder: of the episodes.
        namespace: of the arm.
    """

    def __init__(self, folder: Path, namespace: str) -> None:
        self._folder, self._namespace = folder, namespace.strip("/")
        self._lock = threading.Lock()
        self._running: tuple[RecordNode, EpisodeWriter, float] | None = None

    @property
    def offers(self) -> tuple[str, ...]:
        """Jobs that can be asked for now."""
        return (*KEEP, DISCARD) if self._running else (START,)

    @property
    def words(self) -> str:
        """How the episode in progress does; "" where there is none."""
        running = self._running
        if running is None:
            return ""
        node, writer, begun_s = running
        if node.failure is not None:
            return f"The recording broke off: {node.failure}"
        count = sum(dict(writer.counts).values())
        return f"Recording {writer.path.name}: {time.monotonic() - begun_s:.0f} s, {count} messages."

    def do(self, job: str, label: str) -> str:
        """Carry out one of `offers`; `label` says what is done in the episode. Returns what came of it, in words.

        Raises:
            DofbotError: nothing can be recorded, or the file cannot be written.
        """
        with self._lock:
            return self._start(label) if job == START else self._end(job)

    def close(self) -> None:
        """Keep what is being recorded."""
        with self._lock:
            if self._running:
                self._end("record keep")

    def _start(self, label: str) -> str:
        if self._running:
            raise CommandRefusedError("an episode is being recorded: keep or discard it first")
        require_mcap()
        node = RecordNode(default_topics(IMAGE_HZ), self._namespace)
        try:
            node.wait_for_publishers(FIND_S)
            config = {"arm": node.arm_parameters(), "image_hz": IMAGE_HZ}
            info = EpisodeInfo(time.time(), label.strip(), namespace=self._namespace, config=config)
            writer = EpisodeWriter(self._folder, info)
            try:
                node.start(writer.write, writer.note)
            except DofbotError:
                writer.discard()
                raise
        except BaseException:
            node.close()
            raise
        self._running = (node, writer, time.monotonic())
        return f"Recording begins: {writer.path}"

    def _end(self, job: str) -> str:
        if self._running is None:
            raise CommandRefusedError("nothing is being recorded")
        (node, writer, begun_s), self._running = self._running, None
        node.close()
        seconds = time.monotonic() - begun_s
        if job == DISCARD:
            writer.discard()
            return f"Discarded {writer.path.name}."
        success = KEEP[job]
        writer.finish(Outcome(success, seconds))
        noted = {True: " as a success", False: " as a failure", None: ""}[success]
        return f"Kept {writer.path}{noted}: {seconds:.0f} s, {sum(writer.counts.values())} messages."
