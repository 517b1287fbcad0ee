"""Stream a circle of the tool, 50 points a second: how a program steers the arm that decides as it goes.

python examples/draw_circle.py [sim | serial]
"""

import math
import sys
import time

import numpy as np

import dofbot_ros

RADIUS, CENTRE, HEIGHT = 0.03, (0.2, 0.0), 0.12  # [m]
SECONDS = 6.0


def point(turn: float) -> tuple[float, float, float]:
    """Where the tool is after so much of the circle, 0 to 1 [m]."""
    angle = 2.0 * math.pi * turn
    return CENTRE[0] + RADIUS * math.cos(angle), CENTRE[1] + RADIUS * math.sin(angle), HEIGHT


with dofbot_ros.connect(sys.argv[1] if len(sys.argv) > 1 else "sim") as arm:
    arm.move_to(*point(0.0))
    kinematics, joints, farthest = arm.robot.kinematics, arm.position[:5].copy(), 0.0
    begin = time.monotonic()
    while (elapsed := time.monotonic() - begin) < SECONDS:
        goal = point(elapsed / SECONDS)
        joints = kinematics.solve(kinematics.steepest(*goal), near=joints)
        arm.stream(np.append(joints, arm.position[5]))
        tool = arm.tool
        farthest = max(farthest, abs(math.hypot(tool.x - CENTRE[0], tool.y - CENTRE[1]) - RADIUS))
        time.sleep(0.02)
    print(f"the tool kept within {1e3 * farthest:.1f} mm of the circle")
    arm.home()
