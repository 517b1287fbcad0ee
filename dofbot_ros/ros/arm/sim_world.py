"""What a simulated world shows beside the arm: its camera, its clock, and the services sim/reset and sim/truth."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.node import Node
from rosgraph_msgs.msg import Clock as ClockMessage
from std_srvs.srv import Trigger

from dofbot_ros.config.loader import to_mapping
from dofbot_ros.config.ranges import Checked, Positive, parameter
from dofbot_ros.core.transforms import quat_from_matrix
from dofbot_ros.core.types import ImageArray
from dofbot_ros.desks.installation import Installation, install
from dofbot_ros.errors import DofbotError
from dofbot_ros.ros.arm.diagnostics import status
from dofbot_ros.ros.camera.topics import CameraTopics
from dofbot_ros.ros.conversions.messages import to_time
from dofbot_ros.ros.conversions.stamps import Stamps
from dofbot_ros.sim.arrangement import arrange, from_text
from dofbot_ros.sim.config import load_world_config
from dofbot_ros.sim.rendering.camera_process import CameraProcess
from dofbot_ros.sim.world import World
from dofbot_ros.vision.intrinsics import OPTICAL_FRAME, SIMULATED_FRAME, load_intrinsics


@dataclass(frozen=True)
class WorldParameters(Checked):
    """What a node with a simulated world can be told."""

    world_file: str = parameter("", "Simulated world (YAML); empty for the shipped config/sim.yaml.")
    scene_seed: int = parameter(0, "Seed of the blocks' places; sim/reset uses the value it has then.", live=True)
    desk: str = parameter(
        "own", "Errors of arm, camera, blocks and table: own, careful, typical, rough, or a desk file (YAML)."
    )
    desk_seed: int = parameter(0, "Which installation of that desk: seeds the signs and directions of its errors.")
    camera_info_url: str = parameter(
        "",
        "What the programs are told of the simulated camera: a camera_info YAML; empty: what the desk's owner knows.",
    )
    camera_rate_hz: Positive = parameter(10.0, "Rendered images a second, while somebody listens.")
    arrangement: str = parameter(
        "",
        "Where the blocks stand after the next sim/reset, in place of a seed (JSON, see sim/arrangement.py).",
        live=True,
    )
    publish_truth: bool = parameter(True, "Whether sim/truth tells the true poses of the blocks.")


def make_installation(parameters: WorldParameters) -> Installation:
    """What the parameters say is true, and told."""
    return install(parameters.desk, parameters.desk_seed, load_world_config(parameters.world_file or None))


class WorldTopics:
    """Camera, clock and services of one world; `update` is called by the thread that steps it.

    Args:
        node: where they live.
        world: the world.
        installation: that it is made by.
        parameters: of the node.
        stamps: between the arm's clock, which is the one given to `update`, and ROS.
        publish_clock: whether /clock tells the time, because simulated time runs at another speed than real time.
    """

    def __init__(
        self,
        node: Node,
        world: World,
        installation: Installation,
        parameters: WorldParameters,
        stamps: Stamps,
        *,
        publish_clock: bool = False,
    ) -> None:
        self._node, self._world, self._parameters, self._stamps = node, world, parameters, stamps
        self._camera = CameraProcess(world)
        told = installation.belief.intrinsics
        if parameters.camera_info_url:
            told = load_intrinsics(parameters.camera_info_url.removeprefix("file://"), told.size)
        frame = OPTICAL_FRAME if world.config.camera.mount == "wrist" else SIMULATED_FRAME
        self._images = CameraTopics(node, frame, replace(told, frame=frame))
        self._flaws = world.config.camera.flaws
        self._under_way: deque[tuple[float, ImageArray]] = deque()
        self._losses = np.random.default_rng([installation.seed, 4])
        self._next_image_s = -float("inf")
        self._clock = node.create_publisher(ClockMessage, "/clock", 10) if publish_clock else None
        node.create_service(Trigger, "sim/reset", self._reset)
        node.create_service(Trigger, "sim/truth", self._truth)

    def update(self, now_s: float) -> None:
        """Publish what is due at `now_s` on the arm's clock [s]."""
        if self._clock is not None:
            self._clock.publish(ClockMessage(clock=to_time(now_s)))
        if (taken := self._camera.result()) is not None and self._losses.random() >= self._flaws.loss:
            self._under_way.append((taken[1] + self._flaws.latency_s, taken[0]))
        while self._under_way and now_s >= self._under_way[0][0]:
            # Stamped when it arrives, as a camera's driver does: how old it is by then nobody tells.
            stamp_s, image = self._under_way.popleft()
            self._images.publish(image, self._stamps.to_ros(stamp_s))
        if now_s >= self._next_image_s and not self._camera.busy and self._images.wanted:
            period_s = 1.0 / self._parameters.camera_rate_hz
            self._next_image_s = max(self._next_image_s, now_s - period_s) + period_s
            self._camera.request(now_s)

    def camera_status(self, prefix: str) -> DiagnosticStatus:
        """The simulated camera's entry in diagnostics: as of a real one, by which two can be told apart."""
        config = self._world.config.camera
        looks = json.dumps(to_mapping(config), sort_keys=True)
        values = {
            "name": f"simulated camera ({config.mount})",
            "serial": sha256(looks.encode()).hexdigest()[:12],
            "size": f"{config.width}x{config.height}",
        }
        return status(DiagnosticStatus.OK, f"{prefix}: camera", "open", values)

    def close(self) -> None:
        """End the camera."""
        self._camera.close()

    def _reset(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """Put the blocks elsewhere; the arm stays where it is, as on a real table."""
        seed, text = (self._node.get_parameter(name).value for name in ("scene_seed", "arrangement"))
        try:
            if text:
                arrange(self._world, from_text(text))
            else:
                self._world.scatter(seed)
        except DofbotError as error:
            response.success, response.message = False, str(error)
            return response
        response.success, response.message = True, f"blocks placed by {'arrangement' if text else f'seed {seed}'}"
        return response

    def _truth(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """True poses as JSON: for judges, never for planners."""
        if not self._parameters.publish_truth:
            response.success, response.message = False, "hidden: the parameter publish_truth is false"
            return response
        blocks = {
            name: {"position": pose[:3, 3].tolist(), "quaternion": quat_from_matrix(pose[:3, :3]).tolist()}
            for name, pose in self._world.truth().items()
        }
        response.success, response.message = True, json.dumps({"blocks": blocks})
        return response
