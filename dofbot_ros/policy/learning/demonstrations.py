"""Recorded episodes as lessons: what a policy would have seen in each period, and what the arm was told to do then."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dofbot_ros.arm.gripper import gap_to_joint
from dofbot_ros.arm.robot import DRAWN
from dofbot_ros.core.types import GRIP, FloatArray
from dofbot_ros.errors import InputError
from dofbot_ros.policy.env.tasks import Task
from dofbot_ros.policy.interface.action_mapper import GRIP_LEAD, GRIP_STEP, PERIOD_S, ROLL_STEP, TOOL_STEP
from dofbot_ros.policy.interface.observation import ObservationBuilder
from dofbot_ros.policy.interface.state import SceneState
from dofbot_ros.policy.interface.tool_pitch_map import reach_map
from dofbot_ros.policy.runtime.block_tracker import BlockDetection, BlockTracker, find_block
from dofbot_ros.record.episode import SUFFIX
from dofbot_ros.record.motion import RecordedMotion
from dofbot_ros.record.reader import Episode
from dofbot_ros.record.topics import DETECTIONS

IDLE = 0.02
"""An action whose numbers are all smaller than this: nothing was to move. Pauses of an operator teach nothing."""

FEW = 200
"""Transitions below which a policy rarely learns anything."""
SHORTEST = 5
"""Periods of an episode, at least."""

Seen = dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Transition:
    """One period.

    Attributes:
        before, after: observations at its begin and its end, as a goal environment gives them.
        action: what was done in it, each -1..1: displacement of the tool, of joint 5, of the fingers.
        state: what was known at its end.
    """

    before: Seen
    action: NDArray[np.float32]
    after: Seen
    state: SceneState


def read_demonstrations(folder: Path, task: Task, block: str) -> list[list[Transition]]:
    """What the episodes in a folder teach, one after the other, but for those that were called failures.

    Args:
        folder: with episodes (.mcap) of one task.
        task: that they show.
        block: name of the one that matters.

    Raises:
        InputError: there is none, or one that does not say where arm and block were.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder: `dofbot record --out` makes one of episodes")
    episodes = [Episode(path) for path in sorted(folder.glob(f"*{SUFFIX}"))]
    if not episodes:
        raise InputError(f"{folder} holds no episode ({SUFFIX}): `dofbot record --out` makes them")
    good = [episode for episode in episodes if episode.outcome is None or episode.outcome.success is not False]
    if not good:
        raise InputError(
            f"{folder} holds nothing to learn from: all its episodes ({len(episodes)}) were called failures"
        )
    return [lessons(episode, task, block) for episode in good]


@dataclass(frozen=True)
class Usefulness:
    """What recorded episodes are good for.

    Attributes:
        episodes: that are used.
        transitions: periods in which the operator moved something.
        reached: episodes in which the task's goal was reached, as far as was seen.
    """

    episodes: int
    transitions: int
    reached: int

    @property
    def doubt(self) -> str:
        """Why a policy will learn little from them, "" where it may learn."""
        if self.reached == 0:
            return "in none of these was the goal reached (of pick: the block lifted): nothing shows how it is done"
        if self.transitions < FEW:
            return f"{self.transitions} periods of {PERIOD_S:g} s are few to learn from: record more episodes"
        return ""


def usefulness(recorded: Sequence[Sequence[Transition]], task: Task) -> Usefulness:
    """What `recorded`, as read_demonstrations() gives it, is good for in `task`."""

    def reached(episode: Sequence[Transition]) -> bool:
        return any(
            float(task.distance(each.after["achieved_goal"], each.after["desired_goal"])) <= task.tolerance
            for each in episode
        )

    return Usefulness(len(recorded), sum(map(len, recorded)), sum(map(reached, recorded)))


def lessons(episode: Episode, task: Task, block: str) -> list[Transition]:
    """What one episode teaches.

    Joints and sightings are taken at the times at which a policy would have had them: joints when they were measured,
    the block when the localiser told of it. A streamed point says where to be a period later, as a policy's do. An
    action is what the commands did in the period, so it counts from command to command, as a policy's does; the
    gripper's is how far the fingers still were from where they were to be. The goal is what was reached in the end.

    Raises:
        InputError: it does not say where the arm was, or not where the block was.
    """
    motion = RecordedMotion(episode)
    if not motion.has_states:
        raise InputError(f"{episode.path} does not say where the arm was: no joint_states")
    times = np.arange(0.0, motion.duration_s, PERIOD_S)
    if len(times) < SHORTEST:
        raise InputError(f"{episode.path} holds {motion.duration_s:.2f} s of motion: too little to learn from")
    joints = motion.measured(times)
    if not np.isfinite(joints).all():
        raise InputError(f"{episode.path} does not say where all six joints were")
    told = np.maximum(times - PERIOD_S, 0.0)
    fingers = _fingers(motion.gaps, told, joints[:, GRIP])
    commands = np.column_stack([motion.wanted(told), joints[:, GRIP] + _lead(fingers - joints[:, GRIP])])
    seen = _sightings(episode, block, motion.start_s) if task.block else []
    states = list(_states(times, joints.tolist(), commands.tolist(), seen))
    if task.block and not seen:
        raise InputError(
            f"{episode.path} does not say where the block {block} was: record with {DETECTIONS} and a localiser that "
            "sees it"
        )
    goal = task.goal_shown(states[-1])
    builder = ObservationBuilder("state", task.block, task.achieved)
    observed = [builder.of_state(state, goal) for state in states]
    grip = _lead(fingers[1:] - joints[:-1, GRIP]) / GRIP_STEP
    actions = _actions(commands, grip)[:, : task.actions]
    return [
        Transition(observed[k], action, observed[k + 1], states[k + 1])
        for k, action in enumerate(actions)
        if np.abs(action).max() > IDLE
    ]


def _lead(missing: FloatArray) -> FloatArray:
    """How far the gripper's goal may be ahead of the fingers [rad], of how far it is."""
    return np.clip(missing, -GRIP_LEAD, GRIP_LEAD)


def _fingers(gaps: Sequence[tuple[float, float]], times: FloatArray, measured: FloatArray) -> FloatArray:
    """Where grip_joint was to be [rad] at `times` (n,); where it was, before anybody said."""
    told = np.array([at for at, _ in gaps])
    joints = np.array([gap_to_joint(gap) for _, gap in gaps])
    last = np.searchsorted(told, times, side="right") - 1
    return np.where(last >= 0, joints[np.maximum(last, 0)], measured) if len(gaps) else measured


def _sightings(episode: Episode, block: str, start_s: float) -> list[tuple[float, BlockDetection]]:
    """When the localiser told of the block, and what; times are the motion's [s]."""
    found = []
    for message in episode.messages(DETECTIONS):
        at = message.received_s - start_s
        try:
            seen = find_block(json.loads(message.content.data), block, at)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise InputError(f"{episode.path}: what {DETECTIONS} says is no detection: {error!r}") from error
        if seen is not None:
            found.append((at, seen))
    return found


def _states(
    times: FloatArray, joints: list[list[float]], commands: list[list[float]], seen: list[tuple[float, BlockDetection]]
) -> Iterator[SceneState]:
    """What was known at each of `times`; the block as a run of a policy follows it."""
    where, tracker, waiting = reach_map(), BlockTracker(DRAWN.kinematics), list(reversed(seen))
    before = joints[0]
    for now, q, command in zip(times.tolist(), joints, commands, strict=True):
        while waiting and waiting[-1][0] <= now:
            tracker.see(waiting.pop()[1])
        yield SceneState(q, command, where.tool(q), q[1] + q[2] + q[3], tracker.update(q, command), before)
        before = q


def _actions(commands: FloatArray, grip: FloatArray) -> NDArray[np.float32]:
    """What the commands (n, 6) did from each period to the next, (n - 1, 5), with the gripper's part (n - 1,)."""
    where = reach_map()
    radius, z = np.array([where.point((q[1], q[2], q[3])) for q in commands]).T
    tool = np.column_stack([radius * np.cos(commands[:, 0]), radius * np.sin(commands[:, 0]), z])
    steps = np.diff(tool, axis=0) / TOOL_STEP, np.diff(commands[:, 4]) / ROLL_STEP, grip
    return np.clip(np.column_stack(steps), -1.0, 1.0).astype(np.float32)
