"""`dofbot emulate`: six servos on a pseudo serial port, for drivers to talk to as if they were real."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.live import Live

from dofbot_ros.core.console import console
from dofbot_ros.errors import UsageError

if TYPE_CHECKING:
    from dofbot_ros.hardware.emulation.emulator import Emulator
    from dofbot_ros.hardware.emulation.faults import ParsedFaults
    from dofbot_ros.hardware.emulation.servos import ServoBank
    from dofbot_ros.hardware.port.servo_line import Traffic

REFRESH_S = 0.5


def emulate(
    protocol: Annotated[
        Literal["bus", "se"], typer.Option(help="bus: the servos' own frames; se: the DOFBOT-SE's USB board.")
    ] = "bus",
    world: Annotated[
        Literal["none", "sim"], typer.Option(help="none: servos with nothing on them; sim: they move a simulated arm.")
    ] = "none",
    link: Annotated[
        Path | None, typer.Option(help="Make this a link to the port, so that it has a fixed name.")
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="May be repeated. Probabilities: drop, corrupt, half, delay. Seconds: delay_s, swallow_s (a silence "
            "after which the next frame is lost). A second: garbage_hz (bytes), baudrate. On or off: echo=1. "
            "A servo's id: silent, twin (it has its neighbour's id), torque_deaf, frozen, zero, shifted (its "
            "sensor lies; by shift_ticks), jam, heat, weak (supply), overload, limp, reboot.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Decides which frames the faults hit, and where simulated blocks lie.")] = 0,
) -> None:
    """Serve six emulated servos at 115200 baud: prints the port on stdout, ends on Ctrl-C (exit code 130)."""
    import numpy as np

    from dofbot_ros.core.realtime import realtime
    from dofbot_ros.hardware.emulation.emulator import Emulator
    from dofbot_ros.hardware.emulation.faults import parse_faults

    faults = parse_faults(fault or [], np.random.default_rng(seed))
    servos = _servos(world, seed, faults)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a service manager's way of saying Ctrl-C
    try:
        # This thread too, or the servos would wait for it whenever it holds the interpreter and is itself kept waiting.
        with (
            Emulator(servos, protocol, faults=faults.line, link=link, first=True) as emulator,
            realtime(),
        ):
            sys.stdout.write(f"{emulator.port}\n")
            sys.stdout.flush()
            _show_traffic(emulator)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _servos(world: str, seed: int, faults: ParsedFaults) -> ServoBank:
    if world == "sim":
        if faults.servos:
            names = ", ".join(sorted({name for name, _ in faults.servos}))
            raise UsageError(f"fault {names} needs --world none: simulated servos have their own load and heat")
        from dofbot_ros.sim.servos import WorldServos
        from dofbot_ros.sim.world import World

        return WorldServos(World(seed=seed))
    from dofbot_ros.hardware.emulation.servos import ModelServos

    now = time.monotonic()
    servos = ModelServos(now=now)
    faults.befall(servos, now)
    return servos


def _show_traffic(emulator: Emulator) -> None:
    """Until Ctrl-C."""
    before, then = emulator.traffic(), time.monotonic()
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while True:
            time.sleep(REFRESH_S)
            after, now = emulator.traffic(), time.monotonic()
            live.update(_rates(emulator.port, before, after, now - then), refresh=console.is_terminal)
            before, then = after, now


def _rates(port: str, before: Traffic, after: Traffic, seconds: float) -> str:
    requests = (after.requests - before.requests) / seconds
    replies = (after.replies - before.replies) / seconds
    volume = (after.bytes_heard - before.bytes_heard + after.bytes_said - before.bytes_said) / seconds
    return f"{port}: {requests:.0f} requests/s, {replies:.0f} replies/s, {volume:.0f} bytes/s (Ctrl-C ends it)"
