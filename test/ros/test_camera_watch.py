"""A camera that is knocked while localiser or policy run: nothing it shows is used until it is back or located."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from std_msgs.msg import String

from dofbot_ros.core.clock import MonotonicClock
from dofbot_ros.errors import DofbotError
from dofbot_ros.ros.camera.observation_subscriber import ObservationSubscriber
from dofbot_ros.ros.camera.pose import CameraPose
from dofbot_ros.ros.camera.topics import CameraTopics
from dofbot_ros.ros.clients.arm_client import ArmClient, background_client
from dofbot_ros.ros.conversions.messages import to_time
from dofbot_ros.ros.conversions.stamps import Stamps
from dofbot_ros.supervisor import ProcessGroup
from dofbot_ros.vision.extrinsics import extrinsics_of, save_extrinsics

from .conftest import NO_SIMULATION, READY_S, SOON_S, node_command

PERIOD_S = 0.2
TRIES = 60
Answer = dict[str, Any]


def test_blocks_are_refused_while_the_camera_is_not_where_it_was(tmp_path: Path) -> None:
    pytest.importorskip("pybullet", reason=NO_SIMULATION)
    from dofbot_ros.sim.randomization import displaced
    from dofbot_ros.sim.rendering.camera import SimCamera
    from dofbot_ros.sim.world import World

    world = World(seed=7)
    here = SimCamera(world)
    knocked = SimCamera(world, displaced(world.config.camera, np.array([0.01, 0.0, 0.0]), np.eye(3)))
    pictures = {"here": here.render(), "knocked": knocked.render()}
    pose = tmp_path / "pose.yaml"
    frame = here.intrinsics.frame
    save_extrinsics(extrinsics_of(here.pose(), "base_link", frame), pose)
    found: list[Answer] = []
    sent = 0
    with (
        ProcessGroup([node_command("block_localizer_node", "knock", extrinsics_file=pose)]) as group,
        background_client(ArmClient, namespace="knock") as client,
    ):
        group.wait_ready(READY_S)
        camera = CameraTopics(client.node, frame, here.intrinsics)
        client.node.create_subscription(
            String, "blocks/detections", client.notify_after(lambda m: found.append(json.loads(m.data))), 10
        )
        client.wait_until(lambda: camera.wanted, SOON_S, "localiser")

        def show(name: str, seconds: float) -> Answer:
            """Pictures of so many seconds by their stamps, each answered before the next; returns the last answer."""
            nonlocal sent
            for _ in range(round(seconds / PERIOD_S)):
                sent += 1
                answer(name, 100.0 + PERIOD_S * sent)
            return found[-1]

        def answer(name: str, stamp_s: float) -> None:
            def told() -> bool:
                return bool(found) and found[-1]["stamp_s"] >= stamp_s - 1e-6

            for _ in range(TRIES):  # a picture that comes before its camera_info is not looked at
                camera.publish(pictures[name], to_time(stamp_s))
                with suppress(DofbotError):
                    return client.wait_until(told, 1.0, "detections")
            raise AssertionError("the localiser does not answer")

        first = show("here", 2.4)
        assert len(first["blocks"]) == 4
        refused = show("knocked", 1.2)
        assert refused["blocks"] == []
        assert "calibrate hand-eye" in refused["refused"][0]["reason"]
        client.wait_until(
            lambda: "the camera was moved" in client.diagnostics.get("blocks", {}).get("message", ""),
            SOON_S,
            "diagnostics",
        )
        assert client.diagnostics["blocks"]["camera"] == "moved"
        assert len(show("here", 1.2)["blocks"]) == 4, "it was put back"
        assert show("knocked", 1.2)["blocks"] == []
        save_extrinsics(extrinsics_of(knocked.pose(), "base_link", frame), pose)
        anew = show("knocked", 1.2)
        assert len(anew["blocks"]) == 4, "it was located anew"
        places = [{block["name"]: block["position"] for block in told["blocks"]} for told in (anew, first)]
        for name, position in places[0].items():
            np.testing.assert_allclose(position, places[1][name], atol=0.0015)
    world.close()


def test_a_policy_that_sees_pictures_notices_it_too() -> None:
    pytest.importorskip("pybullet", reason=NO_SIMULATION)
    from dofbot_ros.sim.randomization import displaced
    from dofbot_ros.sim.rendering.camera import SimCamera
    from dofbot_ros.sim.world import World

    world = World(seed=7)
    here = SimCamera(world)
    knocked = SimCamera(world, displaced(world.config.camera, np.array([0.01, 0.0, 0.0]), np.eye(3)))
    pictures = {"here": here.render(), "knocked": knocked.render()}
    world.close()
    sent = 0
    with background_client(ArmClient, namespace="seeing") as client:
        seen = ObservationSubscriber(client.node, Stamps(MonotonicClock()), "", 64, CameraPose(client.node, ""))
        camera = CameraTopics(client.node, here.intrinsics.frame, here.intrinsics)
        client.wait_until(lambda: camera.wanted, SOON_S, "subscriber")

        def show(name: str, seconds: float) -> str:
            """Pictures of so many seconds by their stamps; returns why they are not to be used."""
            nonlocal sent
            for _ in range(round(seconds / PERIOD_S)):
                sent += 1
                stamp_s = 100.0 + PERIOD_S * sent
                before = seen.picture
                for _ in range(TRIES):  # a picture that comes before its camera_info is not looked at
                    camera.publish(pictures[name], to_time(stamp_s))
                    with suppress(DofbotError):
                        client.wait_until(lambda before=before: seen.picture is not before, 1.0, "picture")
                        break
            return seen.moved

        assert show("here", 2.4) == ""
        assert "calibrate hand-eye" in show("knocked", 1.2)
        assert show("here", 1.2) == ""
