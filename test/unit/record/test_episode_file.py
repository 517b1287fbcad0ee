"""Episodes as files: what goes in comes out, also when the file is cut, damaged or still being written."""

from __future__ import annotations

import io
import re
import time
from pathlib import Path

import pytest
from geometry_msgs.msg import PoseStamped
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcap.reader import make_reader
from mcap.writer import Writer

from dofbot_ros.errors import InputError
from dofbot_ros.record.episode import EpisodeWriter, RecordingError
from dofbot_ros.record.metadata import EpisodeInfo, Outcome
from dofbot_ros.record.reader import Episode

from .episodes import NEVER_S, T0, At, episode, image, put, state, text

INFO = EpisodeInfo(T0, "red block", "Ada", "arm1", {"arm": {"max_velocity": 1.6}, "image_hz": 10.0})


@pytest.fixture(scope="module")
def cut_in_pieces(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A file of ten chunks with ten numbered messages each, without its end."""
    writer = EpisodeWriter(tmp_path_factory.mktemp("pieces"), EpisodeInfo(T0), NEVER_S)
    for i in range(100):
        put(writer, text(0.01 * i, str(i)))
        if i % 10 == 9:
            writer.flush()
    content = writer.path.read_bytes()
    writer.discard()
    return content


def numbers(path: Path) -> list[int]:
    return [int(m.content.data) for m in Episode(path).messages("state")]


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    pose = PoseStamped()
    pose.pose.position.x = 0.2
    moments = [state(0.02 * i, [i, 0, 0, 0, 0, 1]) for i in range(50)]
    moments += [text(0.3, "HOLD"), At(0.5, "/command/pose", pose), image(0.7, b"\xff\xd8 not really")]
    path = episode(tmp_path, moments)
    found = Episode(path)
    assert found.finished
    assert found.counts == {"joint_states": 50, "state": 1, "command/pose": 1, "camera/image_raw/compressed": 1}
    assert found.types["command/pose"] == "geometry_msgs/msg/PoseStamped"
    assert found.start_s == pytest.approx(T0)
    assert found.duration_s == pytest.approx(0.98, abs=1e-6)
    assert [m.content.position[0] for m in found.messages("joint_states")] == list(range(50))
    (only,) = found.messages("command/pose")
    assert only.content.pose.position.x == 0.2
    assert only.received_s == pytest.approx(T0 + 0.5, abs=1e-6)
    (picture,) = found.messages("camera/image_raw/compressed")
    assert bytes(picture.content.data) == b"\xff\xd8 not really"


def test_label_operator_configuration_and_outcome_are_in_the_file(tmp_path: Path) -> None:
    writer = EpisodeWriter(tmp_path, INFO)
    put(writer, text(0.0, "IDLE", "/arm1/state"))
    put(writer, text(0.0, "other", "/arm2/state"))
    writer.finish(Outcome(False, 3.5))
    found = Episode(writer.path)
    assert found.info == INFO
    assert found.outcome == Outcome(False, 3.5)
    assert found.counts == {"state": 1, "/arm2/state": 1}
    assert re.fullmatch(r"\d{8}-\d{6}_red-block\.mcap", writer.path.name)


def test_other_programs_find_profile_index_and_schemas(tmp_path: Path) -> None:
    path = episode(tmp_path, [state(0.0, [0] * 6), text(0.1, "HOLD")])
    with path.open("rb") as file:
        reader = make_reader(file, validate_crcs=True)
        summary = reader.get_summary()
        assert reader.get_header().profile == "ros2"
        assert summary is not None
        assert summary.statistics is not None
        assert summary.statistics.message_count == 2
        assert {(s.name, s.encoding) for s in summary.schemas.values()} == {
            ("sensor_msgs/msg/JointState", "ros2msg"),
            ("std_msgs/msg/String", "ros2msg"),
        }
        assert {c.message_encoding for c in summary.channels.values()} == {"cdr"}
        assert len(list(reader.iter_messages("/state"))) == 1


def test_two_episodes_of_one_second_are_two_files(tmp_path: Path) -> None:
    paths = {episode(tmp_path, [], INFO) for _ in range(3)}
    assert len(paths) == 3


def test_a_discarded_episode_is_gone(tmp_path: Path) -> None:
    writer = EpisodeWriter(tmp_path, INFO)
    put(writer, text(0.0, "IDLE"))
    writer.discard()
    assert list(tmp_path.iterdir()) == []


def test_while_it_is_written_it_can_be_read_and_is_left_alone(tmp_path: Path) -> None:
    writer = EpisodeWriter(tmp_path, INFO, NEVER_S)
    put(writer, text(0.0, "1"))
    writer.flush()
    put(writer, text(0.1, "2"))
    early = Episode(writer.path)
    assert not early.finished
    assert [m.content.data for m in early.messages("/state")] == ["1"]
    writer.finish(Outcome(True, 0.1))
    assert [m.content.data for m in Episode(writer.path).messages("/state")] == ["1", "2"]


def test_what_is_written_gets_to_the_disk_by_itself(tmp_path: Path) -> None:
    writer = EpisodeWriter(tmp_path, EpisodeInfo(T0), flush_s=0.01)
    put(writer, text(0.0, "1"))
    while not Episode(writer.path).counts:  # the test's time limit ends this
        time.sleep(0.005)
    writer.discard()


def test_an_episode_without_its_end_gets_one(tmp_path: Path, cut_in_pieces: bytes) -> None:
    path = tmp_path / "cut.mcap"
    path.write_bytes(cut_in_pieces + b"\x06\x00\x01")
    found = Episode(path)
    assert found.finished
    assert found.outcome is None
    assert found.info == EpisodeInfo(T0)
    with path.open("rb") as file:
        summary = make_reader(file).get_summary()
    assert summary is not None
    assert summary.statistics is not None
    assert summary.statistics.message_count == 100
    assert [p.name for p in tmp_path.iterdir()] == ["cut.mcap"]


def test_one_that_is_damaged_in_the_middle_is_read_up_to_there_and_left_alone(
    tmp_path: Path, cut_in_pieces: bytes
) -> None:
    damaged = bytearray(cut_in_pieces)
    middle = cut_in_pieces.index(b"lz4", len(cut_in_pieces) // 2)
    damaged[middle + 60] ^= 1
    path = tmp_path / "damaged.mcap"
    path.write_bytes(damaged)
    assert not Episode(path).finished
    assert 0 < len(numbers(path)) < 100
    assert path.read_bytes() == damaged


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_wherever_it_is_cut_all_whole_chunks_are_read(
    tmp_path: Path, cut_in_pieces: bytes, data: st.DataObject
) -> None:
    length = data.draw(st.integers(8, len(cut_in_pieces)))
    garbage = data.draw(st.sampled_from([b"", bytes(500), b"\xff" * 500, cut_in_pieces[-400:-100]]))
    path = tmp_path / "cut.mcap"
    path.write_bytes(cut_in_pieces[:length])
    whole = numbers(path)
    assert whole == list(range(len(whole)))
    assert len(whole) >= 10 * int(10 * (length - 2000) / len(cut_in_pieces))
    path.write_bytes(cut_in_pieces[:length] + garbage)
    assert numbers(path)[: len(whole)] == whole


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_byte_loses_messages_but_invents_none(
    tmp_path: Path, cut_in_pieces: bytes, data: st.DataObject
) -> None:
    at = data.draw(st.integers(8, len(cut_in_pieces) - 1))
    damaged = bytearray(cut_in_pieces)
    damaged[at] ^= data.draw(st.integers(1, 255))
    path = tmp_path / "damaged.mcap"
    path.write_bytes(bytes(damaged))
    try:
        found = numbers(path)
    except InputError:
        return
    assert found == sorted(set(found) & set(range(100)))


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "cannot be read: No such file"), (b"", "is no MCAP file"), (b"\x89PNG\r\n\x1a\n" * 9, "is no MCAP file")],
)
def test_what_is_no_episode_is_said_in_one_line(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "x.mcap"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=says):
        Episode(path)


def test_messages_that_are_not_ros_messages_are_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    writer = Writer(buffer)
    writer.start()
    channel = writer.register_channel("/state", "json", writer.register_schema("state", "jsonschema", b"{}"))
    writer.add_message(channel, 1, b"{}", 1)
    writer.finish()
    path = tmp_path / "json.mcap"
    path.write_bytes(buffer.getvalue())
    with pytest.raises(InputError, match="json messages with jsonschema definition"):
        list(Episode(path).messages("state"))


@pytest.mark.parametrize("label", ["a/b", "x" * 101])
def test_a_label_that_makes_no_file_name_is_refused(label: str) -> None:
    with pytest.raises(InputError, match="part of a file name"):
        EpisodeInfo(T0, label)


def test_a_folder_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError, match=r"cannot be made|not a folder"):
        EpisodeWriter(tmp_path / "file", INFO)
    with pytest.raises(RecordingError, match="cannot be made"):
        EpisodeWriter(Path("/proc/episodes"), INFO)
