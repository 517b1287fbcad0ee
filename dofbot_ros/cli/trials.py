"""`dofbot trials ...`: grasp trials by protocol, simulated and on the real arm, their report, their comparison."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from dofbot_ros.cli.options.desk import DeskOption, DeskSeedOption, chosen_desk, told_of
from dofbot_ros.cli.options.view import ViewOption, console_beside
from dofbot_ros.core.console import JsonOption, console, emit
from dofbot_ros.errors import InputError, UsageError

if TYPE_CHECKING:
    from dofbot_ros.trials.judge import SuccessDetector
    from dofbot_ros.trials.log import PickLog
    from dofbot_ros.trials.person import Operator
    from dofbot_ros.trials.pick import PickRecord
    from dofbot_ros.trials.placement import PickProtocol, Placement
    from dofbot_ros.trials.strategies.strategy import PickStrategy

app = typer.Typer(no_args_is_help=True)


class PlannerName(str, Enum):
    """Who plans the grasps."""

    aruco = "aruco"
    cnn = "cnn"
    policy = "policy"


class Backend(str, Enum):
    """What stands behind the ROS interface."""

    sim = "sim"
    emulator = "emulator"
    serial = "serial"


class JudgeName(str, Enum):
    """Who says what came of a trial."""

    truth = "truth"
    camera = "camera"
    person = "person"


@app.callback()
def root() -> None:
    """Grasp trials whose numbers can be trusted, the same in simulation and on the real arm."""


@app.command("run")
def run(
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME:=VALUE...", help="For the stack: see `dofbot up trials --show-args`."),
    ] = None,
    *,
    planner: Annotated[PlannerName, typer.Option(help="Who plans the grasps.")],
    out: Annotated[Path, typer.Option(help="Folder of the series; trials that are there are kept.")],
    backend: Annotated[
        Backend, typer.Option(help="sim; emulator: the same over an emulated servo bus; serial: the real arm.")
    ] = Backend.sim,
    trials: Annotated[int | None, typer.Option(min=1, help="Of each condition, instead of the protocol's.")] = None,
    protocol: Annotated[Path | None, typer.Option(help="YAML; by default the shipped config/trials.yaml.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the placements.")] = 0,
    judge: Annotated[
        JudgeName | None, typer.Option(help="By default truth where the arm is simulated, person at a real one.")
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="A run's folder: the network or policy instead of the shipped one.")
    ] = None,
    desk: DeskOption = "own",
    desk_seed: DeskSeedOption = None,
    record: Annotated[bool, typer.Option("--record/--no-record", help="An MCAP episode of each trial.")] = True,
    view: ViewOption = False,
    as_json: JsonOption = False,
) -> None:
    """Run grasp trials by a protocol. Interrupted in whatever way, the same command goes on where it stopped."""
    from dofbot_ros.cli.options.trial_bar import interruptible
    from dofbot_ros.launching import parse_words
    from dofbot_ros.stacks import find
    from dofbot_ros.trials.log import PickSeries, open_log
    from dofbot_ros.trials.reporting.report import report_picks
    from dofbot_ros.trials.runner import missing

    rules = _protocol(protocol)
    given = parse_words(arguments or [])
    find("trials").resolve(given)
    _check(backend, judge, given)
    chosen = judge or (JudgeName.person if backend is Backend.serial else JudgeName.truth)
    where, number = chosen_desk(desk, desk_seed, seed)
    if backend is Backend.serial and where != "own":
        raise UsageError(f"--desk {desk}: a real arm stands on its own desk; leave the option out")
    # What the caller names goes before what the desk's owner knows.
    given = {**told_of(where, number, out / "belief"), **given}
    strategy, digest = _strategy(planner, model, given)
    series = PickSeries(planner.value, backend.value, seed, chosen.value, digest, rules, desk=where, desk_seed=number)
    with open_log(out, series) as log:
        todo = missing(log, rules, trials or rules.trials)
        try:
            if todo:
                with interruptible(out):
                    _run(log, strategy, todo, given, trials or rules.trials, record=record, view=view)
            else:
                console.print(f"{escape(str(out))} holds all these trials")
        finally:
            figures = report_picks(log)
    emit(figures, as_json, f"Grasp trials in {out}")


@app.command("report")
def report(
    folder: Annotated[Path, typer.Argument(help="Folder of a series.", show_default=False)],
    as_json: JsonOption = False,
) -> None:
    """Write report.html of a series, of the demo's too, one file with its pictures inside, and print its figures."""
    from dofbot_ros.trials.reporting.report import report_folder

    emit(report_folder(folder), as_json, f"Trials in {folder}")


@app.command("compare")
def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help="Folder of a series.", show_default=False)],
    b: Annotated[Path, typer.Argument(metavar="B", help="Folder of another.", show_default=False)],
    page: Annotated[
        Path | None, typer.Option(help="HTML page to write; by default compare_B.html in A.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say whether one series succeeds more often than another: difference, Newcombe's interval, verdict."""
    from dofbot_ros.trials.compare import compare as compared
    from dofbot_ros.trials.log import read_log
    from dofbot_ros.trials.reporting.rates import write_comparison

    result = compared(read_log(a), read_log(b))
    written = write_comparison(result, a, b, page or a / f"compare_{b.resolve().name}.html")
    emit({**result, "report": str(written)}, as_json, f"A = {a}, B = {b}")


def _protocol(path: Path | None) -> PickProtocol:
    from dofbot_ros.config.loader import load_yaml
    from dofbot_ros.core.resources import share_file
    from dofbot_ros.trials.placement import PickProtocol

    return load_yaml(PickProtocol, path or share_file("config", "trials.yaml"))


def _check(backend: Backend, judge: JudgeName | None, given: dict[str, str]) -> None:
    """Refuse what cannot work before anything starts."""
    if "backend" in given:
        raise UsageError("backend:= is the option --backend here")
    if "namespace" in given:
        raise UsageError("trials run in no namespace")
    if backend is not Backend.serial:
        return
    if judge is JudgeName.truth:
        raise UsageError("nobody knows the true poses on a real table: --judge person or camera")
    needed = (
        ("port", "the arm's serial port"),
        ("camera", "the camera over the table"),
        ("camera_info_url", "its calibration"),
        ("extrinsics_file", "where it is"),
    )
    for name, what in needed:
        if not given.get(name):
            raise UsageError(f"--backend serial needs {name}:=...: {what}; see `dofbot up trials --show-args`")
    if not Path(given["port"]).exists():
        raise InputError(f"port:={given['port']}: there is no such port; is the arm plugged in and switched on?")


def _strategy(planner: PlannerName, model: Path | None, given: dict[str, str]) -> tuple[PickStrategy, str]:
    """The planner for the arm that is to be moved, and what identifies its network."""
    from dofbot_ros.arm.robot import load_robot

    robot = load_robot(given.get("calibration_file", ""))
    if planner is PlannerName.aruco:
        from dofbot_ros.trials.strategies.markers import ArucoStrategy
        from dofbot_ros.vision.markers.block_layout import load_blocks

        if model is not None:
            raise UsageError("--model is for the planners cnn and policy")
        return ArucoStrategy(load_blocks(given.get("blocks_file") or None), robot), ""
    if planner is PlannerName.cnn:
        from dofbot_ros.core.resources import share_file
        from dofbot_ros.grasp.detection.model_io import digest
        from dofbot_ros.trials.strategies.network import NetworkStrategy

        return NetworkStrategy(robot, model), digest(model or share_file("models", "grasp"))
    from hashlib import sha256

    from dofbot_ros.policy.interface.spec import MODEL
    from dofbot_ros.policy.runtime.policy_runner import PolicyRunner, shipped
    from dofbot_ros.trials.strategies.policy import PolicyStrategy

    folder = model or shipped("pick", "state")
    return PolicyStrategy(PolicyRunner(folder), robot), sha256((folder / MODEL).read_bytes()).hexdigest()[:16]


def _run(
    log: PickLog,
    strategy: PickStrategy,
    todo: list[Placement],
    given: dict[str, str],
    trials: int,
    *,
    record: bool,
    view: bool,
) -> None:
    """Run what is missing, with a progress bar and a line for each trial."""
    from contextlib import ExitStack

    from dofbot_ros.cli.options.trial_bar import TrialBar
    from dofbot_ros.ros.clients.trial_stack import PickRecorder, pick_arm
    from dofbot_ros.sim.config import load_world_config
    from dofbot_ros.trials.person import Operator
    from dofbot_ros.trials.runner import no_recording, run_picks
    from dofbot_ros.trials.trial_log import EPISODES
    from dofbot_ros.vision.cameras.identity import require_same_camera

    series = log.series
    person = Operator(console.input, console.print, log.folder, series.protocol)
    with ExitStack() as stack:
        done = len(log.records)
        bar = stack.enter_context(TrialBar("starting the trials' stack", done, done + len(todo)))
        world = series.protocol.world(load_world_config(given.get("world_file") or None))
        arm = stack.enter_context(pick_arm(series.backend, world, given))
        require_same_camera(log.folder, arm.camera(), begun=done > 0)
        stack.enter_context(console_beside(view, series=(log.folder, trials)))
        bar.describe("trials")
        if "person" in (series.judge, "person" if series.backend == "serial" else ""):
            bar.stop()  # questions and a live bar do not share a terminal

        def set_up(placement: Placement) -> bool:
            if series.backend == "serial":
                return person.set_up(placement)
            arm.arrange(placement.arrangement(series.protocol))
            return True

        def after_trial(result: PickRecord) -> None:
            bar.advance(_line(result))

        recorder = stack.enter_context(PickRecorder(log.folder / EPISODES)).record if record else no_recording
        run_picks(
            arm,
            strategy,
            _judge(log, person),
            log,
            todo,
            set_up=set_up,
            record=recorder,
            after_trial=after_trial,
        )


def _judge(log: PickLog, person: Operator) -> SuccessDetector:
    from dofbot_ros.trials.judge import CameraJudge, PersonJudge, TruthJudge

    protocol = log.series.protocol
    if log.series.judge == "truth":
        return TruthJudge(protocol.lift)
    return CameraJudge() if log.series.judge == "camera" else PersonJudge(person.lifted, protocol)


def _line(record: PickRecord) -> str:
    colour = {True: "green", False: "red", None: "yellow"}[record.lifted]
    parts = [f"{record.label:16} {record.objects[0].name:8} [{colour}]{record.outcome}[/{colour}]"]
    if record.rise_mm is not None:
        parts.append(f"rose {record.rise_mm:.0f} mm")
    if record.arm_s is not None:
        parts.append(f"{record.arm_s:.1f} s")
    if record.reason:
        parts.append(escape(record.reason))
    return ", ".join(parts)
