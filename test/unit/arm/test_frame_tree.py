"""The tree of frames: poses compose as rigid transforms do, and what cannot be answered is said in one line."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dofbot_ros.arm.frame_tree import MOST_FRAMES, FrameTree
from dofbot_ros.core.transforms import exp_so3, invert, transform
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import InputError

numbers = st.floats(-2.0, 2.0)
poses = st.builds(lambda r, t: transform(exp_so3(np.array(r)), t), st.tuples(*[numbers] * 3), st.tuples(*[numbers] * 3))


@given(st.lists(st.tuples(st.integers(0, 9), poses), min_size=1, max_size=10), st.data())
def test_any_frame_in_any_other_is_the_composition_over_the_root(
    told: list[tuple[int, FloatArray]], data: st.DataObject
) -> None:
    """A random tree, 0 the root: T_ab = inv(T_0a) T_0b; and T_ab T_ba is the identity."""
    tree, in_root = FrameTree(), [np.eye(4)]
    for child, (parent, pose) in enumerate(told, start=1):
        parent %= child  # noqa: PLW2901
        tree.put(f"f{parent}", f"f{child}", pose)
        in_root.append(in_root[parent] @ pose)
    a, b = (data.draw(st.integers(0, len(told))) for _ in range(2))
    found, stamp_s = tree.pose(f"f{b}", f"f{a}")
    np.testing.assert_allclose(found, invert(in_root[a]) @ in_root[b], atol=1e-9)
    np.testing.assert_allclose(found @ tree.pose(f"f{a}", f"f{b}")[0], np.eye(4), atol=1e-9)
    assert math.isinf(stamp_s)


def test_the_oldest_word_on_the_way_is_told() -> None:
    tree = FrameTree()
    for parent, child, stamp_s in (("map", "odom", 5.0), ("odom", "base_link", 9.0), ("map", "table", math.inf)):
        tree.put(parent, child, np.eye(4), stamp_s)
    assert tree.pose("table", "base_link")[1] == 5.0
    assert tree.pose("odom", "base_link")[1] == 9.0
    assert tree.pose("table", "map")[1] == math.inf


def test_what_cannot_be_answered_names_the_frame() -> None:
    tree = FrameTree()
    tree.put("map", "camera", np.eye(4))
    tree.put("world", "base_link", np.eye(4))
    with pytest.raises(InputError, match=r"nothing of frame 'camrea' \(did you mean camera\?\)"):
        tree.pose("camrea", "base_link")
    with pytest.raises(InputError, match="frame 'camera' and base_link do not hang together"):
        tree.pose("camera", "base_link")


def test_a_ring_and_a_flood_do_no_harm() -> None:
    tree = FrameTree()
    tree.put("a", "b", np.eye(4))
    tree.put("b", "a", np.eye(4))
    tree.put("base_link", "c", np.eye(4))
    with pytest.raises(InputError, match="hang together"):
        tree.pose("a", "c")
    for i in range(MOST_FRAMES + 10):
        tree.put("base_link", f"n{i}", np.eye(4))
    with pytest.raises(InputError, match=f"n{MOST_FRAMES + 9}"):
        tree.pose(f"n{MOST_FRAMES + 9}", "base_link")
