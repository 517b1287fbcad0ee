"""Runs a soak in real time, or in virtual time for a test, and writes down how far it is after every segment."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import Progress

from dofbot_ros.bench.faults.judge import Rules, judge
from dofbot_ros.bench.faults.record import Record
from dofbot_ros.bench.faults.rigs.process_rig import ProcessRig
from dofbot_ros.bench.faults.rigs.rig import Rig
from dofbot_ros.bench.faults.rigs.stillness import MOST_PAUSE_S
from dofbot_ros.bench.faults.rigs.virtual_rig import VirtualRig
from dofbot_ros.bench.soak.script import ready, segment
from dofbot_ros.core.console import console
from dofbot_ros.core.files import write_whole
from dofbot_ros.errors import InputError
from dofbot_ros.hardware.emulation.truth_log import Truth

WARM_UP_S = 30.0
"""Caches and pools fill for so long; growth counts from then on [s]."""


@dataclass(frozen=True)
class Resources:
    """What the driver's process holds: resident memory [MB], threads, open files."""

    memory_mb: float
    threads: int
    descriptors: int


@dataclass
class Progressed:
    """How far a soak is; the content of its file.

    Attributes:
        seed: decides everything.
        virtual: whether time was virtual.
        seconds: on the driver's clock [s].
        segments: how many were played.
        refused: commands that were refused.
        violations: broken rules, each with its segment.
        unmeasured: segments in which this machine kept the emulated servos from moving, each with its pause [s] and the
            rules that were broken then, which count as neither good nor bad.
        worst_motion_deg, worst_speed: the largest uncommanded motion [deg] and true speed [rad/s].
        late_ms: p50 and p99 lateness of the loop's wake-ups in each part of the soak that ran at one go [ms].
        parts: what the process held after its warm-up and at its end, for each such part.
    """

    seed: int
    virtual: bool
    seconds: float = 0.0
    segments: int = 0
    refused: int = 0
    violations: list[dict[str, Any]] = field(default_factory=list)
    unmeasured: list[dict[str, Any]] = field(default_factory=list)
    worst_motion_deg: float = 0.0
    worst_speed: float = 0.0
    late_ms: list[dict[str, float]] = field(default_factory=list)
    parts: list[list[dict[str, float]]] = field(default_factory=list)


def measure(minutes: float, seed: int = 0, virtual: bool = False, state: Path | None = None) -> dict[str, Any]:
    """Soak an arm.

    Args:
        minutes: on the driver's clock, those of earlier parts included [min].
        seed: decides what happens.
        virtual: in virtual time: as fast as the machine computes; memory and threads are then this process's own.
        state: file that holds how far it is; a soak that was interrupted goes on from there.

    Returns:
        `minutes`, `segments`, `unmeasured` (of them), `longest_pause_s`, `refused`, `violations`, `worst_motion_deg`,
        `worst_speed`, `p99_late_ms`,
        `memory_growth_mb`, `thread_growth`, `descriptor_growth` (of the worst part), and `parts`.

    Raises:
        InputError: a file of another soak.
        DofbotError: the driver did not find its arm, or ended. An arm that does not come to HOLD any more ends the soak
            as a broken rule.
    """
    done = _load(state, seed, virtual)
    goal_s = 60.0 * minutes
    if done.seconds < goal_s:
        with _rig(seed, virtual) as rig, Progress(console=console, transient=True) as progress:
            task = progress.add_task("soak", total=goal_s, completed=round(done.seconds))
            for _ in _segments(rig, done, goal_s):
                _save(state, done)
                progress.update(task, completed=done.seconds)
            _save(state, done)
    return _summary(done)


def _segments(rig: Rig, done: Progressed, goal_s: float) -> Iterator[None]:
    """Play segments until the time is over; `done` is up to date after each."""
    begin_s, before_s = rig.now, done.seconds
    done.parts.append([asdict(_resources(rig))])
    done.late_ms.append({"p50": 0.0, "p99": 0.0})
    config = rig.config
    rules = Rules(max_velocity=config.max_velocity, max_acceleration=config.max_acceleration)
    while done.seconds < goal_s:
        rig.record = Record()
        if not ready(rig):
            stuck = {"segment": done.segments, "name": "ready", "rule": "recovery", "what": _stuck(rig)}
            done.violations.append(stuck)
            return
        what, rng = segment(done.segments, done.seed)
        what.play(rig, rng)
        for operator in rig.streamers:
            operator.on = False
        rig.streamers.clear()
        judgement = judge(_truth(rig), rig.record, rules, recovery_due=rig.record.recovered is not None)
        broken = [
            {"segment": done.segments, "name": what.name, "rule": v.rule, "what": v.what} for v in judgement.violations
        ]
        pause_s = rig.emulator.longest_pause() if isinstance(rig, ProcessRig) else 0.0
        if pause_s > MOST_PAUSE_S:
            done.unmeasured.append({"segment": done.segments, "pause_s": pause_s, "broken": broken})
        else:
            done.violations += broken
            done.worst_motion_deg = max(done.worst_motion_deg, judgement.worst_motion_deg)
            done.worst_speed = max(done.worst_speed, judgement.worst_speed)
        done.refused += len(rig.record.refusals)
        done.segments += 1
        done.seconds = before_s + rig.now - begin_s
        samples = done.parts[-1]
        if rig.now - begin_s < WARM_UP_S or len(samples) == 1:
            samples[:] = [asdict(_resources(rig))] * 2
        samples[1] = asdict(_resources(rig))
        if isinstance(rig, ProcessRig) and rig.late_ms:
            p50, p99 = np.percentile(list(rig.late_ms), [50, 99])
            done.late_ms[-1] = {"p50": float(p50), "p99": float(p99)}
        yield


def _stuck(rig: Rig) -> str:
    """Why an arm does not come to HOLD, in the driver's own words."""
    reasons = [f"{state.value}: {reason}" for _, state, reason in rig.record.states]
    refused = [f"{command} ({why})" for _, command, why in rig.record.refusals]
    said = "; ".join(dict.fromkeys(reasons)) or rig.state.value
    return f"the arm does not come to HOLD, the driver says {said}" + (
        f"; it refused {', '.join(dict.fromkeys(refused))}" if refused else ""
    )


@contextmanager
def _rig(seed: int, virtual: bool) -> Iterator[Rig]:
    if virtual:
        rig = VirtualRig(seed)
        rig.run(0.2)
        try:
            yield rig
        finally:
            rig.close()
        return
    with tempfile.TemporaryDirectory(prefix="dofbot_soak_") as folder, ProcessRig(Path(folder), seed) as process:
        process.wait_connected()
        yield process


def _truth(rig: Rig) -> Truth:
    """What the servos did since the last segment."""
    taken: list[Truth] = []
    rig.tamper(lambda: taken.append(rig.log.take()))
    return taken[0]


def _resources(rig: Rig) -> Resources:
    import psutil

    process = psutil.Process(rig.remote.process.pid if isinstance(rig, ProcessRig) else os.getpid())
    with process.oneshot():
        return Resources(process.memory_info().rss / 1e6, process.num_threads(), process.num_fds())


def _load(state: Path | None, seed: int, virtual: bool) -> Progressed:
    if state is None or not state.exists():
        return Progressed(seed, virtual)
    try:
        done = Progressed(**json.loads(state.read_text()))
    except (ValueError, TypeError) as error:
        raise InputError(f"{state} is no file of a soak ({error}): name another one") from error
    if (done.seed, done.virtual) != (seed, virtual):
        raise InputError(f"{state} belongs to a soak with seed {done.seed}, virtual {done.virtual}: name another file")
    return done


def _save(state: Path | None, done: Progressed) -> None:
    if state is not None:
        write_whole(state, json.dumps(asdict(done)))


def _summary(done: Progressed) -> dict[str, Any]:
    def growth(name: str) -> float:
        return max((part[-1][name] - part[0][name] for part in done.parts), default=0.0)

    return {
        "minutes": done.seconds / 60.0,
        "segments": done.segments,
        "unmeasured": len(done.unmeasured),
        "longest_pause_s": max((one["pause_s"] for one in done.unmeasured), default=0.0),
        "refused": done.refused,
        "violations": done.violations,
        "worst_motion_deg": done.worst_motion_deg,
        "worst_speed": done.worst_speed,
        "p99_late_ms": max((part["p99"] for part in done.late_ms), default=0.0),
        "memory_growth_mb": growth("memory_mb"),
        "thread_growth": growth("threads"),
        "descriptor_growth": growth("descriptors"),
        "parts": done.parts,
    }
