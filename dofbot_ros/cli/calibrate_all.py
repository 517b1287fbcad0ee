"""`dofbot calibrate all`: the arm shows a block to its camera from many poses, and calibrates itself by that."""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    from dofbot_ros.calibration.session import View
    from dofbot_ros.core.types import FloatArray
    from dofbot_ros.desks.installation import Installation
    from dofbot_ros.ros.clients.calibration_client import CalibrationClient
    from dofbot_ros.sim.config import WorldConfig
    from dofbot_ros.vision.markers.aruco import Marker
    from dofbot_ros.vision.markers.block_layout import Block


LENS = "camera_info.yaml"
"""Beside the pose of a simulated camera: its lens, as calibrated."""


class Backend(str, Enum):
    """Which arm."""

    serial = "serial"
    emulator = "emulator"
    sim = "sim"


def calibrate_all(
    arguments: StackArguments = None,
    *,
    backend: Annotated[
        Backend, typer.Option(help="serial: a real arm; emulator, sim: a simulated one with hidden errors.")
    ] = Backend.serial,
    port: RealPortOption = None,
    camera: RealCameraOption = None,
    camera_info: LensOption = None,
    camera_pose: Annotated[Path | None, typer.Option(help="Where it is (`dofbot calibrate hand-eye`).")] = None,
    calibration: Annotated[str, typer.Option(help="The arm's calibration so far; empty: the vendor's.")] = "",
    held: Annotated[str, typer.Option(help="Block in the fingers.")] = "red",
    out: Annotated[Path, typer.Option(help="Calibration of the arm to write (YAML).")] = Path("arm.yaml"),
    out_pose: Annotated[Path, typer.Option(help="Pose of the camera to write (YAML).")] = Path("camera_pose.yaml"),
    record: Annotated[Path, typer.Option(help="Session file to write, for `dofbot calibrate servos`.")] = Path(
        "session.json"
    ),
    poses: Annotated[int, typer.Option(min=20, help="Of the arm; more where they do not suffice.")] = 60,
    seed: Annotated[int, typer.Option(min=0, help="Of the poses that there are to choose from.")] = 0,
    desk: DeskOption = "typical",
    desk_seed: DeskSeedOption = None,
    rtf: RtfOption = 1.0,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with --record of a calibration that was interrupted.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="The block is in the fingers and the sheet lies there.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace stored files that are better.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Let the arm calibrate itself: servo zeros and scales, base height, and the camera's pose, in under ten minutes.

    It holds a marker block and shows it to the fixed camera from the poses that tell most, all of them clear of the
    table by 20 mm. The sheet of `dofbot calibrate board sheet` lies before the base plate. A simulated arm has the
    hidden errors of --desk, and is compared with what is true. After Ctrl-C or a fault, the same command with --resume
    goes on with the poses that are still to be shown.
    """
    one_thread()
    import numpy as np

    from dofbot_ros.arm.calibration import calibration_of
    from dofbot_ros.calibration import automatic
    from dofbot_ros.calibration.arm_command import Inputs, calibrate_servos
    from dofbot_ros.calibration.targets.hand_held_board import lens_of
    from dofbot_ros.desks.held_block import with_block_in_hand
    from dofbot_ros.launching import parse_words
    from dofbot_ros.ros.clients.calibration_client import calibration_arm
    from dofbot_ros.vision.extrinsics import load_extrinsics
    from dofbot_ros.vision.markers.block_layout import load_blocks

    blocks = load_blocks()
    block = blocks.block(held)
    earlier = _earlier(record, held) if resume else []
    given = parse_words(arguments or [])
    with ExitStack() as stack:
        installation: Installation | None = None
        world: WorldConfig | None = None
        if backend is Backend.serial:
            camera_info, camera_pose = _real(given, port, camera, camera_info, camera_pose)
        else:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dofbot-told-")))
            name, number = chosen_desk(desk, desk_seed, seed)
            installation, world = with_block_in_hand(name, number, block)
            told = replace(installation.belief, intrinsics=lens_of(installation)).save(folder)
            camera_info, camera_pose = Path(told["camera_info_file"]), Path(told["extrinsics_file"])
            given |= {"desk": name, "desk_seed": str(number), "camera_info_url": str(camera_info)}
            if backend is Backend.sim:
                given["rtf"] = str(rtf)
        given["calibration_file"] = calibration
        stored = calibration_of(calibration)
        if backend is Backend.serial and not stored.signs_checked and given.get("waive_check") != "true":
            console.print(
                "the arm moves at a fifth of its speed, and this takes a quarter of an hour: `dofbot arm check` first, "
                "and --calibration with the file that it writes, make it five minutes",
                highlight=False, soft_wrap=True,
            )  # fmt: skip
        client = stack.enter_context(calibration_arm(backend.value, world, given, stored, blocks.dictionary))
        intrinsics = client.wait_for_camera()
        _hold_block(client, block, resumed=bool(earlier), simulated=world is not None, yes=yes)
        console.print(f"[dim]{HINT}[/dim]")
        begin_s, began_s = client.now_s(), time.time()
        bar = stack.enter_context(progress_bar(""))
        task = bar.add_task("poses", total=poses)
        with resumable(record, lambda: bool(earlier) or _written_since(record, began_s)):
            automatic.calibrate_all(
                _Stoppable(client),
                blocks,
                held,
                stored,
                T_base_camera=load_extrinsics(camera_pose).matrix,
                intrinsics=intrinsics,
                poses=poses,
                rng=np.random.default_rng(seed),
                record=record,
                done=lambda count: bar.update(task, completed=count, total=max(poses, count)),
                earlier=earlier,
            )
        seconds = client.now_s() - begin_s
        inputs = Inputs(record, camera_info, camera_pose, calibration)
        result: dict[str, Any] = {"arm_time_s": seconds, **calibrate_servos(inputs, out, out_pose, force=force)}
        if installation is not None:
            from shutil import copyfile

            from dofbot_ros.desks.truth import compared_with_truth

            lens = out_pose.with_name(LENS)
            copyfile(camera_info, lens)
            result |= {"camera_info": str(lens), "off_truth": compared_with_truth(installation, out, out_pose)}
    emit(result, as_json, f"Arm, written to {out} and {out_pose}")


def _earlier(record: Path, held: str) -> list[View]:
    """The views of a calibration that was interrupted."""
    from dofbot_ros.calibration.session import load_session

    session = load_session(record)
    if session.held != held:
        raise InputError(f"{record} was recorded with block {session.held!r} in the fingers, not with {held!r}")
    return session.views


def _written_since(record: Path, time_s: float) -> bool:
    return record.is_file() and record.stat().st_mtime >= time_s


class _Stoppable:
    """The arm of the calibration, with the keys at hand that stop it."""

    def __init__(self, client: CalibrationClient) -> None:
        self._client = client

    def move(self, q: FloatArray) -> None:
        """Go to joint angles (5,) [rad], and come to rest."""
        run_stoppable(lambda: self._client.go_to(q), self._client.stop, self._client.estop)

    def ticks(self) -> list[int]:
        """What the six servos read."""
        return self._client.ticks()

    def look(self) -> list[Marker]:
        """The markers in a picture taken now."""
        return self._client.look()


def _real(
    given: dict[str, str], port: str | None, camera: str | None, camera_info: Path | None, camera_pose: Path | None
) -> tuple[Path, Path]:
    """Put what a real arm needs into the stack's arguments. Returns the files of its camera."""
    if camera is None or camera_info is None or camera_pose is None:
        raise UsageError(
            "a real arm needs --camera, and the files of `dofbot calibrate camera` and `hand-eye`: --camera-info and "
            "--camera-pose; a simulated one calibrates itself with --backend sim"
        )
    for file in (camera_info, camera_pose):
        if not file.is_file():
            raise InputError(f"{file} does not exist")
    given |= {"camera": camera, "camera_info_url": str(camera_info.resolve())}
    given["extrinsics_file"] = str(camera_pose.resolve())
    if port is not None:
        given["port"] = port
    return camera_info, camera_pose


def _hold_block(client: CalibrationClient, block: Block, *, resumed: bool, simulated: bool, yes: bool) -> None:
    """Have the arm hold the block: taken from a person's hand, or, resumed, as it has held it since the first view."""
    if client.state == "FAULT":
        client.trigger("clear_fault")
    client.switch("enable_torque", True)
    if simulated:
        return
    if resumed:
        said = (
            f"The {block.name} block must be in the fingers as it was. If it has moved, begin anew, without --resume."
        )
        lost = f"the fingers hold nothing: begin anew, without --resume, with the {block.name} block in them"
    else:
        said = (
            f"Push the sheet against the base plate, its middle on that of the plate. Hold the {block.name} block "
            "between the fingers, its -z face against the palm, flush with the finger tips, +x away from the arm."
        )
        lost = f"the fingers closed on nothing: hold the {block.name} block between them, and start again"
        client.gripper(block.size + 0.012)
    if not yes:
        console.print(said, highlight=False, soft_wrap=True)
        typer.prompt("Enter when that is so and your hand is away", default="", show_default=False, err=True)
    if not client.gripper(0.0):
        raise InputError(lost)
