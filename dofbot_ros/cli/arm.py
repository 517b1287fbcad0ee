"""`dofbot arm ...`: see, move and stop an arm from a terminal, where there is no `ros2`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from dofbot_ros.cli.options.keys import HINT, run_stoppable, space_bar
from dofbot_ros.cli.options.which_arm import (
    BACKEND,
    CalibrationFileOption,
    DomainOption,
    NamespaceOption,
    PortOption,
    ProtocolOption,
    SpeedOption,
)
from dofbot_ros.core.console import JsonOption, console, emit, live_region, words_of
from dofbot_ros.errors import DofbotError, UsageError, one_of

if TYPE_CHECKING:
    from dofbot_ros.ros.clients.arm_client import ArmClient

REFRESH_S = 0.1
REMEDIES = {"IDLE": "on", "ESTOP": "reset", "FAULT": "reset"}
"""State in which the arm does not move -> the command that ends it."""
JOINTS = ("joint1", "joint2", "joint3", "joint4", "joint5")

app = typer.Typer(no_args_is_help=True)
POSES = Path("~/.config/dofbot/poses.yaml")
PosesOption = Annotated[Path, typer.Option(help="File of named poses.")]


@dataclass(frozen=True)
class Which:
    """Which arm."""

    backend: str
    namespace: str
    domain: int | None
    arguments: dict[str, object]
    """Of the stack that is started, where one is."""


@app.callback()
def arm_options(
    context: typer.Context,
    *,
    backend: Annotated[
        str,
        BACKEND,
    ] = "running",
    port: PortOption = "/dev/ttyUSB0",
    namespace: NamespaceOption = "",
    domain: DomainOption = None,
    protocol: ProtocolOption = "bus",
    calibration_file: CalibrationFileOption = None,
    speed: SpeedOption = 1.0,
) -> None:
    """See, move and stop an arm. While it moves, the space bar is an emergency stop, and Ctrl-C stops it."""
    import os

    if domain is not None:
        os.environ["ROS_DOMAIN_ID"] = str(domain)
    arguments: dict[str, object] = {"protocol": protocol, "speed": speed}
    if backend == "serial":
        arguments["port"] = port
    if calibration_file is not None:
        arguments["calibration_file"] = calibration_file.resolve()
    context.obj = Which(backend, namespace, domain, arguments)


@contextmanager
def open_arm(context: typer.Context, *, torque: bool = False, complete: bool = False) -> Iterator[ArmClient]:
    """The arm. One that is started here gets torque where `torque` asks for it; one that runs is left as it is.

    Args:
        context: names the arm.
        torque: switch the servos of an arm that is started here on.
        complete: refuse an arm with a joint that does not answer; else it can be looked at, stopped and let go.
    """
    from dofbot_ros.ros.clients.connect import RUNNING, connect

    which: Which = context.obj
    arguments = which.arguments if which.backend != RUNNING else {}
    torque = torque and which.backend != RUNNING
    with connect(
        which.backend, torque=torque, namespace=which.namespace, complete=complete or torque, **arguments
    ) as arm:
        yield arm


def _move(context: typer.Context, job: Callable[[ArmClient], object]) -> None:
    """Carry out a motion with the keys at hand that stop it, and say where the arm is then."""
    with open_arm(context, torque=True, complete=True) as arm:
        require_movable(arm)
        console.print(f"[dim]{HINT}[/dim]")
        run_stoppable(lambda: job(arm), arm.stop, arm.estop)
        console.print(_where(arm), highlight=False, soft_wrap=True)


def require_movable(arm: ArmClient, also: tuple[str, ...] = ()) -> None:
    """See that the arm takes commands, or is in one of the states `also`.

    Raises:
        DofbotError: it does not; with the command that ends that.
    """
    if arm.state in REMEDIES and arm.state not in also:
        raise DofbotError(f"the arm's state is {arm.state}: `dofbot arm {REMEDIES[arm.state]}` first")


def _where(arm: ArmClient) -> str:
    if not arm.present:
        return f"{arm.state}: {arm.silence}"
    angles = "  ".join(f"{math.degrees(angle):.1f}" for angle in arm.position[:5])
    return f"{arm.state}: joints {angles} deg, gap {1e3 * arm.gap:.0f} mm, tool {arm.tool}"


# -- seeing ------------------------------------------------------------------------------------------------------------


@app.command()
def status(context: typer.Context, as_json: JsonOption = False) -> None:
    """State, joints, tool and health, once."""
    with open_arm(context) as arm:
        emit(_facts(arm), as_json, "The arm")


@app.command()
def watch(context: typer.Context) -> None:
    """The same, until Ctrl-C; the space bar is an emergency stop."""
    with (
        live_region(),
        open_arm(context) as arm,
        space_bar() as pressed,
        Live(console=console, auto_refresh=False) as live,
    ):
        while True:
            live.update(_table(arm), refresh=console.is_terminal)
            if pressed(REFRESH_S):
                arm.estop()


def _facts(arm: ArmClient) -> dict[str, Any]:
    """What there is to know; while a joint does not answer or the driver is gone, None in place of old numbers."""
    told, present, faults = arm.diagnostics.get("arm", {}), arm.present, {}
    for name in (*JOINTS, "grip_joint"):
        if (message := arm.diagnostics.get(name, {}).get("message", "healthy")) != "healthy":
            faults[name] = message
    tool = arm.tool if present else None
    return {
        "state": arm.state if present else arm.known_state or "unknown",
        "speed": float(told.get("speed") or 1.0),
        "why": told.get("message", "").partition(": ")[2] if present else arm.silence,
        "joints_deg": [round(math.degrees(angle), 2) for angle in arm.position[:5]] if present else None,
        "gap_mm": round(1e3 * arm.gap, 1) if present else None,
        "tool_m": [round(value, 4) for value in (tool.x, tool.y, tool.z)] if tool else None,
        "pitch_deg": round(math.degrees(tool.pitch), 1) if tool else None,
        "roll_deg": round(math.degrees(tool.roll), 1) if tool else None,
        "commander": told.get("commander", ""),
        "last_motion": told.get("last motion", ""),
        "servos": faults,
    }


def _table(arm: ArmClient) -> Table:
    title = "The arm (space bar: emergency stop, Ctrl-C ends this view)"
    # As wide as the terminal: a table that follows its longest word jumps about.
    table = Table(title=title, title_justify="left", show_header=False, expand=True)
    table.add_column(no_wrap=True)
    table.add_column(ratio=1)
    for name, value in _facts(arm).items():
        table.add_row(name.replace("_", " "), escape(words_of(value)))
    return table


# -- torque and stops --------------------------------------------------------------------------------------------------


@app.command()
def on(context: typer.Context) -> None:
    """Hold the arm with torque where it is."""
    with open_arm(context) as arm:
        arm.enable()
        console.print(_where(arm), highlight=False, soft_wrap=True)


@app.command()
def off(context: typer.Context) -> None:
    """Let go of the arm. It sinks unless somebody holds it."""
    with open_arm(context) as arm:
        arm.release()


@app.command()
def freedrive(context: typer.Context) -> None:
    """Let go, so that the arm can be led by hand; Enter holds it where it was led to."""
    with open_arm(context) as arm:
        arm.switch("freedrive", True)
        typer.prompt("the arm is free: hold it; Enter holds it where it is", default="", show_default=False)
        arm.switch("freedrive", False)
        console.print(_where(arm), highlight=False, soft_wrap=True)


@app.command()
def stop(context: typer.Context) -> None:
    """Brake and hold."""
    with open_arm(context) as arm:
        arm.stop()


@app.command()
def reset(context: typer.Context) -> None:
    """Allow motions again after an emergency stop or a fault; nothing moves by itself."""
    with open_arm(context) as arm:
        arm.reset()
        console.print(_where(arm), highlight=False, soft_wrap=True)


@app.command("estop")
def _estop(context: typer.Context) -> None:
    """Emergency stop: brake at once, and refuse every motion until `dofbot arm reset`."""
    estop(context.obj.namespace, context.obj.domain)


def estop(
    namespace: Annotated[str | None, typer.Option(help="Of the arm.")] = None,
    domain: Annotated[int | None, typer.Option(help="ROS domain of the arm.")] = None,
) -> None:
    """Emergency stop: brake at once, and refuse every motion until `dofbot arm reset`.

    Where neither an option nor ROS_DOMAIN_ID names one, every arm that runs on this machine is stopped. An arm on
    another machine is stopped through ROS, which takes seconds.
    """
    import os

    from dofbot_ros.safety.stop_line import ros_domain
    from dofbot_ros.safety.stop_sender import main as stop

    ros_domain()  # one that is no number is an error
    words = {"--domain": domain, "--namespace": namespace}
    if stop([word for name, value in words.items() if value is not None for word in (name, str(value))]):
        return
    from dofbot_ros.ros.clients.connect import stop_now

    if domain is not None:
        os.environ["ROS_DOMAIN_ID"] = str(domain)
    stop_now(namespace or "")


# -- motions -----------------------------------------------------------------------------------------------------------


@app.command()
def home(context: typer.Context) -> None:
    """Move upright."""
    _move(context, lambda arm: arm.home())


@app.command()
def park(context: typer.Context) -> None:
    """Fold the arm."""
    _move(context, lambda arm: arm.park())


@app.command(context_settings={"ignore_unknown_options": True})
def jog(
    context: typer.Context,
    joint: Annotated[str, typer.Argument(help="joint1 to joint5.")],
    degrees: Annotated[float, typer.Argument(help="How far from where it is [deg].")],
) -> None:
    """Turn one joint by some degrees."""
    if joint not in JOINTS:
        raise UsageError(one_of("joint", joint, JOINTS))

    def job(arm: ArmClient) -> None:
        angle = float(arm.position[JOINTS.index(joint)]) + math.radians(degrees)
        arm.move([0.5 + 2.0 * abs(math.radians(degrees))], [[angle]], [joint])

    _move(context, job)


@app.command(context_settings={"ignore_unknown_options": True})
def move(
    context: typer.Context,
    place: Annotated[
        list[float],
        typer.Argument(
            metavar="X Y Z [PITCH [ROLL]]",
            help="Forward, left, up [m]; pitch of the tool [deg]: 180 straight down, 90 level, as steep as can be "
            "where it is not given; roll of the fingers [deg].",
        ),
    ],
) -> None:
    """Move the tool to a point of base_link."""
    if not 3 <= len(place) <= 5:
        raise UsageError(f"move takes X Y Z, and perhaps PITCH and ROLL: 3 to 5 numbers, not {len(place)}")
    pitch = math.radians(place[3]) if len(place) > 3 else None
    roll = math.radians(place[4]) if len(place) > 4 else 0.0
    _move(context, lambda arm: arm.move_to(place[0], place[1], place[2], pitch, roll))


@app.command()
def gripper(context: typer.Context, millimetres: Annotated[float, typer.Argument(help="Gap, 0 to 60.")]) -> None:
    """Open or close the fingers."""

    def job(arm: ArmClient) -> None:
        if arm.gripper(1e-3 * millimetres):
            console.print("something is between the fingers")

    _move(context, job)


@app.command()
def pose(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="As saved.")],
    poses: PosesOption = POSES,
) -> None:
    """Move to a pose that was saved."""
    from dofbot_ros.arm.poses import load_poses

    angles = load_poses(poses).find(name)
    _move(context, lambda arm: arm.move_joints(angles))


@app.command()
def save(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="For the pose.")],
    poses: PosesOption = POSES,
) -> None:
    """Give the present pose a name."""
    from dofbot_ros.arm.poses import load_poses, save_poses

    known = load_poses(poses)
    with open_arm(context, complete=True) as arm:
        save_poses(known.with_pose(name, arm.position[:5]), poses)
        console.print(f"{name}: {_where(arm)}", highlight=False, soft_wrap=True)
