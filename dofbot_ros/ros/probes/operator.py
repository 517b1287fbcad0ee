"""The commanding ends of the fault matrix's ROS cases: an operator who streams and may stop, and one who sets right."""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from std_msgs.msg import String
from std_srvs.srv import Trigger

from dofbot_ros.core.clock import MonotonicClock
from dofbot_ros.core.rate import Rate
from dofbot_ros.core.types import GRIP, JOINT_NAMES, FloatArray
from dofbot_ros.errors import DofbotError
from dofbot_ros.ros.clients.arm_client import ArmClient, background_client
from dofbot_ros.ros.runtime.qos import LATCHED
from dofbot_ros.ros.runtime.service_manager import READY, notify

SOFT_START_S = 2.0
STREAM_HZ = 50.0
RAMP_S = 0.5
OBEY_S = 6.0
SMALL = np.array([0.12, 0.0, 0.0, 0.0, 0.1])
NEAR = 0.03
"""[rad]"""
READY_S = 30.0


class Notes:
    """What this operator did and heard, a line of JSON each: a process that is killed has told all until then."""

    def __init__(self, path: Path, arm: ArmClient) -> None:
        self._file = path.open("a", buffering=1)
        self._lock = threading.Lock()
        self._heard: set[tuple[str, str]] = set()
        self._arm = arm
        arm.node.create_subscription(String, "state", lambda m: self.add(state=m.data), LATCHED)

    def add(self, **said: Any) -> None:
        """Write a line; `t` is on the machine's steady clock [s]."""
        with self._lock:
            self._file.write(json.dumps({"t": time.monotonic(), **said}) + "\n")

    def listen(self) -> None:
        """Write down refusals and hand-overs that diagnostics tell of, each once."""
        for entry, key in (("commands", "last refusal"), ("arm", "last hand-over"), ("arm", "last motion")):
            text = self._arm.diagnostics.get(entry, {}).get(key, "")
            if text and (key, text) not in self._heard:
                self._heard.add((key, text))
                self.add(**{key: text})


def main() -> int:
    """Play one of the two."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=("stream", "recover"))
    parser.add_argument("--name", default="operator_probe", help="of the node: it decides the rank")
    parser.add_argument("--seconds", type=float, default=3.0, help="of streaming")
    parser.add_argument("--speed", type=float, default=0.6, help="of joint1 [rad/s]")
    parser.add_argument("--join", type=float, help="do not enable; begin so many seconds after the arm moves or holds")
    parser.add_argument("--while-in", default="HOLD ACTIVE", help="states in which --join counts from")
    parser.add_argument("--estop", type=float, help="after so many seconds of streaming")
    parser.add_argument("--result", type=Path, required=True)
    arguments = parser.parse_args()
    with suppress(KeyboardInterrupt), background_client(ArmClient, arguments.name) as arm:
        notes = Notes(arguments.result, arm)
        notify(READY)
        try:
            if arguments.part == "stream":
                stream(arm, notes, arguments)
            else:
                recover(arm, notes)
        except DofbotError as error:
            notes.add(failed=str(error))
        notes.add(done=True)
    return 0


def stream(arm: ArmClient, notes: Notes, given: argparse.Namespace) -> None:
    """Stream an even motion of joint1 from where the arm is, and go on whatever becomes of it."""
    arm.wait_connected(READY_S)
    if given.join is None:
        arm.switch("enable_torque", True)
        time.sleep(SOFT_START_S)
    else:
        arm.wait_until(lambda: arm.state in given.while_in.split(), READY_S, f"state {given.while_in}")
        time.sleep(given.join)
    # Found before it is needed: what is timed is the way of the call, not of the search for its service.
    estop: Any = arm.node.create_client(Trigger, "estop")
    if not estop.wait_for_service(READY_S):
        raise DofbotError("there is no service estop")
    start = arm.position[:GRIP].copy()
    clock = MonotonicClock()
    rate, begin_s = Rate(clock, STREAM_HZ), clock.now()
    stopper: threading.Thread | None = None
    while (elapsed := clock.now() - begin_s) < given.seconds:
        if stopper is None and given.estop is not None and elapsed >= given.estop:
            stopper = threading.Thread(target=_stop, args=(estop, notes))
            stopper.start()
        point = _place(start, given.speed, elapsed)
        notes.add(point=point.tolist())
        arm.stream(point, JOINT_NAMES[:GRIP])
        notes.listen()
        rate.wait()
    if stopper is not None:
        stopper.join()


def recover(arm: ArmClient, notes: Notes) -> None:
    """Do what an operator does after a fault, and ask for a small motion; tells whether the arm carried it out."""
    end_s = time.monotonic() + READY_S
    while time.monotonic() < end_s:
        with suppress(DofbotError):
            if arm.state == "ESTOP":
                arm.trigger("reset_estop")
            elif arm.state == "FAULT":
                arm.trigger("clear_fault")
            elif arm.state == "IDLE":
                arm.switch("freedrive", False)
                arm.switch("enable_torque", True)
                notes.add(torque=True)
            elif arm.state in ("HOLD", "ACTIVE"):
                arm.wait_connected(READY_S)
                break
        time.sleep(0.3)
    time.sleep(SOFT_START_S)
    here = arm.position[:GRIP].copy()
    goal = here + SMALL
    notes.add(trajectory=[here.tolist(), goal.tolist()], seconds=1.0)
    arm.send_trajectory([1.0], goal[None], JOINT_NAMES[:GRIP])
    arm.wait_until(lambda: bool(np.abs(arm.position[:GRIP] - goal).max() < NEAR), OBEY_S, "motion to where it was sent")
    notes.add(recovered=True)


def _place(start: FloatArray, speed: float, elapsed: float) -> FloatArray:
    way = speed * (elapsed**2 / (2 * RAMP_S) if elapsed < RAMP_S else elapsed - RAMP_S / 2)
    place: FloatArray = start + np.array([way, 0.0, 0.0, 0.0, 0.0])
    return place


def _stop(estop: Any, notes: Notes) -> None:
    answered = threading.Event()
    notes.add(estop=True)
    estop.call_async(Trigger.Request()).add_done_callback(lambda _: answered.set())
    if answered.wait(READY_S):
        notes.add(answered=True)


if __name__ == "__main__":
    sys.exit(main())
