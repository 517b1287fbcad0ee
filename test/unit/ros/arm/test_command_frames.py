"""Goals in other frames: the arm's own links by its joints, those of others by what TF says and not for long."""

from __future__ import annotations

import re
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("rclpy", reason="ROS 2 is not installed here")

from geometry_msgs.msg import TransformStamped
from std_msgs.msg import Header

from dofbot_ros.arm.model import forward_chain
from dofbot_ros.arm.robot import Robot
from dofbot_ros.core.clock import ManualClock
from dofbot_ros.core.transforms import exp_so3, invert, rot_z, transform
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import CommandRefusedError
from dofbot_ros.ros.arm.command_frames import AHEAD_S, OLD_S, CommandFrames, Hear
from dofbot_ros.ros.conversions.messages import to_time, transform_message
from dofbot_ros.ros.conversions.stamps import Stamps

MODEL = Robot.calibrated().describe()
BENT = np.array([0.4, -0.5, -0.7, -0.6, 0.3, 0.2])
STANDS = transform(rot_z(1.0), [0.5, -0.2, 0.8])


def told(parent: str, child: str, pose: FloatArray, stamp_s: float = 0.0) -> TransformStamped:
    header = Header(frame_id=parent, stamp=to_time(stamp_s))
    return TransformStamped(header=header, child_frame_id=child, transform=transform_message(pose))


class Frames:
    """Command frames that hear what a test says as soon as they listen."""

    def __init__(self, prefix: str = "", tf: bool = True, position: FloatArray | None = BENT) -> None:
        self.clock = ManualClock(1000.0)
        self.fixed: list[TransformStamped] = []
        self.moving: list[TransformStamped] = []
        self.listened = 0
        self._tf = tf
        stamps = Stamps(self.clock, simulated=True)
        self.frames = CommandFrames(MODEL, prefix, stamps, lambda: position, self._subscribe)

    def _subscribe(self, hear: Hear) -> bool:
        self.listened += 1
        hear(self.fixed, True)
        hear(self.moving, False)
        return self._tf

    def refusal(self, frame: str) -> str:
        with pytest.raises(CommandRefusedError) as refused:
            self.frames.in_base(frame)
        assert "\n" not in str(refused.value)
        assert repr(frame) in str(refused.value)
        return str(refused.value)


@pytest.mark.parametrize("link", ["base_link", "link3", "tool_link", "base_footprint"])
def test_the_arms_own_links_need_no_tf(link: str) -> None:
    frames = Frames(tf=False)
    expected = invert(forward_chain(MODEL, BENT, "base_link")) @ forward_chain(MODEL, BENT, link)
    np.testing.assert_allclose(frames.frames.in_base(link), expected, atol=1e-12)
    assert not frames.listened


def test_a_prefix_is_that_of_its_own_links() -> None:
    frames = Frames(prefix="left/")
    np.testing.assert_allclose(frames.frames.in_base("base_link"), np.eye(4))
    np.testing.assert_allclose(frames.frames.in_base("left/base_link"), np.eye(4))
    assert frames.frames.in_base("left/tool_link")[2, 3] > 0.1
    frames.refusal("tool_link")


@settings(deadline=None)
@given(st.tuples(*[st.floats(-1.0, 1.0)] * 6), st.sampled_from(["base_link", "base_footprint"]))
def test_where_the_arm_stands_is_what_tf_says(drawn: tuple[float, ...], foot: str) -> None:
    """A table in the map, and the arm in the map."""
    table = transform(exp_so3(np.array(drawn[:3])), drawn[3:])
    frames = Frames()
    own = told("base_footprint", "base_link", np.eye(4))  # the node's own word, which it hears at any time
    frames.fixed = [told("map", foot, STANDS), told("map", "table", table), own]
    np.testing.assert_allclose(frames.frames.in_base("table"), invert(STANDS) @ table, atol=1e-9)
    np.testing.assert_allclose(frames.frames.in_base("map"), invert(STANDS), atol=1e-9)


def test_a_frame_on_a_link_moves_with_the_arm() -> None:
    frames, eye = Frames(), transform(rot_z(0.3), [0.0, 0.02, 0.05])
    frames.fixed = [told("link4", "my_camera", eye)]
    expected = invert(forward_chain(MODEL, BENT, "base_link")) @ forward_chain(MODEL, BENT, "link4") @ eye
    np.testing.assert_allclose(frames.frames.in_base("my_camera"), expected, atol=1e-9)


def test_nobody_else_says_where_the_links_are() -> None:
    frames = Frames()
    frames.fixed = [told("map", "base_link", STANDS), told("map", "tool_link", np.eye(4))]
    before = frames.frames.in_base("tool_link")
    frames.frames.in_base("map")
    np.testing.assert_allclose(frames.frames.in_base("tool_link"), before)


def test_old_word_is_refused_and_newer_word_is_taken() -> None:
    frames = Frames()
    frames.moving = [told("base_link", "tray", STANDS, 1000.0)]
    np.testing.assert_allclose(frames.frames.in_base("tray"), STANDS, atol=1e-9)
    frames.clock.advance(OLD_S + 0.2)
    assert f"{OLD_S + 0.2:.2f} s old" in frames.refusal("tray")
    frames.frames.hear([told("base_link", "tray", np.eye(4), frames.clock.now())], False)
    np.testing.assert_allclose(frames.frames.in_base("tray"), np.eye(4), atol=1e-9)
    frames.frames.hear([told("base_link", "tray", np.eye(4), frames.clock.now() + AHEAD_S + 1.0)], False)
    assert "3.00 s ahead" in frames.refusal("tray")
    frames.frames.hear([told("base_link", "tray", STANDS, 1.0)], True)
    np.testing.assert_allclose(frames.frames.in_base("tray"), STANDS, atol=1e-9)


def test_a_frame_that_is_not_there_is_refused_by_its_name() -> None:
    assert "tf2_msgs is not installed" in Frames(tf=False).refusal("map")
    frames = Frames()
    frames.fixed = [told("world", "table", np.eye(4))]
    begun = time.monotonic()
    assert "did you mean table?" in frames.refusal("tabel")
    assert "hang together" in frames.refusal("table")
    assert "nothing of frame" in frames.refusal("")
    assert time.monotonic() - begun < 1.0, "only the first command waits for word"
    assert frames.listened == 1


def test_a_transform_that_is_none_is_passed_over() -> None:
    frames = Frames()
    broken, hole = told("base_link", "a", np.eye(4)), told("base_link", "b", np.eye(4))
    broken.transform.rotation.w = 0.0
    hole.transform.translation.x = float("nan")
    frames.fixed = [broken, hole, told("base_link", "c", np.eye(4))]
    np.testing.assert_allclose(frames.frames.in_base("c"), np.eye(4))
    for frame in ("a", "b"):
        assert re.search("nothing of frame", frames.refusal(frame))


def test_an_arm_that_was_not_read_yet_is_nowhere() -> None:
    with pytest.raises(CommandRefusedError, match="not read yet"):
        Frames(position=None).frames.in_base("tool_link")
