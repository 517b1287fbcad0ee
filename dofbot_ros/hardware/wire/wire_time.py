"""How many control cycles a second a line carries, from the lengths of the frames and its speed."""

from __future__ import annotations

from dofbot_ros.core.types import N_JOINTS
from dofbot_ros.errors import ConfigError
from dofbot_ros.hardware.wire.protocol import ProtocolName, host_protocol

BITS_PER_BYTE = 10
"""8N1: a start bit, eight data bits, a stop bit."""
TURNAROUND_S = 0.45e-3
"""Of a question: the servo's pause before its answer, the adapter's and the computer's share (docs/benchmarks.md)."""
USABLE = 0.95
"""Share of the line's time that may be planned with."""


def carried_rate_hz(protocol: ProtocolName, baudrate: int, write_rate_hz: float) -> float:
    """The most control cycles a second that read every servo, beside `write_rate_hz` goals a second [1/s]."""
    host = host_protocol(protocol)
    byte_s = BITS_PER_BYTE / baudrate
    position = host.position(1)
    questions = N_JOINTS * ((len(position.frame) + position.reply_size) * byte_s + TURNAROUND_S)
    torque = host.torque_state(1)
    if torque is not None:
        questions += (len(torque.frame) + torque.reply_size) * byte_s + TURNAROUND_S
    servos = range(1, N_JOINTS + 1)
    goals = host.goals(dict.fromkeys(servos, 2000), frozenset(servos), dict.fromkeys(servos, 60))
    writing = write_rate_hz * sum(map(len, goals)) * byte_s
    return max(0.0, USABLE - writing) / questions


def check_rates(protocol: ProtocolName, baudrate: int, control_rate_hz: float, write_rate_hz: float) -> None:
    """Refuse rates that the line cannot carry: its control loop would be late in every cycle.

    Raises:
        ConfigError: names the highest rate.
    """
    most = carried_rate_hz(protocol, baudrate, write_rate_hz)
    if control_rate_hz > most:
        raise ConfigError(
            f"control_rate_hz {control_rate_hz:g} is more than protocol {protocol} carries at {baudrate} baud with "
            f"write_rate_hz {write_rate_hz:g}: at most {most:.0f}"
        )
