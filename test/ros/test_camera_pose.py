"""A real camera needs its pose and gives its calibration away: refusals, static TF, set_camera_info."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from sensor_msgs.msg import CameraInfo
from sensor_msgs.srv import SetCameraInfo
from std_msgs.msg import Header

from dofbot_ros.ros.camera.messages import camera_info
from dofbot_ros.ros.clients.arm_client import ArmClient, background_client
from dofbot_ros.ros.conversions.messages import transform_message
from dofbot_ros.ros.runtime.qos import LATCHED
from dofbot_ros.supervisor import ProcessGroup
from dofbot_ros.vision.extrinsics import Extrinsics, load_extrinsics, save_extrinsics
from dofbot_ros.vision.intrinsics import from_field_of_view, load_intrinsics, save_intrinsics

from .conftest import READY_S, SOON_S, node_command

NAMESPACE = "real"
FRAME = "overhead_camera_optical_frame"
POSE = Extrinsics("base_link", FRAME, (0.2, 0.05, 0.6), (1.0, 0.0, 0.0, 0.0))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ROS_HOME", str(tmp_path / "ros"))
    return tmp_path / "ros"


@pytest.fixture
def camera(tmp_path: Path, home: Path) -> Iterator[dict[str, object]]:
    """Parameters of a calibrated camera_node."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    cv2.imwrite(str(pictures / "0.png"), np.zeros((48, 64, 3), np.uint8))
    save_intrinsics(from_field_of_view(64, 48, 1.0), tmp_path / "camera.yaml")
    return {
        "video_device": pictures,
        "framerate": 10.0,
        "loop": "true",
        "camera_info_url": f"file://{tmp_path / 'camera.yaml'}",
    }


def test_a_real_camera_without_extrinsics_is_refused(camera: dict[str, object]) -> None:
    nodes = [node_command("camera_node", NAMESPACE, **camera), node_command("block_localizer_node", NAMESPACE)]
    with ProcessGroup(nodes) as group, background_client(ArmClient, namespace=NAMESPACE) as client:
        group.wait_ready(READY_S)

        def refused() -> bool:
            return "give extrinsics_file" in client.diagnostics.get("blocks", {}).get("message", "")

        client.wait_until(refused, SOON_S, "refusal")
        assert FRAME in client.diagnostics["blocks"]["message"]


def test_its_extrinsics_go_out_as_static_tf(camera: dict[str, object], tmp_path: Path) -> None:
    pytest.importorskip("tf2_msgs", reason="tf2_msgs is not built here: make interfaces")
    from tf2_msgs.msg import TFMessage

    save_extrinsics(POSE, tmp_path / "pose.yaml")
    assert load_extrinsics(tmp_path / "pose.yaml") == POSE
    nodes = [
        node_command("camera_node", NAMESPACE, **camera),
        node_command("block_localizer_node", NAMESPACE, extrinsics_file=tmp_path / "pose.yaml"),
    ]
    heard: dict[str, Any] = {}
    with ProcessGroup(nodes) as group, background_client(ArmClient, namespace=NAMESPACE) as client:
        group.wait_ready(READY_S)

        def hear(message: TFMessage) -> None:
            heard.update({t.child_frame_id: t for t in message.transforms})

        client.node.create_subscription(TFMessage, "/tf_static", client.notify_after(hear), LATCHED)
        client.wait_until(lambda: FRAME in heard, SOON_S, "static transform")
    assert heard[FRAME].header.frame_id == "base_link"
    assert heard[FRAME].transform == transform_message(POSE.matrix)


@pytest.mark.parametrize("has_file", [True, False])
def test_commit_of_camera_calibration_writes_the_calibration(
    camera: dict[str, object], home: Path, tmp_path: Path, has_file: bool
) -> None:
    if not has_file:
        del camera["camera_info_url"]
    new = from_field_of_view(64, 48, 1.3)
    infos: list[CameraInfo] = []
    with (
        ProcessGroup([node_command("camera_node", NAMESPACE, camera_name="mine", **camera)]) as group,
        background_client(ArmClient, namespace=NAMESPACE) as client,
    ):
        group.wait_ready(READY_S)
        client.node.create_subscription(CameraInfo, "camera/camera_info", client.notify_after(infos.append), 10)
        service = client.node.create_client(SetCameraInfo, "camera/set_camera_info")
        assert service.wait_for_service(SOON_S)
        future = service.call_async(SetCameraInfo.Request(camera_info=camera_info(Header(), new)))
        client.wait_until(future.done, SOON_S, "answer")
        assert future.result().success, future.result().status_message
        client.wait_until(lambda: bool(infos) and np.isclose(infos[-1].k[0], new.K[0, 0]), SOON_S, "new camera_info")
        assert infos[-1].header.frame_id == FRAME
        bad = service.call_async(SetCameraInfo.Request(camera_info=CameraInfo(width=64, height=48)))
        client.wait_until(bad.done, SOON_S, "answer")
        assert not bad.result().success
        assert "focal length 0" in bad.result().status_message
    path = tmp_path / "camera.yaml" if has_file else home / "camera_info" / "mine.yaml"
    assert os.path.exists(path)
    np.testing.assert_allclose(load_intrinsics(path).K, new.K)
