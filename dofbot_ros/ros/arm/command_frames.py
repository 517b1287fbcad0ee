"""Frames in which a tool goal may be given: base_link, the arm's own links, and what others tell on TF."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Transform, TransformStamped
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node

from dofbot_ros.arm.frame_tree import FrameTree
from dofbot_ros.arm.model import ArmModel, child_poses
from dofbot_ros.core.transforms import matrix_from_quat, transform
from dofbot_ros.core.types import N_JOINTS, FloatArray
from dofbot_ros.errors import CommandRefusedError, InputError
from dofbot_ros.ros.conversions.stamps import Stamps
from dofbot_ros.ros.runtime.qos import FIXED_FRAMES, FRAMES

if TYPE_CHECKING:
    from tf2_msgs.msg import TFMessage

BASE_FRAME = "base_link"
OLD_S = 0.5
"""A frame that moves is not used once the newest word of it is older [s]."""
AHEAD_S = 2.0
"""Localisation tells its frames for a while in advance; what is farther ahead is another clock [s]."""
FIRST_WORD_S = 0.5
"""How long the first command in a frame of others waits for word of it [s]: /tf is not listened to before."""

Hear = Callable[[Sequence[TransformStamped], bool], None]


class CommandFrames:
    """The pose of a command's frame in base_link.

    TF is listened to from the first command on that asks for a frame of others: most arms never get one, and /tf is
    busy on many robots. What others say of the arm's own links is passed over.

    Args:
        model: the arm.
        prefix: in front of its frames' names.
        stamps: between the arm's clock and ROS.
        measured: joint positions (6,) [rad] by the last reading; None before the first.
        subscribe: lets a function hear TF; false where that cannot be.
    """

    def __init__(
        self,
        model: ArmModel,
        prefix: str,
        stamps: Stamps,
        measured: Callable[[], FloatArray | None],
        subscribe: Callable[[Hear], bool],
    ) -> None:
        self._model, self._prefix, self._stamps = model, prefix, stamps
        self._measured, self._subscribe = measured, subscribe
        self._links = {prefix + joint.child for joint in model.joints if joint.child != BASE_FRAME}
        self._own = {prefix + link for link in model.links}
        self._tree = FrameTree()
        for joint, pose in child_poses(model, np.zeros(N_JOINTS)):
            self._tree.put(prefix + joint.parent, prefix + joint.child, pose)
        self._heard = threading.Condition()
        self._listens = False

    def in_base(self, frame: str) -> FloatArray:
        """Pose (4, 4) [m] of `frame` in base_link.

        Raises:
            CommandRefusedError: a frame that is not known, or known by old word only; one line that names it.
        """
        base = self._prefix + BASE_FRAME
        if frame in (BASE_FRAME, base):
            return transform()
        if frame not in self._own:
            self._listen(frame)
        if (position := self._measured()) is None:
            raise CommandRefusedError("the arm was not read yet")
        with self._heard:
            for joint, pose in child_poses(self._model, position):
                if joint.child != BASE_FRAME:
                    self._tree.put(self._prefix + joint.parent, self._prefix + joint.child, pose)
            try:
                pose, stamp_s = self._tree.pose(frame, base)
            except InputError as error:
                raise CommandRefusedError(f"{error}: give the command in {base}, or publish the frame") from error
        age_s = self._now_s() - stamp_s
        if age_s > OLD_S or -np.inf < age_s < -AHEAD_S:
            off = f"{abs(age_s):.2f} s {'old' if age_s > 0 else 'ahead'}"
            raise CommandRefusedError(f"the newest word of frame {frame!r} on TF is {off}, allowed are {OLD_S:g} s")
        return pose

    def hear(self, told: Sequence[TransformStamped], fixed: bool) -> None:
        """Take in what somebody tells on TF; `fixed` frames never move."""
        with self._heard:
            for each in told:
                self._take_in(each, fixed)
            self._heard.notify_all()

    def _listen(self, frame: str) -> None:
        """Listen to TF; the first time, until there is word of `frame`."""
        if self._listens:
            return
        self._listens = self._subscribe(self.hear)
        if not self._listens:
            raise CommandRefusedError(
                f"frame {frame!r} is not {BASE_FRAME}, and tf2_msgs is not installed: transform the command first"
            )
        with self._heard:
            self._heard.wait_for(lambda: self._connected(frame), FIRST_WORD_S)

    def _connected(self, frame: str) -> bool:
        """Whether TF leads from `frame` to a link of the arm."""
        for own in self._own:
            try:
                self._tree.pose(frame, own)
            except InputError:
                continue
            return True
        return False

    def _take_in(self, told: TransformStamped, fixed: bool) -> None:
        # Where the arm stands is for others to say; where its links are is not, and this node hears itself.
        if told.child_frame_id in self._links or {told.child_frame_id, told.header.frame_id} <= self._own:
            return
        pose = _matrix(told.transform)
        if pose is not None:
            stamp_s = np.inf if fixed else self._stamps.to_arm(told.header.stamp)
            self._tree.put(told.header.frame_id, told.child_frame_id, pose, stamp_s)

    def _now_s(self) -> float:
        return self._stamps.to_arm(Time())


def subscribe_tf(node: Node, hear: Hear) -> bool:
    """Let `hear` have what comes on /tf and /tf_static; false where tf2_msgs is missing."""
    try:
        from tf2_msgs.msg import TFMessage
    except ImportError:
        return False
    # Of its own, since the command that asks for a frame waits in another one.
    group = MutuallyExclusiveCallbackGroup()
    for topic, qos, fixed in (("/tf_static", FIXED_FRAMES, True), ("/tf", FRAMES, False)):
        heard = partial(_hear, hear, fixed)
        node.create_subscription(TFMessage, topic, heard, qos, callback_group=group)
    return True


def _hear(hear: Hear, fixed: bool, message: TFMessage) -> None:
    hear(message.transforms, fixed)


def _matrix(told: Transform) -> FloatArray | None:
    """A transform (4, 4) [m]; None for one that is none."""
    t, q = told.translation, told.rotation
    try:
        matrix = transform(matrix_from_quat([q.x, q.y, q.z, q.w]), [t.x, t.y, t.z])
    except ValueError:
        return None
    return matrix if bool(np.isfinite(matrix).all()) else None
