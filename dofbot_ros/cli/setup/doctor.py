"""`dofbot doctor`: looks this machine over, and says what to do where something is the matter."""

from __future__ import annotations

import typer
from rich.markup import escape

from dofbot_ros.core.console import JsonOption, console, emit

COLOURS = {"ok": "green", "warning": "yellow", "bad": "red"}


def doctor(as_json: JsonOption = False) -> None:
    """Look this machine over: packages, ROS, domain, shared memory, ports, brltty, permissions, camera, GPU.

    Exit code 1 where something is bad; each finding comes with its remedy. Nothing is changed, no port is opened.
    """
    from dofbot_ros.cli.setup.findings import BAD, Machine, look

    found = list(look(Machine()))
    if as_json:
        emit({"findings": [vars(finding) for finding in found]}, True, "")
    else:
        for finding in found:
            colour = COLOURS[finding.level]
            console.print(
                f"[{colour}]{finding.level:8}[/{colour}] {finding.topic}: {escape(finding.what)}",
                highlight=False, soft_wrap=True,
            )  # fmt: skip
            if finding.remedy:
                console.print(f"         -> {escape(finding.remedy)}", highlight=False, soft_wrap=True)
    if any(finding.level == BAD for finding in found):
        raise typer.Exit(1)
