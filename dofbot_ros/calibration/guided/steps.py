"""The steps of calibrating a camera over the table: what to do, what each reads and writes, what came out in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dofbot_ros.core.clock import MonotonicClock
from dofbot_ros.errors import InputError, one_of

LENS, POSE = "camera.yaml", "camera_pose.yaml"
BOARDS = ("charuco", "sheet")
VIEWS = 25

Tell = Callable[[str], None]
"""Is told how far a step is, in a sentence."""


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        name: of the command `dofbot calibrate NAME`.
        title: what it is, in a few words.
        todo: what the operator does, in order, a sentence each.
        needs: files of the folder that it reads.
        writes: files of the folder that it writes.
        pictures: how many pictures it wants; 0 for none.
    """

    name: str
    title: str
    todo: tuple[str, ...]
    needs: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    pictures: int = 0


STEPS = (
    Step(
        "board",
        "Print the board and the sheet",
        (
            "Start writes two A4 pages. Open each, and print it at 100 %.",
            "Measure the ruler on the paper: 250 mm, give or take 0.25. Otherwise print again.",
            "Glue the board (charuco) to something flat. The sheet stays paper.",
        ),
        writes=tuple(f"{kind}.pdf" for kind in BOARDS),
    ),
    Step(
        "camera",
        "Calibrate the lens",
        (
            "Switch the camera's picture on, and hold the board so that it fills a third of it.",
            "Take 15 to 25 pictures: the board tilted by 20 to 40 degrees each way, in every corner of the picture.",
            "Hold it still for each; the arm stays where it is.",
        ),
        writes=(LENS,),
        pictures=15,
    ),
    Step(
        "hand-eye",
        "Find the camera",
        (
            "Push the sheet flat against the front edge of the arm's base plate, its arrow to the arm.",
            "Move the arm by hand, or with its sliders, so that the camera sees most of the sheet.",
            "Take 3 to 20 pictures without touching the camera.",
        ),
        needs=(LENS,),
        writes=(POSE,),
        pictures=3,
    ),
    Step(
        "check",
        "Check that the camera still stands there",
        (
            "Whenever the camera may have been knocked: lay the sheet as before, and take a picture of it.",
            "It holds, or step 3 is due again.",
        ),
        needs=(LENS, POSE),
        pictures=1,
    ),
)


def step_named(name: str) -> Step:
    """The step called `name`.

    Raises:
        InputError: there is none.
    """
    for step in STEPS:
        if step.name == name:
            return step
    raise InputError(one_of("step", name, [step.name for step in STEPS]))


def run_step(name: str, folder: Path, pictures: Path, tell: Tell) -> list[str]:
    """Carry out a step; the same code as behind `dofbot calibrate NAME`. Returns what came out, a sentence each.

    Args:
        name: of the step.
        folder: of the files that the steps read and write.
        pictures: folder of this step's pictures.
        tell: is told how far it is.

    Raises:
        DofbotError: it cannot be done, and why.
    """
    if name == "board":
        return _write_boards(folder, tell)
    from dofbot_ros.calibration.camera_command import calibrate_from, check_from, locate_from

    lens, pose, clock = folder / LENS, folder / POSE, MonotonicClock()
    if name == "camera":

        def seen(count: int, coverage: float, missing: list[str]) -> None:
            hint = f", not yet {', '.join(missing)}" if missing else ""
            tell(f"{count} pictures count, the board was in {100 * coverage:.0f} % of the picture{hint}")

        return _lens(calibrate_from(str(pictures), clock, lens, views=VIEWS, force=False, seen=seen), lens)
    tell("looking for the sheet")
    if name == "hand-eye":
        return _place(locate_from(str(pictures), clock, lens, pose, False), pose)
    return _still(check_from(str(pictures), clock, lens, pose))


def _write_boards(folder: Path, tell: Tell) -> list[str]:
    from dofbot_ros.calibration.targets.boards import write_board
    from dofbot_ros.vision.markers.block_layout import load_blocks

    for kind in BOARDS:
        tell(f"drawing {kind}.pdf")
        write_board(kind, load_blocks(None), folder / f"{kind}.pdf")
    return [f"{', '.join(f'{kind}.pdf' for kind in BOARDS)} are ready to be printed."]


def _lens(found: dict[str, Any], file: Path) -> list[str]:
    return [
        f"The lens is calibrated from {found['pictures']} pictures: on pictures left out it errs by "
        f"{found['held_out_px']:.2f} px.",
        f"Focal length {found['focal_px'][0]:.0f} px; the board was in {100 * found['coverage']:.0f} % of the picture.",
        f"Written to {file}: start the stack with camera_info_url:={file}.",
    ]


def _place(found: dict[str, Any], file: Path) -> list[str]:
    x, y, z = (1e3 * v for v in found["position_m"])
    return [
        f"The camera is at x {x:.0f} y {y:.0f} z {z:.0f} mm from the base, by {found['markers']} markers; on those "
        f"left out it errs by {found['held_out_mm']:.1f} mm on the table.",
        f"Written to {file}: start the stack with extrinsics_file:={file}.",
    ]


def _still(found: dict[str, Any]) -> list[str]:
    moved = f"{found['moved_mm']:.1f} mm and {found['turned_deg']:.2f} degrees"
    if found["holds"]:
        return [f"The stored pose holds: the camera is {moved} from it."]
    return [f"The camera was moved, by {moved}: find it again (step 3)."]
