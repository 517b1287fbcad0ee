"""Moves an arm as a hand asks: gripper gaps at once, stored poses one at a time; without a hand the arm holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Protocol

from numpy.typing import ArrayLike

from dofbot_ros.arm.poses import NamedPoses
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import DofbotError, InputError, one_of
from dofbot_ros.lab.imitation.driving.signs import SIGNS, HandReader

GAP_STEP_M = 0.002
"""A gap that differs less from the last one sent is not sent [m]."""


class Arm(Protocol):
    """What is needed of an ArmClient; every command goes through the driver's governor."""

    @property
    def state(self) -> str:
        """Of the arm, as its driver tells it."""
        ...

    @property
    def ready(self) -> bool:
        """Whether it takes commands."""
        ...

    def send_gripper(self, gap: float) -> None:
        """Open or close to a gap [m], without waiting."""
        ...

    def move_joints(self, positions: ArrayLike) -> None:
        """Move joint1 to joint5 [rad], and return when they rest; raises a DofbotError that says why they do not."""
        ...

    def stop(self) -> None:
        """Brake, and hold."""
        ...

    def sequence(self) -> AbstractContextManager[None]:
        """A context in which, after a stop from any source, further motions are refused."""
        ...


def poses_of_signs(given: Mapping[str, str], poses: NamedPoses) -> dict[str, list[float]]:
    """Sign -> joint angles (5,) [rad], of sign -> name of a stored pose.

    Raises:
        InputError: no such sign or pose; with the one that is nearest.
    """
    for sign in given:
        if sign not in SIGNS:
            raise InputError(one_of("sign", sign, SIGNS))
    return {sign: poses.find(name) for sign, name in given.items()}


class HandDrive:
    """One arm that follows one hand. Use it as a context; at its end a motion to a pose is stopped.

    Args:
        arm: holds torque already.
        poses: sign -> joint angles (5,) [rad]; other signs do nothing.

    Attributes:
        reader: what the hand asks for.
        gap: last sent [m]; None before the first.
        going: the sign whose pose the arm is on its way to; "" while it is at rest.
        word: what went otherwise than asked the last time.
        counts: frames, no_hand, engagements, gaps, poses, refused.
    """

    def __init__(self, arm: Arm, poses: Mapping[str, list[float]]) -> None:
        self._arm, self._poses = arm, poses
        self.reader = HandReader()
        self.gap: float | None = None
        self.going = self.word = ""
        self.counts: Counter[str] = Counter(frames=0, no_hand=0, engagements=0, gaps=0, poses=0, refused=0)
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="pose")
        self._motion: Future[None] | None = None
        self._engaged = False
        self._until_stopped = ExitStack()

    def __enter__(self) -> HandDrive:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if self._motion is not None and not self._motion.done():
                self._arm.stop()
        finally:
            self._threads.shutdown()
            self._until_stopped.close()

    def observe(self, stamp_s: float, bends: FloatArray | None) -> None:
        """Take note of a frame, and command what it asks for.

        Args:
            stamp_s: when it was captured [s].
            bends: of thumb to little finger, 0 straight to 1 bent, shape (5,); None: no hand was seen.
        """
        reader = self.reader
        if not self._arm.ready:
            reader.release(f"the arm's state is {self._arm.state or 'unknown'}")
        wanted = reader.observe(stamp_s, bends)
        self.counts["frames"] += 1
        self.counts["no_hand"] += not reader.seen
        self.counts["engagements"] += reader.engaged and not self._engaged
        self._engaged = reader.engaged
        self._look_after_motion()
        if self.going or not self._arm.ready:
            return
        if wanted.gap is not None and (self.gap is None or abs(wanted.gap - self.gap) >= GAP_STEP_M):
            self.gap = wanted.gap
            self.counts["gaps"] += 1
            self._arm.send_gripper(self.gap)
        if wanted.sign is not None and wanted.sign in self._poses:
            self.going, self.word = wanted.sign, ""
            # Entered before the thread begins: a stop that comes first is one for this motion, too.
            self._until_stopped.enter_context(self._arm.sequence())
            self._motion = self._threads.submit(self._arm.move_joints, self._poses[wanted.sign])

    def finish(self) -> dict[str, Any]:
        """Wait for a motion to a pose. Returns `counts`."""
        if self._motion is not None:
            self._end_motion(self._motion)
        return dict(self.counts)

    def _look_after_motion(self) -> None:
        """Stop a motion whose hand is gone or has let go; take note of one that has ended."""
        if self._motion is None:
            return
        if not self.reader.engaged and not self._motion.done():
            self._arm.stop()
            self._end_motion(self._motion)
        elif self._motion.done():
            self._end_motion(self._motion)

    def _end_motion(self, motion: Future[None]) -> None:
        try:
            motion.result()
            self.counts["poses"] += 1
        except DofbotError as error:
            self.word = f"{self.going}: {error}"
            self.counts["refused"] += 1
        finally:
            self._until_stopped.close()
        self._motion, self.going, self.gap = None, "", None
