"""Fuzzes episodes: a damaged MCAP file gives what of it is whole, or one line, in bounded memory."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from mcap.writer import CompressionType, Writer

from dofbot_ros.bench.fuzz.mutate import NUMBERS, flipped, retyped
from dofbot_ros.bench.fuzz.target import Target
from dofbot_ros.core.types import JOINT_NAMES
from dofbot_ros.record.export import export_npz
from dofbot_ros.record.metadata import END_RECORD, START_RECORD, EpisodeInfo, Outcome
from dofbot_ros.record.reader import Episode
from dofbot_ros.record.topics import IMAGES

MAX_ROWS = 3_000_000
"""Of an export: 4 hours and a trajectory, 50 times a second, and slack."""
T0_NS = 1_700_000_000 * 10**9
HEADER = "================================================================================\nMSG: "
STAMP = f"{HEADER}builtin_interfaces/Time\nint32 sec\nuint32 nanosec\n"
STD_HEADER = f"{HEADER}std_msgs/Header\nbuiltin_interfaces/Time stamp\nstring frame_id\n{STAMP}"
SCHEMAS = {
    "sensor_msgs/msg/JointState": "std_msgs/Header header\nstring[] name\nfloat64[] position\nfloat64[] velocity\n"
    f"float64[] effort\n{STD_HEADER}",
    "std_msgs/msg/Float64": "float64 data\n",
    "sensor_msgs/msg/CompressedImage": f"std_msgs/Header header\nstring format\nuint8[] data\n{STD_HEADER}",
}


def targets(folder: Path) -> list[Target]:
    """Files with any byte changed, files of which the content was changed before it was packed."""
    whole = {kind: _written(random.Random(0), kind, changed=False) for kind in CompressionType}
    return [
        Target("mcap: bytes", _of_bytes(folder / "bytes", whole)),
        Target("mcap: content", _of_content(folder / "content")),
    ]


def _of_bytes(folder: Path, whole: dict[CompressionType, bytes]) -> Callable[[random.Random], None]:
    def case(rng: random.Random) -> None:
        _read(folder, flipped(rng, rng.choice(list(whole.values())), rng.choice((1, 1, 4, 30))))

    return case


def _of_content(folder: Path) -> Callable[[random.Random], None]:
    def case(rng: random.Random) -> None:
        _read(folder, _written(rng, CompressionType.NONE, changed=True))

    return case


def _read(folder: Path, content: bytes) -> None:
    folder.mkdir(exist_ok=True)
    path, out = folder / "a.mcap", folder / "out.npz"
    path.write_bytes(content)
    try:
        episode = Episode(path)
        assert all(isinstance(words, str) and "\n" not in words for words in episode.damage)
        shapes = export_npz(path, out, images=True)
        assert shapes["times"][0] <= MAX_ROWS
    finally:
        out.unlink(missing_ok=True)
        left = [other.name for other in folder.iterdir() if other != path]
        path.unlink()
        assert not left, f"left behind: {left}"


def _written(rng: random.Random, compression: CompressionType, *, changed: bool) -> bytes:
    """A small episode; where it is `changed`, some schemas, messages, stamps and metadata are others."""
    file, rare = BytesIO(), 0.02 if changed else 0.0
    writer = Writer(file, chunk_size=600, compression=compression)
    writer.start(profile="ros2")
    info = EpisodeInfo(1_700_000_000.0, "fuzz", config={"arm": {"max_velocity": 1.6}}).as_record()
    if rng.random() < 5 * rare:
        info[rng.choice(list(info))] = retyped(rng, json.dumps(info))
    writer.add_metadata(START_RECORD, info)
    channels = {}
    for topic, name in zip(("joint_states", "command/gripper", IMAGES), SCHEMAS, strict=True):
        text = retyped(rng, SCHEMAS[name]) if rng.random() < 5 * rare else SCHEMAS[name]
        encoding = "ros2msg" if rng.random() >= rare else rng.choice(("ros2idl", "", "protobuf"))
        schema = writer.register_schema(name, encoding, text.encode("utf-8", "replace"))
        channels[topic] = writer.register_channel(f"/{topic}", "cdr" if rng.random() >= rare else "x", schema)
    at_ns = T0_NS
    for k in range(30):
        at_ns += 20_000_000
        if rng.random() < rare:
            at_ns = min(max(0, at_ns + rng.choice((-(10**9), 10**9, 10**15, -(10**15), 10**18))), 2**63)
        topic, data = "joint_states", _joint_state(rng, at_ns, k, rare)
        if k % 10 == 3:
            topic, data = (
                "command/gripper",
                struct.pack("<d", rng.choice(NUMBERS) if rng.random() < 5 * rare else 0.03),
            )
        if k % 15 == 5:
            topic, data = IMAGES, _image(at_ns)
        if rng.random() < rare:
            data = flipped(rng, data, 6)
        writer.add_message(channels[topic], at_ns, b"\0\1\0\0" + data, at_ns, k)
    writer.add_metadata(END_RECORD, Outcome(True, 0.6).as_record())
    writer.finish()  # type: ignore[no-untyped-call]
    return file.getvalue()


def _joint_state(rng: random.Random, at_ns: int, k: int, rare: float) -> bytes:
    out = _Cdr()
    out.stamp(at_ns if rng.random() >= rare else rng.choice((0, 10**18, at_ns + 10**12)))
    out.text("")
    out.number("I", len(JOINT_NAMES))
    for name in JOINT_NAMES:
        out.text(name)
    out.number("I", len(JOINT_NAMES))
    for joint in range(len(JOINT_NAMES)):
        out.number("d", 0.01 * k * joint if rng.random() >= rare else rng.choice(NUMBERS))
    out.number("I", 0)
    out.number("I", 0)
    return bytes(out.data)


def _image(at_ns: int) -> bytes:
    out = _Cdr()
    out.stamp(at_ns)
    out.text("")
    out.text("jpeg")
    picture = cv2.imencode(".jpg", np.full((8, 8, 3), 90, np.uint8))[1].tobytes()
    out.number("I", len(picture))
    out.data += picture
    return bytes(out.data)


class _Cdr:
    """Writes CDR, little-endian: numbers stand at multiples of their size (OMG CORBA 3.3, part 2, 9.3)."""

    def __init__(self) -> None:
        self.data = bytearray()

    def number(self, kind: str, value: float) -> None:
        size = struct.calcsize(kind)
        self.data += bytes(-len(self.data) % size) + struct.pack(f"<{kind}", value)

    def text(self, value: str) -> None:
        content = value.encode() + b"\0"
        self.number("I", len(content))
        self.data += content

    def stamp(self, at_ns: int) -> None:
        self.number("i", min(at_ns // 10**9, 2**31 - 1))
        self.number("I", at_ns % 10**9)
