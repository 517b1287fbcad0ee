"""What may befall an episode that is recorded, repaired or read: nothing is lost in silence, no memory is eaten."""

from __future__ import annotations

import os
import shutil
import struct
from pathlib import Path

import lz4.frame
import numpy as np
import pytest
from mcap.records import Chunk, Metadata
from mcap.stream_reader import StreamReader
from mcap.writer import CompressionType, Writer

from dofbot_ros.bench.fuzz.memory import PeakMemory
from dofbot_ros.errors import InputError
from dofbot_ros.record.episode import EpisodeWriter, RecordingError
from dofbot_ros.record.export import export_npz
from dofbot_ros.record.metadata import STEP_RECORD, EpisodeInfo, Outcome
from dofbot_ros.record.motion import RecordedMotion
from dofbot_ros.record.reader import Episode
from dofbot_ros.record.scan import records
from dofbot_ros.record.steady import ClockStep, SteadyUnixTime

from .episodes import NEVER_S, T0, episode, image, put, state, stream, text, trajectory

MONTH_S = 30 * 86400.0
UPRIGHT = [0.0] * 6


class Clocks:
    """A system clock that can be set, and a steady one."""

    def __init__(self) -> None:
        self.steady_s, self.offset_s = 500.0, T0

    def unix_ns(self) -> int:
        return round((self.steady_s + self.offset_s) * 1e9)

    def steady_ns(self) -> int:
        return round(self.steady_s * 1e9)


# -- the clock is set while it is recorded ----------------------------------------------------------------------------


@pytest.mark.parametrize("step_s", [MONTH_S, -3600.0, 0.5])
def test_arrivals_are_stamped_evenly_whatever_the_system_clock_does(step_s: float) -> None:
    clocks = Clocks()
    clock = SteadyUnixTime(clocks.unix_ns, clocks.steady_ns)
    stamps, steps = [], []
    for i in range(100):
        clocks.steady_s += 0.02
        if i == 50:
            clocks.offset_s += step_s
        stamps.append(clock.now_ns())
        steps.append(clock.step())

    np.testing.assert_allclose(np.diff(stamps), 2e7, atol=1e3)
    assert stamps[0] == pytest.approx((T0 + 500.02) * 1e9)
    (found,) = [step for step in steps if step]
    assert found.step_s == pytest.approx(step_s, abs=1e-3)
    assert found.at_s == pytest.approx(stamps[50] * 1e-9, abs=1e-3)


def test_a_clock_that_is_slewed_was_not_set() -> None:
    clocks = Clocks()
    clock = SteadyUnixTime(clocks.unix_ns, clocks.steady_ns)
    for passed_s in [0.02] * 1000 + [3600.0]:
        clocks.steady_s += passed_s
        clocks.offset_s += 5e-4 * passed_s
        assert clock.step() is None


def test_that_the_clock_was_set_is_in_the_file(tmp_path: Path) -> None:
    writer = EpisodeWriter(tmp_path, EpisodeInfo(T0), NEVER_S)
    put(writer, text(0.0, "before"))
    writer.note(ClockStep(T0 + 1.0, MONTH_S))
    put(writer, text(2.0, "after"))
    writer.finish(Outcome(None, 2.0))

    assert str(writer.clock_steps[0]) == "the system clock was set 2592000.0 s forward"
    with writer.path.open("rb") as file:
        (noted,) = [r for r in records(file) if isinstance(r, Metadata) and r.name == STEP_RECORD]
    assert noted.metadata == {"at_s": repr(T0 + 1.0), "step_s": repr(MONTH_S)}
    assert [m.content.data for m in Episode(writer.path).messages("state")] == ["before", "after"]


@pytest.mark.parametrize("step_s", [MONTH_S, -3600.0])
def test_stamps_inside_messages_that_jump_leave_the_motion_as_it_was(tmp_path: Path, step_s: float) -> None:
    times = 0.02 * np.arange(100)
    path = episode(
        tmp_path, [state(t, [0.1 * t, *UPRIGHT[1:]], clock_s=T0 + (step_s if t >= 1.0 else 0.0)) for t in times]
    )

    motion = RecordedMotion(Episode(path))

    assert motion.duration_s == pytest.approx(1.98, abs=1e-3)
    np.testing.assert_allclose(motion.measured(times)[:, 0], 0.1 * times, atol=1e-4)


# -- export is bounded whatever the stamps ----------------------------------------------------------------------------


def test_arrivals_that_jump_by_a_month_are_said_and_cost_no_memory(tmp_path: Path) -> None:
    path = episode(tmp_path, [state(0.0, UPRIGHT), state(0.02, UPRIGHT), state(MONTH_S, UPRIGHT)])

    memory = PeakMemory()
    with pytest.raises(InputError, match=r"span 720\.0 h, a motion has at most 4: was the clock set"):
        export_npz(path, tmp_path / "out.npz")
    assert memory.grown_mb() < 100
    assert not (tmp_path / "out.npz").exists()


def test_a_trajectory_that_never_ends_is_cut(tmp_path: Path) -> None:
    path = episode(tmp_path, [state(0.0, UPRIGHT), trajectory(0.1, [2.0**31 - 1], [[0.5] * 5]), state(0.2, UPRIGHT)])

    assert export_npz(path, tmp_path / "out.npz")["times"][0] <= 600 / 0.02 + 20


@pytest.mark.slow
def test_images_pass_through_memory_one_by_one(tmp_path: Path) -> None:
    import cv2

    picture = cv2.imencode(".jpg", np.full((720, 1280, 3), 90, np.uint8))[1].tobytes()
    path = episode(
        tmp_path, [state(0.0, UPRIGHT), *(image(0.01 * k, picture) for k in range(100)), state(1.0, UPRIGHT)]
    )

    memory = PeakMemory()
    shapes = export_npz(path, tmp_path / "out.npz", images=True)
    assert shapes["images"] == (100, 720, 1280, 3)
    assert memory.grown_mb() < 100  # the images have 276 MB
    with np.load(tmp_path / "out.npz") as data:
        assert data["image_times"].shape == (100,)
        assert data["images"].shape == (100, 720, 1280, 3)


# -- the disk, and what others do to the file -------------------------------------------------------------------------


@pytest.mark.parametrize("gone", ["folder", "file", "replaced", "moved"])
def test_a_file_that_is_gone_is_not_called_kept(tmp_path: Path, gone: str) -> None:
    writer = EpisodeWriter(tmp_path / "episodes", EpisodeInfo(T0), NEVER_S)
    put(writer, text(0.0, "1"))
    if gone == "folder":
        shutil.rmtree(tmp_path / "episodes")
    elif gone == "moved":
        writer.path.rename(tmp_path / "elsewhere.mcap")
    else:
        writer.path.unlink()
    if gone == "replaced":
        writer.path.write_text("somebody else's")

    with pytest.raises(RecordingError, match="was deleted or replaced while it was recorded: the episode is lost"):
        writer.finish(Outcome(True, 1.0))
    writer.discard()
    assert gone != "replaced" or writer.path.read_text() == "somebody else's"


def test_a_file_that_is_gone_is_noticed_while_it_is_recorded(tmp_path: Path) -> None:
    writer = EpisodeWriter(tmp_path, EpisodeInfo(T0), flush_s=0.01)
    writer.path.unlink()
    writer._flusher.join(10.0)

    with pytest.raises(RecordingError, match="was deleted or replaced"):
        put(writer, text(0.0, "1"))
    writer.discard()


def unfinished(path: Path) -> bytes:
    """What a recorder that was killed leaves."""
    writer = EpisodeWriter(path.parent / "unfinished", EpisodeInfo(T0), NEVER_S)
    put(writer, text(0.0, "1"))
    writer.flush()
    content = writer.path.read_bytes()
    writer.discard()
    path.write_bytes(content)
    return content


@pytest.mark.parametrize("name", ["cut.mcap.part", ".cut.mcap.part"])
def test_repair_writes_through_no_link_that_lies_in_its_way(tmp_path: Path, name: str) -> None:
    unfinished(tmp_path / "cut.mcap")
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (tmp_path / name).symlink_to(precious)

    assert Episode(tmp_path / "cut.mcap").finished
    assert precious.read_text() == "precious"


def test_repair_leaves_the_target_of_a_link_alone(tmp_path: Path) -> None:
    content = unfinished(tmp_path / "target.mcap")
    link = tmp_path / "link.mcap"
    link.symlink_to(tmp_path / "target.mcap")

    found = Episode(link)
    assert not found.finished
    assert [m.content.data for m in found.messages("state")] == ["1"]
    assert link.is_symlink()
    assert (tmp_path / "target.mcap").read_bytes() == content


def test_a_repaired_file_keeps_its_permissions(tmp_path: Path) -> None:
    unfinished(tmp_path / "cut.mcap")
    (tmp_path / "cut.mcap").chmod(0o640)

    assert Episode(tmp_path / "cut.mcap").finished
    assert os.stat(tmp_path / "cut.mcap").st_mode & 0o777 == 0o640
    assert [p.name for p in tmp_path.glob("*cut*")] == ["cut.mcap"]


# -- damage -----------------------------------------------------------------------------------------------------------


def in_pieces(folder: Path) -> Path:
    """A finished episode of ten chunks with ten numbered messages each."""
    writer = EpisodeWriter(folder, EpisodeInfo(T0), NEVER_S)
    for i in range(100):
        put(writer, text(0.01 * i, str(i)))
        if i % 10 == 9:
            writer.flush()
    writer.finish(Outcome(True, 1.0))
    return writer.path


def test_a_damaged_chunk_costs_its_own_messages_and_is_said(tmp_path: Path) -> None:
    path = in_pieces(tmp_path)
    content = bytearray(path.read_bytes())
    at = -1
    for _ in range(4):
        at = content.index(b"lz4", at + 1)
    content[at + 60] ^= 1
    path.write_bytes(content)

    found = Episode(path)
    assert [int(m.content.data) for m in found.messages("state")] == [*range(30), *range(40, 100)]
    (words,) = found.damage
    assert "has a damaged chunk at byte" in words
    assert found.outcome == Outcome(True, 1.0)


def test_a_damaged_length_is_said(tmp_path: Path) -> None:
    path = in_pieces(tmp_path)
    content = bytearray(path.read_bytes())
    at = content.index(b"lz4", len(content) // 3)
    content[at - 40 + 5] ^= 0x40  # of the length of the chunk's record
    path.write_bytes(content)

    found = Episode(path)
    assert 0 < sum(found.counts.values()) < 100
    assert any("cannot be read from byte" in words for words in found.damage)


def chunk_records(path: Path) -> list[Chunk]:
    with path.open("rb") as file:
        return [r for r in StreamReader(file, emit_chunks=True).records if isinstance(r, Chunk)]


@pytest.mark.parametrize("compression", ["lz4", "zstd"])
def test_a_chunk_that_unpacks_to_gigabytes_is_passed_over(tmp_path: Path, compression: str) -> None:
    import zstandard

    path = episode(tmp_path, [text(0.0, "1")])
    (chunk,) = chunk_records(path)
    content = path.read_bytes()
    zeros = bytes(2**26)
    bomb = (
        b"".join([lz4.frame.compress(zeros)])
        if compression == "lz4"
        else zstandard.ZstdCompressor().compress(zeros * 8)
    )
    name = compression.encode()
    new = struct.pack("<QQQII", 0, 0, 1000, 0, len(name)) + name + struct.pack("<Q", len(bomb)) + bomb
    record = b"\x06" + struct.pack("<Q", len(new)) + new
    start = content.index(b"\x06" + struct.pack("<Q", len(chunk.data) + 43))
    path.write_bytes(content[:start] + record + content[start:])

    memory = PeakMemory()
    found = Episode(path)
    assert memory.grown_mb() < 100
    assert [m.content.data for m in found.messages("state")] == ["1"]
    assert len(found.damage) == 1


def with_schema(path: Path, name: str, schema: str, data: bytes, topic: str = "/joint_states") -> Path:
    with path.open("wb") as file:
        writer = Writer(file, compression=CompressionType.NONE)
        writer.start(profile="ros2")
        channel = writer.register_channel(
            topic, "cdr", writer.register_schema(name, "ros2msg", schema.encode("latin-1"))
        )
        writer.add_message(channel, round(T0 * 1e9), b"\0\1\0\0" + data, round(T0 * 1e9))
        writer.finish()
    return path


@pytest.mark.parametrize(
    "schema",
    [
        "\xff\xfe",
        "float64 1x",
        "Foo x",
        "float64[] positioN",
        "a/B/C/D x",
        "float64 x=nan",
        "string<=x y",
        "\0",
        "T x",
        "",
    ],
)
def test_a_definition_that_is_damaged_is_one_line(tmp_path: Path, schema: str) -> None:
    path = with_schema(tmp_path / "a.mcap", "sensor_msgs/msg/T", schema, bytes(64))

    with pytest.raises(InputError, match=r"a\.mcap") as caught:
        export_npz(path, tmp_path / "out.npz")
    assert "\n" not in str(caught.value)


def test_names_out_of_a_file_stay_on_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.mcap"
    with path.open("wb") as file:
        writer = Writer(file, compression=CompressionType.NONE)
        writer.start(profile="ros2")
        channel = writer.register_channel("/joint_states", "a\nb" * 300, writer.register_schema("x", "y\n" * 300, b""))
        writer.add_message(channel, round(T0 * 1e9), bytes(8), round(T0 * 1e9))
        writer.finish()

    with pytest.raises(InputError, match=r"joint_states holds a ba b.* definition") as caught:
        RecordedMotion(Episode(path))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < len(str(path)) + 400


def test_a_stream_whose_numbers_are_texts_is_one_line(tmp_path: Path) -> None:
    path = with_schema(
        tmp_path / "a.mcap", "sensor_msgs/msg/JointState", "string[] name\nstring[] position",
        struct.pack("<II7sxII2s", 1, 7, b"joint1\0", 1, 2, b"x\0"),
    )  # fmt: skip

    with pytest.raises(InputError, match="joint states or commands are not of the type that their topics have"):
        RecordedMotion(Episode(path))


def test_stream_points_without_names_say_nothing(tmp_path: Path) -> None:
    path = episode(tmp_path, [state(0.0, UPRIGHT), stream(0.1, [0.1] * 5, names=[]), state(0.2, UPRIGHT)])

    assert not RecordedMotion(Episode(path)).told([0.1]).any()
