"""An arm for a Python program, in one line: simulated, emulated, on a port, or one that runs already."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from dofbot_ros.errors import InputError, one_of
from dofbot_ros.nodes.arm_client import ArmClient, background_client
from dofbot_ros.nodes.own_stack import own_stack

RUNNING = "running"
BACKENDS = ("sim", "emulator", "serial", RUNNING)
CONNECT_S = 30.0


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
        raise InputError(one_of("backend", backend, BACKENDS))
    if backend == RUNNING and arguments:
        raise InputError(f"an arm that runs already takes no {', '.join(arguments)}: these are arguments of its stack")
    with ExitStack() as running:
        check = None
        if backend != RUNNING:
            given = {"localize": "false"} | {
                name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in arguments.items()
            }
            check = running.enter_context(own_stack("bringup", backend, given))
        arm = running.enter_context(background_client(ArmClient, "dofbot_program", namespace, check or (lambda: None)))
        arm.wait_connected(CONNECT_S)
        if torque:
            arm.enable()
        yield arm
