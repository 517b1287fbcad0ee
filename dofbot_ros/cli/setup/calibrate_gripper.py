"""`dofbot calibrate gripper`: the arm finds out where its fingers are, and which gap its servo's readings mean."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from dofbot_ros.cli.options.checks import one_thread
from dofbot_ros.cli.options.desk import DeskOption, DeskSeedOption, chosen_desk
from dofbot_ros.cli.options.keys import HINT, run_stoppable
from dofbot_ros.cli.options.progress import progress_bar
from dofbot_ros.cli.options.resuming import resumable
from dofbot_ros.cli.options.which_arm import LensOption, RealCameraOption, RealPortOption, RtfOption, StackArguments
from dofbot_ros.core.console import JsonOption, console, emit
from dofbot_ros.errors import InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dofbot_ros.arm.calibration import Calibration
    from dofbot_ros.calibration.hand.record import HandRecord
    from dofbot_ros.ros.clients.trial_client import TrialClient


LOOKS = 10
"""Pictures in which the block is looked for."""
BEFORE_THE_ARM = (0.20, 0.0, 0.0)
"""Where the simulated block stands: x, y [m], yaw [rad]."""


def gripper(
    arguments: StackArguments = None,
    *,
    backend: Annotated[
        Literal["serial", "emulator", "sim"],
        typer.Option(help="serial: a real arm; emulator, sim: a simulated one with hidden errors."),
    ] = "serial",
    port: RealPortOption = None,
    camera: RealCameraOption = None,
    camera_info: LensOption = None,
    camera_pose: Annotated[Path | None, typer.Option(help="Where it is (`dofbot calibrate all`).")] = None,
    calibration: Annotated[Path | None, typer.Option(help="The arm's calibration (`dofbot calibrate all`).")] = None,
    block: Annotated[str, typer.Option(help="The one block on the table, which the fingers close on.")] = "red",
    size: Annotated[float | None, typer.Option(min=5, max=55, help="Its edge, by a caliper [mm].")] = None,
    out: Annotated[Path, typer.Option(help="Calibration of the arm to write (YAML).")] = Path("arm.yaml"),
    record: Annotated[Path, typer.Option(help="What was seen, written after each motion (.npz).")] = Path("hand.npz"),
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with --record of a measurement that was interrupted.")
    ] = False,
    desk: DeskOption = "typical:calibrated",
    desk_seed: DeskSeedOption = None,
    rtf: RtfOption = 1.0,
    force: Annotated[bool, typer.Option("--force", help="Replace a stored file that is better.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure where the fingers are, by pictures of the hand, and their gap, by a block of known size.

    After `dofbot calibrate all`: one block stands 200 mm before the arm, a face square to it, and nothing else moves.
    The arm closes on it four times, then shows its hand a dozen times. A simulated arm is compared with what is true.
    After Ctrl-C or a fault, the same command with --resume goes on with what is left.
    """
    one_thread()
    from dofbot_ros.arm.calibration import load_calibration
    from dofbot_ros.desks.installation import install
    from dofbot_ros.launching import parse_words
    from dofbot_ros.ros.clients.trial_stack import pick_arm
    from dofbot_ros.sim.arrangement import Arrangement
    from dofbot_ros.sim.config import load_world_config
    from dofbot_ros.vision.markers.block_layout import load_blocks

    shown = load_blocks().block(block)
    given = parse_words(arguments or [])
    world = replace(load_world_config(), marked=(block,), plain=())
    with ExitStack() as stack:
        truth = None
        if backend == "serial":
            if camera is None or camera_info is None or camera_pose is None or calibration is None:
                raise UsageError(
                    "a real arm needs --camera, and the files of `dofbot calibrate all`: --camera-info, --camera-pose "
                    "and --calibration; a simulated one measures itself with --backend sim"
                )
            given |= {"camera": camera} | ({} if port is None else {"port": port})
        else:
            name, number = chosen_desk(desk, desk_seed, 0)
            made = install(name, number, world)
            truth = made.world.arm
            told = made.belief.save(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dofbot-told-"))))
            camera_info = camera_info or Path(told["camera_info_file"])
            camera_pose = camera_pose or Path(told["extrinsics_file"])
            calibration = calibration or Path(told["calibration_file"])
            given |= {"desk": name, "desk_seed": str(number)} | ({"rtf": str(rtf)} if backend == "sim" else {})
        files = {"camera_info_url": camera_info, "extrinsics_file": camera_pose, "calibration_file": calibration}
        for file in files.values():
            if not file.is_file():
                raise InputError(f"{file} does not exist")
        given |= {key: str(file.resolve()) for key, file in files.items()}
        width_m = shown.size if size is None else 1e-3 * size
        seen = _record(record, resume, files.values(), width_m)
        arm = stack.enter_context(pick_arm(backend, world, given))
        console.print(f"[dim]{HINT}[/dim]")
        if truth is not None:
            arm.arrange(Arrangement({block: BEFORE_THE_ARM}))
        with resumable(record, lambda: bool(seen.closings)):
            result = _measured(arm, load_calibration(calibration), block, width_m, seen, out=out, force=force)
    if truth is not None:
        off = {"across": truth.finger_across_m, "along": truth.finger_along_m}
        result["off_truth"] = {f"{k}_mm": abs(result[f"finger_{k}_mm"] - 1e3 * v) for k, v in off.items()}
        result["off_truth"]["before"] = {f"{k}_mm": abs(1e3 * v) for k, v in off.items()}
    emit(result, as_json, f"Gripper, written to {out}")


def _record(path: Path, resume: bool, files: Iterable[Path], width_m: float) -> HandRecord:
    """What was seen so far, if it is to be gone on with."""
    from hashlib import sha256

    from dofbot_ros.calibration.hand.record import HandRecord, load_record

    told = sha256(b"".join(file.read_bytes() for file in files) + f"{width_m:.6f}".encode()).hexdigest()
    return load_record(path, told) if resume else HandRecord(path, told)


def _measured(
    arm: TrialClient,
    stored: Calibration,
    block: str,
    width_m: float,
    seen: HandRecord,
    *,
    out: Path,
    force: bool,
) -> dict[str, Any]:
    """Move and look, as far as that is not in `seen`, fit and write."""
    from dofbot_ros.arm.robot import Robot
    from dofbot_ros.calibration.hand.fingers import FOLDS, HandViews, hand_poses
    from dofbot_ros.calibration.hand.procedure import CLOSINGS, close_on, show_hand
    from dofbot_ros.calibration.hand.record import HandPicture
    from dofbot_ros.calibration.hand.result import gap_kept, write_gripper
    from dofbot_ros.driver.config import DriverConfig
    from dofbot_ros.grasp.planning.block_plan import BlockPlan
    from dofbot_ros.grasp.sight.fit import OutlineCamera
    from dofbot_ros.trials.protocol import NoGraspError
    from dofbot_ros.trials.strategies.markers import ArucoStrategy
    from dofbot_ros.vision.markers.block_layout import load_blocks

    robot = Robot.calibrated(stored)
    strategy = ArucoStrategy(load_blocks(), robot)

    def plan() -> BlockPlan:
        for _ in range(LOOKS - 1):
            with suppress(NoGraspError):  # noise hides a block from one picture and not from the next
                return strategy.plan_move(strategy.standing(arm.look()), block)[1]
        return strategy.plan_move(strategy.standing(arm.look()), block)[1]

    begin_s = arm.now_s()

    poses = hand_poses(robot.kinematics)

    def move() -> None:
        arm.prepare()
        left = CLOSINGS - len(seen.closings)
        close_on(arm, plan, arm.rest, stored, width_m, times=left, closed=seen.closed)
        task = bar.add_task("poses", total=len(poses), completed=len(seen.pictures))

        def take(picture: HandPicture) -> None:
            seen.shown(picture)
            bar.update(task, advance=1)

        show_hand(
            arm, take, poses[len(seen.pictures) :], picture=lambda: arm.look().image, rest=arm.rest,
            limits=DriverConfig().motion_limits(robot),
        )  # fmt: skip

    with progress_bar("") as bar:
        if len(seen.pictures) < len(poses):
            run_stoppable(move, arm.stop, arm.estop)
        seconds = arm.now_s() - begin_s
        calibrated, gap = gap_kept(stored, seen.closings)
        views = HandViews(robot.kinematics, OutlineCamera(arm.view.intrinsics, arm.view.T_base_camera))
        for one in seen.pictures:
            views.take(one.bare, one.upright, one.image, one.q)
        task = bar.add_task("fits", total=1 + FOLDS)
        found = views.fit(lambda n: bar.update(task, completed=n))
    return {"arm_time_s": seconds, **gap, **write_gripper(calibrated, found, out, force)}
