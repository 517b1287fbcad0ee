"""`dofbot bench NAME`: the command lines of the measurements in dofbot_ros/bench."""

from __future__ import annotations

import math
import signal
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from dofbot_ros.cli.bench_calibration import calibration
from dofbot_ros.cli.bench_desks import desks
from dofbot_ros.cli.bench_pretraining import pretraining
from dofbot_ros.cli.options.checks import finite
from dofbot_ros.cli.options.state_file import StateFileOption
from dofbot_ros.core.console import JsonOption, console, emit, warn
from dofbot_ros.errors import UsageError, one_of

app = typer.Typer(no_args_is_help=True)
app.command("calibration")(calibration)
app.command("desks")(desks)
app.command("pretraining")(pretraining)


@app.callback()
def root() -> None:
    """Measure one part of the stack and print its figures; --json prints one object for machines."""


@app.command("analysis")
def analysis(
    as_json: JsonOption = False,
    views: Annotated[
        int, typer.Option(min=60, help="Real inputs that maximised activations are compared with.")
    ] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Of everything.")] = 0,
    only: Annotated[str, typer.Option(help="Networks whose name holds this.")] = "",
) -> None:
    """Run every method of the network analyzer on every shipped network: what fails, how long, how well."""
    from dofbot_ros.bench.analysis.networks import measure

    emit(measure(views, seed, only, lambda line: console.print(line, highlight=False)), as_json, "NetworkAnalyzer")


@app.command("bus")
def bus(
    as_json: JsonOption = False,
    seconds: Annotated[
        float, typer.Option(callback=finite, min=1.0, help="Length of the control loop's run in seconds.")
    ] = 20.0,
) -> None:
    """Sweep six emulated servos at 115200 baud, then read and write all of them at 50 Hz: rates, lateness, losses."""
    from dofbot_ros.bench.bus import measure

    emit(measure(seconds), as_json, "Servo bus at 115200 baud")


@app.command("console")
def console_page(
    as_json: JsonOption = False,
    seconds: Annotated[float, typer.Option(callback=finite, min=2.0, help="Of each measurement of load [s].")] = 20.0,
    losses: Annotated[int, typer.Option(min=1, help="How often the page is lost, in each of two ways.")] = 5,
    pictures: Annotated[Path | None, typer.Option(help="Folder for screenshots of the page.")] = None,
) -> None:
    """Look at `dofbot console` with a browser: load, first paint, and how soon the arm rests when the page is lost."""
    from dofbot_ros.bench.console.cost import measure

    with console.status("starting") as status:
        result = measure(seconds, losses, pictures, status.update)
    emit(result, as_json, "Operator's console")


@app.command("env")
def env(
    as_json: JsonOption = False,
    seconds: Annotated[
        float, typer.Option(callback=finite, min=2.0, help="Of each of the two comparisons [s].")
    ] = 20.0,
) -> None:
    """Step the policies' environment beside panda-gym's, and two of it at once: steps a second, ratio, scaling."""
    from dofbot_ros.bench.env import measure

    emit(measure(seconds), as_json, "Environments for policies")


@app.command("empty-table")
def empty_table(
    as_json: JsonOption = False,
    scenes: Annotated[int, typer.Option(min=2, help="Of each kind of table.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Of the first.")] = 0,
    model: Annotated[Path | None, typer.Option(help="A run's folder; by default the shipped network.")] = None,
) -> None:
    """Show the grasp networks bare tables and tables with objects: how likely is their best grasp to hold?"""
    from dofbot_ros.bench.empty_table import measure

    emit(measure(scenes, seed, model), as_json, "Chance of the best grasp")


@app.command("estop")
def estop(
    as_json: JsonOption = False,
    trials: Annotated[int, typer.Option(min=1, help="Of the command, and of the same stop through ROS.")] = 10,
) -> None:
    """Stop a moving emulated arm by `dofbot estop`: seconds from the command's start until its servos truly rest."""
    from dofbot_ros.bench.estop import measure

    emit(measure(trials), as_json, "Emergency stop from a terminal")


@app.command("faults")
def faults(
    *,
    as_json: JsonOption = False,
    full: Annotated[bool, typer.Option("--full", help="Every state, fault and event, not a part of them.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the table of docs/safety.md.")] = False,
    state: Annotated[str | None, typer.Option(help="Only states whose name holds this, with every event.")] = None,
    fault: Annotated[str | None, typer.Option(help="Only faults whose name holds this, with every event.")] = None,
    state_file: StateFileOption = None,
    part: Annotated[
        Literal["all", "virtual", "real"], typer.Option(help="Cases in virtual time, or those in real time.")
    ] = "all",
    workers: Annotated[int, typer.Option(min=1, help="Processes that run the cases in virtual time.")] = 2,
    load: Annotated[int, typer.Option(min=0, help="Programs that compute beside the cases in real time.")] = 0,
    priority: Annotated[
        bool, typer.Option("--priority/--no-priority", help="Whether drivers in real time ask for real-time priority.")
    ] = True,
) -> None:
    """Try faults in every state of the arm, judged by what the emulated servos truly did.

    Most run in virtual time; --full adds drivers and ROS nodes as real processes, in real time. Exits with code 1 when
    a rule of docs/safety.md was broken, with 130 when Ctrl-C ended it early: what was done by then is printed, too.
    """
    from dofbot_ros.bench.faults.cases.conditions import Conditions
    from dofbot_ros.bench.faults.run import Wanted, measure
    from dofbot_ros.bench.faults.table import markdown as markdown_of
    from dofbot_ros.bench.faults.table import terminal_table

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a service manager's way of saying Ctrl-C
    conditions = Conditions(load, priority)
    if not conditions.usual and (not full or part == "virtual"):
        raise UsageError("--load and --no-priority concern the cases in real time: add --full, and no --part virtual")
    wanted = Wanted(full, state or "", fault or "", part)
    summary, outcomes = measure(wanted, state_file, conditions, workers)
    if as_json:
        emit(summary, True, "")
    elif markdown:
        sys.stdout.write(markdown_of(outcomes) + "\n")
    else:
        Console().print(terminal_table(outcomes))
        for violation in summary["violations"]:
            console.print(f"{violation['case']} at {violation['time_s']:.2f} s: {violation['what']}", style="red")
        console.print(f"{summary['cases']} cases, {len(summary['violations'])} violations, {summary['seconds']:.0f} s")
    for missing in summary["unmeasured"]:
        warn(f"not measured: {missing['case']}: {missing['why']}")
    if summary["interrupted"]:
        warn(
            f"interrupted after {summary['cases']} cases; "
            + ("the same command goes on" if state_file else "none is kept")
        )
        raise typer.Exit(130)
    if summary["violations"]:
        raise typer.Exit(1)


@app.command("fuzz")
def fuzz(
    as_json: JsonOption = False,
    n: Annotated[int, typer.Option("--n", min=1, help="Inputs of a target; codecs get 40 times as many.")] = 10_000,
    seed: Annotated[int, typer.Option(min=0, help="Of all inputs.")] = 0,
    only: Annotated[str, typer.Option(help="Run targets with this in their names; mcap, for instance.")] = "",
    first: Annotated[int, typer.Option(min=0, help="Number of the first case: to run a failed one again.")] = 0,
) -> None:
    """Feed damaged and random input to everything that reads any: frames, messages, files, episodes, pictures.

    What comes out is a right value or one line that says what is wrong; exit code 1 when something else did.
    """
    from dofbot_ros.bench.fuzz.run import measure

    result = measure(n, seed, only, first)
    emit(result, as_json, "Fuzzing")
    if result["failed"]:
        raise typer.Exit(1)


@app.command("grasp-node")
def grasp_node(
    as_json: JsonOption = False,
    grasps: Annotated[int, typer.Option(min=1, help="One in each scene.")] = 30,
    seed: Annotated[int, typer.Option(min=0, help="Of the first scene.")] = 0,
    backend: Annotated[str, typer.Option(help="sim or emulator.")] = "sim",
    rtf: Annotated[
        float, typer.Option(callback=finite, min=0.0, help="Speed of the simulation against real time (sim only).")
    ] = 1.0,
) -> None:
    """Grasp plain blocks through grasp_node, from the camera's image to the answer; judged by the true poses."""
    from dofbot_ros.bench.grasp_node import measure

    emit(measure(grasps, seed, backend, rtf), as_json, "Grasps through grasp_node")


@app.command("images")
def images(
    as_json: JsonOption = False,
    seconds: Annotated[float, typer.Option(callback=finite, help="How long to send, in seconds.")] = 20.0,
    hz: Annotated[float, typer.Option(callback=finite, help="Images a second.")] = 30.0,
    delivery: Annotated[
        str, typer.Option(help="as-nodes: subscribed to as our nodes do; or best-effort.")
    ] = "as-nodes",
    sender: Annotated[
        str, typer.Option(help="Fast DDS profile of the publisher: shipped, or default: another project's camera.")
    ] = "shipped",
) -> None:
    """Send 640x480 colour images from one process to another through ROS: how many arrive, and how late."""
    from dofbot_ros.bench.images import DELIVERIES, SENDERS, measure

    for option, value, choices in (("--delivery", delivery, DELIVERIES), ("--sender", sender, SENDERS)):
        if value not in choices:
            raise UsageError(one_of(option, value, choices))
    emit(measure(seconds, hz, delivery, sender), as_json, "Images between two processes")


@app.command("kinematics")
def kinematics(
    as_json: JsonOption = False,
    goals: Annotated[int, typer.Option(help="How many random reachable goals.")] = 10_000,
    seed: Annotated[int, typer.Option(help="Seed of the goals.")] = 0,
) -> None:
    """Solve random reachable goals with this package, PyBullet and Pinocchio: success rate and time."""
    from dofbot_ros.bench.kinematics import measure

    emit(measure(goals, seed), as_json, "Inverse kinematics")


@app.command("learning")
def learning(
    as_json: JsonOption = False,
    seeds: Annotated[int, typer.Option(min=1, help="Networks that learn XOR.")] = 10,
) -> None:
    """Watch small networks learn: XOR solved, films written, frames served, networks pruned; how long each takes."""
    from dofbot_ros.bench.analysis.learning import measure

    emit(measure(seeds), as_json, "Seeing networks learn")


@app.command("localizer")
def localizer(
    *,
    as_json: JsonOption = False,
    scenes: Annotated[str, typer.Option(help="sim, drawn or drawn-lifted.")] = "sim",
    trials: Annotated[int, typer.Option(help="Pictures, each of four blocks.")] = 100,
    seed: Annotated[int, typer.Option(help="Of the first scene.")] = 0,
    noise: Annotated[
        float, typer.Option(callback=finite, min=0.0, help="Of the simulated sensor, in grey levels of 255.")
    ] = 0.0,
    desk: Annotated[
        str, typer.Option(help="Pictures of that desk instead, each of another installation: careful, a file, ...")
    ] = "own",
    light: Annotated[str, typer.Option(help="On that desk: normal, dim (config/trials.yaml).")] = "normal",
) -> None:
    """Localise blocks in pictures whose true poses are known: how far off, how many, how fast."""
    from dofbot_ros.bench.localizer import measure

    emit(measure(scenes, trials, seed, noise, desk, light=light), as_json, "Block localiser")


@app.command("nodes")
def nodes(
    as_json: JsonOption = False,
    seconds: Annotated[float, typer.Option(callback=finite, min=1.0, help="How long to watch, in seconds.")] = 20.0,
    driver_only: Annotated[bool, typer.Option("--driver-only", help="driver_node alone, without images.")] = False,
) -> None:
    """Run driver_node at 50 Hz and block_localizer_node at 30 images a second: what they cost in CPU and memory."""
    from dofbot_ros.bench.nodes import measure

    emit(measure(seconds, driver_only=driver_only), as_json, "Nodes at work")


@app.command("policy")
def policy(
    as_json: JsonOption = False,
    steps: Annotated[int, typer.Option(min=1, help="Periods of each policy.")] = 1000,
    model: Annotated[Path | None, typer.Option(help="A policy's folder; by default the shipped ones.")] = None,
) -> None:
    """Run policies on an arm that obeys at once: how long a period's observation, network and goals take, in ms."""
    from dofbot_ros.bench.policy import measure

    emit(measure(steps, model), as_json, "One period of a policy")


@app.command("sim")
def sim(
    as_json: JsonOption = False,
    seconds: Annotated[
        float, typer.Option(callback=finite, min=0.1, help="Simulated length of each run in seconds.")
    ] = 10.0,
) -> None:
    """Run the simulated arm with its control loop, empty and holding a block, then render: steps a second, ms."""
    from dofbot_ros.bench.sim import measure

    emit(measure(seconds), as_json, "Simulation")


@app.command("workspace")
def workspace(
    as_json: JsonOption = False,
    poses: Annotated[int, typer.Option(min=1, help="Allowed poses near the table, and near the base.")] = 100_000,
    seed: Annotated[int, typer.Option(min=0, help="Of the poses.")] = 0,
) -> None:
    """Judge random poses by the workspace and by everything the URDF draws: lowest point, violations, time a pose."""
    from dofbot_ros.bench.workspace import measure

    emit(measure(poses, seed), as_json, "Workspace against the URDF")


@app.command("soak")
def soak(
    as_json: JsonOption = False,
    minutes: Annotated[float, typer.Option(min=0.1, help="Length on the driver's clock, earlier parts included.")] = 60,
    seed: Annotated[int, typer.Option(min=0, help="Decides what happens.")] = 0,
    virtual: Annotated[bool, typer.Option("--virtual", help="In virtual time: some ten times as fast.")] = False,
    state: StateFileOption = None,
) -> None:
    """Let a driver work on an emulated bus: mixed commands, streams, faults; its growth, lateness and broken rules.

    Exits with code 1 when a rule of docs/safety.md was broken.
    """
    from dofbot_ros.bench.soak.run import measure

    result = measure(minutes, seed, virtual, state)
    emit(result, as_json, "Soak")
    if result["violations"]:
        raise typer.Exit(1)


@app.command("corners")
def corners(
    as_json: JsonOption = False,
    trials: Annotated[int, typer.Option(help="Drawings, each of four blocks.")] = 60,
    seed: Annotated[int, typer.Option(help="Of the first drawing.")] = 0,
) -> None:
    """Find marker corners in drawings: how many pixels off, by OpenCV's filter and by the edge fit."""
    from dofbot_ros.bench.corners import measure

    emit(measure(trials, seed), as_json, "Marker corners")


@app.command("directions")
def directions(
    as_json: JsonOption = False,
    steps: Annotated[int, typer.Option(min=1, help="Of joints, before each of two cameras.")] = 150,
    seed: Annotated[int, typer.Option(min=0, help="Of arms, cameras and steps.")] = 0,
) -> None:
    """See which way joints turned, as `dofbot arm check` does: how often rightly, wrongly, and not at all."""
    from dofbot_ros.bench.calibrating.directions import CAMERAS, measure
    from dofbot_ros.cli.options.progress import progress_bar

    with progress_bar("") as bar:
        line = bar.add_task("steps", total=len(CAMERAS) * steps)
        result = measure(steps, seed, lambda done: bar.update(line, completed=done))
    emit(result, as_json, "Directions of joints by camera")


@app.command("following")
def following(
    as_json: JsonOption = False,
    seconds: Annotated[
        float, typer.Option(callback=finite, min=6.0, help="Simulated length of each of the four runs.")
    ] = 12.0,
    amplitude: Annotated[
        float, typer.Option(callback=finite, min=0.01, max=0.06, help="Of the hand's way [m].")
    ] = 0.05,
    seed: Annotated[int, typer.Option(help="Of the noise.")] = 0,
) -> None:
    """Follow a synthetic hand at 0.1 m/s with the simulated arm: lag and error in each direction, jitter at rest."""
    from dofbot_ros.bench.following import measure

    emit(measure(seconds, amplitude, seed), as_json, "Following a hand")


@app.command("teleop")
def teleop(
    source: Annotated[str, typer.Option(help="Video file of a moving hand, or another source of teleop_node.")],
    as_json: JsonOption = False,
    seconds: Annotated[float, typer.Option(min=1.0, help="Stop after so many seconds, or at the end.")] = math.inf,
) -> None:
    """Follow a hand with the simulated arm over ROS: from capture stamp to command, commands a second, drops."""
    from dofbot_ros.bench.teleop import measure

    emit(measure(source, seconds), as_json, "Teleoperation")
