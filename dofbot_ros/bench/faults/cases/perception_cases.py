"""The cells of the matrix in which an arm that grasps goes blind: camera or localiser die while it moves.

The arm may finish what it has seen and planned, or stop; from then on it rests, and refuses to begin anything new. The
arm is the simulated one, in real time; what it did is told by its joint states.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dofbot_ros.bench.faults.judge import Judgement, Rules, Violation
from dofbot_ros.bench.faults.outcome import Case, Outcome
from dofbot_ros.core.dds import private_domain
from dofbot_ros.errors import CommandRefusedError, DofbotError
from dofbot_ros.launching import environment, processes
from dofbot_ros.stacks import find
from dofbot_ros.supervisor import Command, ProcessGroup

if TYPE_CHECKING:
    from dofbot_ros.ros.probes.motion_watch import MotionWatch

READY_S = 90.0
MOTION_S = 60.0
ANSWER_S = 120.0
BRAKE_S = 1.0
"""From the end of a motion, as its program says, to rest [s]."""
REST_S = 3.0
"""For so long the arm has to rest, whatever it is asked [s]."""
MOVING_RAD = 0.3
"""Of joint2: on its way down to the table."""
MOTION_DEG = 0.5
FORGET_S = 3.5
"""A block that was seen longer ago than this is not believed to be there still [s]."""


def camera_lost(case: Case) -> Outcome:
    """The camera of grasp_node dies while the arm is on its way to what it has seen."""
    from dofbot_ros.ros.clients.arm_client import background_client
    from dofbot_ros.ros.clients.trial_client import trial_client
    from dofbot_ros.ros.probes.motion_watch import MotionWatch

    relay = Command("camera_relay_probe", (sys.executable, "-m", "dofbot_ros.ros.probes.camera_relay"))
    remapped = {"grasp_node": ("-r", "camera/image_raw:=relayed/image_raw")}
    with (
        _stack("grasp", {"backend": "sim"}, remapped, (relay,)) as group,
        background_client(MotionWatch, "fault_watch") as watch,
        trial_client("sim_node") as client,
        ThreadPoolExecutor(1) as threads,
    ):
        client.prepare()
        client.reset_scene(0)
        grasp = threads.submit(client.trigger, "grasp/execute", ANSWER_S)
        _wait_for_motion(watch, grasp)
        _kill(group, relay.name)
        asks = {name: partial(client.trigger, f"grasp/{name}", ANSWER_S) for name in ("plan", "execute")}
        return _blind(case, watch, _answer(grasp), asks)


def localizer_dead_in_policy(case: Case) -> Outcome:
    """The block localiser dies while a policy is at work that sees through it."""
    from dofbot_ros.ros.clients.arm_client import background_client
    from dofbot_ros.ros.probes.motion_watch import MotionWatch

    with (
        _stack("policy", {"backend": "sim", "task": "pick", "obs": "state"}) as group,
        background_client(MotionWatch, "fault_watch") as watch,
    ):
        watch.wait_connected()
        watch.switch("enable_torque", True)
        watch.wait_until(lambda: watch.state == "HOLD", MOTION_S, "torque")
        watch.wait_until(lambda: watch.policy is not None and not watch.policy.fault, MOTION_S, "policy that can begin")
        _keep_asking(lambda: watch.trigger("policy/start"))
        watch.wait_until(lambda: watch.phase == "running", MOTION_S, "running policy")
        _kill(group, "block_localizer_node")
        watch.wait_until(lambda: watch.phase == "idle", MOTION_S, "end of the policy's run")
        said = watch.policy.ended if watch.policy is not None else ""
        time.sleep(FORGET_S)
        return _blind(case, watch, said, {"policy/start": partial(watch.trigger, "policy/start")})


def _keep_asking(ask: Callable[[], object]) -> None:
    """A localiser takes a moment to find the block: refusals until then are no news."""
    end_s = time.monotonic() + MOTION_S
    while True:
        try:
            ask()
        except CommandRefusedError:
            if time.monotonic() > end_s:
                raise
            time.sleep(0.2)
        else:
            return


def localizer_dead_in_trial(case: Case) -> Outcome:
    """The block localiser dies while a trial picks a block up."""
    from dofbot_ros.arm.robot import load_robot
    from dofbot_ros.ros.clients.arm_client import background_client
    from dofbot_ros.ros.clients.trial_client import trial_client
    from dofbot_ros.ros.probes.motion_watch import MotionWatch
    from dofbot_ros.trials.results import Series
    from dofbot_ros.trials.runner import run_series
    from dofbot_ros.vision.markers.block_layout import load_blocks

    with (
        _stack("demo", {"backend": "sim", "rtf": "1.0"}) as group,
        background_client(MotionWatch, "fault_watch") as watch,
    ):

        def check() -> None:
            if ended := group.ended():
                raise DofbotError(f"{ended[0]}")

        with (
            tempfile.TemporaryDirectory() as folder,
            trial_client("sim_node", check) as arm,
            ThreadPoolExecutor(1) as threads,
        ):

            def one() -> str:
                series = Series(0, "sim")
                return str(run_series(arm, load_robot(), load_blocks(), series, trials=1, out=Path(folder)).summary())

            trial = threads.submit(one)
            _wait_for_motion(watch, trial)
            _kill(group, "block_localizer_node")
            return _blind(case, watch, _answer(trial), {})


@contextmanager
def _stack(
    name: str,
    given: Mapping[str, str],
    words: Mapping[str, Sequence[str]] | None = None,
    more: Sequence[Command] = (),
) -> Iterator[ProcessGroup]:
    """A stack in a domain of its own; `words` are further arguments of its nodes, `more` what runs beside them."""
    with private_domain():
        stack = find(name)
        commands = [process.command() for process in processes(stack, given)]
        commands = [Command(c.name, (*c.argv, *(words or {}).get(c.name, ()))) for c in commands]
        with ProcessGroup([*commands, *more], environment(stack, given)) as group:
            group.wait_ready(READY_S)
            yield group


def _kill(group: ProcessGroup, name: str) -> None:
    os.kill(group.pids()[name], signal.SIGKILL)


def _wait_for_motion(watch: MotionWatch, job: Future[str]) -> None:
    def begun() -> bool:
        return job.done() or (watch.state == "ACTIVE" and float(watch.position[1]) > MOVING_RAD)

    watch.wait_until(begun, MOTION_S, "motion towards the table")
    if job.done():
        raise DofbotError(f"it ended before the fault: {_answer(job)}")


def _answer(job: Future[str]) -> str:
    """What came of it, in words."""
    try:
        return job.result(ANSWER_S)
    except DofbotError as error:
        return str(error)


def _blind(case: Case, watch: MotionWatch, said: str, asks: Mapping[str, Callable[[], object]]) -> Outcome:
    """Judge an arm that sees nothing any more: it rests from here on, and nothing that is asked of it begins."""
    time.sleep(BRAKE_S)
    rest_s = time.monotonic()
    violations: list[Violation] = []
    refusals = [(0.0, "ended", said)]
    for name, ask in asks.items():
        try:
            ask()
            violations.append(Violation("blind", 0.0, "", 0.0, 0.0, f"{name} was carried out without an observation"))
        except CommandRefusedError as error:
            refusals.append((time.monotonic() - rest_s, name, str(error)))
    time.sleep(REST_S)
    moved = watch.moved_deg(rest_s)
    if moved > MOTION_DEG:
        what = f"the arm moved by {moved:.1f} degrees after its motion had ended ({said})"
        violations.append(Violation("motion", 0.0, "", moved, MOTION_DEG, what))
    if watch.state != "HOLD":
        violations.append(Violation("blind", 0.0, "", 0.0, 0.0, f"the arm was to hold, its state is {watch.state}"))
    speed, limit = watch.worst_speed(), Rules.speed_margin * 2.0
    if speed > limit:
        violations.append(Violation("speed", 0.0, "", speed, limit, f"the arm moved at {speed:.2f} rad/s"))
    return Outcome(case, Judgement(tuple(violations), moved, speed), 0.0, False, None, (), tuple(refusals))
