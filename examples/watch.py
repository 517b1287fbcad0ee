"""Watch an arm for some seconds without holding it: lead a real one by hand, and see its angles and its tool.

python examples/watch.py [sim | serial | running] [seconds]
"""

import math
import sys
import time

import dofbot_ros

backend = sys.argv[1] if len(sys.argv) > 1 else "sim"
seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 3.0

with dofbot_ros.connect(backend, torque=False) as arm:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        angles = " ".join(f"{math.degrees(angle):6.1f}" for angle in arm.position)
        print(f"{arm.state:6} joints {angles} deg, tool {arm.tool}")
        time.sleep(0.5)
