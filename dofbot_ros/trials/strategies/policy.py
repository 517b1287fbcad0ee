"""Lifts the named block by a trained policy, which moves the arm through the driver's joint stream."""

from __future__ import annotations

from typing import Any

import numpy as np

from dofbot_ros.arm.gripper import joint_to_gap
from dofbot_ros.arm.robot import Robot
from dofbot_ros.core.types import GRIP, N_ARM, FloatArray
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.errors import CommandRefusedError, InputError
from dofbot_ros.grasp.planning.block_plan import joint_line
from dofbot_ros.motion.timed_path import retime
from dofbot_ros.policy.interface.compatibility import check_compatibility
from dofbot_ros.policy.runtime.block_tracker import sighting
from dofbot_ros.policy.runtime.controller import Policy, PolicyController
from dofbot_ros.policy.runtime.episode_runner import EpisodeRunner, HaltCommand, MoveCommand, StreamCommand
from dofbot_ros.trials.arm import Look, TrialArm
from dofbot_ros.trials.protocol import NoGraspError
from dofbot_ros.trials.strategies.strategy import START, Attempt

SAME_RAD = 0.01
"""An arm with no joint further than this from its lowest pose is there [rad]."""

TO_START_S = 0.3
"""A motion that is planned from where the arm is measured gives it this long to get there from where it was told to be,
which is further up by its sag: with none, the driver refuses it for its acceleration [s]."""


class PolicyStrategy:
    """Runs a policy until it has reached its goal, or its time is up.

    Args:
        policy: for the task pick, from the localiser's state.
        robot: the arm that it moves.

    Raises:
        InputError: one for another task, or one that is shown pictures.
    """

    name = "policy"

    def __init__(self, policy: Policy, robot: Robot) -> None:
        spec = policy.spec
        if (spec.task, spec.obs) != ("pick", "state"):
            raise InputError(f"trials take a policy for pick from state, this is one for {spec.task} from {spec.obs}")
        self._spec = spec
        self._controller = PolicyController(policy, robot=robot)
        self._limits = DriverConfig().motion_limits(robot)
        self._target = ""

    def check(self, arm: TrialArm) -> None:
        """See PickStrategy.check: what policy_node asks of an arm before it starts a run."""
        check_compatibility(self._spec, arm.capabilities())

    def plan(self, arm: TrialArm, look: Look, target: str) -> dict[str, Any]:  # noqa: ARG002
        """See PickStrategy.plan: a policy decides as it goes."""
        if target not in look.blocks:
            raise NoGraspError(f"{target} is not seen; {', '.join(sorted(look.blocks)) or 'nothing'} is")
        self._target = target
        x, y = (float(v) for v in look.blocks[target][:2, 3])
        return {"x": x, "y": y}

    def pick(self, arm: TrialArm) -> Attempt:
        """See PickStrategy.pick."""
        session = EpisodeRunner(self._controller)
        self._tell(arm)
        session.start(arm.now_s(), arm.state)
        tick_s = arm.now_s()
        way: list[FloatArray] = []
        while not isinstance(order := session.cycle(tick_s, arm.state), HaltCommand):
            if isinstance(order, StreamCommand):
                arm.stream(np.asarray(order.position), stamp_s=tick_s)
                way.append(np.asarray(order.position)[:N_ARM])
            elif isinstance(order, MoveCommand):
                way_there = joint_line(arm.joints()[0][:N_ARM], np.array(order.position[:N_ARM]))
                arm.follow(retime(way_there, self._limits).later(TO_START_S))
                tick_s = arm.now_s()
            tick_s += self._spec.period_s
            arm.wait_until_time(tick_s)
            self._tell(arm)
        arm.stop()
        if not way:
            raise CommandRefusedError(f"the policy did not begin: {session.ended}")
        return self._attempt(arm, way)

    def _tell(self, arm: TrialArm) -> None:
        joints, stamp_s = arm.joints()
        self._controller.joints(joints.tolist(), stamp_s)
        blocks, seen_s = arm.seen()
        if self._target in blocks:
            self._controller.block(sighting(blocks[self._target], seen_s))

    def _attempt(self, arm: TrialArm, way: list[FloatArray]) -> Attempt:
        """What the policy leaves behind: an object is put back where its way (n, 5) [rad] was lowest.

        The way is what was commanded: measured, the arm sags a millimetre, and the table forbids to be sent there.
        """
        joints, _ = arm.joints()
        here = joints[:N_ARM]
        lowest = way[int(np.argmin([self._controller.robot.kinematics.forward(q).z for q in way]))]
        gap = joint_to_gap(float(joints[GRIP]))
        carry = joint_line(here, START)
        if np.abs(lowest - here).max() < SAME_RAD:
            timed = retime(carry, self._limits).later(TO_START_S)
            return Attempt(self._controller.held, gap, timed, (), timed)
        lower, leave = joint_line(here, lowest), np.vstack([joint_line(lowest, here), carry[1:]])
        away, down, back = (retime(path, self._limits) for path in (carry, lower, leave))
        return Attempt(self._controller.held, gap, away.later(TO_START_S), (down.later(TO_START_S),), back)
