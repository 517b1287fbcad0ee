"""Close the fingers, and say whether there is something between them; hold out a block to a real arm.

python examples/hold_something.py [sim | serial]
"""

import sys

import dofbot_ros

with dofbot_ros.connect(sys.argv[1] if len(sys.argv) > 1 else "sim") as arm:
    arm.gripper(0.06)
    held = arm.gripper(0.0)
    print(f"holds something {1e3 * arm.gap:.0f} mm wide" if held else "holds nothing")
    arm.gripper(0.06)
