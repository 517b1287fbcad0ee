"""Where teleop_node's inputs come from: frames of a topic or a device, a recording, keys, a pad."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from rclpy.node import Node
from sensor_msgs.msg import Image, Joy

from dofbot_ros.core.clock import Clock
from dofbot_ros.errors import InputError
from dofbot_ros.ros.camera.messages import image_array
from dofbot_ros.ros.camera.subscription import CameraSubscription
from dofbot_ros.ros.conversions.stamps import Stamps
from dofbot_ros.ros.runtime.qos import STREAM
from dofbot_ros.teleop.config import TeleopConfig
from dofbot_ros.teleop.input.gamepad import Gamepad, joy_input, pad_path
from dofbot_ros.teleop.input.keyboard import Keyboard
from dofbot_ros.teleop.input.latest_frame import LatestFrame, NewestFrames
from dofbot_ros.teleop.input.observation_stream import CameraFeed, ObservationStream
from dofbot_ros.teleop.input.recorded_feed import RecordedFeed
from dofbot_ros.teleop.input.recording import load_observations
from dofbot_ros.teleop.retargeting.manual import ManualInput
from dofbot_ros.vision.cameras.capture import CaptureConfig, open_source
from dofbot_ros.vision.cameras.frames import Frame


class Device(Protocol):
    """Something that is steered with by hand; it is asked, and never waits."""

    def read(self, now_s: float) -> ManualInput | None:
        """What it says at `now_s` [s]; None when it has not said anything yet.

        Raises:
            DofbotError: it is gone.
        """
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


def open_device(source: str, node: Node, config: TeleopConfig, clock: Clock) -> Device | None:
    """The device called `source`; None when `source` is none.

    Raises:
        DofbotError: there is no such device.
    """
    if source == "keyboard":
        return _Terminal()
    if source == "gamepad" or source.startswith("/dev/input/js"):
        return Gamepad(pad_path(source), config.gamepad, config.manual)
    return _JoyTopic(node, config, clock) if source == "joy" else None


def open_feed(source: str, node: Node, config: TeleopConfig, clock: Clock, capture: CaptureConfig) -> ObservationStream:
    """Frames of camera/image_raw (`topic`), a landmark recording (.npz), or whatever vision.capture opens.

    Raises:
        DofbotError: no recording there, or no MediaPipe here. A camera that cannot be opened is tried again instead.
    """
    if Path(source).suffix == ".npz":
        return RecordedFeed(load_observations(source), clock, capture.loop)

    from dofbot_ros.teleop.input.mediapipe_detector import MediapipeDetector

    opening: Callable[[], LatestFrame]
    if source == "topic":
        slot = _topic_frames(node, Stamps(clock))

        def opening() -> LatestFrame:
            return slot
    else:

        def opening() -> LatestFrame:
            return NewestFrames(open_source(capture, clock))

    return CameraFeed(opening, MediapipeDetector(config))


def _topic_frames(node: Node, stamps: Stamps) -> LatestFrame:
    slot = LatestFrame()

    def on_image(message: Image) -> None:
        try:
            slot.put(Frame(image_array(message), stamps.to_arm(message.header.stamp)))
        except InputError as error:
            node.get_logger().warning(f"camera/image_raw: {error}", throttle_duration_sec=5.0)

    CameraSubscription(node, on_image)
    return slot


class _Terminal:
    """The keyboard of the terminal that the node was started in."""

    def __init__(self) -> None:
        self._keyboard = Keyboard(sys.stdin.fileno())
        self._keyboard.__enter__()

    def read(self, now_s: float) -> ManualInput:
        return self._keyboard.read(now_s)

    def close(self) -> None:
        self._keyboard.__exit__(None, None, None)


class _JoyTopic:
    """The newest message of the topic joy, with the time when it came."""

    def __init__(self, node: Node, config: TeleopConfig, clock: Clock) -> None:
        self._config, self._clock = config, clock
        self._newest: tuple[Joy, float] | None = None
        node.create_subscription(Joy, "joy", self._on_joy, STREAM)

    def read(self, now_s: float) -> ManualInput | None:
        del now_s
        if self._newest is None:
            return None
        message, came_s = self._newest
        return joy_input(message.axes, message.buttons, came_s, self._config.gamepad, self._config.manual)

    def close(self) -> None:
        pass

    def _on_joy(self, message: Joy) -> None:
        self._newest = message, self._clock.now()
