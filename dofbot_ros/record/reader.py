"""Reads an episode back, also one whose recorder was killed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, suppress
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from mcap.records import Channel, Message, Metadata, Schema
from mcap_ros2.decoder import DecoderFactory

from dofbot_ros.errors import InputError
from dofbot_ros.record.metadata import END_RECORD, START_RECORD, EpisodeInfo, Outcome
from dofbot_ros.record.repair import finish
from dofbot_ros.record.scan import is_finished, open_mcap, records


@dataclass(frozen=True)
class Recorded:
    """One message.

    Attributes:
        topic: relative to the arm's namespace.
        received_s: when the recorder got it, Unix time [s].
        content: its fields, by the names in the message definition.
    """

    topic: str
    received_s: float
    content: Any


@contextmanager
def understood(path: Path, what: str) -> Iterator[None]:
    """Around code that takes messages of `path` for what their topics promise; a damaged definition breaks promises.

    Raises:
        InputError: they are not; `what` names them.
    """
    try:
        yield
    except (AttributeError, TypeError, LookupError, ValueError, OverflowError) as error:
        why = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: {what} are not of the type that their topics have: {why}") from error


class Episode:
    """A recorded episode; also any other MCAP file with ROS 2 messages, such as `ros2 bag` writes.

    Args:
        path: of the file. One that was left without its end is given one, if nobody writes it and the folder permits.

    Attributes:
        info: None when this program has not recorded it.
        outcome: None when it did not come to its end.
        finished: whether the file has its end and its index.
        damage: what of it cannot be read, and where, in a few words each.
        counts: messages by topic, relative to the arm's namespace.
        types: "package/msg/Type" by topic.
        start_s, end_s: when the first and the last message were received, Unix time [s]; 0 without messages.

    Raises:
        InputError: no such file, or no MCAP file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.info: EpisodeInfo | None = None
        self.outcome: Outcome | None = None
        self.damage: list[str] = []
        self.counts: Counter[str] = Counter()
        self.types: dict[str, str] = {}
        with open_mcap(path) as file:
            self.finished = is_finished(file)
        if not self.finished:
            self.finished = finish(path)
        self._schemas: dict[int, Schema] = {}
        self._channels: dict[int, Channel] = {}
        first, last = self._look_through()
        self.start_s, self.end_s = first * 1e-9, last * 1e-9
        for channel in self._channels.values():
            if self.counts[self._name(channel)] and channel.schema_id in self._schemas:
                self.types[self._name(channel)] = self._schemas[channel.schema_id].name

    @property
    def duration_s(self) -> float:
        """From the first message to the last [s]."""
        return self.end_s - self.start_s

    def messages(self, *topics: str) -> Iterator[Recorded]:
        """The messages on `topics` (relative names), in the order in which they were received.

        Raises:
            InputError: a message that does not fit its definition.
        """
        decoders: dict[int, Callable[[bytes], Any]] = {}
        factory = DecoderFactory()
        with open_mcap(self.path) as file:
            for record in records(file):
                if not isinstance(record, Message) or record.channel_id not in self._channels:
                    continue
                channel = self._channels[record.channel_id]
                topic = self._name(channel)
                if topic not in topics:
                    continue
                try:
                    if channel.id not in decoders:
                        decoders[channel.id] = self._decoder(factory, channel)
                    content = decoders[channel.id](record.data)
                except InputError:
                    raise
                except Exception as error:  # a parser of foreign text raises what it likes
                    why = " ".join((str(error) or type(error).__name__).split())[:200]
                    raise InputError(f"{self.path}: a message on {_plain(topic)} cannot be decoded: {why}") from error
                yield Recorded(topic, record.log_time * 1e-9, content)

    def _decoder(self, factory: DecoderFactory, channel: Channel) -> Callable[[bytes], Any]:
        schema = self._schemas.get(channel.schema_id)
        # The parser prints what it raises as well.
        with redirect_stderr(StringIO()):
            decoder: Callable[[bytes], Any] | None = factory.decoder_for(channel.message_encoding, schema)
        if decoder is None:
            raise InputError(
                f"{self.path}: {_plain(channel.topic)} holds {_plain(channel.message_encoding)} messages with "
                f"{_plain(schema.encoding) if schema else 'no'} definition; ROS 2 messages (cdr, ros2msg) can be read"
            )
        return decoder

    def _look_through(self) -> tuple[int, int]:
        """Collect what the file says of itself. Returns the first and the last time [ns]."""
        first, last = 0, 0
        ids: Counter[int] = Counter()
        with open_mcap(self.path) as file:
            for record in records(file, self.damage.append):
                if isinstance(record, Schema):
                    self._schemas[record.id] = record
                elif isinstance(record, Channel):
                    self._channels[record.id] = record
                elif isinstance(record, Metadata):
                    self._note(record)
                elif isinstance(record, Message):
                    ids[record.channel_id] += 1
                    first = min(first or record.log_time, record.log_time)
                    last = max(last, record.log_time)
        for channel_id, count in ids.items():
            if channel_id in self._channels:
                self.counts[self._name(self._channels[channel_id])] += count
        return first, last

    def _note(self, record: Metadata) -> None:
        with suppress(InputError):  # a damaged record is no reason not to read the messages
            if record.name == START_RECORD:
                self.info = EpisodeInfo.from_record(record.metadata)
            elif record.name == END_RECORD:
                self.outcome = Outcome.from_record(record.metadata)

    def _name(self, channel: Channel) -> str:
        """The topic, relative to the arm's namespace."""
        namespace = f"/{self.info.namespace}/" if self.info is not None and self.info.namespace else "/"
        topic: str = channel.topic
        return topic.removeprefix(namespace)


def _plain(text: str) -> str:
    """A name out of a file, fit for one line."""
    return " ".join(text.split())[:100]
