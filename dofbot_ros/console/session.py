"""The console's decisions: what pages ask becomes commands; a page that is lost while it commands stops the arm."""

from __future__ import annotations

import math
from concurrent.futures import Executor, Future
from dataclasses import asdict
from typing import Any

import numpy as np

from dofbot_ros.arm.gripper import MAX_GAP
from dofbot_ros.console.arm import ConsoleArm, JobEnd
from dofbot_ros.console.follower import TOOL_AXES, Follower
from dofbot_ros.console.messages import ANYBODY, Request
from dofbot_ros.console.operators import Operators
from dofbot_ros.console.words import explain
from dofbot_ros.core.clock import Clock
from dofbot_ros.core.types import ARM_JOINTS, GRIP, N_ARM, FloatArray, ToolPose
from dofbot_ros.errors import CommandRefusedError, DofbotError, InputError, one_of
from dofbot_ros.safety.states import ArmState

LOST_S = 0.12
"""A page that commands and says nothing for three beats is lost; with 0.1 s to brake the arm rests within 0.3 s [s]."""

FULL_SPEED = 0.8
"""Of the joints at 100 %: the arm brakes from it within 0.1 s at the driver's 8 rad/s^2 [rad/s]."""
SLOWEST = 0.05
MOVABLE = (ArmState.ACTIVE.value, ArmState.HOLD.value)
LATE_S = 0.06
"""After a period as long as this, what pages said meanwhile has not been read yet: whether one is lost is seen in the
next one, however long that is [s]."""
GRIPPER_S = 1.5
"""The fingers have closed this long after they were told to [s]."""
RECORDING = ("record start", "record keep", "record success", "record failure", "record discard")
BESIDE = ("teleop run", "teleop end", "policy run", "policy end")
"""Starts and ends nodes beside the arm; a node that runs moves nothing before it is engaged."""
QUIET_JOBS = ("plan", "torque on", "reset", "teleop stop", "policy stop", *RECORDING, *BESIDE)
"""They move nothing: a page that is lost meanwhile stops nothing."""
LOST = "The page that commanded the arm was lost: the arm was stopped."


class Session:
    """One arm and the pages that look at it. All methods are called from one thread; jobs run in `threads`.

    Args:
        arm: the arm.
        clock: of pages and points.
        threads: where jobs wait for the arm.
        lost_s: a page that commands and says nothing for so long is lost [s].
    """

    def __init__(self, arm: ConsoleArm, clock: Clock, threads: Executor, lost_s: float = LOST_S) -> None:
        self._arm, self._clock, self._threads, self._lost_s = arm, clock, threads, lost_s
        self.operators = Operators(clock)
        self.speed = 0.5
        """Share of FULL_SPEED."""
        self.news: list[str] = []
        """Sentences that all pages show once; whoever shows them empties the list."""
        self._halts = 0
        self._late = False
        """Whether this period was the first that was too long to judge pages by."""
        self._follower: Follower | None = None
        self._job: tuple[str, Future[JobEnd]] | None = None
        self._ghost: FloatArray | None = None
        self._started = ""
        self._gripped_s = -math.inf
        self._stepped_s = clock.now()

    # -- pages -------------------------------------------------------------------------------------------------------

    def leave(self, page: int) -> None:
        """A page was closed or lost; if it commanded, the arm stops."""
        if self.operators.leave(page) and self.commanding:
            self._lose()

    def take(self, page: int, request: Request) -> None:
        """Do what a page asks.

        Raises:
            DofbotError: it cannot be done; nothing has moved.
        """
        self.operators.heard(page)
        if request.do not in ANYBODY:
            self.operators.require(page)
        numbers = request.numbers
        match request.do:
            case "ask":
                self.operators.ask(page)
            case "hand_over":
                self.operators.hand_over(page, int(numbers[0]))
            case "stop":
                self.stop("Stopped.")
            case "estop":
                self.estop()
            case "joints":
                self._follow().to_joints(numbers, self._measured())
            case "tool":
                self._follow().to_tool(ToolPose(*numbers), self._measured())
            case "jog":
                self._jog(request)
            case "hold":
                self._hold()
            case "gripper":
                self._gripper(numbers[0])
            case "speed":
                self.speed = min(1.0, max(SLOWEST, numbers[0]))
            case "job":
                self._begin(request)

    def told(self) -> dict[str, Any]:
        """What all pages show, as plain data."""
        view, follower = self._arm.view(), self._follower
        ghost = self._ghost
        if follower is not None and follower.target is not None:
            ghost = np.append(follower.target, view.joints[GRIP])
        return {
            "state": view.state,
            "present": view.present,
            "joints": _plain(view.joints),
            "gap": _plain(view.gap),
            "tool": None if view.tool is None else [_plain(v) for v in asdict(view.tool).values()],
            "ghost": None if ghost is None else _plain(ghost),
            "following": follower is not None and follower.active,
            "lines": [[line.level, line.text] for line in explain(view)],
            "blocks": [[b.name, _plain(b.pose.ravel()), b.size, [c / 255 for c in b.colour]] for b in view.blocks],
            "offers": list(view.offers),
            "pictures": list(view.pictures),
            "activity": view.activity,
            "recording": view.recording,
            "job": self._job[0] if self._job else "",
            "halts": self._halts,
            "speed": self.speed,
            "commander": self.operators.commander,
            "asking": self.operators.asking(),
            "operators": len(self.operators.pages),
        }

    # -- the arm -----------------------------------------------------------------------------------------------------

    @property
    def commanding(self) -> bool:
        """Whether something moves, or may move, because a page asked for it."""
        moving_job = self._job is not None and self._job[0] not in QUIET_JOBS
        gripping = self._clock.now() - self._gripped_s < GRIPPER_S
        return bool((self._follower and self._follower.active) or moving_job or self._started or gripping)

    @property
    def busy(self) -> bool:
        """Whether something is under way that has to be seen to its end, with or without a page."""
        return self.commanding or self._job is not None

    def tick(self) -> None:
        """One period, 50 times a second while a page is open: see that the page is there, and lead the arm on."""
        now = self._clock.now()
        period_s, self._stepped_s = now - self._stepped_s, now
        self._late = period_s >= LATE_S and not self._late
        if self.commanding and not self._late and self.operators.silent_s() > self._lost_s:
            self._lose()
        self._end_job()
        if self._started and self._arm.view().activity != self._started:
            self._started = ""
        if self._follower is None or not self._follower.active:
            return
        if self._arm.view().state not in MOVABLE:
            self._follower.cancel()
            return
        point = self._follower.step(min(LATE_S, period_s), self.speed * FULL_SPEED)
        if point is not None:
            self._arm.stream(point)

    def stop(self, why: str) -> None:
        """Brake and hold."""
        self._rest()
        self._arm.request_stop()
        self.news.append(why)

    def estop(self) -> None:
        """Emergency stop."""
        self._arm.request_estop()
        self._rest()

    def _lose(self) -> None:
        self._arm.request_stop()
        self._rest()
        self.news.append(LOST)

    def _rest(self) -> None:
        self._halts += 1
        self._gripped_s = -math.inf
        if self._job is not None:
            self._job[1].cancel()  # one that has not begun; one that has ends with its motion
        if self._follower is not None:
            self._follower.cancel()
        self._started = ""
        self._ghost = None

    def _follow(self) -> Follower:
        """The follower of the arm as it describes itself now, where the arm may be led."""
        view = self._arm.view()
        if not view.present or view.state not in MOVABLE:
            raise CommandRefusedError(explain(view)[0].text)
        if self._job is not None and self._job[0] not in QUIET_JOBS:
            raise CommandRefusedError(f"{self._job[0]} is under way: stop it first")
        if self._follower is None or not self._follower.active:
            self._follower, self._ghost = Follower(self._arm.robot), None
            self._stepped_s = self._clock.now()
        return self._follower

    def _measured(self) -> FloatArray:
        return self._arm.view().joints[:N_ARM]

    def _jog(self, request: Request) -> None:
        direction = int(np.sign(request.numbers[0]))
        follower, speed = self._follow(), self.speed * FULL_SPEED
        if request.text in TOOL_AXES:
            follower.jog_tool(request.text, direction, speed, self._measured())
        elif request.text in ARM_JOINTS:
            follower.jog_joint(ARM_JOINTS.index(request.text), direction, speed, self._measured())
        else:
            raise InputError(one_of("joint or axis", request.text, (*ARM_JOINTS, *TOOL_AXES)))

    def _hold(self) -> None:
        if self._follower is not None:
            self._follower.halt()

    def _gripper(self, gap: float) -> None:
        view = self._arm.view()
        if view.state not in MOVABLE:
            raise CommandRefusedError(explain(view)[0].text)
        self._gripped_s = self._clock.now()
        self._arm.send_gripper(min(MAX_GAP, max(0.0, gap)))

    # -- jobs --------------------------------------------------------------------------------------------------------

    def _begin(self, request: Request) -> None:
        if self._job is not None:
            raise CommandRefusedError(f"{self._job[0]} is under way: stop it first")
        offers = self._arm.view().offers
        if request.text not in offers:
            raise CommandRefusedError(one_of("job", request.text, offers))
        if self._follower is not None:
            self._follower.cancel()
        speed = self.speed * FULL_SPEED
        self._job = (request.text, self._threads.submit(self._arm.do, request.text, speed, request.about))

    def _end_job(self) -> None:
        if self._job is None or not self._job[1].done():
            return
        (name, future), self._job = self._job, None
        if future.cancelled():
            return
        try:
            end = future.result()
        except DofbotError as error:
            self._ghost = None
            self.news.append(f"{name}: {error}")
            return
        self._ghost = end.ghost
        if end.words:
            self.news.append(end.words)
        if name in ("teleop start", "policy start"):
            self._started = name.split()[0]


def _plain(values: Any) -> Any:
    """Rounded for the wire; None for what is no number."""
    if isinstance(values, np.ndarray):
        return [_plain(v) for v in values.tolist()]
    return round(float(values), 5) if math.isfinite(values) else None
