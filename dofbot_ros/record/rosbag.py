"""An episode as a bag of rosbag2: a folder with the MCAP file and the metadata.yaml that names what is in it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from mcap.reader import make_reader

from dofbot_ros.config.yaml_text import write_yaml
from dofbot_ros.core.files import write_whole
from dofbot_ros.errors import InputError
from dofbot_ros.record.reader import Episode

METADATA = "metadata.yaml"
VERSION = 9
"""Of rosbag2's metadata, as ROS 2 Jazzy writes it and later ones read it."""


def export_bag(path: Path, out: Path) -> dict[str, int]:
    """Put an episode into the folder `out` of its own, as `ros2 bag` wants it.

    The file is linked where the disk permits it, and copied elsewhere; it stays as it is.

    Args:
        path: the episode.
        out: folder to make.

    Returns:
        Messages by topic.

    Raises:
        InputError: no episode, one without its end, or `out` is there already.
    """
    if out.exists():
        raise InputError(f"{out} is there already: a bag is a folder of its own")
    episode = Episode(path)
    if not episode.finished:
        raise InputError(f"{path} has no end, and none can be written: a bag needs one")
    metadata = _metadata(path)
    out.mkdir(parents=True)
    try:
        os.link(path, out / path.name)
    except OSError:
        shutil.copyfile(path, out / path.name)
    write_whole(out / METADATA, write_yaml({"rosbag2_bagfile_information": metadata}))
    return {row["topic_metadata"]["name"]: row["message_count"] for row in metadata["topics_with_message_count"]}


def _metadata(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        summary = make_reader(file).get_summary()
    if summary is None or summary.statistics is None:
        raise InputError(f"{path} has no summary: `dofbot replay` or `dofbot export` of a .npz mends it")
    found = summary.statistics
    topics = [
        {
            "topic_metadata": {
                "name": channel.topic,
                "type": summary.schemas[channel.schema_id].name,
                "serialization_format": channel.message_encoding,
                "offered_qos_profiles": [],
                "type_description_hash": "",
            },
            "message_count": found.channel_message_counts.get(number, 0),
        }
        for number, channel in sorted(summary.channels.items(), key=lambda item: item[1].topic)
    ]
    begin = {"nanoseconds_since_epoch": found.message_start_time}
    duration = {"nanoseconds": found.message_end_time - found.message_start_time}
    return {
        "version": VERSION,
        "storage_identifier": "mcap",
        "duration": duration,
        "starting_time": begin,
        "message_count": found.message_count,
        "topics_with_message_count": topics,
        "compression_format": "",
        "compression_mode": "",
        "relative_file_paths": [path.name],
        "files": [
            {
                "path": path.name,
                "starting_time": dict(begin),
                "duration": dict(duration),
                "message_count": found.message_count,
            }
        ],
        "custom_data": None,
        "ros_distro": "",
    }
