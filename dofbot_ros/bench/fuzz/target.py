"""What is fuzzed, and how a target is run: every case has a seed of its own, so that each can be run again alone."""

from __future__ import annotations

import random
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dofbot_ros.bench.fuzz.memory import PeakMemory
from dofbot_ros.errors import DofbotError

MAX_CASE_S = 5.0
"""A case that takes more CPU time is a failure [s]."""
MAX_GROWTH_MB = 700.0
"""So is a target during which the process grows by more; a picture of the largest size costs half of it [MB]."""
MAX_MESSAGE = 1000
"""Longest error message [characters]."""
KEPT = 20
"""Failures that are told."""


@dataclass(frozen=True)
class Target:
    """Something that reads input.

    Attributes:
        name: as in the report.
        case: makes one input and feeds it. Raises a DofbotError when the input is refused; anything else that it raises
            is a failure, an AssertionError too.
        inputs: how many inputs a case is.
        share: how many inputs it gets for each of a run's n: codecs are fast, and files of one kind are many.
    """

    name: str
    case: Callable[[random.Random], None]
    inputs: int = 1
    share: float = 1.0


def run_target(target: Target, inputs: int, seed: int, first: int = 0) -> dict[str, Any]:
    """Feed a target.

    Args:
        target: what to feed.
        inputs: how many inputs, at least.
        seed: of all cases.
        first: number of the first case.

    Returns:
        `inputs`; `refused`, how many of the cases ended in a refusal; `failed`, and the first KEPT of them in
        `failures`: number of the case and what went wrong; `seconds`; `slowest_s`, CPU time of the slowest case;
        `growth_mb`, by how much the process grew.
    """
    cases = -(-inputs // target.inputs)
    failures: list[dict[str, Any]] = []
    refused = failed = 0
    slowest_s, memory, begun = 0.0, PeakMemory(), time.monotonic()

    def fail(case: int, what: str) -> None:
        nonlocal failed
        failed += 1
        if len(failures) < KEPT:
            failures.append({"case": case, "error": what})

    for case in range(first, first + cases):
        rng = random.Random(seed * 1_000_003 + case)
        case_s = time.process_time()
        try:
            target.case(rng)
        except DofbotError as error:
            refused += 1
            text = str(error)
            if "\n" in text or not 0 < len(text) <= MAX_MESSAGE:
                fail(case, f"a message of {len(text)} characters, {text.count(chr(10))} line breaks: {text[:100]!r}")
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            fail(case, f"{type(error).__name__}: {str(error)[:200]} ({Path(place.filename).name}:{place.lineno})")
        case_s = time.process_time() - case_s
        slowest_s = max(slowest_s, case_s)
        if case_s > MAX_CASE_S:
            fail(case, f"took {case_s:.1f} s")
    growth_mb = memory.grown_mb()
    if growth_mb > MAX_GROWTH_MB:
        fail(-1, f"the process grew by {growth_mb:.0f} MB")
    return {
        "inputs": cases * target.inputs,
        "refused": refused,
        "failed": failed,
        "failures": failures,
        "seconds": time.monotonic() - begun,
        "slowest_s": slowest_s,
        "growth_mb": growth_mb,
    }
