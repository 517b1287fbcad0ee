"""teleop_node over real DDS with the simulated arm: engage, follow, hold, recenter, and every reason not to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from itertools import count
from pathlib import Path

import cv2
import numpy as np
import pytest
from sensor_msgs.msg import Image
from std_msgs.msg import Bool, String

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.arm.robot import load_robot
from dofbot_ros.errors import CommandRefusedError
from dofbot_ros.ros.camera.messages import image_array
from dofbot_ros.ros.clients.arm_client import background_client
from dofbot_ros.ros.runtime.qos import LATCHED, NEWEST_IMAGE, STREAM
from dofbot_ros.ros.teleop.client import TeleopClient
from dofbot_ros.safety.workspace import Workspace
from dofbot_ros.supervisor import ProcessGroup
from dofbot_ros.teleop.input.landmarks import Observation
from dofbot_ros.teleop.input.observation_stream import ENDED
from dofbot_ros.teleop.input.recording import load_observations, save_observations
from dofbot_ros.teleop.retargeting.clutch import Reason
from dofbot_ros.teleop.sessions.report import TeleopReport, landmarks_from_json

from .conftest import READY_S, SOON_S, Arm, StartArm, node_command, pose_at_rest

RECORDED = Path(__file__).resolve().parents[1] / "unit" / "teleop" / "data" / "hand_video.npz"
FPS = 30.0

Operate = Callable[..., TeleopClient]


@pytest.fixture(scope="module")
def arm(start_arm: StartArm) -> Arm:
    """The simulated arm in a bent pose."""
    started = start_arm("sim_node")
    started.client.switch("enable_torque", True)
    with background_client(TeleopClient, "to_start", started.client.node.get_namespace()) as client:
        client.wait_connected(READY_S)
        client.go_to_start(load_robot())
    return started


@pytest.fixture
def operate(arm: Arm) -> Iterator[Operate]:
    """Start teleop_node beside the arm, or in another namespace, and return a client of both."""
    with ExitStack() as running:

        def start(namespace: str = "", **parameters: object) -> TeleopClient:
            place = namespace or arm.client.node.get_namespace().strip("/")
            group = running.enter_context(ProcessGroup([node_command("teleop_node", place, **parameters)]))
            client = running.enter_context(background_client(TeleopClient, "teleop_client", place))
            group.wait_ready(READY_S)
            if not namespace:
                client.wait_connected(READY_S)
            client.wait_until(lambda: client.report is not None, READY_S, "teleop/status")
            return client

        yield start


def recording(file: Path, *pieces: tuple[float, bool]) -> Path:
    """The recorded hand, piece by piece: seconds, and whether it is in view."""
    seen, out = load_observations(RECORDED), []
    for seconds, there in pieces:
        for _ in range(round(seconds * FPS)):
            shown = seen[len(out) % len(seen)]
            stamp_s = len(out) / FPS
            out.append(replace(shown, stamp_s=stamp_s) if there else Observation(stamp_s, shown.width, shown.height))
    save_observations(out, file)
    return file


def told(client: TeleopClient) -> TeleopReport:
    assert client.report is not None
    return client.report


def engaged_until(client: TeleopClient, done: Callable[[], bool], what: str) -> None:
    """Keep the arm engaged until `done`: a machine that stalls for 0.15 s makes the clutch let go, as it should."""

    deadline = time.monotonic() + READY_S
    while True:
        assert time.monotonic() < deadline, f"no {what}: {client.report}"
        client.wait_until(lambda: done() or (not told(client).engaged and told(client).fault == ""), READY_S, what)
        if done():
            return
        with suppress(CommandRefusedError):
            client.switch("teleop/engage", True)


def to_start(client: TeleopClient) -> None:
    """Go to the start pose once teleop_node's lease has run out: its last goals may be on their way when it lets go."""
    deadline = time.monotonic() + READY_S
    while True:
        assert time.monotonic() < deadline, "the arm is never free"
        with suppress(CommandRefusedError):
            return client.go_to_start(load_robot())


def refused(client: TeleopClient, match: str) -> None:
    """See engaging refused with `match`; when it succeeds, let go and ask again."""
    deadline = time.monotonic() + READY_S
    message = ""
    while match not in message:
        assert time.monotonic() < deadline, f"engaging was never refused with {match!r}, but with {message!r}"
        try:
            client.switch("teleop/engage", True)
            client.switch("teleop/engage", False)
        except CommandRefusedError as error:
            message = str(error)


def test_the_arm_follows_from_engaging_to_the_loss_of_the_hand(operate: Operate, tmp_path: Path) -> None:
    client = operate(source=recording(tmp_path / "hand.npz", *[(8.0, True), (4.0, False)] * 10))
    hands: list[float] = []
    engaged: list[bool] = []
    overlays: list[Image] = []

    def on_landmarks(message: String) -> None:
        seen = landmarks_from_json(message.data)
        if seen.hand is not None:
            hands.append(seen.stamp_s)

    node = client.node
    node.create_subscription(String, "teleop/landmarks", client.notify_after(on_landmarks), STREAM)
    node.create_subscription(Bool, "teleop/engaged", client.notify_after(lambda m: engaged.append(m.data)), LATCHED)
    node.create_subscription(Image, "teleop/overlay", client.notify_after(overlays.append), NEWEST_IMAGE)
    before = pose_at_rest(client)
    engaged_until(client, lambda: told(client).engaged and client.state == "ACTIVE", "arm that follows")
    engaged_until(client, lambda: float(np.abs(client.position - before).max()) > 0.05, "motion")
    client.wait_until(lambda: bool(overlays) and bool(hands), SOON_S, "overlay and landmarks")
    assert image_array(overlays[-1]).shape == (360, 640, 3)
    engaged_until(client, lambda: told(client).reason == Reason.HAND_LOST.value, "loss of the hand")
    client.wait_until(lambda: client.state == "HOLD" and not told(client).engaged, SOON_S, "arm at rest")
    assert True in engaged
    refused(client, Reason.HAND_LOST.value)
    with pytest.raises(CommandRefusedError, match="not engaged: there is nothing to recenter"):
        client.trigger("teleop/recenter")


def test_a_present_hand_can_be_taken_as_the_present_arm(operate: Operate, tmp_path: Path) -> None:
    client = operate(source=recording(tmp_path / "hand.npz", (90.0, True)))
    deadline = time.monotonic() + READY_S
    while True:
        engaged_until(client, lambda: told(client).engaged, "arm that follows")
        try:
            client.trigger("teleop/recenter")
            return
        except CommandRefusedError:
            assert time.monotonic() < deadline, f"never recentred: {client.report}"


def test_an_emergency_stop_lets_go_and_keeps_from_engaging(operate: Operate, arm: Arm, tmp_path: Path) -> None:
    client = operate(source=recording(tmp_path / "hand.npz", (90.0, True)))
    engaged_until(client, lambda: told(client).engaged, "arm that follows")
    client.trigger("estop")
    try:
        client.wait_until(lambda: not told(client).engaged and told(client).arm == "ESTOP", SOON_S, "release")
        client.wait_until(lambda: told(client).fault == "arm not ready: its state is ESTOP", SOON_S, "fault")
        refused(client, "arm not ready: its state is ESTOP")
    finally:
        client.trigger("reset_estop")
    arm.client.wait_until(lambda: arm.client.state == "HOLD", SOON_S, "arm at rest")


def test_a_gamepad_gives_the_arm_torque_and_moves_the_tool(operate: Operate) -> None:
    client = operate(source="joy")

    def press(held: int, sideways: float, done: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + READY_S
        for turn in count():
            if done():
                return
            assert time.monotonic() < deadline, f"no {what}: {client.report}"
            # A machine that stalls makes the clutch let go, and only a button pressed anew engages it again.
            again = turn % 20 < 4 and not told(client).engaged
            client.joy([sideways, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0 if again else held])
            time.sleep(0.03)

    client.switch("enable_torque", True)
    client.home()
    press(0, 0.0, lambda: told(client).fault == "", "pad that has been heard for a while")
    # Only now: without torque the arm sinks, and one that lies on the table is not engaged.
    client.switch("enable_torque", False)
    press(0, 0.0, lambda: client.state == "IDLE", "arm without torque")
    press(1, 0.0, lambda: told(client).engaged and client.state == "ACTIVE", "torque")
    press(0, 0.0, lambda: not told(client).engaged and client.state == "HOLD", "arm at rest")
    to_start(client)
    before = pose_at_rest(client)
    press(1, 1.0, lambda: float(client.position[0] - before[0]) > 0.1, "turn to the left")
    press(0, 0.0, lambda: not told(client).engaged and client.state == "HOLD", "arm at rest")
    assert told(client).reason in (Reason.RELEASED.value, Reason.STALE.value)


def test_a_gamepad_does_not_take_over_an_arm_that_sank_onto_the_table(operate: Operate) -> None:
    client = operate(source="joy")
    client.switch("enable_torque", True)
    client.go_to_start(load_robot())
    client.switch("enable_torque", False)
    workspace = Workspace(Kinematics())
    client.wait_until(lambda: workspace.violation(client.position) != "", READY_S, "arm on the table")
    deadline = time.monotonic() + READY_S
    for turn in count():
        if told(client).reason == Reason.TOO_NEAR.value:
            break
        assert time.monotonic() < deadline, f"taken over: {client.report}"
        client.joy([1.0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, int(turn % 20 >= 4)])
        time.sleep(0.03)
    assert not told(client).engaged
    client.switch("enable_torque", True)
    client.go_to_start(load_robot())


def test_without_an_arm_there_is_nothing_to_engage_and_the_operator_is_told(operate: Operate, tmp_path: Path) -> None:
    client = operate("alone", source=recording(tmp_path / "hand.npz", (90.0, True)))
    client.wait_until(lambda: told(client).fault == "arm not ready: it says nothing", READY_S, "fault")
    with pytest.raises(CommandRefusedError, match="arm not ready: it says nothing"):
        client.switch("teleop/engage", True)


def test_a_video_without_a_hand_and_its_end(operate: Operate, tmp_path: Path) -> None:
    pytest.importorskip("mediapipe", reason="mediapipe is an extra: pip install 'dofbot_ros[teleop]'")
    file = tmp_path / "empty.avi"
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"MJPG"), FPS, (320, 240))
    for _ in range(90):
        writer.write(np.full((240, 320, 3), 90, np.uint8))
    writer.release()
    client = operate(source=file)
    client.wait_until(lambda: told(client).source == ENDED, READY_S, "end of the video")
    assert told(client).hands == 0
    assert told(client).frames == 90
    with pytest.raises(CommandRefusedError, match=ENDED):
        client.switch("teleop/engage", True)


def test_a_file_that_is_no_video_is_said_and_nothing_ends(operate: Operate, tmp_path: Path) -> None:
    pytest.importorskip("mediapipe", reason="mediapipe is an extra: pip install 'dofbot_ros[teleop]'")
    file = tmp_path / "notes.mp4"
    file.write_text("no video")
    client = operate(source=file)
    client.wait_until(lambda: "is no video" in told(client).source, READY_S, "trouble")
    client.wait_until(lambda: "teleop" in client.diagnostics, SOON_S, "diagnostics")
    assert "is no video" in client.diagnostics["teleop"]["message"]
    with pytest.raises(CommandRefusedError, match="is no video"):
        client.switch("teleop/engage", True)
