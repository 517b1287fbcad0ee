"""The interface of docs/ros_interface.md, held by driver_node over a serial bus and by sim_node alike."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from geometry_msgs.msg import PoseStamped, TwistStamped
from numpy.typing import ArrayLike
from rcl_interfaces.msg import SetParametersResult
from rcl_interfaces.srv import ListParameters, SetParameters
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.arm.robot import Robot
from dofbot_ros.config.loader import to_mapping
from dofbot_ros.core.types import JOINT_NAMES
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.driver.motion_events import EndCode, Event, MotionEvent
from dofbot_ros.errors import CommandRefusedError, UnreachableError
from dofbot_ros.motion.timed_path import retime
from dofbot_ros.motion.trajectory import MotionLimits
from dofbot_ros.ros.clients.driver_parameters import driver_parameters
from dofbot_ros.ros.conversions.messages import from_time, pose_message, to_time
from dofbot_ros.ros.runtime.graph import NAMELESS
from dofbot_ros.ros.runtime.qos import EVENTS

from .conftest import SOON_S, Arm

PUBLISHED = {
    "joint_states": "sensor_msgs/msg/JointState",
    "state": "std_msgs/msg/String",
    "motion_events": "std_msgs/msg/String",
    "diagnostics": "diagnostic_msgs/msg/DiagnosticArray",
    "robot_description": "std_msgs/msg/String",
}
SUBSCRIBED = {
    "command/joint_trajectory": "trajectory_msgs/msg/JointTrajectory",
    "command/joint_stream": "trajectory_msgs/msg/JointTrajectory",
    "command/pose": "geometry_msgs/msg/PoseStamped",
    "command/twist": "geometry_msgs/msg/TwistStamped",
    "command/gripper": "std_msgs/msg/Float64",
}
SERVICES = {
    **dict.fromkeys(("enable_torque", "freedrive"), "std_srvs/srv/SetBool"),
    **dict.fromkeys(("estop", "reset_estop", "clear_fault", "stop", "home", "park"), "std_srvs/srv/Trigger"),
}
LATCHED = {"state", "robot_description"}
PAUSE_S = 0.7
"""A stream that was stopped begins anew after more than engage_pause_s [s]."""
REACH_TOLERANCE = 0.03
"""Quantisation, backlash and sag of servos that have arrived [rad]."""


@pytest.fixture
def arm(running: Arm) -> Iterator[Arm]:
    """The arm at rest with torque, upright."""
    client = running.client
    if client.state == "ESTOP":
        client.trigger("reset_estop")
    client.switch("enable_torque", True)
    client.home()
    client.wait_until(lambda: client.state == "HOLD", SOON_S, "rest")
    yield running
    assert client.state != "FAULT", client.diagnostics["arm"]


def arrived(arm: Arm, goal: ArrayLike) -> None:
    """The servos follow their commands with a delay: wait until the joints named by `goal` (n,) [rad] are there."""
    q = np.asarray(goal)
    arm.client.wait_until(
        lambda: bool(np.all(np.abs(arm.client.position[: len(q)] - q) < REACH_TOLERANCE)), SOON_S, f"arm at {q}"
    )


def discovered(arm: Arm) -> None:
    """The graph is complete when the command topics, which are made last, and diagnostics are known."""
    node = arm.client.node
    deadline = time.monotonic() + SOON_S
    while time.monotonic() < deadline:
        heard = [node.get_subscriptions_info_by_topic(node.resolve_topic_name(name)) for name in SUBSCRIBED]
        said = [node.get_publishers_info_by_topic(node.resolve_topic_name(name)) for name in PUBLISHED]
        # A node's name arrives after its endpoints.
        if all(ends and all(end.node_name != NAMELESS for end in ends) for ends in [*heard, *said]):
            return
        time.sleep(0.05)


def test_topics_have_the_names_types_and_durability_of_the_table(running: Arm) -> None:
    node = running.client.node
    discovered(running)
    for name, kind in PUBLISHED.items():
        [info] = node.get_publishers_info_by_topic(node.resolve_topic_name(name))
        assert (info.topic_type, info.node_name) == (kind, running.name)
        assert (info.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL) == (name in LATCHED), name
    for name, kind in SUBSCRIBED.items():
        [info] = node.get_subscriptions_info_by_topic(node.resolve_topic_name(name))
        assert (info.topic_type, info.node_name) == (kind, running.name)


def test_services_have_the_names_and_types_of_the_table(running: Arm) -> None:
    node = running.client.node
    offered: dict[str, list[str]] = {}

    def all_discovered() -> bool:
        """Services become known one by one."""
        offered.update(node.get_service_names_and_types_by_node(running.name, node.get_namespace()))
        return {node.resolve_service_name(name) for name in SERVICES} <= set(offered)

    running.client.wait_until(all_discovered, SOON_S, "all services of the table")
    for name, kind in SERVICES.items():
        assert offered[node.resolve_service_name(name)] == [kind]


def test_every_setting_of_the_daemon_is_a_parameter(running: Arm) -> None:
    node = running.client.node
    client = node.create_client(ListParameters, f"{running.name}/list_parameters")
    assert client.wait_for_service(SOON_S)
    future = client.call_async(ListParameters.Request())
    running.client.wait_until(future.done, SOON_S, "the list of parameters")
    assert set(to_mapping(DriverConfig())) <= set(future.result().result.names)


def set_max_velocity(arm: Arm, value: float | str) -> SetParametersResult:
    """As `ros2 param set` does it."""
    parameter = Parameter("max_velocity", value=value).to_parameter_msg()
    service = f"{arm.name}/set_parameters"
    [result] = arm.client.call(SetParameters, service, SetParameters.Request(parameters=[parameter])).results
    return result


@pytest.fixture
def slow_or_fast(arm: Arm) -> Iterator[Arm]:
    """An arm whose max_velocity is as it was, afterwards."""
    yield arm
    assert set_max_velocity(arm, DriverConfig().max_velocity).successful


def test_the_velocity_limit_is_set_while_the_node_runs(slow_or_fast: Arm) -> None:
    client = slow_or_fast.client
    heard: list[str] = []
    qos = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    client.node.create_subscription(
        String, "robot_description", client.notify_after(lambda m: heard.append(m.data)), qos
    )
    quick = lambda: client.send_trajectory([0.8], [[0.5, 0.0, 0.0, 0.0, 0.0]], joints=JOINT_NAMES[:5])  # noqa: E731
    assert set_max_velocity(slow_or_fast, 0.5).successful
    with pytest.raises(CommandRefusedError, match=r"the limit is 0\.50"):
        client.execute("trajectory", quick)
    client.wait_until(lambda: 'velocity="0.5"' in "".join(heard[-1:]), SOON_S, "description with the new limit")
    assert set_max_velocity(slow_or_fast, 2).successful  # a whole number is a fine float
    client.execute("trajectory", quick)
    arrived(slow_or_fast, [0.5])


@pytest.mark.parametrize(
    ("value", "reason"),
    [(9.0, "max_velocity must be 0.01 to 3.4, got 9.0"), (0.0, "got 0.0"), ("fast", "expected float, got 'fast'")],
)
def test_a_velocity_limit_out_of_its_range_is_refused(arm: Arm, value: float | str, reason: str) -> None:
    result = set_max_velocity(arm, value)
    assert not result.successful
    assert reason in result.reason
    assert "\n" not in result.reason
    assert driver_parameters(arm.client, "max_velocity") == [DriverConfig().max_velocity]


def test_what_is_read_once_is_read_only(arm: Arm) -> None:
    request = SetParameters.Request(parameters=[Parameter("control_rate_hz", value=40.0).to_parameter_msg()])
    [result] = arm.client.call(SetParameters, f"{arm.name}/set_parameters", request).results
    assert "read-only" in result.reason


def test_a_late_subscriber_learns_state_and_description(running: Arm) -> None:
    client, heard = running.client, {}
    qos = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    for topic in LATCHED:
        client.node.create_subscription(
            String, topic, client.notify_after(lambda m, topic=topic: heard.update({topic: m.data})), qos
        )
    client.wait_until(lambda: set(heard) == LATCHED, SOON_S, "latched messages")
    assert heard["state"] == client.state
    assert '<robot name="' in heard["robot_description"]


def test_joint_states_come_at_their_rate_and_are_fresh(arm: Arm) -> None:
    client, heard = arm.client, []
    client.node.create_subscription(
        JointState, "joint_states", client.notify_after(lambda m: heard.append((time.time(), m))), 10
    )

    def in_time() -> bool:
        """The last hundred came at 50 Hz: a busy machine may hold emulated servos up for a while, but not for good."""
        stamps = [from_time(m.header.stamp) for _, m in heard[-100:]]
        return len(stamps) == 100 and abs(float(np.median(np.diff(stamps))) - 0.02) < 0.004

    client.wait_until(in_time, SOON_S, "hundred joint states at their rate")
    latest = heard[-100:]
    times = np.array([at for at, _ in latest])
    stamps = np.array([from_time(m.header.stamp) for _, m in latest])
    assert np.all(np.diff(stamps) > 0)
    assert np.median(times - stamps) < 0.05
    assert {tuple(m.name) for _, m in heard} == {tuple(JOINT_NAMES)}
    assert {(len(m.position), len(m.velocity)) for _, m in heard} == {(len(JOINT_NAMES),) * 2}


def test_a_trajectory_is_carried_out(arm: Arm) -> None:
    goal = [0.6, 0.4, 0.5, 0.3, -0.4, 1.0]
    half = [0.3, 0.2, 0.25, 0.15, -0.2, 0.5]
    arm.client.move([0.8, 1.6], [half, goal])
    arrived(arm, goal)


def test_joints_that_a_trajectory_does_not_name_stay(arm: Arm) -> None:
    arm.client.move([1.0], [[0.5]], joints=["joint1"])
    arrived(arm, [0.5, 0.0, 0.0, 0.0, 0.0])


def test_a_path_that_begins_beside_the_arm_is_followed_from_its_beginning(arm: Arm) -> None:
    limits = MotionLimits.of(Robot.calibrated(), 1.0, 4.0)
    path = retime(np.linspace(np.zeros(5), [0.4, 0.2, 0.0, 0.0, 0.0], 20), limits)
    arm.client.move_joints([0.0, 0.1, 0.0, 0.0, 0.0])
    arm.client.follow(path)
    arrived(arm, [0.4, 0.2, 0.0, 0.0, 0.0])
    with pytest.raises(CommandRefusedError, match="away from where joint1 is"):
        arm.client.follow(path)


def test_the_tool_goes_to_a_pose(arm: Arm) -> None:
    q = np.array([0.5, 0.5, 0.8, 0.9, 0.3])
    message = PoseStamped(pose=pose_message(Kinematics().tool_transform(q)))
    message.header.frame_id = "base_link"
    publisher = arm.client.node.create_publisher(PoseStamped, "command/pose", 1)
    arm.client.wait_until(lambda: publisher.get_subscription_count() == 1, SOON_S, "subscriber")
    arm.client.execute("pose", lambda: publisher.publish(message))
    arrived(arm, q)


def test_a_stream_is_followed_and_its_silence_halts_the_arm(arm: Arm) -> None:
    client = arm.client
    ends: list[MotionEvent] = []

    def note(message: String) -> None:
        event = MotionEvent.from_json(message.data)
        if event.event is Event.ENDED and event.kind == "stream":
            ends.append(event)

    client.node.create_subscription(String, "motion_events", client.notify_after(note), EVENTS)
    deadline = time.monotonic() + SOON_S
    while client.position[0] < 0.2:
        assert time.monotonic() < deadline, "the stream is not followed"
        time.sleep(PAUSE_S)  # a machine that stalls stops a stream, until it has paused
        for step in range(40):
            client.stream([0.01 * step, 0.0, 0.0, 0.0, 0.0, 0.0])
            time.sleep(0.02)  # the stream's own rhythm
    client.wait_until(lambda: bool(ends) and client.state == "HOLD", SOON_S, "rest after the last point")
    assert {end.code for end in ends} == {EndCode.STALE}
    before, deadline = len(ends), time.monotonic() + SOON_S
    while len(ends) == before:
        assert time.monotonic() < deadline, "a stream of one point does not end"
        client.stream([1.5, 0.0, 0.0, 0.0, 0.0, 0.0])
        time.sleep(2 * PAUSE_S)
    client.wait_until(lambda: client.state == "HOLD", SOON_S, "rest")
    assert client.position[0] < 1.0, "one point moves the arm for the timeout only"


def test_the_gripper_goes_to_a_gap(arm: Arm) -> None:
    assert not arm.client.gripper(0.03)
    assert abs(arm.client.position[5] - np.arccos(0.5)) < 0.05


def test_the_client_takes_the_tool_to_a_point(arm: Arm) -> None:
    arm.client.move_to(0.18, 0.06, 0.1)
    tool = Kinematics().forward(arm.client.position[:5])
    assert np.hypot(tool.x - 0.18, tool.y - 0.06) < 0.01
    assert abs(tool.z - 0.1) < 0.01
    with pytest.raises(UnreachableError, match="nearest reachable"):
        arm.client.move_to(0.9, 0.0, 0.1)


def test_who_waits_for_a_motion_learns_why_it_ended(arm: Arm) -> None:
    client = arm.client
    with ThreadPoolExecutor() as threads:
        moving = threads.submit(client.move, [3.0], [[1.0, 0.0, 0.0, 0.0, 0.0, 0.0]])
        client.wait_until(lambda: client.position[0] > 0.1, SOON_S, "motion")
        client.home()
        with pytest.raises(CommandRefusedError, match="replaced by the next command"):
            moving.result(SOON_S)
        moving = threads.submit(client.move, [3.0], [[1.0, 0.0, 0.0, 0.0, 0.0, 0.0]])
        client.wait_until(lambda: client.position[0] > 0.1, SOON_S, "motion")
        client.stop()
        with pytest.raises(CommandRefusedError, match="stopped"):
            moving.result(SOON_S)


def test_a_stop_between_two_motions_is_the_end_of_a_sequence(arm: Arm) -> None:
    client = arm.client
    with client.sequence():
        client.move([0.5], [[0.1]], ["joint1"])
        client.stop()
        with pytest.raises(CommandRefusedError, match="stopped"):
            client.move([2.0], [[0.8]], ["joint1"])
    client.wait_until(lambda: client.state == "HOLD", SOON_S, "rest")
    assert client.position[0] < 0.5, "a motion that began before the stop was told is stopped at once"
    client.home()


def test_an_emergency_stop_latches(arm: Arm) -> None:
    client = arm.client
    client.send_trajectory([3.0], [[1.2, 0.0, 0.0, 0.0, 0.0, 0.0]])
    client.wait_until(lambda: client.position[0] > 0.1, SOON_S, "motion")
    client.trigger("estop")
    client.wait_until(lambda: client.state == "ESTOP", SOON_S, "emergency stop")
    with pytest.raises(CommandRefusedError, match="reset_estop"):
        client.move([1.0], [[0.0] * 6])
    with pytest.raises(CommandRefusedError, match="ESTOP"):
        client.trigger("home")
    assert client.state == "ESTOP"
    client.trigger("reset_estop")
    client.wait_until(lambda: client.state == "HOLD", SOON_S, "rest")
    assert client.position[0] < 1.0
    with pytest.raises(CommandRefusedError, match="no emergency stop"):
        client.trigger("reset_estop")


def test_without_torque_commands_are_refused(arm: Arm) -> None:
    arm.client.switch("enable_torque", False)
    arm.client.wait_until(lambda: arm.client.state == "IDLE", SOON_S, "idle arm")
    with pytest.raises(CommandRefusedError, match="enable_torque"):
        arm.client.trigger("park")


def test_freedrive_lets_go_and_holds_again(arm: Arm) -> None:
    arm.client.switch("freedrive", True)
    arm.client.wait_until(lambda: arm.client.state == "IDLE", SOON_S, "idle arm")
    arm.client.switch("freedrive", False)
    arm.client.wait_until(lambda: arm.client.state == "HOLD", SOON_S, "rest")


def one_point(*positions: float, names: tuple[str, ...] = JOINT_NAMES, stamp_s: float = 0.0) -> JointTrajectory:
    message = JointTrajectory(joint_names=list(names), points=[JointTrajectoryPoint(positions=list(positions))])
    message.points[0].time_from_start.sec = 2
    message.header.stamp = to_time(stamp_s)
    return message


def in_frame(message: PoseStamped | TwistStamped, frame: str) -> PoseStamped | TwistStamped:
    message.header.frame_id = frame
    return message


@pytest.mark.parametrize(
    ("kind", "message", "reason"),
    [
        ("trajectory", one_point(0.1, names=("joint9",)), "joint9"),
        ("trajectory", one_point(0.1, 0.2, names=("joint1",)), "2 positions for 1"),
        ("trajectory", one_point(2.5, 0, 0, 0, 0, 0), "joint1"),
        ("trajectory", one_point(float("nan"), 0, 0, 0, 0, 0), "finite"),
        ("trajectory", JointTrajectory(joint_names=["joint1"]), "without points"),
        ("trajectory", one_point(0, 0, 0, 0, 0, 0, stamp_s=1.0), "old"),
        ("stream", one_point(0, 0, 0, 0, 0, 0, stamp_s=time.time() + 3600), "ahead"),
        ("pose", in_frame(PoseStamped(), "shelf"), "frame 'shelf'.*base_link"),
        ("pose", in_frame(PoseStamped(), "base_link"), "nearest reachable"),
        ("twist", in_frame(TwistStamped(), ""), "frame ''.*base_link"),
    ],
)
def test_a_command_that_does_not_fit_is_refused_with_its_reason(
    arm: Arm, kind: str, message: object, reason: str
) -> None:
    topic = {"trajectory": "joint_trajectory", "stream": "joint_stream"}.get(kind, kind)
    publisher = arm.client.node.create_publisher(type(message), f"command/{topic}", 1)
    arm.client.wait_until(lambda: publisher.get_subscription_count() == 1, SOON_S, "subscriber")
    with pytest.raises(CommandRefusedError, match=reason):
        arm.client.execute(kind, lambda: publisher.publish(message))
    assert arm.client.state == "HOLD"


def test_a_gap_that_the_gripper_does_not_have_is_refused(arm: Arm) -> None:
    with pytest.raises(CommandRefusedError, match=r"0\.06"):
        arm.client.gripper(0.5)
