"""The console's session on a real daemon with servo models, on a hand-turned clock: nothing waits."""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import Executor, Future
from typing import Any

import numpy as np
import pytest

from dofbot_ros.arm.gripper import joint_to_gap
from dofbot_ros.arm.robot import Robot
from dofbot_ros.console.arm import ArmView, JobEnd
from dofbot_ros.console.messages import Request
from dofbot_ros.console.session import Session
from dofbot_ros.core.types import ARM_JOINTS, GRIP, N_ARM, FloatArray
from dofbot_ros.errors import CommandRefusedError, DofbotError
from dofbot_ros.safety.authority import Commander, Rank
from dofbot_ros.safety.states import ArmState

from ..driver.conftest import Bench

CONSOLE = Commander("console", Rank.OPERATOR)
PERIOD_S = 0.02


class DaemonArm:
    """A ConsoleArm without ROS; jobs begin their motion and leave its end to the test."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.activity = bench, ""
        self.refused = ""

    @property
    def robot(self) -> Robot:
        return self.bench.daemon.robot

    @property
    def urdf(self) -> str:
        return self.robot.describe().urdf

    def view(self) -> ArmView:
        snapshot = self.bench.daemon.snapshot()
        joints = np.full(6, np.nan) if snapshot.reading is None else snapshot.reading.position
        return ArmView(
            present=snapshot.state is not ArmState.DISCONNECTED,
            state=snapshot.state.value,
            joints=joints,
            gap=float(joint_to_gap(float(joints[GRIP]))),
            tool=self.robot.kinematics.forward(joints[:N_ARM]),
            diagnostics={"arm": {"message": f"{snapshot.state.value}: {snapshot.reason}"}},
            offers=("home", "plan", "policy start", "reset"),
            activity=self.activity,
        )

    def stream(self, joints: FloatArray) -> None:
        try:
            self.bench.daemon.stream(joints, self.bench.clock.now(), ARM_JOINTS, CONSOLE)
        except CommandRefusedError as error:
            self.refused = str(error)

    def send_gripper(self, gap: float) -> None:
        self.bench.daemon.gripper(gap, CONSOLE)

    def request_stop(self) -> None:
        self.bench.daemon.stop()

    def request_estop(self) -> None:
        self.bench.daemon.estop()

    def do(self, job: str, speed: float, about: str = "") -> JobEnd:
        if job == "home":
            self.bench.daemon.home(CONSOLE)
        if job == "reset":
            self.bench.daemon.reset_estop()
        if about == "none":
            raise DofbotError("no such block")
        return JobEnd(f"{job} done", np.zeros(6) if job == "plan" else None)

    def listen(self, on: bool) -> None: ...

    def look_at(self, names: Collection[str]) -> None: ...

    def picture(self, name: str) -> tuple[int, bytes]:
        return 0, b""


class Deferred(Executor):
    """Runs a job at once, and tells its end when the test says so."""

    def __init__(self) -> None:
        self.ends: list[Callable[[], None]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            result = fn(*args, **kwargs)
        except DofbotError as error:
            future.set_exception(error)
        else:
            self.ends.append(lambda: future.set_result(result))
        return future

    def end(self) -> None:
        while self.ends:
            self.ends.pop()()


class Desk:
    """A session, its arm, and time to let pass."""

    def __init__(self) -> None:
        self.bench = Bench()
        self.bench.hold()
        self.arm = DaemonArm(self.bench)
        self.threads = Deferred()
        self.session = Session(self.arm, self.bench.clock, self.threads)
        self.page = self.session.operators.join()

    def say(self, do: str, *numbers: float, text: str = "", about: str = "", page: int | None = None) -> None:
        self.session.take(self.page if page is None else page, Request(do, text, numbers, about))

    def run(self, seconds: float, beat: int | None = None) -> None:
        """Let time pass; the page `beat` says that it is there."""
        for _ in range(round(seconds / PERIOD_S)):
            if beat is not None:
                self.say("beat", page=beat)
            self.session.tick()
            self.bench.run(PERIOD_S)

    @property
    def joints(self) -> np.ndarray:
        return self.bench.measured()[:N_ARM].copy()

    def seconds_to_rest(self, silent: bool = True) -> float:
        """How long from now the arm goes on moving [s]: until the last reading that differs from the one before."""
        last_s, before = 0.0, self.joints
        for count in range(1, 51):
            self.run(PERIOD_S, beat=None if silent else self.page)
            if np.abs(self.joints - before).max() > 1e-3:
                last_s = count * PERIOD_S
            before = self.joints
        return last_s


@pytest.fixture
def desk() -> Desk:
    return Desk()
