"""Gives an episode whose recorder was killed the end that it lacks, so that every MCAP tool takes it."""

from __future__ import annotations

import os
import stat
import struct
import tempfile
from collections.abc import Iterable
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
        so that more may be saved by hand; it is a link, whose target belongs to somebody else; or the folder cannot be
        written.
    """
    if path.is_symlink():
        return False
    with path.open("rb") as damaged:
        if not lock(damaged):
            return False
        damage: list[str] = []
        part: Path | None = None
        try:
            # A name that nobody can know before, opened only if it is new: a link that lies there is not followed.
            handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
            part = Path(name)
            with os.fdopen(handle, "wb") as whole:
                messages = _copy(records(damaged, damage.append), whole)
                whole.flush()
                os.fchmod(whole.fileno(), stat.S_IMODE(os.fstat(damaged.fileno()).st_mode))
                os.fsync(whole.fileno())
            if messages and not damage and damaged.tell() == os.fstat(damaged.fileno()).st_size:
                part.replace(path)
                return True
        except (OSError, LookupError, ValueError, struct.error):
            pass  # a full or read-only disk, or records that do not belong together: the file is read as it is
        if part is not None:
            part.unlink(missing_ok=True)
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
