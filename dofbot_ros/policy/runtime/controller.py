"""Runs a policy on an arm, a period at a time: from what arm and localiser say to joint goals, or a reason to stop."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dofbot_ros.arm.robot import DRAWN, Robot
from dofbot_ros.config.ranges import Checked, Positive
from dofbot_ros.core.model_files import first_words
from dofbot_ros.core.types import GRIP, N_JOINTS, FloatArray, ImageArray
from dofbot_ros.errors import CommandRefusedError, DofbotError, InputError
from dofbot_ros.policy.env.tasks import TASKS
from dofbot_ros.policy.interface.action_mapper import ActionMapper
from dofbot_ros.policy.interface.compatibility import check_spec
from dofbot_ros.policy.interface.observation import Observation, ObservationBuilder
from dofbot_ros.policy.interface.spec import PolicySpec
from dofbot_ros.policy.interface.state import BlockEstimate, SceneState
from dofbot_ros.policy.perception.pixels import rows
from dofbot_ros.policy.perception.pose_estimator import BlockPoseEstimator
from dofbot_ros.policy.runtime.block_tracker import DEFAULT_ESTIMATE, BlockDetection, BlockTracker

READY = (0.19, 0.11)
"""Distance from joint 1's axis and height of the tool from which episodes begin, in the middle of training's [m]."""

ASIDE = 0.5
"""Angle of joint 1 then, to the side where the block is not [rad]; training begins no further out."""


class Policy(Protocol):
    """Whatever acts."""

    @property
    def spec(self) -> PolicySpec:
        """What it was made for."""
        ...

    def act(self, observation: Mapping[str, Any]) -> NDArray[np.float32]:
        """The action, each -1..1, of an observation as the environment makes them."""
        ...


class End(str, Enum):
    """Why a run has ended."""

    REACHED = "goal reached"
    TIMED_OUT = "time is up"
    STALE_JOINTS = "joint states are stale"
    STALE_PICTURE = "pictures are stale"
    STALE_BLOCK = "the block has not been seen for too long"
    FAILED = "the policy failed"


@dataclass(frozen=True)
class ControllerConfig(Checked):
    """When a run ends.

    Attributes:
        time_limit_s: a run takes no longer [s]; training's episodes last 2 to 6.
        goal_hold_s: the goal counts as reached once it has been, as far as is seen, for this long [s].
        max_joint_age_s: joint states older than this end the run [s].
        max_picture_age_s: so do pictures, for policies that are shown some [s].
        max_block_age_s: so does a block that has not been seen for this long and is not in the hand; the hand hides it
            from an overhead camera on its way down for one to two seconds [s].
    """

    time_limit_s: Positive = 10.0
    goal_hold_s: Positive = 0.4
    max_joint_age_s: Positive = 0.2
    max_picture_age_s: Positive = 0.5
    max_block_age_s: Positive = 3.0


@dataclass(frozen=True)
class Step:
    """What comes out of one period.

    Attributes:
        command: what the joints are to be told [rad], (6,); None when the run has ended.
        end: why it has ended; None while it goes on.
        detail: of the end, with its figures.
    """

    command: FloatArray | None
    end: End | None = None
    detail: str = ""


class PolicyController:
    """One policy on one arm. Nothing here reads a clock, a topic or a bus; whoever drives says what came when.

    Joint readings and sightings are given as they come, start() begins a run, and step() is called once a period. What
    the policy is shown is built by the code that training uses, from the same quantities; commands go through the same
    limits, so that the governor has nothing left to change.

    Args:
        policy: what acts.
        config: when a run ends.
        reader: finds the block in pictures, for a policy whose network is given a state estimated from them.
        robot: the arm; by default the one that environments simulate, until `use` names another.

    Attributes:
        robot: the arm that is driven.
        task: of the policy.
        state: what was known in the last period.
        shown: what the policy was shown of it.
    """

    def __init__(
        self,
        policy: Policy,
        config: ControllerConfig | None = None,
        reader: BlockPoseEstimator | None = None,
        robot: Robot = DRAWN,
    ) -> None:
        spec = policy.spec
        check_spec(spec)
        if (spec.observed == "pipeline") != (reader is not None):
            needs = "needs a" if reader is None else "takes no"
            raise InputError(f"this {spec.obs} policy {needs} pose network")
        self.task = TASKS[spec.task]
        self.state = SceneState()
        self.shown: dict[str, Any] = {}
        self._policy, self._config = policy, config or ControllerConfig()
        self._builder = ObservationBuilder(spec.observed, self.task.block, self.task.achieved, spec.stack)
        self._looks = spec.observed != "state"
        self._follows_block = self.task.block and spec.observed != "image"
        self._reader = reader
        self._picture: ImageArray = np.zeros((rows(spec.image_size), spec.image_size, 3), np.uint8)
        self._picture_s = -math.inf
        self.use(robot)
        self._joints: list[float] = [math.nan] * N_JOINTS
        self._joints_s = -math.inf
        self._goal = np.zeros(self.task.goal_size, np.float32)
        self._started_s = 0.0
        self._reached_s: float | None = None
        self._try_out(spec)

    def use(self, robot: Robot) -> None:
        """Drive `robot` from the next run on. Where the block is has to be told again."""
        self.robot = robot
        self._mapper = ActionMapper(robot)
        self._tracker = BlockTracker(robot.kinematics)
        if self._reader is not None:
            self._reader.camera.kinematics = robot.kinematics

    def _try_out(self, spec: PolicySpec) -> None:
        """Act once on nothing: a network that is not what its spec says is found out before anything moves."""
        self._joints = self.state.joints = self.ready_pose()
        self._mapper.start(self._joints)
        self._mapper.measure(self.state, self._joints)
        if self.task.block:
            self.state.block = DEFAULT_ESTIMATE
        try:
            _checked(self._policy.act(self._observe()), len(spec.action))
        except InputError:
            raise
        except Exception as error:
            raise InputError(f"the network does not take what its spec says: {first_words(error)}") from error
        self._builder.reset()

    # -- what comes in -----------------------------------------------------------------------------------------------

    def joints(self, position: Sequence[float], stamp_s: float) -> None:
        """Measured joints [rad] (6,), the oldest of them read at `stamp_s` on the arm's clock [s]."""
        self._joints, self._joints_s = [float(q) for q in position], stamp_s

    def block(self, seen: BlockDetection) -> None:
        """The localiser's answer."""
        self._tracker.see(seen)

    def picture(self, picture: ImageArray, stamp_s: float) -> None:
        """What the camera shows, as policies see it: RGB (rows, image_size, 3)."""
        self._picture, self._picture_s = picture, stamp_s

    # -- a run -------------------------------------------------------------------------------------------------------

    def ready_pose(self) -> list[float]:
        """Where a run can begin, as training's episodes do [rad], (6,): tool over the table, fingers open.

        To the side where the block is not, so that the hand does not hide it from a camera above.

        Raises:
            CommandRefusedError: the arm does not reach it.
        """
        joints = self._mapper.map.solve(*READY)
        if joints is None:
            raise CommandRefusedError(
                f"the arm does not reach {1e3 * READY[0]:.0f} mm from joint 1 at a height of {1e3 * READY[1]:.0f} mm, "
                "where runs begin: its limits are too narrow"
            )
        return [math.copysign(ASIDE, -self._tracker.side), *joints, 0.0, 0.0]

    def start(self, now_s: float, place: Sequence[float] = (), command: Sequence[float] | None = None) -> None:
        """Begin a run with the arm at rest.

        Args:
            now_s: on the arm's clock [s].
            place: of the goal in base_link [m]: x, y, z to reach, x, y to place, none to pick.
            command: what the joints were last told [rad] (6,); where they are measured to be by default.

        Raises:
            CommandRefusedError: joints or block are not known, or are stale.
            InputError: no goal of this task, or one out of its reach.
        """
        self.begin(now_s, self.task.goal_at(place, self._mapper.map), command)

    def begin(self, now_s: float, goal: Observation, command: Sequence[float] | None = None) -> None:
        """Do what start() does with a goal as observations show it."""
        self._goal, self._started_s = goal, now_s
        # A run begins with open fingers: what they held from the one before is where it falls.
        stale = self._stale(now_s, held=False)
        if stale is not None:
            raise CommandRefusedError(f"{stale.end.value}: {stale.detail}" if stale.end else stale.detail)
        self._mapper.start(self._joints if command is None else command)
        self.state.joints = self._joints
        self._reached_s = None
        self._builder.reset()
        if self._reader is not None:
            self._reader.reset()

    def step(self, now_s: float) -> Step:
        """One period, at `now_s` on the arm's clock [s]."""
        stale = self._stale(now_s, held=self._tracker.held)
        if stale is not None:
            return stale
        state = self.state
        self._mapper.measure(state, self._joints)
        if self.task.block:
            try:
                state.block = self._find_block(now_s)
            except DofbotError as error:
                return Step(None, End.FAILED, str(error))
        if self._reached(now_s):
            return Step(None, End.REACHED)
        if now_s - self._started_s > self._config.time_limit_s:
            return Step(None, End.TIMED_OUT, f"{self._config.time_limit_s:g} s")
        self.shown = self._observe()
        try:
            action = _checked(self._policy.act(self.shown), len(self._policy.spec.action))
        except Exception as error:  # a policy is anything that acts: whatever it raises, the arm holds
            return Step(None, End.FAILED, first_words(error) or type(error).__name__)
        action += [0.0] * (N_JOINTS - len(action))
        self._mapper.step(self._mapper.goal(self._policy.spec.control, action, state.joints[GRIP]))
        return Step(np.array(self._mapper.stopping_point()))

    def _find_block(self, now_s: float) -> BlockEstimate:
        state = self.state
        if self._reader is not None:
            self._reader.follow(self._tracker, self._picture, now_s, state)
        return self._tracker.update(state.joints, state.command)

    def _observe(self) -> dict[str, Any]:
        return self._builder.build(self.state, self._goal, lambda: self._picture)

    @property
    def measured(self) -> list[float]:
        """Joints as last read [rad], (6,)."""
        return self._joints

    def ages(self, now_s: float) -> tuple[float, float]:
        """Of the joint reading and of the last sighting [s]; inf before the first."""
        return now_s - self._joints_s, now_s - self._tracker.seen_s

    @property
    def held(self) -> bool:
        """Whether the fingers hold the block, as far as they tell."""
        return self._tracker.held

    def _reached(self, now_s: float) -> bool:
        if self._policy.spec.observed == "image" or not self.task.reached(self.state, self._goal):
            self._reached_s = None
            return False
        self._reached_s = now_s if self._reached_s is None else self._reached_s
        return now_s - self._reached_s >= self._config.goal_hold_s

    def _stale(self, now_s: float, held: bool) -> Step | None:
        config = self._config
        found = [(End.STALE_JOINTS, now_s - self._joints_s, config.max_joint_age_s)]
        if self._looks:
            found.append((End.STALE_PICTURE, now_s - self._picture_s, config.max_picture_age_s))
        if self._follows_block and not held:
            # A pipeline looks for the block only while it runs.
            since = self._tracker.seen_s if self._reader is None else max(self._tracker.seen_s, self._started_s)
            found.append((End.STALE_BLOCK, now_s - since, config.max_block_age_s))
        for end, age, limit in found:
            if not age <= limit:
                return Step(None, end, _age(age, limit))
        return None


def _checked(action: NDArray[np.float32], size: int) -> list[float]:
    """The numbers of an action, none beyond -1..1.

    Raises:
        InputError: another shape, or a number that is not finite.
    """
    if np.shape(action) != (size,):
        raise InputError(f"the network gives {np.shape(action)} numbers where its spec says {size}")
    values = [float(a) for a in action]
    if not all(math.isfinite(a) for a in values):
        raise InputError(f"the network gives an action that is not finite: {[round(a, 3) for a in values]}")
    return [min(1.0, max(-1.0, a)) for a in values]


def _age(age: float, limit: float) -> str:
    return "none has come" if math.isinf(age) else f"{age:.2f} s, allowed are {limit:g} s"
