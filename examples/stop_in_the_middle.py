"""Stop a motion from another thread: whoever waits for it learns why it ended, and the arm can go on at once.

python examples/stop_in_the_middle.py [sim | serial]
"""

import sys
import threading

import dofbot_ros
from dofbot_ros.errors import CommandRefusedError

with dofbot_ros.connect(sys.argv[1] if len(sys.argv) > 1 else "sim") as arm:
    arm.home()
    button = threading.Timer(0.8, arm.stop)
    button.start()
    try:
        arm.move_joints([1.2, 0.0, 0.0, 0.0, 0.0], seconds=4.0)
    except CommandRefusedError as error:
        print(f"the motion ended early: {error}; joint1 stands at {arm.position[0]:.2f} rad")
    button.join()
    arm.home()
