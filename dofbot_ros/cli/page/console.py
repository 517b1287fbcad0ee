"""`dofbot console`: see, steer and stop the arm from a browser."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from dofbot_ros.cli.options.which_arm import DomainOption, PortOption
from dofbot_ros.core.console import JsonOption
from dofbot_ros.core.console import console as terminal


def console(
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="NAME:=VALUE...", help="Of the stack, as behind `dofbot up`.")
    ] = None,
    *,
    backend: Annotated[
        str, typer.Option(help="running: an arm whose stack runs; sim, emulator, serial: start one for the page.")
    ] = "running",
    port: PortOption = "/dev/ttyUSB0",
    stack: Annotated[str, typer.Option(help="Which stack is started: bringup, grasp, teleop, policy.")] = "bringup",
    namespace: Annotated[str, typer.Option(help="Of the arm.")] = "",
    domain: DomainOption = None,
    host: Annotated[
        str, typer.Option(help="Address to serve at; 0.0.0.0 lets other machines in, with the token that is printed.")
    ] = "127.0.0.1",
    page_port: Annotated[int, typer.Option(min=0, max=65535, help="Of the page; 0: any that is free.")] = 8090,
    page_lost: Annotated[
        float,
        typer.Option(min=0.1, max=1.0, help="Silence of the page that commands after which the arm is stopped [s]."),
    ] = 0.12,
    record_to: Annotated[Path, typer.Option(help="Folder of the episodes that are recorded.")] = Path("episodes"),
    calibration: Annotated[
        Path, typer.Option(help="Folder of what the guided calibration writes: lens, camera pose, pictures.")
    ] = Path("~/.config/dofbot"),
    series: Annotated[
        Path | None, typer.Option(help="Folder of trials (`dofbot trials run`, `dofbot demo`) to show the progress of.")
    ] = None,
    trials: Annotated[int, typer.Option(min=1, help="Of each condition of --series, or of a demo in all.")] = 10,
    as_json: JsonOption = False,
) -> None:
    """Serve the operator's page: the arm in 3D, sliders, jobs, pictures, and an emergency stop on the space bar.

    Examples: dofbot console --backend sim | dofbot console --backend serial --port /dev/ttyUSB0 | dofbot console
    """
    from dofbot_ros.errors import DependencyError, UsageError, one_of
    from dofbot_ros.launching import parse_words
    from dofbot_ros.ros.clients.connect import BACKENDS, RUNNING

    try:
        from dofbot_ros.ros.console.serve import serve
    except ModuleNotFoundError as error:
        if error.name != "aiohttp":
            raise
        raise DependencyError("aiohttp", "console", "the console") from error

    if backend not in BACKENDS:
        raise UsageError(one_of("backend", backend, BACKENDS))
    if domain is not None:
        os.environ["ROS_DOMAIN_ID"] = str(domain)
    given = parse_words(arguments or [])
    if backend == "serial":
        given.setdefault("port", port)
    if backend != RUNNING and stack == "bringup":
        given.setdefault("localize", "true" if backend != "serial" or given.get("camera") else "false")

    def started(address: str) -> None:
        terminal.print(f"[green]ready[/green]: open {address} (Ctrl-C ends it)", highlight=False, soft_wrap=True)
        if as_json:
            sys.stdout.write(json.dumps({"address": address}) + "\n")
            sys.stdout.flush()

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a service manager's way of saying Ctrl-C
    try:
        serve(
            backend,
            stack,
            given,
            namespace=namespace,
            host=host,
            page_port=page_port,
            lost_s=page_lost,
            episodes=record_to.expanduser(),
            calibration=calibration.expanduser(),
            series=(series, trials) if series else None,
            started=started,
        )
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
