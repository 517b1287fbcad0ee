"""camera_node on a folder of images, and the localizer on the simulated camera with the truth hidden."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from geometry_msgs.msg import PoseArray
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import String
from visualization_msgs.msg import MarkerArray

from dofbot_ros.errors import CommandRefusedError
from dofbot_ros.ros.camera.messages import image_array, intrinsics_from
from dofbot_ros.ros.clients.arm_client import ArmClient, background_client
from dofbot_ros.ros.conversions.messages import pose_matrix
from dofbot_ros.ros.runtime.qos import NEWEST_IMAGE
from dofbot_ros.supervisor import ProcessGroup
from dofbot_ros.vision.intrinsics import from_field_of_view, save_intrinsics

from .conftest import NO_SIMULATION, READY_S, SOON_S, node_command

SEED = 7


def test_a_folder_of_images_is_published_with_its_calibration(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:, :32] = (255, 0, 0)
    cv2.imwrite(str(pictures / "0.png"), picture[..., ::-1])
    intrinsics = from_field_of_view(64, 48, 1.0)
    save_intrinsics(intrinsics, tmp_path / "camera.yaml")
    camera = node_command(
        "camera_node",
        "folder",
        video_device=pictures,
        framerate=20.0,
        loop="true",
        camera_info_url=f"file://{tmp_path / 'camera.yaml'}",
    )
    images: list[Image] = []
    infos: list[CameraInfo] = []
    jpegs: list[CompressedImage] = []
    with ProcessGroup([camera]) as group, background_client(ArmClient, namespace="folder") as client:
        group.wait_ready(READY_S)
        subscribe = client.node.create_subscription
        subscribe(Image, "camera/image_raw", client.notify_after(images.append), NEWEST_IMAGE)
        subscribe(CameraInfo, "camera/camera_info", client.notify_after(infos.append), 10)
        subscribe(CompressedImage, "camera/image_raw/compressed", client.notify_after(jpegs.append), NEWEST_IMAGE)
        client.wait_until(lambda: bool(images and infos and jpegs), SOON_S, "images")
    np.testing.assert_array_equal(image_array(images[0]), picture)
    assert images[0].header.frame_id == "overhead_camera_optical_frame"
    np.testing.assert_allclose(intrinsics_from(infos[0]).K, intrinsics.K)
    assert cv2.imdecode(np.frombuffer(jpegs[0].data, np.uint8), cv2.IMREAD_COLOR).shape == (48, 64, 3)


def test_a_camera_that_is_not_there_is_told_and_opened_when_it_comes(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures.avi"
    images: list[Image] = []
    with (
        ProcessGroup(
            [node_command("camera_node", "late", video_device=pictures, framerate=10.0, loop="true")]
        ) as group,
        background_client(ArmClient, namespace="late") as client,
    ):
        group.wait_ready(READY_S)
        client.node.create_subscription(Image, "camera/image_raw", client.notify_after(images.append), NEWEST_IMAGE)
        client.wait_until(lambda: "camera" in client.diagnostics, SOON_S, "diagnostics")
        assert str(pictures) in client.diagnostics["camera"]["message"]
        writer = cv2.VideoWriter(str(tmp_path / "new.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 10.0, (64, 48))
        for _ in range(10):
            writer.write(np.full((48, 64, 3), 90, np.uint8))
        writer.release()
        (tmp_path / "new.avi").rename(pictures)
        client.wait_until(lambda: len(images) > 2, SOON_S, "images")
        client.wait_until(lambda: client.diagnostics["camera"]["message"] == "open", SOON_S, "open camera")


def test_blocks_are_found_from_the_image_alone() -> None:
    pytest.importorskip("pybullet", reason=NO_SIMULATION)
    from dofbot_ros.sim.config import load_world_config
    from dofbot_ros.sim.world import World

    truth = World(load_world_config(), SEED).truth()
    nodes = [
        node_command("sim_node", "blocks", scene_seed=SEED, publish_truth="false"),
        node_command("block_localizer_node", "blocks"),
    ]
    detections: list[dict[str, object]] = []
    poses: list[PoseArray] = []
    markers: list[MarkerArray] = []
    with ProcessGroup(nodes) as group, background_client(ArmClient, namespace="blocks") as client:
        group.wait_ready(READY_S)
        with pytest.raises(CommandRefusedError, match="publish_truth"):
            client.trigger("sim/truth")
        subscribe = client.node.create_subscription
        subscribe(String, "blocks/detections", client.notify_after(lambda m: detections.append(json.loads(m.data))), 10)
        subscribe(PoseArray, "blocks/poses", client.notify_after(poses.append), 10)
        subscribe(MarkerArray, "blocks/markers", client.notify_after(markers.append), 10)
        client.wait_until(lambda: bool(detections and poses and markers), READY_S, "blocks")
        found = {b["name"]: b["position"] for b in detections[-1]["blocks"]}
        client.trigger("sim/reset")
    assert set(found) == set(truth)
    for name, position in found.items():
        np.testing.assert_allclose(position, truth[name][:3, 3], atol=0.0015)
    assert poses[-1].header.frame_id == "base_link"
    assert len(poses[-1].poses) == len(truth)
    assert pose_matrix(poses[-1].poses[0]).shape == (4, 4)
    assert {m.ns for m in markers[-1].markers if m.ns} == set(truth)


def test_simulated_time_is_on_the_clock_when_it_runs_faster() -> None:
    pytest.importorskip("pybullet", reason=NO_SIMULATION)
    from rosgraph_msgs.msg import Clock

    times: list[float] = []
    with (
        ProcessGroup([node_command("sim_node", "fast", rtf=5.0)]) as group,
        background_client(ArmClient, namespace="fast") as client,
    ):
        group.wait_ready(READY_S)
        client.node.create_subscription(
            Clock, "/clock", client.notify_after(lambda m: times.append(m.clock.sec + 1e-9 * m.clock.nanosec)), 10
        )
        client.wait_connected(READY_S)
        client.switch("enable_torque", True)
        client.move([2.0], [[0.5, 0.0, 0.0, 0.0, 0.0, 0.0]])
        client.wait_until(lambda: len(times) > 10, SOON_S, "clock")
        assert abs(client.stamps_s[0] - times[-1]) < 1.0
        assert times == sorted(times)
