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
from dofbot_ros.cli.options.which_arm import LensOption, RealCameraOption, RealPortOption, RtfOption, StackArguments
from dofbot_ros.core.console import JsonOption, console, emit
from dofbot_ros.core.progress import progress_bar
from dofbot_ros.errors import InputError, UsageError

if TYPE_CHECKING:
    from dofbot_ros.arm.calibration import Calibration
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
    desk: DeskOption = "typical:calibrated",
    desk_seed: DeskSeedOption = None,
    rtf: RtfOption = 1.0,
    force: Annotated[bool, typer.Option("--force", help="Replace a stored file that is better.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure where the fingers are, by pictures of the hand, and their gap, by a block of known size.

    After `dofbot calibrate all`: one block stands 200 mm before the arm, a face square to it, and nothing else moves.
    The arm closes on it four times, then shows its hand a dozen times. A simulated arm is compared with what is true.
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
        arm = stack.enter_context(pick_arm(backend, world, given))
        console.print(f"[dim]{HINT}[/dim]")
        if truth is not None:
            arm.arrange(Arrangement({block: BEFORE_THE_ARM}))
        width_m = shown.size if size is None else 1e-3 * size
        result = _measured(arm, load_calibration(calibration), block, width_m, out=out, force=force)
    if truth is not None:
        off = {"across": truth.finger_across_m, "along": truth.finger_along_m}
        result["off_truth"] = {f"{k}_mm": abs(result[f"finger_{k}_mm"] - 1e3 * v) for k, v in off.items()}
        result["off_truth"]["before"] = {f"{k}_mm": abs(1e3 * v) for k, v in off.items()}
    emit(result, as_json, f"Gripper, written to {out}")


def _measured(
    arm: TrialClient, stored: Calibration, block: str, width_m: float, *, out: Path, force: bool
) -> dict[str, Any]:
    """Move, look, fit and write."""
    from dofbot_ros.arm.robot import Robot
    from dofbot_ros.calibration.hand.fingers import FOLDS, HandViews, hand_poses
    from dofbot_ros.calibration.hand.gap import Closing
    from dofbot_ros.calibration.hand.procedure import close_on, show_hand
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

    def move() -> tuple[list[Closing], HandViews]:
        arm.prepare()
        closings = close_on(arm, plan, arm.rest, stored, width_m)
        views = HandViews(robot.kinematics, OutlineCamera(arm.view.intrinsics, arm.view.T_base_camera))
        poses = hand_poses(robot.kinematics)
        task = bar.add_task("poses", total=len(poses))
        show_hand(
            arm, views, poses, picture=lambda: arm.look().image, rest=arm.rest,
            limits=DriverConfig().motion_limits(robot), done=lambda n: bar.update(task, completed=n),
        )  # fmt: skip
        return closings, views

    with progress_bar("") as bar:
        kept: list[tuple[list[Closing], HandViews]] = []
        run_stoppable(lambda: kept.append(move()), arm.stop, arm.estop)
        closings, views = kept[0]
        seconds = arm.now_s() - begin_s
        calibrated, gap = gap_kept(stored, closings)
        task = bar.add_task("fits", total=1 + FOLDS)
        found = views.fit(lambda n: bar.update(task, completed=n))
    return {"arm_time_s": seconds, **gap, **write_gripper(calibrated, found, out, force)}
