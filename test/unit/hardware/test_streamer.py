"""The streamer on a clock turned by hand: what goes out, when, and with which time."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dofbot_ros.errors import ConfigError
from dofbot_ros.hardware.emulation.servo_model import ServoModel, ServoModelConfig
from dofbot_ros.hardware.streamer import STOOD_STILL_S, GoalStreamer, Move, StreamConfig

PRESENT = np.array([2000, 2000, 2000, 2000, 1486, 1500])
FRESH = np.ones(6, dtype=bool)
PERIOD = 0.02


def started(**options) -> GoalStreamer:
    streamer = GoalStreamer(StreamConfig(**options))
    streamer.start(PRESENT)
    return streamer


def offer(streamer: GoalStreamer, goals, now: float, duration: float = PERIOD, present=PRESENT) -> Move | None:
    streamer.want(np.asarray(goals), duration, now)
    return streamer.next_move(np.asarray(present), FRESH, now)


def test_the_first_goal_goes_out_at_once_to_all_servos_even_where_it_changes_nothing():
    move = offer(started(), PRESENT, 0.0)
    assert move is not None
    assert move.changed.all()


def test_a_50_hz_stream_goes_out_at_25_hz_with_times_that_overlap():
    streamer = started(soft_start_s=0.0)
    rng = np.random.default_rng(1)
    out = []
    for k in range(100):
        now = k * PERIOD + rng.uniform(0, 0.002)
        move = offer(streamer, PRESENT + 10 * k, now)
        if move is not None:
            out.append((now, move))
    assert len(out) == 50
    assert all((move.time_ms == 60).all() for _, move in out)
    assert all(0.036 <= b[0] - a[0] <= 0.044 for a, b in pairwise(out))


def test_the_last_goal_of_a_stream_goes_out_even_when_it_came_too_soon():
    streamer = started()
    offer(streamer, PRESENT + 10, 0.0)
    assert offer(streamer, PRESENT + 20, 0.02) is None
    assert not streamer.left_waiting(0.04)
    assert streamer.left_waiting(0.07)
    move = streamer.next_move(PRESENT, FRESH, 0.04)
    assert move is not None
    assert move.goals.tolist() == (PRESENT + 20).tolist()


def test_a_long_move_keeps_its_own_time_less_what_has_passed():
    streamer = started(soft_start_s=0.0)
    offer(streamer, PRESENT + 10, 0.0)
    assert offer(streamer, PRESENT + 500, 0.01, duration=2.0) is None
    move = streamer.next_move(PRESENT, FRESH, 0.05)
    assert move is not None
    assert (move.time_ms == 1960).all()


def test_nothing_goes_out_for_a_change_within_the_dead_band_and_creep_adds_up():
    streamer = started(dead_band_ticks=3)
    offer(streamer, PRESENT, 0.0)
    assert offer(streamer, PRESENT + 2, 1.0) is None
    move = offer(streamer, PRESENT + 3, 2.0)
    assert move is not None
    assert move.changed.all()


def test_only_servos_that_change_are_named():
    streamer = started()
    offer(streamer, PRESENT, 0.0)
    move = offer(streamer, PRESENT + [0, 0, 50, 0, 1, 0], 1.0)
    assert move is not None
    assert move.changed.tolist() == [False, False, True, False, False, False]
    assert move.goals.tolist() == (PRESENT + [0, 0, 50, 0, 0, 0]).tolist()


def test_a_far_first_goal_is_given_time_for_at_most_the_soft_speed():
    streamer = started(soft_start_s=1.0, soft_speed=700.0)
    move = offer(streamer, PRESENT + [0, 0, 0, 700, 0, 0], 5.0)
    assert move is not None
    assert move.time_ms.tolist() == [60, 60, 60, 1000, 60, 60]


def test_softness_ends_after_its_time_and_comes_back_with_a_new_start():
    streamer = started(soft_start_s=1.0)
    offer(streamer, PRESENT, 5.0)
    late = offer(streamer, PRESENT + 1000, 6.1)
    assert late is not None
    assert (late.time_ms == 60).all()
    streamer.start(PRESENT)
    again = offer(streamer, PRESENT + 700, 7.0)
    assert again is not None
    assert (again.time_ms == 1000).all()


def test_a_servo_that_rests_beside_its_goal_is_told_again_but_not_for_ever():
    streamer = started(resends=2)
    goal = PRESENT + 100
    offer(streamer, goal, 0.0)
    reached = goal.copy()
    reached[3] -= 100
    again = []
    for k in range(1, 200):
        move = offer(streamer, goal, k * PERIOD, present=reached)
        if move is not None:
            again.append(move.changed.tolist())
    assert again == [[False, False, False, True, False, False]] * 2


def test_a_servo_that_is_where_it_should_be_or_was_not_read_is_left_alone():
    streamer = started()
    goal = PRESENT + 100
    offer(streamer, goal, 0.0)
    for k in range(1, 100):
        assert offer(streamer, goal, k * PERIOD, present=goal + 5) is None
        assert streamer.next_move(PRESENT, np.zeros(6, dtype=bool), k * PERIOD) is None


def test_starting_anew_forgets_the_goal_that_was_held_back():
    streamer = started()
    offer(streamer, PRESENT, 0.0)
    assert offer(streamer, PRESENT + 50, 0.01) is None
    streamer.start(PRESENT)
    assert streamer.next_move(PRESENT, FRESH, 1.0) is None


def roughness(overlap: float, hz: float) -> float:
    """How unevenly a servo follows an even 50 Hz stream: spread of its speed over its mean."""
    streamer = started(write_rate_hz=hz, overlap=overlap, dead_band_ticks=1, soft_start_s=0.0)
    servo = ServoModel(2000, ServoModelConfig(backlash_ticks=0))
    path = []
    for ms in range(3000):
        now = ms / 1000
        if ms % 20 == 0:
            move = offer(streamer, PRESENT + round(now * 500), now)
            if move is not None:
                servo.command(int(move.goals[0]), int(move.time_ms[0]), now)
        path.append(servo.reference(now))
    speed = np.diff(path[500:]) * 1000
    return float(np.std(speed) / np.mean(speed))


def test_overlap_makes_the_servo_glide_where_moves_end_to_end_would_stop_and_go():
    assert roughness(1.5, 25.0) < 0.05
    # 60 ms moves without overlap, sent late by jitter of a loop, stand still between goals: 25 Hz goals of 20 ms.
    servo = ServoModel(2000, ServoModelConfig(backlash_ticks=0))
    path = []
    for ms in range(3000):
        if ms % 40 == 0:
            servo.command(2000 + round(ms / 1000 * 500), 20, ms / 1000)
        path.append(servo.reference(ms / 1000))
    assert np.std(np.diff(path[500:]) * 1000) / 500 > 0.5


@given(st.lists(st.tuples(st.floats(0.001, 0.2), st.integers(-500, 500), st.floats(0, 1)), min_size=1, max_size=60))
def test_goals_never_go_out_faster_than_the_rate_and_the_last_one_always_does(stream):
    streamer = started(resends=0)
    now, last_out, sent_at = 0.0, None, []
    for gap, offset, duration in stream:
        now += gap
        if offer(streamer, PRESENT + offset, now, duration) is not None:
            sent_at.append(now)
        last_out = PRESENT + offset
    if streamer.next_move(PRESENT, FRESH, now + 1.0) is not None:
        sent_at.append(now + 1.0)
    assert np.all(np.diff(sent_at) >= 0.036 - 1e-9)
    assert np.abs(streamer.sent - last_out).max() < 2


@pytest.mark.parametrize(
    ("option", "value"), [("write_rate_hz", 0.0), ("overlap", 0.5), ("dead_band_ticks", 0), ("soft_speed", 0.0)]
)
def test_options_that_make_no_sense_are_refused(option, value):
    with pytest.raises(ConfigError, match=option):
        StreamConfig(**{option: value})


def test_an_urgent_goal_goes_out_between_the_times_of_the_stream():
    streamer = GoalStreamer(StreamConfig(write_rate_hz=10.0))
    streamer.start(np.full(6, 2000))
    streamer.want(np.full(6, 2100), 0.02, 0.0)
    assert streamer.next_move(np.full(6, 2000), FRESH, 0.0) is not None
    streamer.want(np.full(6, 2050), 0.02, 0.02)
    assert streamer.next_move(np.full(6, 2000), FRESH, 0.02) is None
    assert streamer.next_move(np.full(6, 2000), FRESH, 0.02, urgent=True).goals.tolist() == [2050] * 6


def test_a_silent_servo_is_sent_nothing():
    streamer = GoalStreamer(StreamConfig())
    streamer.start(np.full(6, 2000))
    streamer.want(np.full(6, 2100), 0.02, 0.0)
    silent = np.array([False, True, False, False, False, False])
    move = streamer.next_move(np.full(6, 2000), FRESH, 0.0, silent=silent)
    assert move.changed.tolist() == (~silent).tolist()
    assert streamer.sent.tolist() == [2100, 2000, 2100, 2100, 2100, 2100]


@pytest.mark.parametrize("limited_later", [False, True])
def test_a_servo_that_missed_goals_is_given_the_time_it_needs_at_its_speed_limit(limited_later: bool):
    speed = 1000.0
    streamer = GoalStreamer(StreamConfig(soft_start_s=0.0), 4 * speed if limited_later else speed)
    streamer.limit_speed(speed)
    streamer.start(np.full(6, 2000))
    now, goal = 0.0, 2000
    for _ in range(40):
        now, goal = now + 0.04, goal + 32
        streamer.want(np.full(6, goal), 0.02, now)
        move = streamer.next_move(np.full(6, goal - 60), FRESH, now)
        assert move.time_ms.max() <= 70, "a servo that follows is not slowed"
    stuck = np.full(6, goal - 60)
    stuck[2] -= 400
    streamer.want(np.full(6, goal + 32), 0.02, now + 0.04)
    move = streamer.next_move(stuck, FRESH, now + 0.04)
    assert move.time_ms[2] >= 1000 * (goal + 32 - stuck[2]) / speed
    assert np.delete(move.time_ms, 2).max() <= 70, "nor are the others"


def test_a_servo_that_was_not_read_may_have_missed_every_goal_since_then():
    speed, seen = 1000.0, np.full(6, 2000)
    streamer = GoalStreamer(StreamConfig(soft_start_s=0.0), speed)
    streamer.start(seen)
    now, goal, unread = 0.0, 2000, FRESH.copy()
    unread[2] = False
    for _ in range(5):
        now, goal = now + 0.04, goal + 32
        streamer.want(np.full(6, goal), 0.02, now)
        move = streamer.next_move(np.where(unread, goal - 60, seen), unread, now)
    assert move.time_ms[2] >= 1000 * (goal - seen[2]) / speed


def test_goals_that_brake_are_not_made_slow_by_a_servo_that_was_not_read():
    streamer = GoalStreamer(StreamConfig(soft_start_s=0.0), 1000.0)
    streamer.start(np.full(6, 2000))
    offer(streamer, np.full(6, 2100), 0.0, 0.1, present=np.full(6, 2000))
    streamer.want(np.full(6, 2110), 0.02, 0.1)
    move = streamer.next_move(np.full(6, 2000), ~FRESH, 0.1, urgent=True)
    assert move.time_ms.max() <= 70


def test_a_goal_that_was_held_back_while_the_computer_stood_still_is_forgotten():
    streamer = GoalStreamer(StreamConfig())
    streamer.start(np.full(6, 2000))
    streamer.want(np.full(6, 2020), 0.02, 0.0)
    assert not streamer.left_waiting(0.0 + STOOD_STILL_S)
    assert streamer.next_move(np.full(6, 2000), FRESH, 0.22) is None


def test_a_servo_that_rests_beside_its_goal_is_told_again_for_as_long_as_somebody_looks():
    """Nobody writes any more: the backend alone has to see to the goal whose frame was lost."""
    streamer, told = GoalStreamer(StreamConfig()), []
    streamer.start(np.full(6, 2000))
    streamer.want(np.full(6, 2100), 0.1, 0.0)
    assert streamer.next_move(np.full(6, 2000), FRESH, 0.0) is not None
    for k in range(1, 60):
        now = 0.02 * k
        if streamer.left_waiting(now) and streamer.next_move(np.full(6, 2000), FRESH, now) is not None:
            told.append(now)
    assert len(told) == StreamConfig().resends
