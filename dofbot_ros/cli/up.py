"""`dofbot up STACK`: run a stack as processes, where there is no `ros2 launch`."""

from __future__ import annotations

import signal
import time
from typing import Annotated

import typer
from rich.markup import escape

from dofbot_ros.cli.options.view import ViewOption, console_beside
from dofbot_ros.core.console import console
from dofbot_ros.errors import DofbotError
from dofbot_ros.launching import describe, environment, parse_words, processes
from dofbot_ros.stacks import STACKS, find
from dofbot_ros.supervisor import POLL_S, Exit, ProcessGroup


def up(
    stack: Annotated[str, typer.Argument(help="Which stack; without one, the stacks are listed.")] = "",
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="NAME:=VALUE...", help="As behind `ros2 launch`.")
    ] = None,
    show_args: Annotated[
        bool, typer.Option("--show-args", help="Print the stack's arguments with their defaults, and end.")
    ] = False,
    ready_timeout: Annotated[
        float, typer.Option(help="Seconds after which not all nodes serving is a failure.")
    ] = 30.0,
    view: ViewOption = False,
) -> None:
    """Start the nodes of a stack, say `ready` when all of them serve, and end them together on Ctrl-C.

    A required node that ends takes the others with it: exit code 1. Nothing is restarted.
    """
    if not stack:
        for each in STACKS.values():
            typer.echo(f"{each.name:10} {each.description}")
        return
    chosen = find(stack)
    if show_args:
        typer.echo(describe(chosen))
        return
    given = parse_words(arguments or [])
    commands = [process.command() for process in processes(chosen, given)]
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a service manager's way of saying Ctrl-C
    try:
        with ProcessGroup(commands, environment(chosen, given)) as group:
            seconds = group.wait_ready(ready_timeout)
            console.print(f"[green]ready[/green]: {stack} after {seconds:.1f} s, Ctrl-C ends it")
            with console_beside(view, given.get("namespace", ""), environment(chosen, given)):
                ended = _first_required_end(group)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    raise DofbotError(f"{ended}: the stack {stack} ends with it")


def _first_required_end(group: ProcessGroup) -> Exit:
    while True:
        for ended in group.ended():
            if ended.command.required:
                return ended
            console.print(f"[yellow]{escape(str(ended))}[/yellow], the others go on")
        time.sleep(POLL_S)
