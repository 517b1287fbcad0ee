"""`dofbot teach ...`: lead the arm by hand, keep the way it went, and play it again."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dofbot_ros.cli.arm import arm_options, open_arm, require_movable
from dofbot_ros.cli.options.checks import finite
from dofbot_ros.cli.options.keys import HINT, run_stoppable
from dofbot_ros.core.console import console, warn
from dofbot_ros.errors import DofbotError, InputError

if TYPE_CHECKING:
    from dofbot_ros.core.types import FloatArray
    from dofbot_ros.ros.clients.arm_client import ArmClient

SAMPLE_S = 0.05
LAST_S = 0.2
"""Word of the arm that is still on its way at Enter is at most this old [s]."""
WAYPOINT_S = 2.0
"""From one waypoint to the next, unless the file is changed [s]."""
TO_START_RAD_S = 0.4
"""Of the farthest joint, on the way to where a motion starts [rad/s]."""

app = typer.Typer(no_args_is_help=True)
app.callback(help="Teach the arm motions by hand. Options before the command say which arm, as for `dofbot arm`.")(
    arm_options
)


@app.command("record")
def record(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="To write (YAML).", show_default=False)],
    *,
    waypoints: Annotated[
        bool, typer.Option("--waypoints", help="Keep single points: Enter keeps one, q and Enter end.")
    ] = False,
) -> None:
    """Let go of the arm, so that you can lead it, and keep the way it goes. Hold it: it sinks by itself.

    Fingers are led, too. The file holds a few points that can be changed with any editor.
    """
    from dofbot_ros.arm.taught import save_taught, taught

    if file.exists():
        raise InputError(f"{file} exists: choose another name, or remove it")
    with open_arm(context, torque=True) as arm:
        require_movable(arm, ("IDLE",))
        arm.switch("freedrive", True)
        try:
            times, positions = _points(arm) if waypoints else _way(arm)
        finally:
            arm.switch("freedrive", False)
        motion = taught(times, positions)
        save_taught(motion, file)
    console.print(f"wrote {file}: {len(motion.points)} points, {motion.times[-1]:.1f} s", highlight=False)


@app.command("play")
def play(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Of `dofbot teach record`.", show_default=False)],
    *,
    speed: Annotated[
        float, typer.Option(callback=finite, min=0.01, max=10.0, help="Of the motion; 1 plays it as it was taught.")
    ] = 1.0,
    times: Annotated[int, typer.Option(min=1, help="How often.")] = 1,
) -> None:
    """Play a taught motion. First the arm moves softly to its start; a motion that is too fast is refused whole."""
    from dofbot_ros.arm.taught import load_taught
    from dofbot_ros.core.types import JOINT_NAMES
    from dofbot_ros.errors import CommandRefusedError

    motion = load_taught(file)
    steps, rows = (motion.times / speed)[1:].tolist(), motion.positions

    def job() -> None:
        for _ in range(times):
            farthest = float(abs(arm.position - rows[0]).max())
            arm.move([0.5 + farthest / TO_START_RAD_S], rows[:1], JOINT_NAMES)
            arm.move(steps, rows[1:], JOINT_NAMES)

    with open_arm(context, torque=True) as arm:
        require_movable(arm)
        console.print(f"[dim]{HINT}[/dim]")
        try:
            run_stoppable(job, arm.stop, arm.estop)
        except CommandRefusedError as error:
            raise CommandRefusedError(f"{file} at speed {speed:g}: {error}") from error


def _way(arm: ArmClient) -> tuple[FloatArray, FloatArray]:
    """Samples until Enter, and where the hand is then."""
    done = threading.Event()

    def wait() -> None:
        _enter("the arm is free: lead it; Enter ends")
        done.set()

    threading.Thread(target=wait, daemon=True).start()
    rows: list[tuple[float, FloatArray]] = []
    begun = time.monotonic()
    while not done.wait(SAMPLE_S):
        rows.append((time.monotonic() - begun, arm.position.copy()))
    end_s = arm.now_s() + LAST_S
    while arm.now_s() < end_s:
        arm.require_heard()
    rows.append((time.monotonic() - begun, arm.position.copy()))
    return _arrays(rows)


def _points(arm: ArmClient) -> tuple[FloatArray, FloatArray]:
    """A point for each Enter."""
    rows: list[tuple[float, FloatArray]] = []
    while True:
        answer = _enter(f"{len(rows)} points: lead the arm; Enter keeps where it is, q and Enter end")
        if answer.startswith("q"):
            return _arrays(rows)
        if rows and abs(rows[-1][1] - arm.position).max() < 0.01:
            warn("the arm is where the last point is: not kept")
            continue
        rows.append((WAYPOINT_S * len(rows), arm.position.copy()))


def _enter(words: str) -> str:
    try:
        return str(typer.prompt(words, default="", show_default=False, err=True)).strip().lower()
    except typer.Abort:
        return "q"  # the end of input, or Ctrl-C: what there is by then is kept


def _arrays(rows: list[tuple[float, FloatArray]]) -> tuple[FloatArray, FloatArray]:
    import numpy as np

    if not rows:
        raise DofbotError("nothing was taught")
    return np.array([time_s for time_s, _ in rows]), np.array([position for _, position in rows])
