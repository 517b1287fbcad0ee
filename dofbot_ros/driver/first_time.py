"""How fast an arm may move that nobody has watched yet."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dofbot_ros.arm.calibration import Calibration
from dofbot_ros.driver.config import DriverConfig

FIRST_SPEED = 0.2
"""Share of the speed for the first time, and until the directions of a real arm were checked."""
PSEUDO_TERMINALS = Path("/dev/pts")


def permitted(config: DriverConfig, calibration: Calibration) -> tuple[DriverConfig, str]:
    """The configuration with the speed that the arm may have.

    A real arm whose directions nobody has checked (`dofbot arm check`) gets FIRST_SPEED at most, unless the check was
    waived: a joint that turns the wrong way is to do so slowly.

    Args:
        config: as it was asked for.
        calibration: of the arm.

    Returns:
        The configuration, first_time worked into its speed; and why it is slower than asked for, "" where it is not.
    """
    asked = min(config.speed, FIRST_SPEED) if config.first_time else config.speed
    if asked <= FIRST_SPEED or config.waive_check or calibration.signs_checked or not is_real(config.port):
        return replace(config, speed=asked), ""
    return replace(config, speed=FIRST_SPEED), (
        f"speed {FIRST_SPEED:g} instead of {asked:g}: nobody has checked that this arm's joints turn the right way; "
        "run `dofbot arm check` and use the calibration_file that it writes, or waive it with waive_check:=true"
    )


def is_real(port: str) -> bool:
    """Whether servos that can hurt somebody may be behind a port: emulated ones are on a pseudo terminal."""
    return Path(port).resolve().parent != PSEUDO_TERMINALS
