"""A log stays readable whatever is refused how often."""

import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed here")

from dofbot_ros.ros.runtime.log_limit import REMEMBERED, LogLimit


def test_texts_that_alternate_are_each_said_once():
    limit = LogLimit(60.0)
    said = [
        text for k in range(1000) for text in (f"pose refused: {k} mm", f"twist refused: {k}") if limit.permits(text)
    ]
    assert said == ["pose refused: 0 mm", "twist refused: 0"]


def test_a_text_is_said_again_after_a_while():
    limit = LogLimit(0.0)
    assert all(limit.permits("refused") for _ in range(3))


def test_what_is_remembered_is_bounded():
    limit = LogLimit(60.0)
    for k in range(10 * REMEMBERED):
        limit.permits("refused " + chr(97 + k % 26) * (k + 1))
    assert len(limit._said) == REMEMBERED
