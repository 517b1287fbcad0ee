"""Plans grasps for a hand that is elsewhere than it is told, by what the look at it told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dofbot_ros.grasp.planning.planar_plan import GraspMotionPlanner, PlanarGrasp
from dofbot_ros.grasp.sight.registration import Registration


def aimed(
    found: Registration, planner: GraspMotionPlanner, pinch: PlanarGrasp
) -> tuple[GraspMotionPlanner, PlanarGrasp]:
    """The planner and the grasp that bring the hand to where `pinch` is seen; as they are where nothing is needed."""
    if not found.needed:
        return planner, pinch
    x, y, _ = found.moved(np.array([pinch.x, pinch.y, pinch.height])).tolist()
    told_x, told_y, yaw = found.told(x, y, pinch.yaw)
    return planner.raised(found.raised(x, y)), replace(pinch, x=told_x, y=told_y, yaw=yaw)
