from __future__ import annotations

import io
import struct
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from dofbot_ros.core.array_files import load_arrays
from dofbot_ros.errors import InputError


def npy(header: str, data: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    text = header.encode("latin-1")
    return b"\x93NUMPY" + version + struct.pack("<H", len(text)) + text + data


def write(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_what_numpy_writes_is_read(tmp_path: Path) -> None:
    arrays = {
        "floats": np.linspace(0, 1, 7),
        "fortran": np.asfortranarray(np.arange(12).reshape(3, 4)),
        "words": np.array(["a", "bcd"]),
        "scalar": np.array("text"),
        "empty": np.zeros((0, 3), np.float32),
        "truth": np.array([True, False]),
    }
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "a.npz", **arrays)
        found = load_arrays(tmp_path / "a.npz", "test")
        assert list(found) == list(arrays)
        for name, array in arrays.items():
            np.testing.assert_array_equal(found[name], array)
            assert found[name].dtype == array.dtype


HEADER = "{'descr': '<f8', 'fortran_order': False, 'shape': %s}\n"


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"a.npy": b""}, "is no test"),
        ({"a.npy": npy("garbage")}, "is no test"),
        ({"a.npy": npy("(" * 5000)}, "is no test"),
        ({"a.npy": npy("__import__('os').system('true')")}, "is no test"),
        ({"a.npy": npy(HEADER % "(10**12,)", bytes(8))}, "is no test"),
        ({"a.npy": npy(HEADER % "(1000000000000,)", bytes(8))}, "an array says that it has shape"),
        ({"a.npy": npy(HEADER % "(-1,)", bytes(8))}, "an array says that it has shape"),
        ({"a.npy": npy(HEADER % "(2,)", bytes(8))}, "an array says that it has shape"),
        ({"a.npy": npy(HEADER % "(1,)", bytes(16))}, "an array says that it has shape"),
        ({"a.npy": npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}\n", bytes(8))}, "Python objects"),
        ({"a.npy": npy("{'descr': 'nonsense', 'fortran_order': False, 'shape': (1,)}\n", bytes(8))}, "is no test"),
        ({"a.npy": npy(HEADER % "(1,)", bytes(8), b"\x09\x00")}, "version"),
    ],
)
def test_what_is_none_is_one_line(tmp_path: Path, members: dict[str, bytes], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        load_arrays(write(tmp_path / "a.npz", members), "test")
    assert "\n" not in str(caught.value)


def test_a_small_file_that_unpacks_to_much_is_refused_before_it_is(tmp_path: Path) -> None:
    path = write(tmp_path / "a.npz", {"a.npy": npy(HEADER % "(2000000,)", bytes(16_000_000))})
    assert path.stat().st_size < 30_000

    with pytest.raises(InputError, match="its arrays have 16000072 bytes, at most 1000000 are read"):
        load_arrays(path, "test", max_bytes=1_000_000)


def test_every_flipped_byte_is_an_error_or_leaves_the_arrays(tmp_path: Path) -> None:
    made = io.BytesIO()
    np.savez_compressed(made, a=np.arange(20.0), b=np.ones((3, 3), np.uint8))
    content = made.getvalue()
    for at in range(len(content)):
        damaged = bytearray(content)
        damaged[at] ^= 0x55
        (tmp_path / "a.npz").write_bytes(damaged)
        with suppress(InputError):
            assert (
                sum(array.nbytes for array in load_arrays(tmp_path / "a.npz", "test", max_bytes=10**6).values()) < 10**6
            )


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.npz is no test: it does not exist"):
        load_arrays(tmp_path / "a.npz", "test")
    (tmp_path / "a.npz").write_text("words")
    with pytest.raises(InputError, match=r"a\.npz is no test"):
        load_arrays(tmp_path / "a.npz", "test")
