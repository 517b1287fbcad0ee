"""Message definitions: complete, and as MCAP readers expect them."""

from __future__ import annotations

import pytest
from mcap.records import Schema
from mcap_ros2.decoder import DecoderFactory

pytest.importorskip("rclpy", reason="ROS brings the message definitions")

from rclpy.serialization import serialize_message
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from dofbot_ros.errors import InputError
from dofbot_ros.record.schema import complete_definition, field_types
from dofbot_ros.record.topics import chosen_topics, default_topics

TEXTS = {
    "a/msg/Outer": "# b/NotThis\nInner[] inner  # b/NorThis\nb/Leaf[<=3] leaves\nstring<=5 name\nuint8 RED=1",
    "a/msg/Inner": "b/Leaf leaf\nfloat64[9] values\nOuter[] again\n",
    "b/msg/Leaf": "bool yes\n\nwstring DEFAULT='b/Text'\n",
}


def test_types_are_found_among_arrays_bounds_constants_and_comments():
    assert field_types("a/msg/Outer", TEXTS) == ["a/msg/Inner", "b/msg/Leaf"]
    assert field_types("b/msg/Leaf", TEXTS) == []


def test_each_inner_type_is_there_once_behind_its_separator():
    text = complete_definition("a/msg/Outer", TEXTS.__getitem__)
    first, *others = text.split("=" * 80 + "\n")
    assert first.strip() == TEXTS["a/msg/Outer"]
    assert sorted(part.split("\n", 1)[0] for part in others) == ["MSG: a/Inner", "MSG: b/Leaf"]


@pytest.mark.parametrize("topic", default_topics(10.0), ids=lambda topic: topic.name)
def test_every_recorded_type_can_be_decoded(topic):
    schema = Schema(1, complete_definition(topic.type_name).encode(), "ros2msg", topic.type_name)
    assert DecoderFactory().decoder_for("cdr", schema) is not None


def test_nested_fields_come_out_as_they_went_in():
    name = "trajectory_msgs/msg/JointTrajectory"
    decode = DecoderFactory().decoder_for("cdr", Schema(1, complete_definition(name).encode(), "ros2msg", name))
    message = JointTrajectory(joint_names=["joint1"], points=[JointTrajectoryPoint(positions=[0.5])])
    message.points[0].time_from_start.nanosec = 7
    decoded = decode(serialize_message(message))
    assert decoded.joint_names == ["joint1"]
    assert list(decoded.points[0].positions) == [0.5]
    assert decoded.points[0].time_from_start.nanosec == 7


def test_a_type_that_is_not_installed_is_named():
    with pytest.raises(InputError, match="no definition of nowhere/msg/Nothing"):
        complete_definition("nowhere/msg/Nothing")


def test_topics_that_are_named_replace_the_usual_ones_and_keep_their_types():
    chosen = chosen_topics(["joint_states", "/extra", "joint_states"], 10.0)
    assert [(topic.name, topic.type_name) for topic in chosen] == [
        ("joint_states", "sensor_msgs/msg/JointState"),
        ("/extra", ""),
    ]
    assert chosen_topics([], 10.0) == default_topics(10.0)
