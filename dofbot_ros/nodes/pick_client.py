"""The arm of grasp trials behind its ROS interface: simulated and arranged, or real."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters

from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import DofbotError, InputError
from dofbot_ros.nodes.abilities_listener import AbilitiesListener
from dofbot_ros.nodes.arm_motions import REST_LIMIT_S
from dofbot_ros.nodes.trial_client import TrialClient, block_pose
from dofbot_ros.policy.fit import ArmAbilities
from dofbot_ros.sim.arrangement import Arrangement, as_text
from dofbot_ros.vision.extrinsics import load_extrinsics

FALL_S = 0.3
"""Arm time in which arranged objects come to rest [s]."""

ABILITIES_LIMIT_S = 15.0
"""A driver that has not told its parameters after so long is not going to [s]."""


class PickClient(TrialClient):
    """A trials.arm.PickArm over topics and services.

    Args:
        world_node: the node that has the simulated world; "" for a real arm.
        extrinsics: where the camera is; None: where the simulated one is.
        check: called now and then while waiting; raises when waiting is in vain.
    """

    def __init__(self, world_node: str, extrinsics: Path | None, check: Callable[[], None] = lambda: None) -> None:
        super().__init__(world_node, check)
        if extrinsics is not None:
            self._T_base_camera = load_extrinsics(extrinsics).matrix

        self._told = AbilitiesListener(self._arm.node)

    def abilities(self) -> ArmAbilities:
        """What the arm's description and its driver's parameters say."""
        self._motions.wait(self._has_told, ABILITIES_LIMIT_S, "description and parameters of the arm")
        return self._told.abilities()

    def _has_told(self) -> bool:
        self._told.ask()
        return self._told.complete

    def tighten(self) -> None:
        """Let the fingers close on what they hold while the next motion runs."""
        self._motions.tighten()

    def rest(self, seconds: float) -> None:
        """Return after so much of the arm's time [s]."""
        self.wait_until(self.now_s() + seconds)

    def wait_until(self, time_s: float) -> None:
        """Return when the newest joint state is from `time_s` [s] or later."""
        self._motions.wait(lambda: self.now_s() >= time_s, REST_LIMIT_S, "joint states")

    @property
    def state(self) -> str:
        """The arm's last state."""
        return self._arm.state

    def joints(self) -> tuple[FloatArray, float]:
        """Measured angles, and the oldest of their stamps."""
        return self._arm.position.copy(), float(self._arm.stamps_s.min())

    def seen(self) -> tuple[dict[str, FloatArray], float]:
        """What the localiser found last."""
        found = self._found
        return {block["name"]: block_pose(block) for block in found["blocks"]}, float(found["stamp_s"])

    def stream(self, position: FloatArray, stamp_s: float) -> None:
        """Follow a point that was made at `stamp_s` [s]."""
        self._arm.stream(position, stamp_s=stamp_s)

    def arrange(self, arrangement: Arrangement) -> None:
        """Put the objects of the simulated world there."""
        if not self._world_node:
            raise InputError("a real table is arranged by a person")
        value = ParameterValue(type=ParameterType.PARAMETER_STRING, string_value=as_text(arrangement))
        request = SetParameters.Request(parameters=[Parameter(name="arrangement", value=value)])
        answer = self._arm.call(SetParameters, f"{self._world_node}/set_parameters", request)
        if not answer.results[0].successful:
            raise DofbotError(f"{self._world_node} takes no arrangement: {answer.results[0].reason}")
        self._arm.trigger("sim/reset")
        self.rest(FALL_S)
