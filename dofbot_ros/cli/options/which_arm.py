"""Options that say which arm a command is for: one that runs, or one that it starts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

BACKEND = typer.Option(help="running: an arm whose stack runs; serial, sim, emulator: start one for this command.")
PortOption = Annotated[str, typer.Option(help="Serial port, for --backend serial.")]
NamespaceOption = Annotated[str, typer.Option(help="Of a running arm.")]
DomainOption = Annotated[int | None, typer.Option(help="ROS domain of a running arm; else ROS_DOMAIN_ID.")]
ProtocolOption = Annotated[
    Literal["bus", "se"], typer.Option(help="Of a serial arm. bus: straight to the servos; se: the DOFBOT-SE's board.")
]
CalibrationFileOption = Annotated[
    Path | None, typer.Option(help="Calibration of an arm that is started; by default the shipped one.")
]
SpeedOption = Annotated[float, typer.Option(min=0.05, max=1.0, help="Share of its speed for an arm that is started.")]
StackArguments = Annotated[
    list[str] | None,
    typer.Argument(help="Arguments of the stack, name:=value: protocol:=se, max_velocity:=0.8.", metavar="[ARG]..."),
]
RealPortOption = Annotated[str | None, typer.Option(help="Serial port of a real arm.")]
RealCameraOption = Annotated[str | None, typer.Option(help="The real camera: V4L2 index or path, or http stream.")]
LensOption = Annotated[Path | None, typer.Option(help="Its lens (`dofbot calibrate camera`).")]
RtfOption = Annotated[float, typer.Option(min=0, help="Simulated seconds a second, sim only; 0: at full speed.")]
