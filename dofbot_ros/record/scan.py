"""The records of an MCAP file, also of one that was cut or damaged, in bounded memory: a chunk at a time."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, cast

import lz4.frame
import zstandard
from mcap.exceptions import McapError
from mcap.records import Chunk, Footer, McapRecord
from mcap.stream_reader import StreamReader, breakup_chunk
from mcap.writer import MCAP0_MAGIC

from dofbot_ros.errors import InputError

MAX_RECORD = 256 * 2**20
"""Longest record, and largest chunk once it is unpacked; this package's chunks have 1 MB [bytes]."""

# What parsing raises on bytes that are cut or damaged: the container, its numbers and texts (CRC errors are
# ValueErrors), lz4, zstd, a size that cannot be.
_DAMAGE = (McapError, struct.error, ValueError, RuntimeError, zstandard.ZstdError, MemoryError, OverflowError)


class _Capped:
    """A file of which nobody can ask for more bytes than it has: a damaged length must not reserve memory."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._left = os.fstat(file.fileno()).st_size - file.tell()

    def read(self, count: int) -> bytes:
        data = self._file.read(min(count, max(0, self._left)))
        self._left -= len(data)
        return data

    @property
    def at_end(self) -> bool:
        return self._left <= 0


def records(file: IO[bytes], damaged: Callable[[str], None] | None = None) -> Iterator[McapRecord]:
    """The records of the data section, up to its end or to where the file is cut.

    Args:
        file: at its start.
        damaged: told, in a few words, of each chunk that is passed over because it is damaged, and of the place from
            which on nothing can be read. That the file ends too early is no damage.
    """
    tell = damaged or (lambda _: None)
    capped = _Capped(file)
    source = StreamReader(
        cast(Any, capped), emit_chunks=True, validate_crcs=True, record_size_limit=MAX_RECORD
    ).records  # fmt: skip
    while True:
        at = file.tell()
        try:
            record = next(source, None)
            if record is None or isinstance(record, Footer):
                return
        except _DAMAGE as error:
            if not capped.at_end:
                tell(f"cannot be read from byte {at} on ({_words(error)})")
            return
        if not isinstance(record, Chunk):
            yield record
            continue
        try:
            content = breakup_chunk(_unpacked(record), validate_crc=True)
        except _DAMAGE as error:
            if not capped.at_end:
                tell(f"has a damaged chunk at byte {at}, which is passed over ({_words(error)})")
            continue
        yield from content


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


def _unpacked(chunk: Chunk) -> Chunk:
    """The same chunk without compression; no more is unpacked than it says, and than MAX_RECORD."""
    size = chunk.uncompressed_size
    if size > MAX_RECORD:
        raise ValueError(f"a chunk of {size} bytes: at most {MAX_RECORD} are read")
    if chunk.compression == "lz4":
        data = lz4.frame.LZ4FrameDecompressor().decompress(chunk.data, max_length=size)
    elif chunk.compression == "zstd":
        if zstandard.get_frame_parameters(chunk.data).content_size > size:
            raise ValueError(f"a chunk of more than the {size} bytes that it says")
        data = zstandard.decompress(chunk.data, size)
    else:
        return chunk
    return replace(chunk, compression="", data=data)


def _words(error: BaseException) -> str:
    return " ".join((str(error) or type(error).__name__).split())[:100]
