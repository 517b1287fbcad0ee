"""An episode as a bag: its metadata say what the file holds, and the file is the episode's."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from dofbot_ros.errors import InputError
from dofbot_ros.record.episode import EpisodeWriter
from dofbot_ros.record.metadata import EpisodeInfo
from dofbot_ros.record.rosbag import METADATA, export_bag

from .episodes import NEVER_S, T0, episode, put, state, text


def test_the_metadata_name_what_is_in_the_file(tmp_path: Path) -> None:
    moments = [*(state(0.02 * i, [0.01 * i] * 6) for i in range(50)), text(0.3, "HOLD"), text(0.7, "ACTIVE")]
    path = episode(tmp_path / "episodes", moments)
    counts = export_bag(path, tmp_path / "bag")
    assert (tmp_path / "bag" / path.name).read_bytes() == path.read_bytes()
    told = yaml.safe_load((tmp_path / "bag" / METADATA).read_text())["rosbag2_bagfile_information"]
    assert told["storage_identifier"] == "mcap"
    assert told["message_count"] == 52 == sum(counts.values())
    assert told["starting_time"]["nanoseconds_since_epoch"] == pytest.approx(T0 * 1e9, abs=1000)
    assert told["duration"]["nanoseconds"] == pytest.approx(0.98e9, abs=1000)
    assert told["relative_file_paths"] == [path.name]
    topics = {row["topic_metadata"]["name"]: row for row in told["topics_with_message_count"]}
    assert topics["/state"]["message_count"] == 2
    assert topics["/state"]["topic_metadata"]["type"] == "std_msgs/msg/String"
    assert {row["topic_metadata"]["serialization_format"] for row in topics.values()} == {"cdr"}
    with pytest.raises(InputError, match="is there already"):
        export_bag(path, tmp_path / "bag")


def test_an_episode_that_has_no_end_gets_one_first(tmp_path: Path) -> None:
    writer = EpisodeWriter(tmp_path / "episodes", EpisodeInfo(T0), NEVER_S)
    for i in range(10):
        put(writer, text(0.1 * i, str(i)))
    writer.flush()
    cut = tmp_path / "cut.mcap"
    cut.write_bytes(writer.path.read_bytes())
    writer.discard()
    assert export_bag(cut, tmp_path / "bag") == {"/state": 10}


def test_what_is_no_episode_leaves_no_folder(tmp_path: Path) -> None:
    (tmp_path / "no.mcap").write_text("hello")
    with pytest.raises(InputError):
        export_bag(tmp_path / "no.mcap", tmp_path / "bag")
    assert not (tmp_path / "bag").exists()
