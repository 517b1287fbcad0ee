"""Runs all fuzz targets: `dofbot bench fuzz`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rich.progress import track

from dofbot_ros.bench.fuzz import codecs, episodes, files, pictures
from dofbot_ros.bench.fuzz.target import Target, run_target
from dofbot_ros.core.console import console
from dofbot_ros.errors import UsageError, one_of


def measure(n: int = 10_000, seed: int = 0, only: str = "", first: int = 0) -> dict[str, Any]:
    """Feed every target.

    Args:
        n: inputs of a target; codecs get more and files of one kind fewer, see Target.share.
        seed: of all cases.
        only: part of the names of the targets to run; empty for all.
        first: number of the first case of each target: a failed case alone is `first` and n = 1.

    Returns:
        `n`, `seed`; `inputs` and `failed` of all targets together; `targets`: for each what run_target() returns.

    Raises:
        InputError: no target is called so.
    """
    with all_targets() as targets:
        chosen = [target for target in targets if only in target.name]
        if not chosen:
            raise UsageError(one_of("target", only, [target.name for target in targets]))
        results = {
            target.name: run_target(target, max(1, round(n * target.share)), seed, first)
            for target in track(chosen, "fuzzing", console=console, transient=True)
        }
    totals = {key: sum(result[key] for result in results.values()) for key in ("inputs", "failed")}
    return {"n": n, "seed": seed, **totals, "targets": results}


@contextmanager
def all_targets() -> Iterator[list[Target]]:
    """What can be fuzzed here: messages only where ROS is installed."""
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        made = [target for module in (codecs, files, episodes, pictures) for target in module.targets(folder)]
        if find_spec("rclpy") is not None:
            from dofbot_ros.ros.probes import message_fuzz

            made += opened.enter_context(message_fuzz.targets())
        yield made
