"""Reads .npz files: plain arrays only, and no more memory than is allowed, whatever the headers say."""

from __future__ import annotations

import math
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from dofbot_ros.errors import InputError

MAX_ARRAYS = 8 * 2**30
"""Most that the arrays of one file may have together, unless told otherwise [bytes]."""

_DAMAGE = (
    OSError, ValueError, TypeError, LookupError, EOFError, SyntaxError, RecursionError, RuntimeError,
    NotImplementedError, OverflowError, MemoryError, tokenize.TokenError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def load_arrays(path: str | Path, what: str, max_bytes: int = MAX_ARRAYS) -> dict[str, NDArray[Any]]:
    """The arrays of a .npz file by name.

    Args:
        path: the file.
        what: it should be, in messages: "landmark recording".
        max_bytes: most that all arrays may have together [bytes].

    Raises:
        InputError: no such file, no .npz, arrays of Python objects, headers that do not fit what is there, or more than
            `max_bytes`.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [info for info in archive.infolist() if info.filename.endswith(".npy")]
            total = sum(info.file_size for info in members)
            if total > max_bytes:
                raise InputError(f"{path} is no {what}: its arrays have {total} bytes, at most {max_bytes} are read")
            arrays = {}
            for info in members:
                with archive.open(info) as member:
                    arrays[info.filename.removesuffix(".npy")] = _read(member, info.file_size)
            return arrays
    except FileNotFoundError as error:
        raise InputError(f"{path} is no {what}: it does not exist") from error
    except _DAMAGE as error:
        why = " ".join((str(error) or type(error).__name__).split())[:200]
        raise InputError(f"{path} is no {what} (.npz of plain arrays): {why}") from error


def _read(member: IO[bytes], size: int) -> NDArray[Any]:
    version = np.lib.format.read_magic(member)  # type: ignore[no-untyped-call]
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"arrays of version {version} are not read")
    reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, kind = reader(member)  # type: ignore[no-untyped-call]
    if kind.hasobject:
        raise ValueError("holds Python objects, which are not loaded")
    if any(length < 0 for length in shape) or math.prod(shape) * kind.itemsize > size:
        raise ValueError(f"an array says that it has shape {shape}, and has fewer bytes")
    count = math.prod(shape) * kind.itemsize
    content = member.read(count)
    if len(content) != count or member.read(1):
        raise ValueError(f"an array says that it has shape {shape}, and has other bytes")
    array = np.frombuffer(bytearray(content), dtype=kind)
    return array.reshape(shape[::-1]).T if fortran else array.reshape(shape)
