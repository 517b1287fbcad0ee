"""`connect()`: starts a simulated, emulated or real arm, or finds a running one, and hands out its client."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from std_srvs.srv import Trigger

from dofbot_ros.errors import DofbotError, UsageError, one_of
from dofbot_ros.ros.clients.arm_client import ArmClient, background_client
from dofbot_ros.ros.runtime.background_node import BackgroundNode
from dofbot_ros.ros.runtime.managed_stack import managed_stack

RUNNING = "running"
BACKENDS = ("sim", "emulator", "serial", RUNNING)
CONNECT_S, FOUND_S = 10.0, 6.0
"""How long to wait for an arm that was just started, and for a running one to be discovered: DDS repeats a lost
discovery packet after 3 s [s]."""


def stop_now(namespace: str = "") -> None:
    """Stop a running arm at once; creates one service client and nothing else of ROS.

    Raises:
        DofbotError: no arm answers.
    """
    with BackgroundNode("operator_estop", namespace) as background:
        estop: Any = background.node.create_client(Trigger, "estop")
        background.spin()
        if not estop.wait_for_service(FOUND_S):
            raise DofbotError(nobody(namespace))
        done = threading.Event()
        estop.call_async(Trigger.Request()).add_done_callback(lambda _: done.set())
        if not done.wait(FOUND_S):
            raise DofbotError(f"{estop.srv_name} did not answer within {FOUND_S:g} s: cut the arm's power")


def nobody(namespace: str) -> str:
    """The message for a program that found no arm: where it looked, and how to start one."""
    domain = os.environ.get("ROS_DOMAIN_ID", "0")
    place = f", namespace /{namespace.strip('/')}" if namespace else ""
    return f"no arm in ROS domain {domain}{place}: start one, for instance with `dofbot up sim`, or name its --domain"


@contextmanager
def connect(
    backend: str = RUNNING, *, torque: bool = True, namespace: str = "", complete: bool = True, **arguments: object
) -> Iterator[ArmClient]:
    """Connect to an arm; the context manager disconnects, and ends what it started.

    Args:
        backend: "sim" starts a simulated arm, "emulator" the driver on emulated servos, "serial" the driver on a real
            arm's port, each as processes of their own that end with the context; "running" finds an arm whose stack
            runs already in this ROS domain.
        torque: True switches the servos on, so that the arm can be moved; False only watches it.
        namespace: ROS namespace of a running arm.
        complete: False takes an arm with a joint that does not answer as well, to look at it, stop it or let it go.
        arguments: for the stack `bringup` that is started, as for `dofbot up bringup`; for instance
            port="/dev/ttyUSB0", max_velocity=0.8.

    Yields:
        The arm, connected.

    Raises:
        UsageError: no such backend, or arguments for a running arm.
        DofbotError: the arm cannot be started or found, or its servos cannot be switched on.

    Example:
        with dofbot_ros.connect("sim") as arm:
            arm.home()
            arm.move_to(0.2, 0.0, 0.1)
            arm.gripper(0.03)
    """
    if backend not in BACKENDS:
        raise UsageError(one_of("backend", backend, BACKENDS))
    if backend == RUNNING and arguments:
        raise UsageError(f"an arm that runs already takes no {', '.join(arguments)}: these are arguments of its stack")
    with ExitStack() as running:
        check = None
        if backend != RUNNING:
            given = {"localize": "false"} | {
                name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in arguments.items()
            }
            check = running.enter_context(managed_stack("bringup", backend, given))
        arm = running.enter_context(background_client(ArmClient, "dofbot_program", namespace, check or (lambda: None)))
        try:
            arm.wait_until(lambda: bool(arm.state), FOUND_S if backend == RUNNING else CONNECT_S, "arm")
        except DofbotError as error:
            raise DofbotError(nobody(namespace)) from error
        try:
            arm.wait_connected(CONNECT_S, complete=complete)
        except DofbotError as error:
            silent = arm.silence if arm.silent_joints else ""
            why = silent or arm.diagnostics.get("arm", {}).get("message") or str(error)
            raise DofbotError(f"the driver runs, but its arm is not ready: {why}") from error
        if torque:
            arm.enable()
        yield arm
