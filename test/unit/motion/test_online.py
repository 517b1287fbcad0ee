import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dofbot_ros.motion.grip import GripMotion
from dofbot_ros.motion.online import OnlineMotion

DT = 0.02


def motion(n=3):
    return OnlineMotion(DT, [1.5] * n, [6.0] * n, [80.0] * n)


def run_until_rest(step, online, limit=500):
    for k in range(limit):
        step()
        if online.at_rest and k > 2:
            return k
    raise AssertionError("never came to rest")


@given(arrays(np.float64, 3, elements=st.floats(-2, 2)))
def test_arrives_and_rests(target):
    online = motion()
    run_until_rest(lambda: online.update(target), online)
    np.testing.assert_allclose(online.state.position, target, atol=1e-6)


@settings(max_examples=50)
@given(st.lists(arrays(np.float64, 3, elements=st.floats(-3, 3)), min_size=2, max_size=60))
def test_stays_within_velocity_and_acceleration_whatever_the_targets(targets):
    online = motion()
    before = online.state
    for target in targets:
        after = online.update(target)
        assert np.abs(after.velocity).max() <= 1.5 + 1e-6
        assert np.abs(after.velocity - before.velocity).max() <= 6.0 * DT + 1e-6
        before = after


def test_halt_is_short_and_smooth():
    online = motion()
    for _ in range(60):
        online.update([9.0, 9.0, 9.0])
    assert run_until_rest(online.halt, online) * DT < 0.4


def grip_with(lead=0.25):
    grip = GripMotion(OnlineMotion(DT, [1.5], [6.0], [80.0]), lead)
    grip.reset(0.2)
    return grip


def test_gripper_reaches_its_goal_when_nothing_is_between_the_fingers():
    grip = grip_with()
    grip.go(1.2)
    position = 0.2
    for k in range(200):
        position, _ = grip.update(position, k * DT)
    assert not grip.stalled
    assert not grip.moving
    assert abs(position - 1.2) < 1e-6


def test_gripper_stopped_by_a_block_squeezes_with_no_more_than_its_lead():
    grip = grip_with()
    grip.go(1.5)
    position = 0.2
    for k in range(300):
        position, _ = grip.update(min(position, 0.9), k * DT)
    assert grip.stalled
    assert abs(position - (0.9 + 0.25)) < 1e-6


def test_gripper_opens_after_a_stall():
    grip = grip_with()
    grip.go(1.5)
    position = 0.2
    for k in range(300):
        position, _ = grip.update(min(position, 0.9), k * DT)
    grip.go(0.0)
    for k in range(300, 600):
        position, _ = grip.update(min(position, 0.9), k * DT)
    assert abs(position) < 1e-6
