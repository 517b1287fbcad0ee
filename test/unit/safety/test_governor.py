import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.motion.trajectory import MotionLimits, Sample
from dofbot_ros.safety.governor import Governor
from dofbot_ros.safety.workspace import Workspace

DT = 0.02
VELOCITY, ACCELERATION = 1.6, 8.0
LIMITS = MotionLimits(
    np.array([-np.pi / 2] * 5 + [0.0]),
    np.array([np.pi / 2] * 4 + [np.pi, np.pi / 2]),
    np.full(6, VELOCITY),
    np.full(6, ACCELERATION),
)
WORKSPACE = Workspace(Kinematics())


def governor(start=(0.0,) * 6, soft_start_s=0.0):
    g = Governor(LIMITS, WORKSPACE, DT, soft_start_s, timeout_s=0.2)
    g.start(np.asarray(start, dtype=float), 0.0)
    return g


def at(position, velocity=0.0):
    return Sample(np.asarray(position, dtype=float), np.broadcast_to(np.asarray(velocity, dtype=float), 6))


anything = st.one_of(st.floats(-4, 4), st.sampled_from([np.nan, np.inf, -np.inf, 1e300]))
setpoints = st.lists(
    st.tuples(arrays(np.float64, 6, elements=anything), arrays(np.float64, 6, elements=anything), st.integers(1, 25)),
    min_size=1,
    max_size=8,
)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(setpoints)
def test_no_sequence_of_wishes_breaks_a_limit(sequence):
    g = governor()
    before = g.state
    now = 0.0
    for position, velocity, cycles in sequence:
        for _ in range(cycles):
            now += DT
            with np.errstate(over="ignore", invalid="ignore"):
                governed = g.step(Sample(position, velocity), now, now)
            assert (governed.position >= LIMITS.lower - 1e-9).all()
            assert (governed.position <= LIMITS.upper + 1e-9).all()
            assert np.abs(governed.velocity).max() <= VELOCITY + 1e-9
            assert np.abs(governed.velocity - before.velocity).max() <= ACCELERATION * DT + 1e-9
            np.testing.assert_allclose(governed.position, before.position + governed.velocity * DT, atol=1e-12)
            # Between the checked poses of a braking path a body may come nearer by a fraction of a millimetre.
            assert WORKSPACE.clearances(governed.position).min() >= -5e-4
            before = g.state


@settings(max_examples=60, deadline=None)
@given(setpoints)
def test_it_can_always_come_to_rest_in_the_workspace(sequence):
    g = governor()
    now = 0.0
    for position, velocity, cycles in sequence:
        for _ in range(cycles):
            now += DT
            with np.errstate(over="ignore", invalid="ignore"):
                g.step(Sample(position, velocity), now, now)
    for _ in range(int(VELOCITY / (ACCELERATION * DT)) + 1):
        governed = g.halt()
        assert WORKSPACE.clearances(governed.position).min() >= -5e-4
    assert g.at_rest


@pytest.mark.slow
@settings(max_examples=25)
@given(arrays(np.float64, 6, elements=st.floats(-0.5, 0.5)))
def test_a_wish_at_rest_is_met_without_overshoot(target):
    target[5] = abs(target[5])
    g = governor()
    for k in range(200):
        governed = g.step(at(target), k * DT, k * DT)
        assert (np.abs(governed.position) <= np.abs(target) + 1e-9).all()
    np.testing.assert_allclose(governed.position, target, atol=1e-9)
    assert not governed.reasons


def test_a_moving_wish_within_the_limits_passes_unchanged():
    g = governor()
    amplitude, w = 0.4, 2 * np.pi * 0.4
    for k in range(1, 300):
        t = k * DT
        setpoint = at(amplitude * (1 - np.cos(w * t)) * np.ones(6), amplitude * w * np.sin(w * t))
        governed = g.step(setpoint, t, t)
        np.testing.assert_allclose(governed.position, setpoint.position, atol=1e-9)
        assert governed.reasons == ()


def test_reasons_name_what_was_changed_and_where():
    g = governor()
    far = np.zeros(6)
    far[2] = 3.0
    reasons = g.step(at(far), 0.0, 0.0).reasons
    assert "position limit: joint3" in reasons
    assert "velocity limit: joint3" in reasons
    assert not any("joint2" in reason for reason in reasons)


def test_a_stale_wish_brakes_and_says_so():
    g = governor()
    setpoint = at([0.5, 0, 0, 0, 0, 0])
    for k in range(20):
        g.step(setpoint, k * DT, k * DT)
    assert not g.at_rest
    for k in range(20, 45):
        governed = g.step(setpoint, 20 * DT - 0.3, k * DT)
    assert g.at_rest
    assert governed.reasons[0].startswith("stale: command is ")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_wish_that_is_no_number_brakes_and_says_so(bad):
    governed = governor().step(at([bad, 0, 0, 0, 0, 0]), 0.0, 0.0)
    assert governed.reasons == ("not finite: a joint value of the command is no number",)
    assert not governed.velocity.any()


def test_the_table_stops_the_arm_and_is_named():
    g = governor()
    down = at([0, 1.2, 1.2, 0.6, 0, 0])
    reasons = set()
    for k in range(300):
        governed = g.step(down, k * DT, k * DT)
        reasons |= set(governed.reasons)
        assert WORKSPACE.clearances(governed.position).min() >= -5e-4
    assert g.at_rest
    assert any(r.startswith("workspace: ") and "table" in r for r in reasons)


def test_an_arm_found_below_the_margin_may_rise_but_not_sink():
    below = np.array([0, np.radians(85), np.radians(60), np.radians(0), 0, 0])
    assert WORKSPACE.violation(below)
    g = governor(below)
    for k in range(20):
        held = g.step(at(below + [0, 0, 0.5, 0, 0, 0]), k * DT, k * DT)
    np.testing.assert_allclose(held.position, below)
    for k in range(100):
        raised = g.step(at([0, 0.5, 0.5, 0, 0, 0]), k * DT, k * DT)
    assert raised.position[1] < 0.6


def test_standing_past_a_limit_is_no_reason_to_move():
    start = np.array([0, 0, 0, 1.62, 0, 0.2])
    g = governor(start)
    np.testing.assert_array_equal(g.step(at(start), 0.0, 0.0).position, start)
    outward = g.step(at(start + [0, 0, 0, 0.2, 0, 0]), 0.0, 0.0)
    np.testing.assert_array_equal(outward.position, start)
    inward = g.step(at(start - [0, 0, 0, 0.2, 0, 0]), 0.0, 0.0)
    assert inward.position[3] < 1.62


def test_soft_start_opens_the_velocity_limit_over_its_time():
    g = governor(soft_start_s=1.0)
    speeds = []
    target = at([1.5, 0, 0, 0, 0, 0])
    for k in range(75):
        speeds.append(g.step(target, k * DT, k * DT).velocity[0])
    assert max(speeds[:10]) <= VELOCITY * (Governor.SOFT_START_FLOOR + 0.85 * 0.2) + 1e-9
    assert g.soft_start_scale(0.5) == pytest.approx(0.575)
    assert g.soft_start_scale(2.0) == 1.0


def test_a_late_period_brakes_for_all_the_time_since_the_one_before():
    punctual, late = governor(), governor()
    for g in (punctual, late):
        for _ in range(15):
            g.step(at(1.0, 0.8), 0.0, 0.0)
    assert late.state.velocity.max() == punctual.state.velocity.max() > 0.3
    for _ in range(2):
        expected = punctual.halt()
    found = late.halt(2 * late.period_s)
    np.testing.assert_allclose(found.velocity, expected.velocity, atol=1e-9)
    assert late.halt(60.0).velocity.tolist() == [0.0] * 6
