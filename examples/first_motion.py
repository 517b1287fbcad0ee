"""Move the arm upright, then its tool to a point, and open and close the fingers.

python examples/first_motion.py            a simulated arm
python examples/first_motion.py serial     the real one, on /dev/ttyUSB0: keep clear of it
"""

import sys

import dofbot_ros

with dofbot_ros.connect(sys.argv[1] if len(sys.argv) > 1 else "sim") as arm:
    arm.home()
    arm.move_to(0.2, 0.0, 0.1)
    print(f"the tool is at {arm.tool}")
    arm.gripper(0.06)
    arm.gripper(0.03)
    print(f"the fingers are {1e3 * arm.gap:.0f} mm apart")
    arm.home()
