"""An arm for a Python program, in one line: simulated, emulated, on a port, or one that runs already."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from std_srvs.srv import Trigger

from dofbot_ros.errors import DofbotError, InputError, UsageError, one_of
from dofbot_ros.ros.clients.arm_client import ArmClient, background_client
from dofbot_ros.ros.runtime.background_node import BackgroundNode
from dofbot_ros.ros.runtime.managed_stack import managed_stack

RUNNING = "running"
BACKENDS = ("sim", "emulator", "serial", RUNNING)
CONNECT_S, FOUND_S = 10.0, 6.0
"""For an arm that is started, and to find one that runs: a lost packet of discovery is sent again after 3 s [s]."""


def stop_now(namespace: str = "") -> None:
    """Emergency stop of an arm that runs already, with no more of ROS than it takes.

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
    """What to say where no arm is found."""
    domain = os.environ.get("ROS_DOMAIN_ID", "0")
    place = f", namespace /{namespace.strip('/')}" if namespace else ""
    return f"no arm in ROS domain {domain}{place}: start one, for instance with `dofbot up sim`, or name its --domain"


@contextmanager
def connect(
    backend: str = RUNNING, *, torque: bool = True, namespace: str = "", **arguments: object
) -> Iterator[ArmClient]:
    """An arm to command, for as long as the context lasts.

    Args:
        backend: "sim" starts a simulated arm, "emulator" the driver on emulated servos, "serial" the driver on a real
            arm's port, each as processes of their own that end with the context; "running" finds an arm whose stack
            runs already in this ROS domain.
        torque: hold the arm where it is, so that it can be moved; without it, it is only watched.
        namespace: of an arm that runs already.
        arguments: of the stack `bringup` that is started, for instance port="/dev/ttyUSB0", max_velocity=0.8.

    Yields:
        The arm, connected.

    Raises:
        DofbotError: it cannot be started, is not there, or does not take torque.

    Example:
        with dofbot_ros.connect("sim") as arm:
            arm.home()
            arm.move_to(0.2, 0.0, 0.1)
            arm.gripper(0.03)
    """
    if backend not in BACKENDS:
        raise UsageError(one_of("backend", backend, BACKENDS))
    if backend == RUNNING and arguments:
        raise InputError(f"an arm that runs already takes no {', '.join(arguments)}: these are arguments of its stack")
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
            arm.wait_connected(CONNECT_S)
        except DofbotError as error:
            why = arm.diagnostics.get("arm", {}).get("message") or str(error)
            raise DofbotError(f"the driver runs, but its arm is not ready: {why}") from error
        if torque:
            arm.enable()
        yield arm
