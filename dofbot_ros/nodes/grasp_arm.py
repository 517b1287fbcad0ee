"""The arm as grasp_node commands it: a grasp.station.StationArm over topics and services."""

from __future__ import annotations

import threading

from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import DofbotError
from dofbot_ros.grasp.station import NotNowError
from dofbot_ros.nodes.arm_client import ArmClient
from dofbot_ros.nodes.arm_motions import MOVABLE, ArmMotions

SILENT_S = 2.0
"""An arm that says nothing for this long is not there [s]."""

SILENT = "the arm says nothing: is its node running, in this namespace?"

WAYS_OUT = {"IDLE": "enable_torque", "ESTOP": "reset_estop", "FAULT": "clear_fault"}
"""State -> the service that ends it."""


class GraspMotions(ArmMotions):
    """Motions that end early when the node does.

    Args:
        arm: the client that commands it.
    """

    def __init__(self, arm: ArmClient) -> None:
        self._ending = threading.Event()
        super().__init__(arm, self._check_ending)

    @property
    def position(self) -> FloatArray:
        """Joint positions (6,) [rad]."""
        return self._arm.position.copy()

    def require_heard(self) -> None:
        """Return when joint states come in.

        Raises:
            NotNowError: none does.
        """
        before_s = self.now_s()
        try:
            self._arm.wait_until(lambda: self.now_s() > before_s, SILENT_S, "joint states")
        except DofbotError as error:
            raise NotNowError(SILENT) from error

    def require_ready(self) -> None:
        """Return when the arm takes commands; from here on a stop ends what it is told here.

        Raises:
            NotNowError: it does not, and what to do.
        """
        try:
            # Asked as soon as the node runs, it may not have heard the arm yet.
            self._arm.wait_until(lambda: bool(self._arm.state), SILENT_S, "state")
        except DofbotError as error:
            raise NotNowError(SILENT) from error
        if self._arm.state not in MOVABLE:
            way_out = WAYS_OUT.get(self._arm.state)
            hint = f": call {way_out} first" if way_out else ""
            raise NotNowError(f"the arm's state is {self._arm.state}{hint}")
        self.heed_stops()

    def end(self) -> None:
        """End the motion that runs; there will be no other."""
        self._ending.set()

    def _check_ending(self) -> None:
        if self._ending.is_set():
            raise DofbotError("the node is ending")
