"""`dofbot teleop`: one command from a webcam, a recording, keys or a gamepad to an arm that follows."""

from __future__ import annotations

import signal
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.markup import escape

from dofbot_ros.cli.options.checks import finite
from dofbot_ros.cli.options.view import ViewOption, console_beside
from dofbot_ros.core.console import JsonOption, console, emit
from dofbot_ros.errors import InputError, UsageError

if TYPE_CHECKING:
    from dofbot_ros.teleop.config import TeleopConfig


class Mode(str, Enum):
    """What of the operator steers."""

    hand = "hand"
    arm = "arm"


class Backend(str, Enum):
    """What stands behind the ROS interface."""

    sim = "sim"
    emulator = "emulator"
    serial = "serial"


class Engage(str, Enum):
    """What engages the arm."""

    sign = "sign"
    auto = "auto"


def teleop(
    *,
    source: Annotated[
        str,
        typer.Option(
            help="Camera number or path, video file, image folder, http stream, landmark recording (.npz), "
            "keyboard, gamepad or /dev/input/jsN."
        ),
    ],
    backend: Annotated[
        Backend, typer.Option(help="sim: simulated; emulator: the same behind a servo bus; serial: a real arm.")
    ] = Backend.sim,
    mode: Annotated[
        Mode | None, typer.Option(help="hand: the tool follows the hand; arm: joints 1-4 follow the arm.")
    ] = None,
    engage: Annotated[
        Engage | None,
        typer.Option(help="sign: by the operator's sign; auto: whenever possible (not with a real arm)."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Follow a recording in simulation, and write side-by-side video, path and plot there."),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="Configuration of teleoperation (YAML).")] = None,
    port: Annotated[str, typer.Option(help="Serial port of the real arm.")] = "/dev/ttyUSB0",
    start: Annotated[
        bool | None,
        typer.Option(
            "--start/--as-is", help="First take the arm to a bent pose; by default only one that is not real."
        ),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(callback=finite, min=0.0, help="End after so long; otherwise Ctrl-C ends it.")
    ] = None,
    protocol: Annotated[
        Literal["bus", "se"], typer.Option(help="bus: straight to the servos; se: the DOFBOT-SE's USB board.")
    ] = "bus",
    calibration_file: Annotated[
        Path | None, typer.Option(help="Calibration of the arm (YAML); by default the shipped one.")
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option(help="Folder that gets the session as an episode (MCAP) to learn from."),
    ] = None,
    domain: Annotated[
        int | None, typer.Option(min=0, max=101, help="ROS domain of the session; by default one of its own.")
    ] = None,
    view: ViewOption = False,
    as_json: JsonOption = False,
) -> None:
    """Steer an arm: starts it and teleop_node in a ROS domain of their own, and shows how they do.

    Nothing moves until you engage: close the hand, then hold the open palm; Enter on the keyboard; RB on a gamepad.
    With --out a recording is followed without ROS, on simulated time, the same way each time.
    """
    from dataclasses import replace

    from dofbot_ros.teleop.config import as_mode, load_config
    from dofbot_ros.teleop.input.source import DEVICES, check_source

    if source in ("joy", "topic"):
        raise UsageError(f"{source} is a topic of a running arm: dofbot up teleop source:={source}")
    if backend is Backend.serial and engage is Engage.auto:
        raise UsageError("a real arm is engaged by its operator: --engage auto is for sim and emulator")
    chosen = load_config(config)
    if mode is not None:
        chosen = replace(chosen, mode=as_mode(mode.value))
    check_source(source)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a service manager's way of saying Ctrl-C
    try:
        if out is not None:
            if record is not None or domain is not None or view:
                raise UsageError("--out follows a recording without ROS: --record, --domain and --view have no place")
            if source in DEVICES or not Path(source).exists() or source.startswith("/dev/"):
                raise UsageError(f"--out takes a recording (video file, image folder, .npz), and {source} is none")
            _record(source, chosen, out, as_json)
            return
        arguments = {
            "source": str(Path(source).resolve()) if Path(source).exists() else source,
            "mode": chosen.mode,
            "backend": backend.value,
            "config_file": str(config.resolve()) if config else "",
            "port": port,
            "protocol": protocol,
            "calibration_file": str(calibration_file.resolve()) if calibration_file else "",
            "auto_engage": "true" if engage is Engage.auto else "false",
        }
        to_start = backend is not Backend.serial if start is None else start
        from dofbot_ros.ros.teleop.terminal_session import LiveSession

        live = LiveSession(arguments, chosen, to_start, seconds, record=record, domain=domain)
        with live as session, console_beside(view):
            result = session.run()
        emit(result, as_json, "Teleoperation")
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _record(source: str, config: TeleopConfig, out: Path, as_json: bool) -> None:
    """Follow a recording with a progress bar, then say how it went."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from dofbot_ros.core.console import live_region
    from dofbot_ros.teleop.sessions.recorder import FILES, count_frames, record_session

    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out}: no folder to write to: {error.strerror}") from error
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with live_region(), Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("following", total=count_frames(source))
        result = record_session(source, config, out, after_frame=lambda: progress.advance(task))
    for name in FILES:
        console.print(f"wrote {escape(str(out / name))}", highlight=False, soft_wrap=True)
    emit(result, as_json, f"Following {source}")
