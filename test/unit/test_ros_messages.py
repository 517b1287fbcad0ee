"""The translations at the edge of ROS: times, images, poses, frames, parameters' descriptions."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("rclpy", reason="ROS 2 is not installed here")

import rclpy
from geometry_msgs.msg import Pose
from rclpy.context import Context
from rclpy.node import Node
from rclpy.parameter import Parameter
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, JointState
from std_msgs.msg import Header

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.arm.model import forward_chain, load_model
from dofbot_ros.core.clock import ManualClock
from dofbot_ros.core.resources import share_file
from dofbot_ros.core.types import JOINT_NAMES
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.driver.tool_goal import tool_goal
from dofbot_ros.errors import CommandRefusedError, ConfigError, InputError
from dofbot_ros.ros.arm.commands import Commands
from dofbot_ros.ros.arm.frames import moving_frames
from dofbot_ros.ros.camera.messages import camera_info, image_array, image_message, intrinsics_from
from dofbot_ros.ros.conversions.messages import (
    detections,
    from_time,
    joint_positions,
    joint_state,
    pose_matrix,
    pose_message,
    to_time,
)
from dofbot_ros.ros.conversions.stamps import Stamps
from dofbot_ros.ros.runtime.parameters import attributes, check_given, declare
from dofbot_ros.sim.config import load_world_config
from dofbot_ros.sim.rendering.camera import look_at
from dofbot_ros.vision.extrinsics import load_extrinsics
from dofbot_ros.vision.intrinsics import from_field_of_view

joints = st.tuples(*[st.floats(-1.5, 1.5)] * 4, st.floats(-1.5, 3.0), st.floats(0.0, 1.5)).map(np.array)


@given(st.floats(0.0, 4e9))
def test_a_time_survives_its_message(seconds: float) -> None:
    assert from_time(to_time(seconds)) == pytest.approx(seconds, abs=1e-6)


def test_all_joints_are_named_in_their_order() -> None:
    message = joint_state(to_time(1.0), np.arange(6.0), 0.1 * np.arange(6.0))
    assert list(message.name) == list(JOINT_NAMES)
    assert list(message.position) == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert list(message.velocity) == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4, 0.5])


def test_a_simulated_stamp_is_the_clocks_reading_and_zero_means_now() -> None:
    clock = ManualClock(12.5)
    stamps = Stamps(clock, simulated=True)
    assert from_time(stamps.to_ros(12.0)) == pytest.approx(12.0)
    assert stamps.to_arm(to_time(11.5)) == pytest.approx(11.5)
    assert stamps.to_arm(to_time(0.0)) == 12.5


def test_a_wall_stamp_keeps_its_age() -> None:
    clock = ManualClock(1000.0)
    stamps = Stamps(clock)
    assert stamps.to_arm(stamps.to_ros(999.9)) == pytest.approx(999.9, abs=0.02)


@pytest.mark.parametrize(("encoding", "channels"), [("rgb8", 3), ("bgr8", 3), ("rgba8", 4), ("bgra8", 4), ("mono8", 1)])
def test_images_of_every_encoding_become_rgb(encoding: str, channels: int) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    if channels == 1:
        rgb[:] = rgb[:, :, :1]
    stored = rgb[:, :, ::-1] if encoding.startswith("bgr") else rgb
    stored = np.concatenate([stored, np.full((4, 5, 1), 255, np.uint8)], axis=2)[
        :, :, : channels if channels != 1 else 1
    ]
    padded = np.zeros((4, 5 * channels + 3), np.uint8)
    padded[:, : 5 * channels] = stored.reshape(4, -1)
    message = Image(height=4, width=5, encoding=encoding, step=padded.shape[1], data=padded.tobytes())
    np.testing.assert_array_equal(image_array(message), rgb)


def test_an_rgb_image_survives_its_message() -> None:
    rgb = np.random.default_rng(1).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    np.testing.assert_array_equal(image_array(image_message(Header(), rgb[:, ::-1])), rgb[:, ::-1])


@pytest.mark.parametrize(
    "message",
    [
        Image(height=4, width=5, encoding="yuv422", step=10, data=bytes(40)),
        Image(height=4, width=5, encoding="rgb8", step=15, data=bytes(59)),
        Image(height=4, width=5, encoding="rgb8", step=14, data=bytes(60)),
        Image(height=0, width=5, encoding="rgb8", step=15, data=b""),
        Image(height=4, width=0, encoding="mono8", step=0, data=b""),
    ],
)
def test_an_image_that_cannot_be_read_is_refused(message: Image) -> None:
    with pytest.raises(InputError, match="image"):
        image_array(message)


def test_intrinsics_survive_their_message_and_an_uncalibrated_camera_is_refused() -> None:
    intrinsics = from_field_of_view(640, 480, 1.0)
    back = intrinsics_from(camera_info(Header(frame_id=intrinsics.frame), intrinsics))
    np.testing.assert_allclose(back.K, intrinsics.K)
    assert back.size == intrinsics.size
    with pytest.raises(InputError, match="camera_info_url"):
        intrinsics_from(CameraInfo(width=640, height=480))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"k": [500.0, 0, 0, 0, 500, 0, 319, 239, 1]}, "transposed"),
        ({"k": [500.0, 0, 319, 0, 500, 239, 0, 0, 0]}, "last row"),
        ({"k": [500.0, 0, float("nan"), 0, 500, 239, 0, 0, 1]}, "finite"),
        ({"k": [500.0, 0, 3190, 0, 500, 239, 0, 0, 1]}, "principal point"),
        ({"d": [0.1, float("inf"), 0, 0, 0]}, "plumb_bob has 5"),
        ({"d": [0.1] * 2000}, r"plumb_bob has 5 .{20,80} and more$"),
        ({"distortion_model": "equidistant"}, "equidistant has 4"),
        ({"width": 0}, "0x480"),
    ],
)
def test_a_camera_info_that_would_be_misread_is_refused(changes: dict[str, Any], message: str) -> None:
    info = camera_info(Header(), from_field_of_view(640, 480, 1.0))
    for name, value in changes.items():
        setattr(info, name, value)

    with pytest.raises(InputError, match=f"camera_info cannot be used: .*{message}"):
        intrinsics_from(info)


@pytest.mark.parametrize("d", [[], [0.1, 0.0, 0.0, 0.0], [0.1, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]])
def test_coefficients_that_drivers_leave_out_or_add_change_nothing(d: list[float]) -> None:
    info = camera_info(Header(), from_field_of_view(640, 480, 1.0))
    info.d = d
    assert intrinsics_from(info).distortion.tolist() == [*d[:1], 0.0, 0.0, 0.0, 0.0, 0.0][:5]


def test_rectified_images_have_the_projection_and_no_distortion() -> None:
    info = camera_info(Header(), from_field_of_view(640, 480, 1.0))
    info.d = [-0.3, 0.1, 0.0, 0.0, 0.0]
    info.p = [450.0, 0.0, 330.0, 0.0, 0.0, 450.0, 250.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    camera = intrinsics_from(info, rectified=True)
    assert (camera.K[0, 0], camera.K[0, 2], camera.distortion.any()) == (450.0, 330.0, False)


def test_a_compressed_image_becomes_rgb_too() -> None:
    rgb = np.full((4, 6, 3), (10, 200, 90), np.uint8)
    png = cv2.imencode(".png", rgb[:, :, ::-1])[1].tobytes()
    np.testing.assert_array_equal(image_array(CompressedImage(format="png", data=png)), rgb)


@pytest.mark.slow
@given(joints)
def test_the_frames_chained_are_the_forward_kinematics(q: np.ndarray) -> None:
    model = load_model()
    frames = {f.child_frame_id: f for f in moving_frames(model, to_time(0.0), q)}
    for joint in model.joints:
        if joint.kind == "fixed":
            continue
        frame = frames[joint.child]
        pose = Pose()
        t = frame.transform.translation
        pose.position.x, pose.position.y, pose.position.z = t.x, t.y, t.z
        pose.orientation = frame.transform.rotation
        expected = np.linalg.inv(forward_chain(model, q, joint.parent)) @ forward_chain(model, q, joint.child)
        np.testing.assert_allclose(pose_matrix(pose), expected, atol=1e-9)


@given(joints)
def test_a_reachable_pose_asks_for_its_own_pitch_and_roll(q: np.ndarray) -> None:
    arm = Kinematics()
    wanted = arm.forward(q[:5])
    if math.hypot(wanted.x, wanted.y) < 1e-3:
        return  # on the axis of joint 1 every plane is as good
    goal = tool_goal(pose_matrix(pose_message(arm.tool_transform(q[:5]))))
    reached = arm.tool_transform(arm.solve(goal, near=q[:5]))
    np.testing.assert_allclose(reached, arm.tool_transform(q[:5]), atol=1e-5)


def test_frames_of_two_arms_have_two_prefixes() -> None:
    for frame in moving_frames(load_model(), to_time(0.0), np.zeros(6), "left/"):
        assert frame.child_frame_id.startswith("left/")
        assert frame.header.frame_id.startswith("left/")


@pytest.mark.parametrize(
    ("simulated", "offset_s", "message"),
    [
        (False, -1.0, "1.00 s old, allowed are 0.2 s"),
        (False, 1.0, "1.00 s ahead, allowed are 0.1 s"),
        (True, 1.7e9, "simulated time: set use_sim_time"),
    ],
)
def test_a_stamp_is_refused_with_the_limit_that_it_breaks(simulated: bool, offset_s: float, message: str) -> None:
    clock = ManualClock(12.5)
    stamps = Stamps(clock, simulated)
    daemon = SimpleNamespace(config=DriverConfig())
    header = Header(stamp=to_time(from_time(stamps.to_ros(12.5)) + offset_s))
    with pytest.raises(CommandRefusedError, match=re.escape(message)):
        Commands(daemon, stamps, lambda _: np.eye(4))._recent(header)


def test_a_pose_with_a_hole_is_refused() -> None:
    pose = Pose()
    pose.position.x = math.nan
    with pytest.raises(InputError, match="finite"):
        pose_matrix(pose)
    empty = Pose()
    empty.orientation.w = 0.0
    with pytest.raises(InputError, match="quaternion"):
        pose_matrix(empty)


def test_descriptions_come_from_the_docstring() -> None:
    text = """Something.

    Attributes:
        one: the first,
            on two lines [m].
        two: the second: with a colon.

    Raises:
        three: not an attribute.
    """
    assert attributes(text) == {"one": "the first, on two lines [m].", "two": "the second: with a colon."}


def test_the_shipped_extrinsics_are_those_of_the_simulated_camera() -> None:
    camera = load_world_config().camera
    extrinsics = load_extrinsics(share_file("config", "sim_camera.yaml"))
    np.testing.assert_allclose(extrinsics.matrix, look_at(camera.position, camera.target, camera.up), atol=1e-9)
    assert (extrinsics.parent, extrinsics.frame) == ("base_link", "sim_camera_optical_frame")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_parameters_are_finite(value: float) -> None:
    @dataclass(frozen=True)
    class Limits:
        """Limits.

        Attributes:
            speed: [rad/s].
        """

        speed: float = 1.0

    context = Context()
    rclpy.init(args=[], context=context)
    node = Node("limits", context=context, parameter_overrides=[Parameter("speed", value=value)])
    try:
        with pytest.raises(ConfigError, match=f"parameters of limits: speed: expected a finite number, got {value}"):
            declare(node, Limits)
    finally:
        node.destroy_node()
        context.try_shutdown()


@pytest.mark.parametrize(("name", "nearest"), [("prot", "port"), ("baud_rate", "baudrate"), ("scene", "")])
def test_a_misspelt_parameter_is_refused_and_one_of_another_node_passed_over(name: str, nearest: str) -> None:
    context = Context()
    rclpy.init(args=[], context=context)
    node = Node("driver_node", context=context, parameter_overrides=[Parameter(name, value="bus")])
    try:
        declare(node, DriverConfig)
        if nearest:
            with pytest.raises(ConfigError, match=f"there is no {name}; did you mean {nearest}"):
                check_given(node)
        else:
            check_given(node)
    finally:
        node.destroy_node()
        context.try_shutdown()


def test_digits_are_a_fine_text() -> None:
    @dataclass(frozen=True)
    class Source:
        """Where from.

        Attributes:
            device: index or path.
        """

        device: str = "/dev/video0"

    context = Context()
    rclpy.init(args=[], context=context)
    node = Node("source", context=context, parameter_overrides=[Parameter("device", value=0)])
    try:
        assert declare(node, Source).device == "0"
    finally:
        node.destroy_node()
        context.try_shutdown()


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"stamp_s": 1}', '{"stamp_s": 1e400, "blocks": []}', '{"stamp_s": NaN, "blocks": []}',
     '{"stamp_s": 1, "blocks": [{"name": "red", "position": [0, 0, NaN], "quaternion": [0, 0, 0, 1]}]}',
     '{"stamp_s": 1, "blocks": [{"name": "red", "position": [0, 0, 0], "quaternion": [0, 0, 0, 0]}]}',
     "[" * 100_000],
)  # fmt: skip
def test_a_text_that_is_no_detection_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="blocks/detections is no detection"):
        detections(text)


def test_a_stamp_of_a_detection_is_a_number_whatever_it_was_written_as() -> None:
    assert detections('{"stamp_s": "12.5", "blocks": []}')["stamp_s"] == 12.5


def test_joint_states_tell_what_is_a_number_of_a_known_joint() -> None:
    message = JointState(name=["joint2", "wheel", "joint1", "joint3"], position=[0.2, 9.0, float("nan")])

    assert joint_positions(message) == [(1, 0.2)]
