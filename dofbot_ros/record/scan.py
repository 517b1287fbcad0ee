"""The records of an MCAP file, also of one that was cut or damaged: up to the last chunk that is whole."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import zstandard
from mcap.exceptions import McapError
from mcap.records import Footer, McapRecord
from mcap.stream_reader import StreamReader
from mcap.writer import MCAP0_MAGIC

from dofbot_ros.errors import InputError

# What parsing raises on bytes that are cut or damaged: the container, its numbers and texts (CRC errors are
# ValueErrors), lz4, zstd, a size that cannot be.
_DAMAGE = (McapError, struct.error, ValueError, RuntimeError, zstandard.ZstdError, MemoryError, OverflowError)


def records(file: IO[bytes]) -> Iterator[McapRecord]:
    """The records of the data section, up to its end or to where the file is cut or damaged."""
    reader = StreamReader(file, validate_crcs=True)
    try:
        for record in reader.records:
            if isinstance(record, Footer):
                return
            yield record
    except _DAMAGE:
        return


def is_finished(file: IO[bytes]) -> bool:
    """Whether the file ends as an MCAP file does."""
    file.seek(0, 2)
    if file.tell() < 2 * len(MCAP0_MAGIC):
        return False
    file.seek(-len(MCAP0_MAGIC), 2)
    return file.read() == MCAP0_MAGIC


def open_mcap(path: Path) -> IO[bytes]:
    """The file, at its start.

    Raises:
        InputError: no such file, or no MCAP file.
    """
    try:
        file = path.open("rb")
        magic = file.read(len(MCAP0_MAGIC))
        file.seek(0)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    if magic != MCAP0_MAGIC:
        file.close()
        raise InputError(f"{path} is no MCAP file")
    return file
