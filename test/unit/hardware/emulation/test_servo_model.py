"""The servo as arithmetic: profiles, play, stall protection, heat, and that asking more often changes nothing."""

from __future__ import annotations

import math
import threading
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dofbot_ros.errors import ConfigError
from dofbot_ros.hardware.emulation.servo_model import ServoModel, ServoModelConfig
from dofbot_ros.hardware.emulation.servos import UPRIGHT_TICKS, ModelServos
from dofbot_ros.hardware.emulation.truth_log import TruthLog

EXACT = ServoModelConfig(start_delay_s=0.0, backlash_ticks=0.0)

goals = st.lists(
    st.tuples(st.integers(0, 4095), st.integers(0, 2000), st.floats(0.0, 0.5)),
    min_size=1,
    max_size=8,
)


def run(model: ServoModel, commands: list[tuple[int, int, float]], asks: list[float]) -> float:
    """Play `commands` (ticks, ms, gap before), asking the reference at `asks` in between; the reference a bit later."""
    times, now = [], 0.0
    for ticks, time_ms, gap in commands:
        now += gap
        times.append((now, ticks, time_ms))
    events = sorted([(t, 1, c, m) for t, c, m in times] + [(a, 0, 0, 0) for a in asks if a < now + 0.123])
    for t, is_goal, ticks, time_ms in events:
        if is_goal:
            model.command(ticks, time_ms, t)
        else:
            model.reference(t)
    return model.reference(now + 0.123)


def test_a_goal_takes_its_time():
    servo = ServoModel(2000, EXACT)
    servo.command(2400, 1000, 10.0)
    assert servo.reference(10.0) == 2000
    assert servo.reference(10.25) == pytest.approx(2100)
    assert servo.reference(11.0) == 2400


def test_time_zero_and_a_time_too_short_mean_full_speed():
    for time_ms in (0, 10):
        servo = ServoModel(1000, EXACT)
        servo.command(3000, time_ms, 0.0)
        needed = 2000 / EXACT.max_speed
        assert servo.reference(needed - 1e-3) < 3000
        assert servo.reference(needed) == pytest.approx(3000)


def test_nothing_moves_before_the_start_delay():
    servo = ServoModel(2000, replace(EXACT, start_delay_s=0.02))
    servo.command(2400, 200, 1.0)
    assert servo.reference(1.019) == 2000
    assert servo.reference(1.12) == pytest.approx(2200)


def test_a_new_goal_starts_from_where_the_last_move_came_to():
    servo = ServoModel(2000, EXACT)
    servo.command(2400, 1000, 0.0)
    servo.command(2000, 500, 0.5)
    assert servo.reference(0.5) == pytest.approx(2200)
    assert servo.reference(0.75) == pytest.approx(2100)


@given(goals, st.lists(st.floats(0.0, 4.0), max_size=30))
def test_how_often_it_is_asked_changes_nothing(commands, asks):
    config = ServoModelConfig()
    often = run(ServoModel(2000, config), commands, asks)
    seldom = run(ServoModel(2000, config), commands, [])
    assert often == pytest.approx(seldom, abs=1e-6)


@given(goals)
def test_it_is_never_faster_than_the_servo(commands):
    servo = ServoModel(2000, ServoModelConfig())
    start = 0.0
    for ticks, time_ms, gap in commands:
        start += gap
        servo.command(ticks, time_ms, start)
    asks = np.arange(0.0, start + 1.0, 0.01)
    path = [servo.reference(float(t)) for t in asks]
    assert np.max(np.abs(np.diff(path))) <= servo.config.max_speed * 0.01 + 1e-6


def test_the_link_lags_by_half_the_play_and_a_reversal_crosses_all_of_it():
    servo = ServoModel(2000, replace(EXACT, backlash_ticks=8))
    servo.command(2100, 100, 0.0)
    assert servo.reference(1.0) == pytest.approx(2096)
    servo.command(2094, 100, 1.0)
    assert servo.reference(2.0) == pytest.approx(2096)
    servo.command(2090, 100, 2.0)
    assert servo.reference(3.0) == pytest.approx(2094)


def test_a_reading_is_in_whole_ticks_within_the_encoder():
    servo = ServoModel(2000, EXACT)
    for link, read in ((2000.4, 2000), (2000.6, 2001), (-50.0, 0), (9000.0, 4095)):
        servo.feel(link, 0.0)
        assert servo.position == read


def test_goals_are_cut_to_the_servo_s_range():
    servo = ServoModel(2000, replace(EXACT, min_ticks=900, max_ticks=3100))
    servo.command(4000, 0, 0.0)
    assert servo.goal_ticks == 3100
    assert servo.reference(10.0) == 3100


def test_torque_back_on_heads_for_the_stored_goal_from_where_the_link_was_left():
    servo = ServoModel(2000, EXACT)
    servo.torque(False, 0.0)
    servo.feel(2500.0, 1.0)
    assert not servo.holding
    assert servo.position == 2500
    servo.torque(True, 1.0)
    assert servo.reference(1.0) == 2500
    assert servo.reference(5.0) == 2000


def test_a_present_goal_written_first_keeps_torque_on_from_jumping():
    servo = ServoModel(2000, EXACT)
    servo.torque(False, 0.0)
    servo.feel(2500.0, 1.0)
    servo.command(2500, 500, 1.0)
    assert servo.reference(1.5) == 2500
    servo.torque(True, 2.0)
    assert servo.reference(5.0) == 2500


def test_three_seconds_at_full_load_let_go_and_torque_on_takes_hold_again():
    servos = ModelServos(config=EXACT)
    servos.jam(3)
    servos.command(3, 2400, 0, 0.0)
    for ms in range(0, 2990, 10):
        servos.step(ms / 1000)
    assert not servos.health(3, 2.99).overloaded
    assert servos.health(3, 3.6).overloaded
    assert servos.position(3, 3.7) == 2000
    servos.command(3, 2000, 500, 3.7)
    servos.torque(3, True, 3.8)
    assert not servos.health(3, 3.9).overloaded
    assert servos.health(2, 3.9).faults == ()


def test_a_light_load_never_trips_the_protection():
    servos = ModelServos(config=EXACT)
    servos.jam(6)
    servos.command(6, 2000 + 100, 0, 0.0)
    for second in range(60):
        servos.step(float(second))
    assert not servos.health(6, 60.0).overloaded


def test_work_heats_and_rest_cools_whatever_the_step():
    for step in (1.0, 20.0):
        servo = ServoModel(2000, replace(EXACT, stall_s=1e9))
        servo.command(2400, 0, 0.0)
        for k in range(1, int(240 / step) + 1):
            servo.feel(2000.0, k * step)
        assert servo.temperature_c == pytest.approx(25 + 60 * (1 - math.exp(-1)), rel=0.03)
    assert not servo.health.overheated


def test_a_hot_servo_says_so():
    servos = ModelServos()
    servos.heat(3, 80.0)
    assert servos.health(3, 0.1).faults == ("temperature",)
    assert servos.health(3, 0.1).temperature_c == pytest.approx(80.0, abs=0.1)


def test_a_weak_supply_is_reported():
    servos = ModelServos()
    servos.models[1].supply_v = 4.8
    assert servos.health(1, 0.0).faults == ("voltage",)


def test_a_limp_link_can_be_turned_by_hand():
    servos = ModelServos(UPRIGHT_TICKS, EXACT)
    servos.torque(2, False, 0.0)
    servos.turn_by_hand(2, 1500.0)
    assert servos.position(2, 0.1) == 1500
    servos.torque(1, True, 0.1)
    servos.turn_by_hand(1, 1500.0)
    assert servos.position(1, 0.4) == 2000


def test_a_joint_that_comes_free_runs_to_its_goal_as_fast_as_it_can_and_does_not_leap():
    log = TruthLog()
    servos = ModelServos(config=EXACT, log=log)
    servos.jam(1)
    servos.command(1, 2100, 0, 0.0)
    for ms in range(0, 400, 5):
        if ms == 200:
            servos.jam(1, False)
        servos.step(ms / 1000)
    truth = log.truth()
    link = truth.links[:, 0]
    assert link[truth.time_s < 0.2].max() == 2000
    assert link[-1] == 2100
    assert np.diff(link).max() == pytest.approx(EXACT.max_speed * 0.005, rel=0.01)


def test_a_load_presses_the_link_beside_its_goal_and_lets_the_motor_draw_current():
    servos = ModelServos(config=EXACT)
    servos.load(2, -16.0)
    servos.step(1.0)
    assert servos.link(2) == 1984
    assert servos.current_ma(2) == 320
    assert servos.health(2, 60.0).faults == ()


def test_a_servo_that_was_without_power_wakes_limp_with_its_goal_where_it_is():
    servos = ModelServos(config=EXACT)
    servos.command(4, 2300, 0, 0.0)
    servos.step(1.0)
    servos.reboot(4, 1.0)
    assert not servos.holding(4)
    servos.turn_by_hand(4, 2100.0)
    servos.torque(4, True, 2.0)
    servos.step(3.0)
    assert servos.link(4) == 2300


def test_the_log_tells_what_reached_the_servos_and_when_one_let_go_by_itself():
    log = TruthLog()
    servos = ModelServos(config=replace(EXACT, stall_s=0.5), log=log)
    servos.jam(6)
    servos.command(6, 2600, 100, 0.1)
    servos.torque(2, False, 0.2)
    for ms in range(205, 1000, 5):
        servos.step(ms / 1000)
    truth = log.take()
    assert [(w.time_s, w.column, w.ticks, w.time_ms) for w in truth.goal_writes] == [(0.1, 5, 2600, 100)]
    assert [(w.column, w.enabled) for w in truth.torque_writes] == [(1, False), (5, False)]
    assert truth.torque_writes[1].time_s == pytest.approx(0.7, abs=0.1)
    assert truth.goals[-1].tolist() == [2000, 2000, 2000, 2000, 1486, 2600]
    assert truth.torque[-1].tolist() == [True, False, True, True, True, False]
    assert len(log.truth().time_s) == 0
    early = truth.between(0.0, 0.5)
    assert early.time_s.max() < 0.5
    assert len(early.torque_writes) == 1


@pytest.mark.parametrize("change", [{"max_speed": 0.0}, {"backlash_ticks": -1.0}, {"min_ticks": 5000}])
def test_a_servo_that_cannot_be_is_refused(change):
    with pytest.raises(ConfigError, match="must"):
        ServoModelConfig(**change)


@pytest.mark.slow
def test_a_log_that_is_read_while_servos_go_on_writing_is_whole() -> None:
    log, stop = TruthLog(), threading.Event()
    sample = (0.0, [1.0] * 6, [1] * 6, [True] * 6)
    for _ in range(50_000):  # to read so many takes longer than the interpreter leaves a thread alone
        log.sample(*sample)

    def write() -> None:
        while not stop.is_set():
            log.sample(*sample)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(3):
            truth = log.truth()
            assert len(truth.time_s) == len(truth.links) == len(truth.goals) == len(truth.torque)
    finally:
        stop.set()
        writer.join()
