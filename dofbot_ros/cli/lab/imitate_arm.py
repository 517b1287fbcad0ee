"""`dofbot imitate arm`: a hand in a camera or a recording opens and closes the gripper, and calls stored poses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from dofbot_ros.cli.arm import POSES, PosesOption, arm_options, open_arm, require_movable
from dofbot_ros.cli.lab.imitate import DofOption, ModelOption, StepsOption, imitator_of
from dofbot_ros.cli.options.keys import HINT, run_stoppable
from dofbot_ros.cli.options.which_arm import (
    BACKEND,
    CalibrationFileOption,
    DomainOption,
    NamespaceOption,
    PortOption,
    ProtocolOption,
    SpeedOption,
)
from dofbot_ros.core.console import JsonOption, console, emit
from dofbot_ros.errors import DofbotError, UsageError, one_of

if TYPE_CHECKING:
    from dofbot_ros.lab.imitation.driving.drive import HandDrive
    from dofbot_ros.lab.imitation.driving.follow import Looked

FINGERS = "thumb", "index", "middle", "ring", "little"
BAR = 10
"""Characters of a finger's bar."""


def drive_arm(
    context: typer.Context,
    *,
    source: Annotated[str, typer.Option(help="A camera's number or device, a video file, or a folder of images.")],
    sign: Annotated[
        list[str] | None,
        typer.Option(
            help="SIGN=POSE, repeated: one, two, three, rock or call (straight fingers but for the thumb), and a pose "
            "of `dofbot arm save`.",
            show_default=False,
        ),
    ] = None,
    backend: Annotated[
        Literal["running", "sim", "emulator", "serial"],
        BACKEND,
    ] = "running",
    poses: PosesOption = POSES,
    model: ModelOption = None,
    method: Annotated[
        str, typer.Option(help="landmarks, landmarks+refine, network or network+refine; sac with its --model.")
    ] = "landmarks",
    dof: DofOption = 17,
    steps: StepsOption = 50,
    port: PortOption = "/dev/ttyUSB0",
    namespace: NamespaceOption = "",
    domain: DomainOption = None,
    protocol: ProtocolOption = "bus",
    calibration_file: CalibrationFileOption = None,
    speed: SpeedOption = 1.0,
    as_json: JsonOption = False,
) -> None:
    """Let a hand drive the arm: fingers that bend together set the gripper's gap, a sign calls a stored pose.

    Nothing moves until you engage: close the hand, then hold it open, or press Enter, which also lets go. Without a
    hand the arm holds. The space bar is the emergency stop.
    """
    given = _pairs(sign or [])
    imitator = imitator_of(model, method, dof, steps)
    from dofbot_ros.arm.poses import load_poses
    from dofbot_ros.core.clock import MonotonicClock
    from dofbot_ros.lab.imitation.driving.drive import HandDrive, poses_of_signs
    from dofbot_ros.lab.imitation.driving.follow import follow_hand
    from dofbot_ros.teleop.config import TeleopConfig
    from dofbot_ros.teleop.input.latest_frame import NewestFrames
    from dofbot_ros.teleop.input.mediapipe_detector import MediapipeDetector
    from dofbot_ros.teleop.input.source import check_source
    from dofbot_ros.vision.cameras.capture import CaptureConfig, open_source

    wanted = poses_of_signs(given, load_poses(poses))
    check_source(source)
    arm_options(
        context, backend=backend, port=port, namespace=namespace, domain=domain, protocol=protocol,
        calibration_file=calibration_file, speed=speed,
    )  # fmt: skip
    detector = MediapipeDetector(TeleopConfig())
    result: dict[str, Any] = {}
    try:
        with open_arm(context, torque=True, complete=True) as arm, HandDrive(arm, wanted) as drive:
            require_movable(arm)
            console.print(f"[dim]close the hand, then hold it open to engage, or Enter; {HINT}[/dim]")
            frames = NewestFrames(open_source(CaptureConfig(video_device=source), MonotonicClock()))
            stopped: list[bool] = []

            def follow() -> None:
                with Live(console=console, auto_refresh=False, transient=True) as live:

                    def show(looked: Looked) -> None:
                        live.update(_table(drive, looked, arm.state), refresh=console.is_terminal)

                    result.update(follow_hand(imitator, frames, detector, drive, show))

            def estop() -> None:
                arm.estop()
                stopped.append(True)
                frames.close()

            def stop() -> None:
                frames.close()
                arm.stop()

            def toggle() -> None:
                if drive.reader.engaged:
                    drive.reader.release("let go by Enter")
                else:
                    drive.reader.engage()

            try:
                run_stoppable(follow, stop, estop, toggle)
            finally:
                frames.close()
            if stopped:
                raise DofbotError("emergency stop: the arm holds; `dofbot arm reset` allows motions again")
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    finally:
        detector.close()
    emit(result, as_json, f"{source} drove the arm")


def _pairs(given: Sequence[str]) -> dict[str, str]:
    """SIGN=POSE words as sign -> pose."""
    from dofbot_ros.lab.imitation.driving.signs import SIGNS

    found: dict[str, str] = {}
    for word in given:
        sign, equals, pose = word.partition("=")
        if not (sign and equals and pose):
            raise UsageError(f"--sign takes SIGN=POSE, such as two=left, not {word!r}")
        if sign not in SIGNS:
            raise UsageError(one_of("sign", sign, SIGNS))
        if sign in found:
            raise UsageError(f"--sign {sign} is given twice: {found[sign]} and {pose}")
        found[sign] = pose
    return found


def _table(drive: HandDrive, looked: Looked, state: str) -> Table:
    reader = drive.reader
    table = Table(box=None, show_header=False)
    table.add_column(justify="right", style="dim")
    table.add_column()
    follows = "[green]the arm follows[/green]" if reader.engaged else f"[yellow]{escape(reader.why)}[/yellow]"
    table.add_row("hand", follows if reader.seen else "[red]no hand: the arm holds[/red]")
    for name, bend in zip(FINGERS, () if looked.bends is None else looked.bends, strict=False):
        table.add_row(name, "#" * round(BAR * min(max(float(bend), 0.0), 1.0)))
    table.add_row("shape", reader.shape or "fingers together")
    table.add_row("gap", "-" if drive.gap is None else f"{1e3 * drive.gap:.0f} mm")
    table.add_row("arm", escape(f"{state}, to the pose of {drive.going}" if drive.going else state))
    if drive.word:
        table.add_row("", f"[red]{escape(drive.word)}[/red]")
    return table
