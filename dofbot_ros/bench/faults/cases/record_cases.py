"""The cells of the matrix in which a recording goes wrong beside a moving arm: the arm has to go on as if alone."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from dofbot_ros.bench.faults.judge import Violation
from dofbot_ros.bench.faults.outcome import Case, Outcome
from dofbot_ros.bench.faults.rigs.real_time import NotHereError
from dofbot_ros.bench.faults.rigs.ros_rig import RosRig, record_of
from dofbot_ros.bench.faults.ros_judge import NEVER, judged
from dofbot_ros.errors import DofbotError

STEP_S = -3600.0
"""By which the clock is set [s]."""
DISK_KB = 64
"""A recording of joints and commands fills it in a few seconds."""
IN_A_NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount")
"""Lets an ordinary user mount what only his process sees."""
RECORDER = (sys.executable, "-c", "from dofbot_ros.cli.main import main; main()", "record", "--keep", "--out")


def disk_full(case: Case, priority: bool) -> Outcome:
    """`dofbot record` fills its disk while an operator streams; it says so in one line, and the arm moves on.

    Raises:
        NotHereError: this machine lets nobody mount a small disk.
    """
    with RosRig(priority) as rig:
        disk = rig.folder / "disk"
        disk.mkdir()
        mount = ("mount", "-t", "tmpfs", "-o", f"size={DISK_KB}k", "tmpfs", str(disk))
        _require_mounting(mount)
        _stream(rig)
        script = f'{" ".join(mount)} && exec "$@"'
        command = (*IN_A_NAMESPACE, "sh", "-c", script, "sh", *RECORDER, str(disk))
        recorder = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            _, err = recorder.communicate(timeout=30.0)
        except subprocess.TimeoutExpired as error:
            raise DofbotError("the recorder had not filled its disk after 30 s") from error
        finally:
            recorder.kill()
            recorder.wait()
        lines = err.strip().splitlines()
        told = recorder.returncode == 1 and len(lines) == 1 and "No space left on device" in lines[0]
        what = f"that the disk is full was to be one line; exit code {recorder.returncode}: {err.strip()!r}"
        return _moved_on(case, rig, () if told else (_broken(what),))


def clock_set(case: Case, priority: bool) -> Outcome:
    """The clock is set back by an hour while an episode is recorded: stamps go on evenly, and the step is noted."""
    from dofbot_ros.record.reader import Episode

    with RosRig(priority) as rig:
        _stream(rig)
        result = rig.folder / "recorded.json"
        module = (sys.executable, "-m", "dofbot_ros.ros.probes.recorder")
        rig.start("recorder", (*module, "--out", str(rig.folder), "--step", str(STEP_S), "--result", str(result)))
        _wait_until(result.exists, "the recorder's end")
        found = json.loads(result.read_text())
        stamps = [message.received_s for message in Episode(Path(found["path"])).messages("joint_states")]
        problems = []
        if len(found["steps"]) != 1 or abs(found["steps"][0] - STEP_S) > 1.0:
            problems.append(_broken(f"a step of {STEP_S:g} s was to be noted, but: {found['steps']}"))
        if not stamps or any(b < a for a, b in pairwise(stamps)) or stamps[-1] - stamps[0] > 30.0:
            problems.append(_broken(f"{len(stamps)} stamps do not go on evenly"))
        return _moved_on(case, rig, tuple(problems))


def _stream(rig: RosRig) -> None:
    rig.start_driver()
    rig.probe("operator_probe", "stream", "--seconds", "60", "--speed", "0.05")
    rig.wait_for("operator_probe", "point")


def _moved_on(case: Case, rig: RosRig, more: tuple[Violation, ...]) -> Outcome:
    """Judge the arm, which has to be at its operator's service still; on a busy machine a stream may pause."""
    state = next((n["state"] for n in reversed(rig.notes("operator_probe")) if n.get("state")), "")
    if state not in ("ACTIVE", "HOLD"):
        more = (*more, Violation("recovery", 0.0, "", 0.0, 0.0, f"the arm was to go on, its state is {state}"))
    rig.end("operator_probe")
    time.sleep(1.0)
    return judged(case, rig, record_of([(rig.notes("operator_probe"), NEVER)], onset_s=time.monotonic()), more)


def _broken(what: str) -> Violation:
    return Violation("recording", 0.0, "", 0.0, 0.0, what)


def _require_mounting(mount: tuple[str, ...]) -> None:
    try:
        tried = subprocess.run((*IN_A_NAMESPACE, *mount), capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise NotHereError("a small disk takes unshare (util-linux), which is not installed here") from error
    if tried.returncode != 0:
        raise NotHereError(f"this machine lets nobody mount a small disk: {tried.stderr.strip()}")


def _wait_until(condition: Callable[[], bool], what: str, at_most_s: float = 60.0) -> None:
    end_s = time.monotonic() + at_most_s
    while not condition():
        if time.monotonic() > end_s:
            raise DofbotError(f"no sign of {what} within {at_most_s:g} s")
        time.sleep(0.05)
