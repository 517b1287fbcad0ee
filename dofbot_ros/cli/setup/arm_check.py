"""`dofbot arm check`: move each joint by five degrees, and learn from the person who watches which way it went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dofbot_ros.cli.arm import open_arm, require_movable
from dofbot_ros.cli.options.keys import HINT, run_stoppable
from dofbot_ros.core.console import JsonOption, console, emit, warn

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from dofbot_ros.core.types import FloatArray
    from dofbot_ros.ros.clients.arm_client import ArmClient

CALIBRATION = Path("~/.config/dofbot/calibration.yaml")


def check(
    context: typer.Context,
    *,
    out: Annotated[Path, typer.Option(help="Calibration to write (YAML).")] = CALIBRATION,
    yes: Annotated[bool, typer.Option("--yes", help="Every joint goes the right way: for emulated arms.")] = False,
    seconds: Annotated[
        float, typer.Option(min=0.5, max=10.0, help="That each step of 5 degrees takes; longer where the arm is slow.")
    ] = 1.5,
    look: Annotated[
        bool, typer.Option("--look/--ask", help="Look through the arm's camera, where one is there, before asking.")
    ] = True,
    extrinsics_file: Annotated[
        Path | None, typer.Option(help="Where that camera is (YAML); a simulated one is known.", dir_okay=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check which way the joints turn, and write it to the calibration; until then a real arm moves slowly.

    Lead the arm upright by hand first, and keep a hand on its power switch. Each joint moves by 5 degrees, slowly, and
    back. A camera that sees the arm says which way it went; where there is none, or it cannot tell, you say it. An arm
    that is started here moves at a fifth of its speed.
    """
    from dofbot_ros.arm.calibration import calibration_of
    from dofbot_ros.calibration.directions import check_joint, require_upright, step_seconds, with_signs
    from dofbot_ros.config.loader import save_yaml
    from dofbot_ros.core.types import JOINT_NAMES
    from dofbot_ros.ros.clients.driver_parameters import driver_parameters

    context.obj = replace(context.obj, arguments={**context.obj.arguments, "first_time": True})
    with open_arm(context, torque=True, complete=True) as arm:
        require_movable(arm)
        used, speed, velocity, acceleration = driver_parameters(
            arm, "calibration_file", "speed_in_use", "max_velocity", "max_acceleration"
        )
        calibration = calibration_of(used)
        require_upright(arm)
        step_s = step_seconds(seconds, speed * velocity, speed * acceleration)
        if step_s > seconds:
            console.print(f"[dim]each step takes {step_s:.1f} s: no less at this arm's speed[/dim]")
        console.print(f"[dim]{HINT}[/dim]")
        watch = _Watch(arm, yes=yes, look=look and not yes, extrinsics_file=extrinsics_file)
        found = [
            check_joint(_Stoppable(arm), joint, partial(watch.went, joint), step_s * speed)
            for joint in JOINT_NAMES
            if watch.announce(joint)
        ]
    checked = with_signs(calibration, found)
    file = out.expanduser().resolve()
    file.parent.mkdir(parents=True, exist_ok=True)
    save_yaml(checked, file)
    turned = [direction.joint for direction in found if not direction.right]
    console.print(
        f"wrote {file}; start this arm with calibration_file:={file} from now on", highlight=False, soft_wrap=True
    )
    result = {"file": str(file), "signs_turned": turned, "seen_by_camera": watch.seen}
    emit(result, as_json, "Directions of the joints")


class _Watch:
    """Whoever sees which way a joint goes: the camera beside the arm, or else the person before the screen.

    Attributes:
        seen: joints of which the camera has said it.
    """

    def __init__(self, arm: ArmClient, *, yes: bool, look: bool, extrinsics_file: Path | None) -> None:
        from dofbot_ros.ros.clients.arm_eyes import eyes_of

        self._yes = yes
        self._eyes, why_not = eyes_of(arm, extrinsics_file) if look else (None, "")
        self.seen: list[str] = []
        if why_not:
            warn(f"not by camera: {why_not}")

    def announce(self, joint: str) -> bool:
        """Say what a joint is to do, and remember how the arm is before."""
        from dofbot_ros.calibration.directions import RIGHT_WAY

        console.print(f"{joint} is to {RIGHT_WAY[joint]}", highlight=False)
        if self._eyes is not None:
            self._eyes.remember()
        return True

    def went(self, joint: str, words: str) -> bool:
        """Whether a joint did what `words` say."""
        from dofbot_ros.core.types import JOINT_NAMES

        if self._yes:
            return True
        question = f"{joint}: did it {words}?"
        if self._eyes is None:
            return typer.confirm(question, default=True, err=True)
        right = self._eyes.turned(JOINT_NAMES.index(joint)).right
        if right is None:
            console.print("  [dim]the camera cannot tell[/dim]")
            return typer.confirm(question, default=True, err=True)
        self.seen.append(joint)
        if right:
            console.print("  [green]the camera saw it do so[/green]")
            return True
        # What turns a sign round is worth a second opinion.
        console.print("  [red]the camera saw it go the other way[/red]")
        return typer.confirm(question, default=False, err=True)


class _Stoppable:
    """The arm, with the keys at hand that stop it while it moves; between motions the keys answer questions."""

    def __init__(self, arm: ArmClient) -> None:
        self._arm = arm

    @property
    def position(self) -> FloatArray:
        """Joint positions (6,) [rad]."""
        return self._arm.position

    def move(self, times: Sequence[float], positions: ArrayLike, joints: Sequence[str]) -> None:
        """Move along a trajectory."""
        run_stoppable(lambda: self._arm.move(times, positions, joints), self._arm.stop, self._arm.estop)
