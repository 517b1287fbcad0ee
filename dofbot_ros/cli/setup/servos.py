"""`dofbot servos ...` and `dofbot find-port`: who is on which port, before any driver runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from dofbot_ros.core.console import JsonOption, console, emit, warn
from dofbot_ros.errors import DofbotError

if TYPE_CHECKING:
    from dofbot_ros.hardware.port.serial_port import SerialPort
    from dofbot_ros.hardware.scan import FoundServo

app = typer.Typer(no_args_is_help=True)
EXPECTED = range(1, 7)
HOT_C = 60
PortArgument = Annotated[str, typer.Option(help="Serial port.")]
ProtocolOption = Annotated[
    Literal["bus", "se"], typer.Option(help="bus: straight to the servos; se: the DOFBOT-SE's USB board.")
]


@app.callback()
def root() -> None:
    """Look at the servos themselves, and give one another id. No driver may run on the port meanwhile."""


@app.command("scan")
def scan(
    *,
    port: PortArgument = "/dev/ttyUSB0",
    protocol: ProtocolOption = "bus",
    most: Annotated[int, typer.Option("--ids", min=1, max=250, help="Ask the ids from 1 to this one.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List the servos that answer: ids, ids that two share, position, temperature, supply, torque. Nothing moves.

    A servo does not tell its voltage, only whether it is in range. Exit code 1 where something is wrong.
    """
    from dofbot_ros.hardware.scan import ALL_IDS, scan_board, scan_bus, speed_of

    with _open(port, protocol) as stream:
        if protocol == "se":
            found = scan_board(stream)
        else:
            with Progress(console=console, transient=True) as bar:
                task = bar.add_task("asking", total=most)
                found = scan_bus(stream, ALL_IDS[:most], lambda: bar.advance(task))
    problems = _problems(found)
    if not found and protocol == "bus":
        speed = speed_of(port)
        if speed is not None:
            problems = [f"servos answer at {speed} baud, not at 115200: start the driver with baudrate:={speed}"]
    if as_json:
        emit({"servos": [vars(servo) for servo in found], "problems": problems}, True, "")
    else:
        console.print(_table(found))
    for problem in problems:
        warn(problem)
    if problems:
        raise typer.Exit(1)


@app.command("set-id")
def set_id(
    old: Annotated[int, typer.Argument(help="The servo's id now.")],
    new: Annotated[int, typer.Argument(help="Its id from now on, 1 to 250; it keeps it without power.")],
    *,
    port: PortArgument = "/dev/ttyUSB0",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Give one servo another id. Plug in that servo alone: two of one id would both be renamed."""
    from dofbot_ros.hardware.scan import set_id as rename

    if not yes:
        typer.confirm(f"servo {old} on {port} becomes {new}, for good: go on?", abort=True, err=True)
    with _open(port, "bus") as stream:
        rename(stream, old, new)
    console.print(f"servo {old} is servo {new} now")


def find_port(
    *,
    also: Annotated[
        list[str] | None, typer.Option("--also", help="Ask this port too, for instance a link of `dofbot emulate`.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Ask every serial port whether an arm answers, and in which protocol. Nothing moves.

    Exit code 1 where none does.
    """
    from dofbot_ros.errors import PortError
    from dofbot_ros.hardware.port.search import PortIdentity, arm_answers, serial_ports
    from dofbot_ros.hardware.port.serial_port import SerialPort

    rows: list[dict[str, Any]] = []
    for there in (*serial_ports(), *(PortIdentity(name) for name in also or ())):
        row = {"port": there.device, "usb": f"{there.vid:04x}:{there.pid:04x}" if there.usb else "", "protocol": ""}
        try:
            SerialPort(there.device, 115200, 0.01).close()
        except PortError as error:
            rows.append({**row, "problem": str(error)})
            continue
        speaks = next((name for name in ("bus", "se") if arm_answers(there.device, name)), "")
        rows.append({**row, "protocol": speaks, "problem": "" if speaks else "no arm answers"})
    arms = [row for row in rows if row["protocol"]]
    if as_json:
        emit({"ports": rows}, True, "")
    else:
        for row in rows:
            says = f"an arm, protocol:={row['protocol']}" if row["protocol"] else row["problem"]
            console.print(f"{row['port']}: {says}", highlight=False, soft_wrap=True, markup=False)
    if not arms:
        who = f"no arm answers on {len(rows)} serial ports" if rows else "this machine shows no serial port"
        raise DofbotError(f"{who}: is the arm's power on, the cable in? `dofbot doctor` looks for more")


@contextmanager
def _open(port: str, protocol: Literal["bus", "se"]) -> Iterator[SerialPort]:
    from dofbot_ros.hardware.port.serial_port import SerialPort
    from dofbot_ros.hardware.wire.protocol import host_protocol

    stream = SerialPort(port, 115200, host_protocol(protocol).reply_timeout_s)
    try:
        yield stream
    finally:
        stream.close()


def _problems(found: list[FoundServo]) -> list[str]:
    if not found:
        return ["no servo answers: is the servo power on, the cable in, the protocol right (--protocol bus or se)?"]
    problems = [
        f"the answers of servo {servo.id} collide: two servos have this id (plug in one alone and use "
        "`dofbot servos set-id`), or the line is bad"
        for servo in found
        if servo.shared
    ]
    missing = [str(servo) for servo in EXPECTED if servo not in {each.id for each in found}]
    if missing:
        problems.append(
            f"missing: {', '.join(missing)}. A plug is out, or it has the id of another servo: those that stand alike "
            "answer alike, so bend the arm a little by hand and scan again"
        )
    for servo in found:
        if servo.faults:
            problems.append(f"servo {servo.id} complains of {' and '.join(servo.faults)}{_remedy(servo.faults)}")
        elif servo.temperature_c is not None and servo.temperature_c >= HOT_C:
            problems.append(f"servo {servo.id} is {servo.temperature_c} deg C hot: let it rest")
    return problems


def _remedy(faults: tuple[str, ...]) -> str:
    remedies = {
        "voltage": "check the 12 V supply and the jumper of the servo power",
        "temperature": "let it cool down and check for an obstruction",
        "overload": "free what blocks it, then switch its torque off and on",
    }
    return ": " + "; ".join(remedies[fault] for fault in faults)


def _table(found: list[FoundServo]) -> Table:
    table = Table(title="Servos that answer", title_justify="left")
    for heading in ("id", "position [ticks]", "temperature [deg C]", "current [mA]", "torque", "supply", "state"):
        table.add_column(escape(heading), justify="right")
    for servo in found:
        told = [servo.ticks, servo.temperature_c, servo.current_ma]
        torque = {True: "on", False: "off", None: "-"}[servo.torque]
        supply = "-" if servo.temperature_c is None else "out of range" if "voltage" in servo.faults else "in range"
        state = "shared id" if servo.shared else ", ".join(servo.faults) or "well"
        table.add_row(str(servo.id), *("-" if value is None else str(value) for value in told), torque, supply, state)
    return table
