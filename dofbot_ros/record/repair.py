"""Gives an episode whose recorder was killed the end that it lacks, so that every MCAP tool takes it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO

from mcap.records import Attachment, Channel, Header, McapRecord, Message, Metadata, Schema
from mcap.writer import CompressionType, Writer

from dofbot_ros.record.episode import lock
from dofbot_ros.record.scan import records


def finish(path: Path) -> bool:
    """Write what can be read of `path` into a finished file that takes its place in one step.

    Args:
        path: an MCAP file without its end.

    Returns:
        False when it was left alone: somebody still writes it; there is nothing to save; it is damaged before its end,
        so that more may be saved by hand; or the folder cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    with path.open("rb") as damaged:
        if not lock(damaged):
            return False
        try:
            with part.open("wb") as whole:
                messages = _copy(records(damaged), whole)
                whole.flush()
                os.fsync(whole.fileno())
            if messages and damaged.tell() == os.fstat(damaged.fileno()).st_size:
                part.replace(path)
                return True
        except OSError:
            pass  # a full or read-only disk: the file is read as it is
        with suppress(OSError):
            part.unlink()
        return False


def _copy(content: Iterable[McapRecord], file: IO[bytes]) -> int:
    """Write `content` as a finished file. Returns how many messages it has."""
    messages = 0
    writer = Writer(file, compression=CompressionType.LZ4)
    schemas, channels = {0: 0}, {}
    for record in content:
        if isinstance(record, Header):
            writer.start(record.profile, record.library)
        elif isinstance(record, Schema) and record.id not in schemas:
            schemas[record.id] = writer.register_schema(record.name, record.encoding, record.data)
        elif isinstance(record, Channel) and record.id not in channels:
            channels[record.id] = writer.register_channel(
                record.topic, record.message_encoding, schemas[record.schema_id], record.metadata
            )
        elif isinstance(record, Message):
            messages += 1
            writer.add_message(
                channels[record.channel_id], record.log_time, record.data, record.publish_time, record.sequence
            )
        elif isinstance(record, Metadata):
            writer.add_metadata(record.name, record.metadata)
        elif isinstance(record, Attachment):
            writer.add_attachment(
                record.create_time, record.log_time, record.name, record.media_type, record.data
            )  # fmt: skip
    writer.finish()  # type: ignore[no-untyped-call]
    return messages
