"""What a simulated world shows beside the arm: its camera, its clock, and the services sim/reset and sim/truth."""

from __future__ import annotations

import json
from dataclasses import dataclass

from rclpy.node import Node
from rosgraph_msgs.msg import Clock as ClockMessage
from std_srvs.srv import Trigger

from dofbot_ros.core.transforms import quat_from_matrix
from dofbot_ros.errors import ConfigError, DofbotError
from dofbot_ros.nodes.camera_topics import CameraTopics
from dofbot_ros.nodes.messages import to_time
from dofbot_ros.nodes.parameters import parameter
from dofbot_ros.nodes.stamps import Stamps
from dofbot_ros.sim.arrangement import arrange, from_text
from dofbot_ros.sim.camera import SimCamera
from dofbot_ros.sim.camera_process import CameraProcess
from dofbot_ros.sim.config import load_world_config
from dofbot_ros.sim.world import World


@dataclass(frozen=True)
class WorldParameters:
    """What a node with a simulated world can be told."""

    world_file: str = parameter("", "Simulated world (YAML); empty for the shipped config/sim.yaml.")
    scene_seed: int = parameter(0, "Seed of the blocks' places; sim/reset uses the value it has then.", live=True)
    camera_rate_hz: float = parameter(10.0, "Rendered images a second, while somebody listens.")
    arrangement: str = parameter(
        "",
        "Where the blocks stand after the next sim/reset, in place of a seed (JSON, see sim/arrangement.py).",
        live=True,
    )
    publish_truth: bool = parameter(True, "Whether sim/truth tells the true poses of the blocks.")

    def __post_init__(self) -> None:
        if not self.camera_rate_hz > 0:
            raise ConfigError(f"camera_rate_hz must be positive, got {self.camera_rate_hz}")


def make_world(parameters: WorldParameters) -> World:
    """The world that the parameters describe."""
    return World(load_world_config(parameters.world_file or None), parameters.scene_seed)


class WorldTopics:
    """Camera, clock and services of one world; `update` is called by the thread that steps it.

    Args:
        node: where they live.
        world: the world.
        parameters: of the node.
        stamps: between the arm's clock, which is the one given to `update`, and ROS.
        publish_clock: whether /clock tells the time, because simulated time runs at another speed than real time.
    """

    def __init__(
        self, node: Node, world: World, parameters: WorldParameters, stamps: Stamps, publish_clock: bool = False
    ) -> None:
        self._node, self._world, self._parameters, self._stamps = node, world, parameters, stamps
        self._camera = CameraProcess(world)
        intrinsics = SimCamera(world).intrinsics
        self._images = CameraTopics(node, intrinsics.frame, intrinsics)
        self._next_image_s = -float("inf")
        self._clock = node.create_publisher(ClockMessage, "/clock", 10) if publish_clock else None
        node.create_service(Trigger, "sim/reset", self._reset)
        node.create_service(Trigger, "sim/truth", self._truth)

    def update(self, now_s: float) -> None:
        """Publish what is due at `now_s` on the arm's clock [s]."""
        if self._clock is not None:
            self._clock.publish(ClockMessage(clock=to_time(now_s)))
        if (taken := self._camera.result()) is not None:
            image, stamp_s = taken
            self._images.publish(image, self._stamps.to_ros(stamp_s))
        if now_s >= self._next_image_s and not self._camera.busy and self._images.wanted:
            period_s = 1.0 / self._parameters.camera_rate_hz
            self._next_image_s = max(self._next_image_s, now_s - period_s) + period_s
            self._camera.request(now_s)

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
