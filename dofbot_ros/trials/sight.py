"""Closing by sight: before a block is gone for, the arm looks at its own hand, and aims by where that truly is."""

from __future__ import annotations

from dataclasses import replace

from dofbot_ros.core.types import FloatArray
from dofbot_ros.grasp.planning.block_plan import BlockMove, BlockPlanner, joint_line
from dofbot_ros.grasp.planning.hand_geometry import StandingBlock
from dofbot_ros.grasp.sight.fit import OutlineCamera
from dofbot_ros.grasp.sight.registration import Registrar, Registration, show_hand, shown_poses
from dofbot_ros.motion.timed_path import retime
from dofbot_ros.trials.arm import Look, TrialArm

LOWER_M, MOST_LOWER = 0.004, 2
"""Fingers that closed on nothing without touching the table are likely too high: so much lower each time [m]."""
MOVED_M = 0.010
"""Looks that differ by more than this are of a camera, or an arm, that has been moved: the earlier is dropped [m]."""


class ArmSight:
    """One arm's running estimate of where its hand is against what its camera sees.

    Args:
        arm: looked at.
        planner: of its motions.
    """

    def __init__(self, arm: TrialArm, planner: BlockPlanner) -> None:
        self._arm, self._planner = arm, planner
        self._registrar: Registrar | None = None
        self._knocked = ""
        self.registration: Registration | None = None

    def look_at_hand(self) -> None:
        """Show the hand, and add what is seen of it to the estimate. The arm is upright before and after.

        Raises:
            CommandRefusedError: the arm refused a motion or ended it early.
        """
        view = self._arm.view
        registrar = Registrar(self._planner.kinematics, OutlineCamera(view.intrinsics, view.T_base_camera))
        show_hand(
            registrar,
            shown_poses(self._planner.kinematics),
            picture=lambda: self._arm.look().image,
            position=lambda: self._arm.position,
            move=self._move,
        )
        found, earlier = registrar.result(), self.registration
        lost = earlier is not None and bool(found.refusal) and not earlier.refusal
        moved_m = 0.0 if earlier is None else found.moved_since(earlier)
        self._knocked = "the earlier look was believed" if lost else ""
        if moved_m > MOVED_M:
            self._knocked = f"{1e3 * moved_m:.0f} mm from where they were"
        if self._registrar is not None and not self._knocked:
            registrar.join(self._registrar)
            found = registrar.result()
        self._registrar, self.registration = registrar, found

    @property
    def word(self) -> str:
        """What was found, for the report."""
        found = self.registration
        if found is None:
            return ""
        knocked = f", {self._knocked}: was the camera knocked?" if self._knocked else ""
        if found.refusal:
            return f"not aimed by sight: {found.refusal}{knocked}"
        apart = f"hand and camera {1e3 * found.apart():.0f} mm apart{knocked}"
        return f"{apart}: corrected" if found.needed else f"{apart}: left as they are"

    def corrected(self, look: Look) -> Look:
        """The look with its blocks where the corrected camera sees them."""
        found = self._needed()
        if found is None:
            return look
        return replace(look, blocks={name: found.seen(pose) for name, pose in look.blocks.items()})

    def aimed(self, move: BlockMove, missed: int = 0) -> tuple[BlockPlanner, BlockMove]:
        """The planner and the move for a hand that is elsewhere than it is told: what it is to be told.

        Args:
            move: where things truly are.
            missed: how often the fingers have closed on nothing: they go lower each time.
        """
        found = self._needed()
        if found is None:
            return self._planner, move
        picked, placed = (found.hand_off(*at)[0][2] for at in ((move.block.x, move.block.y), move.target))
        by = max(0.0, found.raised(move.block.x, move.block.y) - min(missed, MOST_LOWER) * LOWER_M)
        raised = self._planner.raised(by, max(0.0, float(picked - placed)))
        x, y, _ = found.told(*move.target, 0.0)
        others = tuple(_told(found, block) for block in move.others)
        return raised, BlockMove(_told(found, move.block), (x, y), others)

    def _needed(self) -> Registration | None:
        found = self.registration
        return found if found is not None and found.needed else None

    def _move(self, start: FloatArray, goal: FloatArray) -> None:
        self._arm.follow(retime(joint_line(start, goal), self._planner.limits))


def _told(found: Registration, block: StandingBlock) -> StandingBlock:
    """Where the hand is told that the block is."""
    return StandingBlock(*found.told(block.x, block.y, block.yaw), block.size)
