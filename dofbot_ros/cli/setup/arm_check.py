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
from dofbot_ros.core.console import JsonOption, console, emit

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
    seconds: Annotated[float, typer.Option(min=0.5, max=10.0, help="That each step of 5 degrees takes.")] = 1.5,
    as_json: JsonOption = False,
) -> None:
    """Check which way the joints turn, and write it to the calibration; until then a real arm moves slowly.

    Lead the arm upright by hand first, and keep a hand on its power switch. Each joint moves by 5 degrees, slowly, and
    back; you say whether it went the way that is named. An arm that is started here moves at a fifth of its speed.
    """
    from dofbot_ros.arm.calibration import calibration_of
    from dofbot_ros.calibration.directions import RIGHT_WAY, check_joint, require_upright, with_signs
    from dofbot_ros.config.loader import save_yaml
    from dofbot_ros.core.types import JOINT_NAMES
    from dofbot_ros.ros.clients.driver_parameters import driver_parameters

    context.obj = replace(context.obj, arguments={**context.obj.arguments, "first_time": True})
    with open_arm(context, torque=True) as arm:
        require_movable(arm)
        used, speed = driver_parameters(arm, "calibration_file", "speed_in_use")
        calibration = calibration_of(used)
        require_upright(arm)
        console.print(f"[dim]{HINT}[/dim]")
        found = []
        for joint in JOINT_NAMES:
            console.print(f"{joint} is to {RIGHT_WAY[joint]}", highlight=False)
            found.append(check_joint(_Stoppable(arm), joint, partial(_seen, joint, yes), seconds * speed))
    checked = with_signs(calibration, found)
    file = out.expanduser().resolve()
    file.parent.mkdir(parents=True, exist_ok=True)
    save_yaml(checked, file)
    turned = [direction.joint for direction in found if not direction.right]
    console.print(
        f"wrote {file}; start this arm with calibration_file:={file} from now on", highlight=False, soft_wrap=True
    )
    emit({"file": str(file), "signs_turned": turned}, as_json, "Directions of the joints")


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


def _seen(joint: str, yes: bool, words: str) -> bool:
    return yes or typer.confirm(f"{joint}: did it {words}?", default=True, err=True)
