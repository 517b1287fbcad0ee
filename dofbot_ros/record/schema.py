"""Message definitions as an MCAP file carries them: the .msg text, followed by those of all types within it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

from dofbot_ros.errors import InputError

_PRIMITIVES = {"bool", "byte", "char", "float32", "float64", "string", "wstring"} | {
    f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
}


def installed_definition(type_name: str) -> str:
    """The .msg file of "package/msg/Type", as it is installed with ROS, whether by apt or as a wheel.

    Raises:
        InputError: there is none.
    """
    package, _, name = type_name.split("/")
    prefixes = [*filter(None, os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)), sys.prefix]
    for prefix in prefixes:
        path = Path(prefix) / "share" / package / "msg" / f"{name}.msg"
        if path.is_file():
            return path.read_text(encoding="utf-8")
    raise InputError(f"no definition of {type_name} under share/{package} of {', '.join(prefixes)}: is it installed?")


def complete_definition(type_name: str, find: Callable[[str], str] = installed_definition) -> str:
    """The text of a schema with encoding ros2msg (https://mcap.dev/spec/registry).

    Args:
        type_name: "package/msg/Type".
        find: the .msg text of a type.

    Raises:
        InputError: it, or a type within it, is not installed.
    """
    texts = {type_name: find(type_name)}
    waiting = [type_name]
    while waiting:
        for inner in field_types(waiting.pop(), texts):
            if inner not in texts:
                texts[inner] = find(inner)
                waiting.append(inner)
    first, *others = texts
    parts = [texts[first]] + [f"MSG: {name.replace('/msg/', '/')}\n{texts[name]}" for name in others]
    return f"{'=' * 80}\n".join(part if part.endswith("\n") else part + "\n" for part in parts)


def field_types(type_name: str, texts: dict[str, str]) -> list[str]:
    """The message types of the fields of `type_name`, whose text is among `texts`, as "package/msg/Type"."""
    package = type_name.split("/", maxsplit=1)[0]
    words = [line.split("#")[0].split() for line in texts[type_name].splitlines()]
    # "geometry_msgs/Point[4] corners", "string<=5 name", "uint8 RED=1": constants are always primitive.
    named = [re.split(r"\[|<=", line[0])[0] for line in words if line]
    named = [name for name in named if name not in _PRIMITIVES]
    full = [name if "/" in name else f"{package}/{name}" for name in named]
    return list(dict.fromkeys(name.replace("/", "/msg/") for name in full))
