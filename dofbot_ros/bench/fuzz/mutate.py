"""Changes to valid input: bytes, text, and plain data."""

from __future__ import annotations

import math
import random
from typing import Any

NUMBERS: tuple[float, ...] = (
    0.0, -0.0, 1.0, -1.0, 1e-308, 1e-9, 0.5, 2.0, 1e3, 1e6, 1e306, -1e306, 1.7e308, math.inf, -math.inf, math.nan,
    math.pi, 2.0**31, 2.0**53,
)  # fmt: skip
"""Those at which arithmetic breaks."""
INTEGERS = (
    0,
    1,
    -1,
    2,
    5,
    7,
    127,
    128,
    255,
    256,
    4095,
    4096,
    65535,
    2**31 - 1,
    -(2**31),
    2**31,
    2**63 - 1,
    2**64,
    10**400,
)
WORDS = (
    "", " ", "x", "0", "nan", "joint1", "base_link", "..", "/", "\0", "\u202e", "{}", "%s", "true", "~", "x" * 500,
)  # fmt: skip
TOKENS = (
    ".inf", "-.inf", ".nan", "1e400", "1e306", "-1", "0", "null", "~", "true", "[]", "{}", "[[", "}}", "- ", ": ",
    "&a ", "*a ", "<<: *a", "!!float ", "!!binary x", "!!python/object:os.system ", "? ", "|\n", ">\n", "---\n",
    "...\n", "%YAML 1.2", "\t", "\0", "\ufeff", "\u2028", '"', "'", "#", "@", "`", "2026-99-99", "1:60:60", "0x", "0b2",
    "0o9", "9" * 50, "[" * 60, "{a: " * 60,
)  # fmt: skip


def flipped(rng: random.Random, data: bytes, most: int = 8) -> bytes:
    """A few bits flipped, bytes replaced, pieces removed, repeated or cut off."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, most)):
        if not changed:
            break
        at, kind = rng.randrange(len(changed)), rng.random()
        if kind < 0.4:
            changed[at] ^= 1 << rng.randrange(8)
        elif kind < 0.7:
            changed[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
        elif kind < 0.8:
            del changed[at : at + rng.randint(1, 16)]
        elif kind < 0.9:
            changed[at:at] = changed[at : at + rng.randint(1, 16)]
        elif kind < 0.95:
            changed[at : at + 8] = rng.randbytes(8)
        else:
            del changed[at:]
    return bytes(changed)


def retyped(rng: random.Random, text: str) -> str:
    """Text with tokens put in, lines removed, repeated and swapped, and bits flipped."""
    lines = text.splitlines(keepends=True) or [""]
    for _ in range(rng.randint(1, 4)):
        at, kind = rng.randrange(len(lines)), rng.random()
        line = lines[at]
        if kind < 0.5:
            place = rng.randint(0, len(line))
            lines[at] = line[:place] + rng.choice(TOKENS) + line[place + rng.randint(0, 6) :]
        elif kind < 0.6 and len(lines) > 1:
            del lines[at]
        elif kind < 0.7:
            lines.insert(at, line)
        elif kind < 0.8:
            lines[at] = " " * rng.randint(0, 8) + line.lstrip()
        else:
            other = rng.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
    text = "".join(lines)
    return flipped(rng, text.encode(), 3).decode("utf-8", "replace") if rng.random() < 0.2 else text


def replaced(rng: random.Random, content: Any) -> Any:
    """Plain data in which one to three places hold something else."""
    for _ in range(rng.randint(1, 3)):
        content = _replaced_once(rng, content)
    return content


def anything(rng: random.Random, depth: int = 2) -> Any:
    """Any plain value."""
    kind = rng.randrange(9 if depth else 6)
    if kind == 0:
        return rng.choice(NUMBERS)
    if kind == 1:
        return rng.choice(INTEGERS[:-1])
    if kind == 2:
        return rng.choice(WORDS)
    if kind == 3:
        return rng.choice((True, False, None))
    if kind == 4:
        return rng.uniform(-10.0, 10.0)
    if kind == 5:
        return rng.randint(-5, 5)
    if kind == 6:
        return {rng.choice(WORDS): anything(rng, depth - 1) for _ in range(rng.randint(0, 3))}
    return [anything(rng, depth - 1) for _ in range(rng.randint(0, 6))]


def _replaced_once(rng: random.Random, content: Any) -> Any:
    if isinstance(content, dict) and content and rng.random() < 0.9:
        key = rng.choice(list(content))
        if rng.random() < 0.1:
            return {k: v for k, v in content.items() if k != key}
        if rng.random() < 0.05:
            return {**content, rng.choice(WORDS): anything(rng)}
        return {**content, key: _replaced_once(rng, content[key])}
    if isinstance(content, list) and content and rng.random() < 0.8:
        at = rng.randrange(len(content))
        kind = rng.random()
        if kind < 0.1:
            return content[:at] + content[at + 1 :]
        if kind < 0.2:
            return content + content[at : at + 1]
        return [*content[:at], _replaced_once(rng, content[at]), *content[at + 1 :]]
    if isinstance(content, (int, float)) and not isinstance(content, bool) and rng.random() < 0.7:
        return (
            rng.choice((*NUMBERS, *INTEGERS[:-1])) if rng.random() < 0.7 else content * rng.choice((-1, 0, 2, 10, 1e3))
        )
    return anything(rng)
