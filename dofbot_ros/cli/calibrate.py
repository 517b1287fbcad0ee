"""`dofbot calibrate ...`: measuring one arm, its cameras and its table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dofbot_ros.cli.calibrate_all import calibrate_all
from dofbot_ros.cli.options.checks import one_thread
from dofbot_ros.cli.options.progress import progress_bar
from dofbot_ros.cli.setup.calibrate_gripper import gripper
from dofbot_ros.core.clock import MonotonicClock
from dofbot_ros.core.console import JsonOption, console, emit

app = typer.Typer(no_args_is_help=True)


@app.callback()
def root() -> None:
    """Calibrate the arm, its cameras and the table; docs/calibration.md says in which order."""


@app.command("bundle")
def bundle(
    data: Annotated[Path, typer.Option(help="Folder with hand_eye_samples.csv.", show_default=False)],
    as_json: JsonOption = False,
    shuffles: Annotated[int, typer.Option(min=1, help="Random partitions of the cross-validation.")] = 5,
) -> None:
    """Fit servos, wrist camera and base height to recorded samples, and cross-validate: rays against tags, in mm."""
    one_thread()
    from dofbot_ros.calibration.real_arm import measure

    emit(measure(data, shuffles), as_json, "Bundle adjustment of a wrist camera")


@app.command("board")
def board(
    kind: Annotated[str, typer.Argument(help="charuco, sheet or blocks.")] = "charuco",
    *,
    out: Annotated[Path | None, typer.Option(help="PDF file; by default KIND.pdf here.")] = None,
    blocks: Annotated[Path | None, typer.Option(help="Block set; by default the shipped one.")] = None,
) -> None:
    """Write a board to print on A4 at true size, with a ruler that tells whether the printer kept it."""
    from dofbot_ros.calibration.targets.boards import RULER_MM, write_board
    from dofbot_ros.vision.markers.block_layout import load_blocks

    path = out or Path(f"{kind}.pdf")
    write_board(kind, load_blocks(blocks), path)
    console.print(
        f"wrote {path}: print it at 100 %, then measure its ruler: {RULER_MM} mm, give or take 0.25",
        highlight=False, soft_wrap=True, markup=False,
    )  # fmt: skip


@app.command("camera")
def camera(
    source: Annotated[str, typer.Argument(help="Folder of pictures, video, device or address.", show_default=False)],
    *,
    out: Annotated[Path, typer.Option(help="Calibration to write (ROS camera_info YAML).", show_default=False)],
    views: Annotated[int, typer.Option(min=8, help="Different pictures of the board to take.")] = 25,
    force: Annotated[bool, typer.Option("--force", help="Replace a stored calibration that is better.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Calibrate a lens from pictures of the ChArUco board; says where in the picture the board was not seen yet."""
    one_thread()
    from dofbot_ros.calibration.camera_command import calibrate_from

    with progress_bar("{task.fields[coverage]}") as bar:
        task = bar.add_task("board", total=views, coverage="")

        def seen(count: int, coverage: float, missing: list[str]) -> None:
            hint = "" if not missing else ", not yet " + ", ".join(missing)
            bar.update(task, completed=count, coverage=f"{100 * coverage:.0f} % of the picture{hint}")

        result = calibrate_from(source, MonotonicClock(), out, views=views, force=force, seen=seen)
    emit(result, as_json, f"Lens, written to {out}")


@app.command("hand-eye")
def hand_eye(
    source: Annotated[str, typer.Argument(help="Picture, or folder of pictures from one place.", show_default=False)],
    *,
    camera_info: Annotated[Path, typer.Option(help="Calibration of the lens.", show_default=False)],
    out: Annotated[Path, typer.Option(help="Pose of the camera to write (YAML).", show_default=False)],
    force: Annotated[bool, typer.Option("--force", help="Replace a stored pose that is better.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Find a fixed camera in base_link from the sheet that touches the base plate, with its held-out error in mm."""
    one_thread()
    from dofbot_ros.calibration.camera_command import locate_from

    result = locate_from(source, MonotonicClock(), camera_info, out, force)
    emit(result, as_json, f"Camera in base_link, written to {out}")


@app.command("check")
def check(
    source: Annotated[str, typer.Argument(help="Picture, or folder of pictures from one place.", show_default=False)],
    *,
    camera_info: Annotated[Path, typer.Option(help="Calibration of the lens.", show_default=False)],
    camera_pose: Annotated[Path, typer.Option(help="Stored pose of the camera (YAML).", show_default=False)],
    as_json: JsonOption = False,
) -> None:
    """Tell whether a stored camera pose still holds, from a picture of the sheet; exit code 1 when it does not."""
    one_thread()
    from dofbot_ros.calibration.camera_command import check_from

    result = check_from(source, MonotonicClock(), camera_info, camera_pose)
    emit(result, as_json, "Stored camera pose")
    if not result["holds"]:
        raise typer.Exit(1)


SessionFile = Annotated[Path, typer.Argument(help="Recorded views (JSON, docs/calibration.md).", show_default=False)]
LensFile = Annotated[Path, typer.Option("--camera-info", help="Calibration of the lens.", show_default=False)]
PoseFile = Annotated[Path, typer.Option("--camera-pose", help="Pose of the camera so far.", show_default=False)]
ArmFile = Annotated[str, typer.Option("--calibration", help="The arm's calibration so far; empty: the vendor's.")]
BlockFile = Annotated[Path | None, typer.Option("--blocks", help="Block set; by default the shipped one.")]


@app.command("plan")
def plan(
    *,
    camera_info: LensFile,
    camera_pose: PoseFile,
    calibration: ArmFile = "",
    held: Annotated[str, typer.Option(help="Block in the fingers.")] = "red",
    poses: Annotated[int, typer.Option(min=12, help="How many.")] = 60,
    seed: Annotated[int, typer.Option(min=0, help="Of the poses that there are to choose from.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Choose arm poses for a session: clear of table and base, the held block in view, together most informative."""
    one_thread()
    from dofbot_ros.calibration.arm_command import plan_for

    emit(plan_for(camera_info, camera_pose, calibration, held, poses=poses, seed=seed), as_json, "Poses of a session")


@app.command("servos")
def servos(
    session: SessionFile,
    *,
    camera_info: LensFile,
    camera_pose: PoseFile,
    calibration: ArmFile = "",
    blocks: BlockFile = None,
    out: Annotated[Path, typer.Option(help="Calibration of the arm to write (YAML).", show_default=False)],
    out_pose: Annotated[Path, typer.Option(help="Pose of the camera to write (YAML).", show_default=False)],
    force: Annotated[bool, typer.Option("--force", help="Replace stored files that are better.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Fit servo zeros, scales, play and base height together with the camera's pose to recorded views.

    A motion that leaves one of them open is refused by its name. The held-out error is in mm at the block in the hand.
    """
    one_thread()
    from dofbot_ros.calibration.arm_command import Inputs, calibrate_servos

    inputs = Inputs(session, camera_info, camera_pose, calibration, blocks)
    emit(calibrate_servos(inputs, out, out_pose, force=force), as_json, f"Arm, written to {out} and {out_pose}")


@app.command("table")
def table(
    session: SessionFile,
    *,
    camera_info: LensFile,
    camera_pose: PoseFile,
    calibration: ArmFile = "",
    blocks: BlockFile = None,
    as_json: JsonOption = False,
) -> None:
    """Tell from recorded views how high joint 2 is above the table, and how the table lies and tilts in base_link."""
    one_thread()
    from dofbot_ros.calibration.arm_command import Inputs, measure_table

    inputs = Inputs(session, camera_info, camera_pose, calibration, blocks)
    emit(measure_table(inputs), as_json, "Table")


@app.command("identify")
def identify(
    motion: Annotated[Path, typer.Argument(help="Recorded motion (.npz of `dofbot export`).", show_default=False)],
    *,
    calibration: Annotated[str, typer.Option(help="The arm's calibration; empty: the vendor's.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Tell each servo's delay, play, droop and speed from a recorded motion, and which desk the arm is like.

    Record sweeps of one joint after the other, to and fro at two speeds with rests at both ends, the arm stretched.
    """
    one_thread()
    from dofbot_ros.calibration.identification import identify_file

    emit(identify_file(motion, calibration), as_json, f"Servos in {motion}")


app.command("all")(calibrate_all)
app.command("gripper")(gripper)
