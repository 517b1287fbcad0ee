"""The arm as grasp_node commands it: a grasp.station.StationArm over topics and services."""

from __future__ import annotations

import threading
from collections.abc import Callable

from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import DofbotError
from dofbot_ros.grasp.station import NotNowError
from dofbot_ros.nodes.arm_client import ArmClient
from dofbot_ros.nodes.arm_motions import MOVABLE, ArmMotions

SILENT_S = 2.0
"""An arm that has been heard and then says nothing for this long is not there [s]."""

FIRST_HEARD_S = 10.0
"""One that has not been heard yet may take this long: a lost packet of discovery is sent again after 3 s [s]."""

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
        limit_s = SILENT_S if before_s > 0.0 else FIRST_HEARD_S
        self._await_word(lambda: self.now_s() > before_s, limit_s, "joint states")

    def require_ready(self) -> None:
        """Return when the arm takes commands; from here on a stop ends what it is told here.

        Raises:
            NotNowError: it does not, and what to do.
        """
        # Asked as soon as the node runs, it may not have heard the arm yet.
        self._await_word(lambda: bool(self._arm.state), FIRST_HEARD_S, "state")
        if self._arm.state not in MOVABLE:
            way_out = WAYS_OUT.get(self._arm.state)
            hint = f": call {way_out} first" if way_out else ""
            raise NotNowError(f"the arm's state is {self._arm.state}{hint}")
        self.heed_stops()

    def end(self) -> None:
        """End the motion that runs; there will be no other."""
        self._ending.set()

    def _await_word(self, heard: Callable[[], bool], limit_s: float, what: str) -> None:
        try:
            self.wait(heard, limit_s, what)
        except DofbotError as error:
            self._check_ending()
            raise NotNowError(SILENT) from error

    def _check_ending(self) -> None:
        if self._ending.is_set():
            raise DofbotError("the node is ending")
