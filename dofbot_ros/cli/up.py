"""`dofbot up STACK`: run a stack as processes, where there is no `ros2 launch`."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dofbot_ros.cli.options.view import ViewOption, console_beside
from dofbot_ros.core.console import console
from dofbot_ros.errors import DofbotError, UsageError
from dofbot_ros.launching import Stack, describe, environment, parse_words, processes
from dofbot_ros.ros.runtime.service_manager import ALIVE, READY, notify, watchdog_s
from dofbot_ros.safety.stop_line import Address, Owner, ask, ros_domain
from dofbot_ros.safety.stop_sender import WHO
from dofbot_ros.stacks import STACKS, find
from dofbot_ros.supervisor import POLL_S, Exit, ProcessGroup

CONNECT_S = 5.0
"""So long the arm may take to be found before `ready` says that it was not [s]."""
LOOK_EVERY_S = 0.5
OFFLINE = "DISCONNECTED"


def argument_names(context: typer.Context) -> list[str]:
    """`NAME:=` of the stack that is typed already, for a shell that completes."""
    stack = STACKS.get(str(context.params.get("stack")))
    return [f"{argument.name}:=" for argument in stack.arguments] if stack else []


def up(
    stack: Annotated[
        str,
        typer.Argument(help="Which stack; without one, the stacks are listed.", autocompletion=lambda: list(STACKS)),
    ] = "",
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME:=VALUE...", help="As behind `ros2 launch`.", autocompletion=argument_names),
    ] = None,
    *,
    show_args: Annotated[
        bool, typer.Option("--show-args", help="Print the stack's arguments with their defaults, and end.")
    ] = False,
    ready_timeout: Annotated[
        float, typer.Option(help="Seconds after which not all nodes serving is a failure.")
    ] = 30.0,
    start: Annotated[
        bool | None,
        typer.Option(
            "--start/--as-is",
            help="For the stack teleop: first bend the arm, so that it can follow; by default one that is not real.",
        ),
    ] = None,
    view: ViewOption = False,
) -> None:
    """Start the nodes of a stack, say `ready` when all of them serve, and end them together on Ctrl-C.

    A required node that ends is named and takes the others with it: exit code 1. Nothing is restarted. An arm that is
    not connected is told, then and whenever it is lost or found.
    """
    if not stack:
        table = Table.grid(padding=(0, 2))
        for each in STACKS.values():
            table.add_row(each.name, each.description)
        Console().print(table)
        return
    chosen = find(stack)
    if show_args:
        typer.echo(describe(chosen))
        return
    given = parse_words(arguments or [])
    resolved = chosen.resolve(given)
    if start is not None and stack != "teleop":
        raise UsageError(f"--start and --as-is are for the stack teleop, not for {stack}")
    bent = stack == "teleop" and (resolved["backend"] != "serial" if start is None else start)
    arm = Address(ros_domain(), resolved["namespace"].strip("/"))
    if (owner := ask(arm, WHO)) is not None:
        raise DofbotError(
            f"{owner} commands an arm in {arm} already: end it, or give this one another namespace:= or ROS_DOMAIN_ID"
        )
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a service manager's way of saying Ctrl-C
    begun = time.monotonic()
    try:
        with ExitStack() as running:
            groups = _start(chosen, given, running, ready_timeout, arm if bent else None)
            _say_ready(stack, arm, begun)
            running.enter_context(console_beside(view, given.get("namespace", ""), environment(chosen, given)))
            ended = _watch(groups, arm)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    raise DofbotError(f"{ended}: the stack {stack} ends with it")


def _start(
    stack: Stack, given: dict[str, str], running: ExitStack, timeout_s: float, bent: Address | None
) -> Sequence[ProcessGroup]:
    """Start the stack's processes; those of the operator once the arm of `bent` is bent, where that is asked for."""
    commands, variables = [process.command() for process in processes(stack, given)], environment(stack, given)
    if bent is None:
        group = running.enter_context(ProcessGroup(commands, variables))
        group.wait_ready(timeout_s)
        return (group,)
    os.environ.update(variables)  # this process takes part, too
    from dofbot_ros.arm.robot import load_robot
    from dofbot_ros.ros.teleop.client import OPERATOR, bent_arm

    groups = []
    robot = load_robot(given.get("calibration_file", ""))
    for mine in (False, True):
        group = ProcessGroup([c for c in commands if (c.name == OPERATOR) is mine], variables)
        groups.append(running.enter_context(group))
        group.wait_ready(timeout_s)
        if not mine:
            with bent_arm(robot, True, bent.namespace):
                console.print("the arm is bent, so that it can follow")
    return groups


def _say_ready(stack: str, arm: Address, begun: float) -> None:
    notify(READY)
    deadline = time.monotonic() + CONNECT_S
    owner = ask(arm, WHO)
    while owner is not None and _searching(owner) and time.monotonic() < deadline:
        time.sleep(POLL_S)
        owner = ask(arm, WHO)
    after = f"{stack} after {time.monotonic() - begun:.1f} s, Ctrl-C ends it"
    if owner is not None and owner.state == OFFLINE:
        why = escape(owner.reason)
        console.print(f"[yellow]ready, but the arm is not connected[/yellow]: {why} ({after})", soft_wrap=True)
    else:
        console.print(f"[green]ready[/green]: {after}", soft_wrap=True)


def _searching(owner: Owner) -> bool:
    return owner.state == OFFLINE and owner.reason == "not connected yet"


def _watch(groups: Sequence[ProcessGroup], arm: Address) -> Exit:
    """Until a required process ends. Meanwhile tells when the arm is lost or found, and the service manager that all
    is well as long as the arm's node answers."""
    lost = (owner := ask(arm, WHO)) is not None and owner.state == OFFLINE
    pause_s = min(LOOK_EVERY_S, (watchdog_s() or 60.0) / 3.0)
    look_at = time.monotonic() + pause_s
    while True:
        for group in groups:
            for ended in group.ended():
                if ended.command.required:
                    return ended
                console.print(f"[yellow]{escape(str(ended))}[/yellow], the others go on")
        if time.monotonic() >= look_at:
            look_at = time.monotonic() + pause_s
            owner = ask(arm, WHO)
            if owner is not None:
                notify(ALIVE)
                lost = _tell_change(owner, lost)
        time.sleep(POLL_S)


def _tell_change(owner: Owner, lost: bool) -> bool:
    now_lost = owner.state == OFFLINE
    if now_lost and not lost:
        console.print(f"[yellow]the arm is not connected[/yellow]: {escape(owner.reason)}", soft_wrap=True)
    elif lost and not now_lost:
        console.print("[green]the arm is connected[/green]")
    return now_lost
