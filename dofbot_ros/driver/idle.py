"""What is true of the servos' torque while nobody commands the arm."""

from __future__ import annotations

from dofbot_ros.arm.backend import ArmReading
from dofbot_ros.safety.monitor import servos


def idle_reason(reading: ArmReading | None, freedrive: bool) -> str:
    """One line for the state IDLE, from what the servos say of their torque.

    Args:
        reading: the last one.
        freedrive: whether the arm has been let go to be led by hand.
    """
    torque = reading.torque if reading is not None else ()
    holding = [i for i, on in enumerate(torque) if on]
    if holding:
        which = "all servos hold" if len(holding) == len(torque) else f"{servos(holding)} holds"
        return f"{which}, not commanded from here: enable_torque takes over, enable_torque false lets go"
    if freedrive:
        return "freedrive"
    if torque and None not in torque:
        return "torque is off"
    return "torque is off as far as this driver knows: the servos do not tell"
