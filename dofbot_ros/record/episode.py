"""Writes an episode as an MCAP file that loses at most half a second, however its process ends."""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

from mcap.well_known import MessageEncoding, Profile, SchemaEncoding
from mcap.writer import CompressionType, Writer

from dofbot_ros import __version__
from dofbot_ros.errors import DofbotError
from dofbot_ros.record.metadata import END_RECORD, START_RECORD, STEP_RECORD, EpisodeInfo, Outcome
from dofbot_ros.record.schema import complete_definition
from dofbot_ros.record.steady import ClockStep

FLUSH_S = 0.5
"""What was written is on the disk this much later [s]."""
SUFFIX = ".mcap"


class RecordingError(DofbotError):
    """An episode cannot be written, or not any further."""


class EpisodeWriter:
    """An episode on its way to the disk. Methods may be called from any thread.

    Every `flush_s` a thread of its own ends the chunk in progress and waits until the disk has it, so that write()
    never waits for a disk. While it is written the file is locked (flock), so that no reader takes it for a broken one.

    Args:
        folder: where the file goes; made when it is not there.
        info: names the file, and goes into it.
        flush_s: [s].
        definition: "package/msg/Type" -> complete schema text.

    Attributes:
        path: of the file.
        counts: messages written, by topic.
        clock_steps: what note() was told.

    Raises:
        RecordingError: the file cannot be made.
    """

    def __init__(
        self,
        folder: Path,
        info: EpisodeInfo,
        flush_s: float = FLUSH_S,
        definition: Callable[[str], str] = complete_definition,
    ) -> None:
        self.info = info
        self.counts: Counter[str] = Counter()
        self.clock_steps: list[ClockStep] = []
        self._definition = definition
        self._schemas: dict[str, int] = {}
        self._channels: dict[str, int] = {}
        self._failure: OSError | None = None
        self._lock = threading.Lock()
        self._file, self.path = _create(folder, info.file_stem)
        self._writer = Writer(self._file, compression=CompressionType.LZ4)
        self._stop = threading.Event()
        self._flusher = threading.Thread(target=self._keep_flushing, args=(flush_s,), name="episode", daemon=True)
        try:
            self._writer.start(profile=Profile.ROS2, library=f"dofbot_ros {__version__}")
            self._writer.add_metadata(START_RECORD, info.as_record())
            self.flush()
            _sync_folder(folder)
        except OSError as error:
            self._remove()
            raise self._failed(error) from error
        self._flusher.start()

    def write(self, topic: str, type_name: str, cdr: bytes, received_ns: int, sent_ns: int) -> None:
        """Add one message.

        Args:
            topic: its full name.
            type_name: "package/msg/Type".
            cdr: the message as it came over the wire, with the four bytes that name its byte order.
            received_ns: Unix time that goes on evenly, see SteadyUnixTime [ns].
            sent_ns: Unix time of the sender [ns].

        Raises:
            RecordingError: the disk does not take it, or did not take an earlier one, or the file was deleted.
            InputError: a type that is not installed.
        """
        with self._lock:
            self._check()
            channel = self._channels.get(topic) or self._register(topic, type_name)
            self.counts[topic] += 1
            try:
                self._writer.add_message(channel, received_ns, cdr, sent_ns, self.counts[topic])
            except OSError as error:
                raise self._failed(error) from error

    def note(self, step: ClockStep) -> None:
        """Write down that the system clock was set: stamps inside messages jump there, those of arrival do not.

        Raises:
            RecordingError: as write() does.
        """
        with self._lock:
            self._check()
            try:
                self._writer.add_metadata(STEP_RECORD, {"at_s": repr(step.at_s), "step_s": repr(step.step_s)})
            except OSError as error:
                raise self._failed(error) from error
            self.clock_steps.append(step)

    def flush(self) -> None:
        """Return when all that was written is on the disk.

        Raises:
            OSError: the disk does not take it, or the file is no longer where it was made.
        """
        self._find()
        with self._lock:
            self._writer.flush()  # type: ignore[no-untyped-call]
        # Not under the lock: a slow disk must not hold up who writes.
        os.fsync(self._file.fileno())

    def finish(self, outcome: Outcome) -> None:
        """End the file as it should be: metadata, index, footer.

        Raises:
            RecordingError: the disk does not take them, and what was written before can still be read; or the file was
                deleted or replaced meanwhile, and the episode is lost.
        """
        self._end_flushing()
        try:
            self._find()
            with self._file:
                self._writer.add_metadata(END_RECORD, outcome.as_record())
                self._writer.finish()  # type: ignore[no-untyped-call]
                self._file.flush()
                os.fsync(self._file.fileno())
                self._find()
        except OSError as error:
            raise self._failed(error) from error

    def discard(self) -> None:
        """Delete the file, unless somebody did or put another one in its place."""
        self._end_flushing()
        self._remove()

    def _remove(self) -> None:
        with suppress(OSError):
            self._find()
            self.path.unlink()
        with suppress(OSError):  # a full disk is no reason not to delete
            self._file.close()

    def _register(self, topic: str, type_name: str) -> int:
        if type_name not in self._schemas:
            text = self._definition(type_name).encode()
            self._schemas[type_name] = self._writer.register_schema(type_name, SchemaEncoding.ROS2, text)
        # rosbag2 looks for the profiles; empty means its defaults.
        self._channels[topic] = self._writer.register_channel(
            topic, MessageEncoding.CDR, self._schemas[type_name], {"offered_qos_profiles": ""}
        )
        return self._channels[topic]

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failed(self._failure)

    def _find(self) -> None:
        """Raises FileNotFoundError where the name no longer leads to the file: nobody could read what is written."""
        mine = os.fstat(self._file.fileno())
        with suppress(FileNotFoundError):
            if os.path.samestat(mine, os.stat(self.path, follow_symlinks=False)):
                return
        raise FileNotFoundError(errno.ENOENT, "deleted or replaced", str(self.path))

    def _keep_flushing(self, period_s: float) -> None:
        while not self._stop.wait(period_s):
            try:
                self.flush()
            except OSError as error:
                self._failure = error
                return

    def _end_flushing(self) -> None:
        self._stop.set()
        self._flusher.join()

    def _failed(self, error: OSError) -> RecordingError:
        if isinstance(error, FileNotFoundError):
            return RecordingError(f"{self.path} was deleted or replaced while it was recorded: the episode is lost")
        kept = "what came before is kept" if self.path.exists() else "nothing is kept"
        return RecordingError(f"{self.path} cannot be written any further: {error.strerror or error}; {kept}")


def lock(file: IO[bytes]) -> bool:
    """Take the file for this process, until it is closed. Returns whether nobody else has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _create(folder: Path, stem: str) -> tuple[IO[bytes], Path]:
    """A new, locked file; a second one of the same second gets a number."""
    number = 1
    while True:
        path = folder / f"{stem}{'' if number == 1 else f'_{number}'}{SUFFIX}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            file = path.open("xb")
        except FileExistsError as error:
            if not folder.is_dir():
                raise RecordingError(f"{folder} is a file, not a folder for episodes") from error
            number += 1
            continue
        except OSError as error:
            raise RecordingError(f"{path} cannot be made: {error.strerror}") from error
        lock(file)
        return file, path


def _sync_folder(folder: Path) -> None:
    """Make the file's name as durable as its content."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
