"""GraspClient: what the arm of the trials does, and asking grasp_node for grasps."""

from __future__ import annotations

from dofbot_ros.nodes.trial_client import TrialClient

ANSWER_S = 120.0


class GraspClient(TrialClient):
    """Asks grasp_node, and the simulation for scenes and the truth."""

    def ask(self, name: str) -> str:
        """Call grasp/`name`. Returns the answer.

        Raises:
            CommandRefusedError: it says no, and why.
        """
        return self._arm.trigger(f"grasp/{name}", ANSWER_S)

    def told(self) -> dict[str, str]:
        """What grasp_node tells in its diagnostics."""
        return self._arm.diagnostics.get("grasp", {})
