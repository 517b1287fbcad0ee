"""The console's arm over ROS: commands go to the driver as those of an operator, through its governor."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection

import numpy as np

from dofbot_ros.arm.robot import Robot
from dofbot_ros.console.arm import ArmView, JobEnd
from dofbot_ros.console.follower import seconds_of
from dofbot_ros.console.marker_grasp import MarkerPlan, carry_out, plan_grasp, put_back
from dofbot_ros.core.types import ARM_JOINTS, JOINT_NAMES, N_ARM, FloatArray, ToolPose
from dofbot_ros.driver.config import HOME, PARK
from dofbot_ros.errors import CommandRefusedError, DofbotError, InputError, one_of
from dofbot_ros.ros.clients.arm_listener import MOVABLE
from dofbot_ros.ros.console.client import ConsoleClient
from dofbot_ros.ros.console.nodes import END, RUN, NodesBeside
from dofbot_ros.ros.console.pictures import Pictures
from dofbot_ros.ros.console.recording import Recording

NODE_ANSWER_S = 90.0
"""A grasp_node answers at the end of its grasp [s]."""
OFFERS_S = 0.5
"""The nodes that run are looked for this often [s]."""


class RosConsoleArm:
    """A console.arm.ConsoleArm.

    Args:
        client: of the arm and the nodes beside it.
        listen: lets what the client hears come in, or wait.
        recording: of its episodes.
        nodes: that the page may start.
    """

    def __init__(
        self, client: ConsoleClient, listen: Callable[[bool], None], recording: Recording, nodes: NodesBeside
    ) -> None:
        self._client, self._recording, self._nodes = client, recording, nodes
        self.listen = listen
        self._pictures = Pictures(client.node)
        self._plan: MarkerPlan | None = None
        self._held: MarkerPlan | None = None
        self._offers: tuple[float, tuple[str, ...], tuple[str, ...]] = (-float("inf"), (), ())

    @property
    def robot(self) -> Robot:
        """See ConsoleArm."""
        return self._client.robot

    @property
    def urdf(self) -> str:
        """See ConsoleArm."""
        model = self._client.described.model
        return model.urdf if model is not None else ""

    def view(self) -> ArmView:
        """See ConsoleArm."""
        client = self._client
        offers, pictures = self._offered()
        activity, words = self._activity()
        joints = client.position
        known = bool(np.isfinite(joints).all())
        return ArmView(
            present=client.present,
            state=client.state,
            joints=joints.copy(),
            gap=client.gap if known else math.nan,
            tool=self._tool(joints) if known else None,
            diagnostics=dict(client.diagnostics),
            blocks=client.blocks,
            offers=(*offers, *self._recording.offers),
            pictures=pictures,
            activity=activity,
            activity_words=words,
            recording=self._recording.words,
            silent=client.silent_joints,
            notes=self._nodes.notes(),
        )

    def stream(self, joints: FloatArray) -> None:
        """See ConsoleArm."""
        self._client.stream(joints, ARM_JOINTS)

    def send_gripper(self, gap: float) -> None:
        """See ConsoleArm."""
        self._client.send_gripper(gap)

    def request_stop(self) -> None:
        """See ConsoleArm; a policy and teleoperation end as well, and do not knock on until they may begin again."""
        self._client.request_stop()
        self._client.release_nodes()

    def request_estop(self) -> None:
        """See ConsoleArm."""
        self._client.request_estop()

    def do(self, job: str, speed: float, about: str = "") -> JobEnd:
        """See ConsoleArm; a stop, from when this begins on, ends all of it."""
        if job.startswith("record "):
            return JobEnd(self._recording.do(job, about))
        if job in (*RUN, *END):
            return JobEnd(self._nodes.do(job, about))
        with self._client.sequence():
            return self._do(job, speed, about)

    def _do(self, job: str, speed: float, about: str) -> JobEnd:
        client = self._client
        match job:
            case "torque on":
                client.enable()
            case "torque off":
                client.release()
            case "reset":
                client.reset()
            case "home":
                self._move(HOME, speed)
            case "park":
                self._move(PARK, speed)
            case "plan":
                return self._make_plan(speed, about)
            case "grasp":
                return self._grasp(speed, about)
            case "put back":
                return self._put_back()
            case _:
                return self._others(job)
        return JobEnd()

    def look_at(self, names: Collection[str]) -> None:
        """See ConsoleArm."""
        self._pictures.look_at(names)

    def picture(self, name: str) -> tuple[int, bytes]:
        """See ConsoleArm."""
        return self._pictures.newest(name)

    # -- inside ------------------------------------------------------------------------------------------------------

    def _offered(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        looked_s, offers, pictures = self._offers
        if time.monotonic() - looked_s > OFFERS_S:
            pictures = self._pictures.offered()
            self._offers = (time.monotonic(), self._possible(), pictures)
            offers = self._offers[1]
        return offers, pictures

    def _possible(self) -> tuple[str, ...]:
        client = self._client
        offers = ["torque on", "torque off", "reset", "home", "park"]
        if client.serves("grasp/plan") or client.blocks or self._plan or self._held:
            offers += ["plan", "grasp", "put back"]
        if client.serves("teleop/engage"):
            offers += ["teleop start", "teleop stop"]
        if client.serves("policy/start"):
            offers += ["policy start", "policy stop"]
        return (*offers, *self._nodes.offers)

    def _activity(self) -> tuple[str, str]:
        policy, teleop = self._client.policy, self._client.teleop
        if policy is not None and policy.phase != "idle":
            return "policy", f"The policy ({policy.task} from {policy.obs}) is {policy.phase}: {policy.seconds:.0f} s."
        if teleop is not None and teleop.engaged:
            return "teleop", "Teleoperation: the arm follows its operator."
        return "", ""

    def _tool(self, joints: FloatArray) -> ToolPose | None:
        robot = self._client.described.robot
        return None if robot is None else robot.kinematics.forward(joints[:N_ARM])

    def _others(self, job: str) -> JobEnd:
        """Start and stop the nodes beside the arm."""
        client = self._client
        match job:
            case "teleop start":
                words = client.switch("teleop/engage", True)
            case "teleop stop":
                words = client.switch("teleop/engage", False)
            case "policy start":
                words = client.trigger("policy/start")
            case "policy stop":
                words = client.trigger("policy/stop")
            case _:
                raise InputError(one_of("job", job, self._possible()))
        return JobEnd(f"{job}: {words}" if words else f"{job}: done")

    def _move(self, goal: tuple[float, ...], speed: float) -> None:
        self._ready()
        robot = self._client.robot
        target = np.clip(goal, robot.lower, robot.upper)
        seconds = seconds_of(target - self._client.position, speed)
        self._client.move([seconds], [target], JOINT_NAMES)

    def _make_plan(self, speed: float, block: str) -> JobEnd:
        self._ready()
        if self._client.serves("grasp/plan"):
            return JobEnd(self._ask("grasp/plan"))
        start = self._client.position[:N_ARM]
        self._plan = plan_grasp(self._client.robot, self._client.blocks, start, speed, block)
        pose = self._plan.motions.pick
        words = f"Grasp of {self._plan.block} planned at x {pose.x:.3f} y {pose.y:.3f} m. Grasp carries it out."
        return JobEnd(words, self._plan.ghost)

    def _grasp(self, speed: float, block: str) -> JobEnd:
        self._ready()
        if self._client.serves("grasp/execute"):
            return JobEnd(self._ask("grasp/execute"))
        if self._plan is None:
            self._make_plan(speed, block)
        plan, self._plan = self._plan, None
        assert plan is not None
        if carry_out(self._client, plan):
            self._held = plan
            return JobEnd(f"{plan.block} is grasped and lifted: {1e3 * self._client.gap:.0f} mm between the fingers.")
        return JobEnd(f"The fingers closed on nothing where {plan.block} was seen; the arm is back.")

    def _put_back(self) -> JobEnd:
        self._ready()
        if self._client.serves("grasp/put_back"):
            return JobEnd(self._ask("grasp/put_back"))
        if self._held is None:
            raise CommandRefusedError("nothing that was grasped here is in the hand")
        plan, self._held = self._held, None
        put_back(self._client, plan)
        return JobEnd(f"{plan.block} is back where it was.")

    def _ask(self, service: str) -> str:
        return f"{service.replace('/', ' ')}: {self._client.trigger(service, NODE_ANSWER_S)}"

    def _ready(self) -> None:
        if self._client.state not in MOVABLE:
            raise DofbotError(f"the arm's state is {self._client.state}: switch the torque on, or press Reset, first")
