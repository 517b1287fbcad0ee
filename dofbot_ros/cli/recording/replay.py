"""`dofbot replay FILE`: an episode, played on an arm."""

from __future__ import annotations

import signal
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.progress import Progress

from dofbot_ros.cli.options.checks import finite
from dofbot_ros.core.console import JsonOption, console, emit, live_region, warn


def replay(
    episode: Annotated[Path, typer.Argument(help="Episode (MCAP file).", show_default=False)],
    *,
    backend: Annotated[
        Literal["sim", "emulator", "serial"],
        typer.Option(help="sim: a simulated arm, as fast as it goes; emulator: emulated servos; serial: a real arm."),
    ],
    speed: Annotated[float, typer.Option(callback=finite, help="Of the recording; 1 plays it as it was.")] = 1.0,
    port: Annotated[str, typer.Option(help="Serial port of the real arm.")] = "/dev/ttyUSB0",
    protocol: Annotated[
        Literal["bus", "se"], typer.Option(help="bus: straight to the servos; se: the DOFBOT-SE's USB board.")
    ] = "bus",
    calibration_file: Annotated[str, typer.Option(help="Calibration of the arm (YAML).")] = "",
    on_exit: Annotated[
        Literal["hold", "park", "release"], typer.Option(help="What the arm does at the end, Ctrl-C included.")
    ] = "hold",
    as_json: JsonOption = False,
) -> None:
    """Play the joint commands of an episode, and the way the arm went where there were none, through the governor.

    First the arm moves softly to where the episode starts. At the end: what the governor changed, and how far the arm
    was from where it had been in the recording.
    """
    from dofbot_ros.record import require_mcap

    require_mcap()
    from dofbot_ros.core.realtime import realtime
    from dofbot_ros.driver.config import DriverConfig
    from dofbot_ros.record.arms import open_arm
    from dofbot_ros.record.motion import RecordedMotion
    from dofbot_ros.record.reader import Episode
    from dofbot_ros.record.replay import Replay

    recorded = Episode(episode)
    for words in recorded.damage:
        warn(f"{episode} {words}")
    motion = RecordedMotion(recorded)
    config = DriverConfig(port=port, protocol=protocol, calibration_file=calibration_file, on_exit=on_exit)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a service manager's way of saying Ctrl-C
    try:
        with (
            live_region(),
            Progress(console=console, transient=True) as progress,
            open_arm(backend, config) as (daemon, clock),
            # Simulated time does not mind to be kept waiting, and computes too much to come before everybody else.
            nullcontext() if backend == "sim" else realtime(),
        ):
            task = progress.add_task("to the start", total=motion.duration_s)
            run = Replay(daemon, clock, motion, speed)
            run.go_to_start()
            progress.update(task, description="playing")
            result = run.play(lambda: progress.update(task, completed=run.time_s))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    emit(result.as_dict(), as_json, f"{episode.name} on {backend}")
