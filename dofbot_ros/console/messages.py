"""What a page says, taken apart and checked: one JSON object a message, `do` names what is wanted."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Any

from dofbot_ros.errors import InputError, one_of

MAX_BYTES = 4096
"""Longest message of a page that is read [characters]."""
WORDS = (
    "beat",
    "ask",
    "hand_over",
    "look",
    "stop",
    "estop",
    "joints",
    "tool",
    "jog",
    "hold",
    "gripper",
    "speed",
    "job",
    "guide",
)
ANYBODY = ("beat", "ask", "look", "stop", "estop")
"""What a page may say that only watches: everybody may stop the arm."""


@dataclass(frozen=True)
class Request:
    """One message.

    Attributes:
        do: one of WORDS.
        text: a name: of the job, the jogged joint or axis, the picture, the action of the guided calibration.
        numbers: joint angles (5,) [rad]; tool x, y, z [m], pitch, roll [rad]; or one number.
        about: name of the block that a job is about, label of a recording, or step of the calibration.
    """

    do: str
    text: str = ""
    numbers: tuple[float, ...] = field(default=())
    about: str = ""


NUMBERS = {"joints": 5, "tool": 5, "jog": 1, "gripper": 1, "speed": 1, "hand_over": 1}
"""How many numbers come with a word; none with the others."""


def parse(text: str) -> Request:
    """Take a message apart.

    Raises:
        InputError: it is none that a page of this console sends.
    """
    if len(text) > MAX_BYTES:
        raise InputError(f"a message of {len(text)} characters; at most {MAX_BYTES} are read")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"the message is no JSON: {error}") from error
    if not isinstance(content, dict):
        raise InputError("a message is one JSON object with the key `do`")
    do = content.get("do")
    if do not in WORDS:
        raise InputError(one_of("do", do, WORDS))
    return Request(
        do,
        _text(content, "text"),
        _numbers(do, content.get("numbers", []), NUMBERS.get(do, 0)),
        _text(content, "about"),
    )


def _text(content: dict[str, Any], key: str) -> str:
    value = content.get(key, "")
    if not isinstance(value, str):
        raise InputError(f"{key} is a text, not {value!r}")
    return value


def _numbers(do: str, values: Any, count: int) -> tuple[float, ...]:
    good = isinstance(values, list) and all(type(v) in (int, float) and math.isfinite(v) for v in values)
    if not good or len(values) != count:
        raise InputError(f"{do} comes with {count} finite numbers, not {str(values)[:80]}")
    return tuple(float(v) for v in values)
