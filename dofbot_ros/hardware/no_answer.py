"""Why nobody, or not everybody, answers on a servo bus: in words, with what to look at."""

from __future__ import annotations

from collections.abc import Sequence

from dofbot_ros.core.types import JOINT_NAMES, BoolArray


def named(ids: Sequence[int], chosen: BoolArray) -> str:
    """For a message: "servo 3 (joint3) is", "servos 3 (joint3), 6 (grip_joint) are".

    Args:
        ids: of the servos of joint1 to grip_joint.
        chosen: which of them are meant, shape (6,).
    """
    names = [f"{servo} ({joint})" for servo, joint, one in zip(ids, JOINT_NAMES, chosen, strict=True) if one]
    return f"servo {names[0]} is" if len(names) == 1 else f"servos {', '.join(names)} are"


def some_silent(port: str, ids: Sequence[int], fresh: BoolArray) -> str:
    """Why an arm of which some servos answer cannot be used: `fresh` (6,) tells those that do."""
    there = ", ".join(str(servo) for servo, answers in zip(ids, fresh, strict=True) if answers)
    return f"{named(ids, ~fresh)} silent on {port} while servos {there} answer: check its plug and its id"


def all_silent(port: str, baudrate: int, protocol: str, other: str | None) -> str:
    """Why a port on which no servo answers cannot be used; `other` is the protocol that is answered instead, if any."""
    opened = f"{port} opened at {baudrate} baud, but no servo answers protocol {protocol}"
    if other is not None:
        return f"{opened}; the arm there speaks {other}: use protocol {other}"
    return f"{opened}: is the servo power on, is it the right port, the right protocol (bus or se), 115200 baud?"
