"""grasp_node with the simulated arm and camera: what it grasps, what it refuses, what ends a grasp."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest
from geometry_msgs.msg import PoseArray
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from dofbot_ros.core.resources import share_file
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import CommandRefusedError
from dofbot_ros.ros.camera.messages import camera_info, image_array, image_message, uncalibrated
from dofbot_ros.ros.clients.arm_client import ArmClient, background_client
from dofbot_ros.ros.conversions.messages import from_time, to_time
from dofbot_ros.ros.runtime.qos import IMAGE, STREAM
from dofbot_ros.sim.arrangement import Arrangement, as_text
from dofbot_ros.supervisor import Command, ProcessGroup
from dofbot_ros.vision.intrinsics import from_field_of_view

from .conftest import READY_S, SOON_S, node_command, pose_at_rest

pytest.importorskip("pybullet")
pytest.importorskip("onnxruntime")

NAMESPACE = "grasping"
GRASP_S = 120.0
IMAGE_TIMEOUT_S = 10.0
LIFTED_M = 0.2


@dataclass
class Bench:
    """The stack `grasp` and what it shows."""

    client: ArmClient
    candidates: list[PoseArray]
    overlays: list[Image]

    def ask(self, name: str) -> str:
        return self.client.trigger(f"grasp/{name}", GRASP_S)

    def refusal(self, name: str) -> str:
        with pytest.raises(CommandRefusedError) as refused:
            self.ask(name)
        return str(refused.value)

    def blocks(self) -> dict[str, FloatArray]:
        truth = json.loads(self.client.trigger("sim/truth"))["blocks"]
        return {name: np.array(pose["position"]) for name, pose in truth.items()}

    def arrange(self, **places: tuple[float, float, float]) -> None:
        text = as_text(Arrangement(places))
        value = ParameterValue(type=ParameterType.PARAMETER_STRING, string_value=text)
        request = SetParameters.Request(parameters=[Parameter(name="arrangement", value=value)])
        assert self.client.call(SetParameters, "sim_node/set_parameters", request).results[0].successful
        self.client.trigger("sim/reset")
        self._await_pictures(self.client.now_s())

    def _await_pictures(self, since_s: float) -> None:
        """Two that were taken since then: the node has the first of them by now, and no older one is its newest."""
        stamps: list[float] = []
        told = self.client.notify_after(lambda m: stamps.append(from_time(m.header.stamp)))
        self.client.node.create_subscription(CameraInfo, "camera/camera_info", told, 10)
        self.client.wait_until(lambda: sum(stamp > since_s for stamp in stamps) >= 2, SOON_S, "pictures")

    def home(self) -> None:
        self.client.switch("enable_torque", True)
        self.client.trigger("home")
        self.client.wait_until(lambda: bool(np.abs(self.client.position[:5]).max() < 0.03), SOON_S, "upright arm")
        self.client.wait_until(lambda: self.client.state == "HOLD", SOON_S, "rest")


@pytest.fixture(scope="module")
def stack() -> Iterator[Bench]:
    world = share_file("config", "sim_grasp.yaml")
    commands = [
        node_command("sim_node", NAMESPACE, world_file=world, soft_start_s=0.1),
        node_command("grasp_node", NAMESPACE, image_timeout_s=IMAGE_TIMEOUT_S),
    ]
    with ProcessGroup(commands) as group, background_client(ArmClient, namespace=NAMESPACE) as client:
        group.wait_ready(READY_S)
        client.wait_connected(READY_S)
        bench = Bench(client, [], [])
        subscribe, noting = client.node.create_subscription, client.notify_after
        subscribe(PoseArray, "grasp/candidates", noting(bench.candidates.append), STREAM)
        subscribe(Image, "grasp/overlay", noting(bench.overlays.append), IMAGE)
        yield bench


@pytest.fixture
def bench(stack: Bench) -> Bench:
    """With a red block in the middle, and the arm upright."""
    stack.home()
    stack.arrange(red=(0.195, 0.01, 0.3))
    return stack


def test_it_proposes_without_torque_but_does_not_move(stack: Bench) -> None:
    stack.arrange(red=(0.195, 0.01, 0.3))
    assert "grasps within reach; the best at x 0." in stack.ask("plan")
    assert stack.refusal("execute") == "the arm's state is IDLE: call enable_torque first"
    stack.client.wait_until(lambda: bool(stack.candidates and stack.overlays), SOON_S, "candidates and overlay")
    best = stack.candidates[-1]
    assert best.header.frame_id == "base_link"
    at = best.poses[0].position
    assert np.hypot(at.x - 0.195, at.y - 0.01) < 0.012
    assert image_array(stack.overlays[-1]).std() > 10.0


def test_a_block_is_grasped_held_up_and_put_back(bench: Bench) -> None:
    assert bench.ask("execute").startswith("lifted and held, with ")
    lifted = [name for name, at in bench.blocks().items() if at[2] > LIFTED_M]
    assert lifted == ["red"]
    assert bench.refusal("execute") == "the fingers still hold what they picked up: call grasp/put_back first"
    assert bench.ask("put_back").startswith("put back at x 0.1")
    at = bench.blocks()["red"]
    assert np.hypot(at[0] - 0.195, at[1] - 0.01) < 0.015
    assert at[2] < 0.02
    assert bench.refusal("put_back") == "the fingers hold nothing that grasp/execute picked up"
    bench.client.wait_until(
        lambda: bench.client.diagnostics.get("grasp", {}).get("last answer", "").startswith("put_back: "),
        SOON_S,
        "diagnostics",
    )
    told = bench.client.diagnostics["grasp"]
    assert float(told["p95_planning_ms"]) > 0.0
    assert float(told["image_age_s"]) < IMAGE_TIMEOUT_S


@pytest.mark.parametrize(("service", "state"), [("stop", "HOLD"), ("estop", "ESTOP")])
def test_a_stop_in_the_middle_is_the_end_of_the_grasp(bench: Bench, service: str, state: str) -> None:
    client = bench.client
    with ThreadPoolExecutor() as threads:
        grasp = threads.submit(bench.refusal, "execute")
        client.wait_until(lambda: bool(client.position[1] > 0.3), SOON_S, "motion")
        assert bench.refusal("execute") == "another grasp is in progress; the arm's stop ends it"
        client.trigger(service)
        assert grasp.result(GRASP_S).startswith("ended early: ")
    client.wait_until(lambda: client.state == state, SOON_S, state)
    if service == "estop":
        assert bench.refusal("execute") == "the arm's state is ESTOP: call reset_estop first"
        client.trigger("reset_estop")
        client.wait_until(lambda: client.state == "HOLD", SOON_S, "rest")
    rest = pose_at_rest(client)
    assert "the arm is in the picture" in bench.refusal("plan")
    np.testing.assert_allclose(client.position, rest, atol=0.05)
    assert bench.blocks()["red"][2] < 0.02


def test_a_stop_while_only_the_fingers_move_is_noticed_too(bench: Bench) -> None:
    client = bench.client
    with ThreadPoolExecutor() as threads:
        grasp = threads.submit(bench.refusal, "execute")
        client.wait_until(lambda: bool(client.position[1] > 0.3 and client.position[5] > 0.3), SOON_S, "closing")
        client.trigger("stop")
        assert "stopped" in grasp.result(GRASP_S)


def test_an_empty_table_moves_nothing(bench: Bench) -> None:
    bench.arrange()
    before = pose_at_rest(bench.client)
    assert bench.refusal("execute").startswith("nothing on the table")
    np.testing.assert_allclose(bench.client.position[:5], before[:5], atol=0.01)


def test_without_an_image_or_with_an_old_or_uncalibrated_one_it_says_so(bench: Bench) -> None:
    client, intrinsics = bench.client, from_field_of_view(64, 48, 1.0)
    images = client.node.create_publisher(Image, "fake/image_raw", IMAGE)
    infos = client.node.create_publisher(CameraInfo, "fake/camera_info", STREAM)

    def publish(age_s: float | None, *, calibrated: bool) -> None:
        if age_s is None:
            return
        header = Header(stamp=to_time(time.time() - age_s), frame_id="camera_optical_frame")
        infos.publish(camera_info(header, intrinsics) if calibrated else uncalibrated(header, 64, 48))
        images.publish(image_message(header, np.full((48, 64, 3), 128, np.uint8)))

    def says(reason: str) -> bool:
        with pytest.raises(CommandRefusedError) as refused:
            client.trigger("fake/execute", GRASP_S)
        return reason in str(refused.value)

    before = pose_at_rest(client)
    with ProcessGroup([blind_node()]) as group:
        group.wait_ready(READY_S)
        for age_s, calibrated, reason in (
            (None, True, f"no image on /{NAMESPACE}/fake/image_raw: is a camera running?"),
            (60.0, True, f"the newest image on /{NAMESPACE}/fake/image_raw is 6"),
            (-3600.0, False, "camera_info carries no calibration"),
        ):
            deadline = time.monotonic() + SOON_S
            publish(age_s, calibrated=calibrated)
            while not says(reason):  # what is published, here and by the arm, arrives in its own time
                assert time.monotonic() < deadline, reason
                publish(age_s, calibrated=calibrated)
    np.testing.assert_allclose(client.position, before, atol=0.01)


def blind_node() -> Command:
    """A further grasp_node for the same arm, with a camera of its own."""
    command = node_command("grasp_node", NAMESPACE, image_timeout_s=1.0)
    renamed = {"__node": "blind", "camera/image_raw": "fake/image_raw", "camera/camera_info": "fake/camera_info"}
    renamed |= {f"grasp/{name}": f"fake/{name}" for name in ("plan", "execute", "put_back", "candidates", "overlay")}
    words = [word for old, new in renamed.items() for word in ("-r", f"{old}:={new}")]
    return Command(command.name, (*command.argv, *words))


def test_asked_before_the_arm_is_heard_it_waits_for_the_arm() -> None:
    world, place = share_file("config", "sim_grasp.yaml"), "early"
    first = node_command("grasp_node", place, image_timeout_s=IMAGE_TIMEOUT_S)
    # Both start at the same time: how much later the arm's is ready is less than a grasp waits, also on a busy machine.
    arm = ProcessGroup([node_command("sim_node", place, world_file=world)])
    with arm, ProcessGroup([first]) as group, background_client(ArmClient, namespace=place) as client:
        group.wait_ready(READY_S)
        with pytest.raises(CommandRefusedError, match="the arm's state is IDLE: call enable_torque first"):
            client.trigger("grasp/execute", GRASP_S)
