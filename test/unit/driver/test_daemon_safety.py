"""What the daemon does when things go wrong: nothing runs away, nothing snaps, the stop always gets through."""

import threading

import numpy as np
import pytest

from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.errors import CommandRefusedError, NoReplyError
from dofbot_ros.safety.authority import Commander, Rank
from dofbot_ros.safety.states import ArmState

S = ArmState
TELEOP = Commander("teleop_node", Rank.TELEOP)
SCRIPT = Commander("grasp_node", Rank.SCRIPT)
OPERATOR = Commander("_ros2cli_7", Rank.OPERATOR)
TICK = np.radians(180 / 2200)


def held(snapshot):
    return snapshot.state is S.HOLD


def speeds(bench, joint=0, first=0):
    return np.diff(np.array(bench.arm.goals)[first:, joint]) / 0.02


# -- the emergency stop ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lock", ["_lock", "_bus"])
def test_estop_waits_for_no_lock(bench, lock):
    taken, released = threading.Event(), threading.Event()

    def hold():
        with getattr(bench.daemon, lock):
            taken.set()
            released.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    taken.wait()
    done = threading.Thread(target=bench.daemon.estop)
    done.start()
    done.join(60.0)
    waits = done.is_alive()
    released.set()
    holder.join()
    assert not waits
    assert bench.run(0.02).state is S.ESTOP


def test_the_cycle_after_estop_reads_nothing_and_brakes(bench):
    bench.daemon.move_joints([1.5, 0, 0, 0, 0])
    bench.run(0.6)
    before = len(bench.arm.goals)
    bench.daemon.estop()
    assert bench.daemon._must_brake()
    bench.run(0.02)
    assert abs(speeds(bench, first=before - 2)[-1]) < abs(speeds(bench, first=before - 3)[0])
    bench.run(1.0)
    assert not bench.daemon._must_brake()


def test_a_command_is_refused_from_the_moment_of_estop_on(bench):
    bench.daemon.estop("button")
    with pytest.raises(CommandRefusedError, match="ESTOP: button; call reset_estop first"):
        bench.daemon.home()


def test_a_live_stream_starts_nothing_after_a_reset(bench):
    def stream():
        try:
            bench.daemon.stream([1.0], bench.clock.now(), ["joint1"], TELEOP)
        except CommandRefusedError as error:
            return str(error)
        return ""

    for _ in range(25):
        stream()
        bench.run(0.02)
    bench.daemon.estop()
    bench.run(0.5)
    resting = bench.measured()[0]
    bench.daemon.reset_estop()
    for _ in range(100):
        assert "teleop_node was stopped: pause it for 0.5 s" in stream()
        bench.run(0.02)
    assert bench.measured()[0] == pytest.approx(resting, abs=TICK)
    bench.run(0.6)
    assert stream() == ""


# -- a joint that something stops --------------------------------------------------------------------------------------


def block(bench, how):
    """Jam joint 1 on its way, end the motion in some way, wait, free it, and return how far it then ran."""
    bench.daemon.move_joints([1.5, 0, 0, 0, 0])
    bench.run(0.6)
    bench.arm.servos.jam(1)
    bench.run(0.1)
    how(bench.daemon)
    bench.run(4.0)
    stuck = bench.measured()[0]
    bench.arm.servos.jam(1, False)
    bench.run(1.0)
    return abs(bench.measured()[0] - stuck)


@pytest.mark.parametrize(
    "how", [lambda d: d.estop(), lambda d: d.stop(), lambda d: None], ids=["estop", "stop", "fault"]
)
def test_a_freed_joint_runs_less_than_half_a_degree(bench, how):
    assert block(bench, how) < np.radians(0.5)


def test_a_blocked_joint_is_a_fault_within_0_3_s(bench):
    bench.daemon.move_joints([1.5, 0, 0, 0, 0])
    bench.run(0.6)
    bench.arm.servos.jam(1)
    began = bench.clock.now()
    bench.until(lambda s: s.state is S.FAULT, 2.0)
    assert bench.clock.now() - began < 0.5
    assert "joint1 is" in bench.daemon.snapshot().reason
    assert abs(bench.arm.goals[-1][0] - bench.measured()[0]) < 0.5


# -- sensors and servos that are not what they seem --------------------------------------------------------------------


def freeze(bench, servo):
    """From now on the servo says that it is where it is now."""
    position = bench.arm.servos.position
    stuck = position(servo, bench.clock.now())
    bench.arm.servos.position = lambda s, now: stuck if s == servo else position(s, now)


def test_a_frozen_sensor_does_not_send_the_arm_back_when_its_fault_is_cleared(bench):
    bench.daemon.move_joints([1.5, 0, 0, 0, 0])
    bench.run(0.5)
    freeze(bench, 1)
    bench.until(lambda s: s.state is S.FAULT, 2.0)
    bench.run(0.5)
    truth = bench.arm.servos.models[1]
    before = truth.reference(bench.clock.now())
    bench.daemon.clear_fault()
    bench.run(0.3)
    assert abs(truth.reference(bench.clock.now()) - before) < 0.1 / TICK


def test_a_single_wild_reading_moves_nothing_and_is_no_fault(bench):
    position = bench.arm.servos.position
    bench.arm.servos.position = lambda s, now: 0 if s == 2 else position(s, now)
    bench.run(0.02)
    bench.arm.servos.position = position
    goal = bench.arm.goals[-1].copy()
    assert bench.run(0.5).state is S.HOLD
    np.testing.assert_array_equal(bench.arm.goals[-1], goal)


def test_a_supply_that_dips_is_no_fault_and_one_that_stays_low_is_until_it_is_back(bench):
    bench.arm.servos.supply(2, 5.0)
    assert bench.run(0.3).state is S.HOLD
    bench.arm.servos.supply(2, 7.4)
    assert bench.run(1.0).state is S.HOLD
    bench.arm.servos.supply(2, 5.0)
    snapshot = bench.run(bench.daemon.config.voltage_fault_s + 0.1)
    assert snapshot.state is S.FAULT
    assert snapshot.reason == "supply voltage out of range at servo 2 (joint2): check the power supply and its plugs"
    bench.daemon.clear_fault()
    assert bench.run(1.0).state is S.FAULT, "its cause still stands"
    bench.arm.servos.supply(2, 7.4)
    bench.run(0.04)
    bench.daemon.clear_fault()
    assert bench.run(1.0).state is S.HOLD


def test_a_servo_that_loses_its_torque_is_a_fault_that_names_it(bench):
    bench.arm.servos.torque(4, False, bench.clock.now())
    snapshot = bench.run(0.3)
    assert snapshot.state is S.FAULT
    assert snapshot.reason.startswith("servo 4 (joint4) lost its torque")
    bench.daemon.set_torque(False)
    bench.run(0.04)
    bench.daemon.clear_fault()
    bench.daemon.set_torque(True)
    assert bench.run(0.5).state is S.HOLD


def test_a_servo_that_rejoins_begins_where_it_is(bench):
    bench.daemon.move_joints([1.5, 0, 0, 0, 0])
    bench.run(0.6)
    bench.arm.silent = {1}
    bench.until(lambda s: s.state is S.FAULT, 1.0)
    bench.run(0.5)
    there = (bench.arm.servos.position(1, bench.clock.now()) - 2000) * TICK
    assert bench.arm.goals[-1][0] > there + 0.2, "it was to go on while nobody heard of it"
    bench.arm.silent = set()
    for _ in range(50):
        bench.run(0.02)
        assert bench.measured()[0] == pytest.approx(there, abs=2 * TICK)


def test_torque_that_was_on_before_is_told_and_can_always_be_let_go(new_bench):
    b = new_bench()
    for servo in b.arm.servos.ids:
        b.arm.servos.torque(servo, True, b.clock.now())
    snapshot = b.run(0.04)
    assert snapshot.state is S.IDLE
    assert snapshot.reason.startswith("all servos hold, not commanded from here")
    b.daemon.set_torque(False)
    assert not any(model.torque_on for model in b.arm.servos.models.values())
    assert b.run(0.04).reason == "torque is off"


@pytest.mark.parametrize("let_go", [lambda d: d.set_torque(False), lambda d: d.freedrive(True)])
@pytest.mark.parametrize("state", ["idle", "hold", "estop", "fault"])
def test_letting_go_is_sent_in_every_state(bench, state, let_go):
    if state == "idle":
        bench.daemon.set_torque(False)
        for servo in bench.arm.servos.ids:
            bench.arm.servos.torque(servo, True, bench.clock.now())
    elif state == "estop":
        bench.daemon.estop()
    elif state == "fault":
        bench.arm.servos.heat(2, 90.0)
    bench.run(0.1)
    let_go(bench.daemon)
    assert not any(model.torque_on for model in bench.arm.servos.models.values())


def test_a_servo_that_refuses_to_switch_is_named_and_commands_stay_refused(bench):
    def refuse(enabled):
        raise NoReplyError("servo 3 (joint3) is not switching torque off", [3])

    bench.arm.torque = refuse
    with pytest.raises(CommandRefusedError, match="servo 3"):
        bench.daemon.set_torque(False)
    assert bench.run(0.04).reason.startswith("all servos hold, not commanded from here")


# -- errors of ours ----------------------------------------------------------------------------------------------------


def test_an_exception_in_the_cycle_is_a_fault_and_the_loop_goes_on(bench):
    bench.daemon.move_joints([1.5, 0, 0, 0, 0])
    bench.run(0.5)
    decide = bench.daemon._motion.decide

    def broken(*args):
        raise RuntimeError("cannot happen")

    bench.daemon._motion.decide = broken
    snapshot = bench.run(0.02)
    assert (snapshot.state, snapshot.reason) == (S.FAULT, "internal error, RuntimeError: cannot happen")
    bench.daemon._motion.decide = decide
    resting = bench.run(1.0).reading.position[0]
    assert bench.run(0.5).reading.position[0] == pytest.approx(resting, abs=TICK)
    bench.daemon.clear_fault()
    bench.daemon.home()
    assert bench.until(held, 5.0).result.succeeded


@pytest.mark.parametrize("on_exit", ["park", "release"])
def test_an_arm_is_neither_parked_nor_dropped_after_an_error_of_ours(new_bench, on_exit):
    b = new_bench(on_exit=on_exit)
    b.run(0.04)
    b.daemon.set_torque(True)
    b.run(0.2)
    pose, cycles = b.measured(), []

    def after_cycle(snapshot, rate):
        cycles.append(snapshot.state)
        raise ValueError("publishing failed")

    b.daemon.run(lambda: len(cycles) >= 5, after_cycle)
    assert cycles[-1] is S.FAULT
    assert all(model.torque_on for model in b.arm.servos.models.values())
    np.testing.assert_allclose(b.arm.goals[-1], pose, atol=1e-6)


@pytest.mark.parametrize("linear", [[1e306, 0, 0], [np.nan, 0, 0], [0, np.inf, 0], [0, 0, 1e4]])
def test_an_absurd_twist_is_refused_and_moves_nothing(bench, linear):
    with pytest.raises(CommandRefusedError, match="twist"):
        bench.daemon.twist(linear, [0, 0, 0], bench.clock.now())
    assert bench.run(0.5).state is S.HOLD


@pytest.mark.parametrize("value", [1e306, -1e306, 1e9])
def test_absurd_joint_values_are_refused(bench, value):
    with pytest.raises(CommandRefusedError, match="is beyond 10 rad"):
        bench.daemon.stream([value], bench.clock.now(), ["joint1"])
    with pytest.raises(CommandRefusedError):
        bench.daemon.move_joints([value, 0, 0, 0, 0])
    with pytest.raises(CommandRefusedError):
        bench.daemon.follow([3.0], [[value]], joints=["joint1"])
    assert bench.run(0.5).state is S.HOLD


def test_a_stream_beyond_the_limits_stops_at_them(bench):
    for _ in range(200):
        bench.daemon.stream([5.0], bench.clock.now(), ["joint1"])
        bench.run(0.02)
    assert np.pi / 2 - 0.01 < np.array(bench.arm.goals)[:, 0].max() <= np.pi / 2 + 1e-9


@pytest.mark.parametrize("last", [3600.0, 14000.0, 2.0**31])
def test_a_trajectory_that_lasts_for_ever_is_refused_at_once(bench, last):
    with pytest.raises(CommandRefusedError, match=r"600"):
        bench.daemon.follow([1.0, last], [[0.1], [0.2]], joints=["joint1"])


# -- streams -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate_hz", [50.0, 30.0, 12.5])
def test_a_stream_never_passes_its_last_point(bench, rate_hz):
    """Points at rest, then one at 0.1 rad, then silence."""
    due = start = bench.clock.now()
    sent = 0.0
    while bench.clock.now() < start + 1.0:
        if bench.clock.now() >= due - 1e-9:
            sent = 0.1 if bench.clock.now() > start + 0.7 and sent == 0.0 else sent
            if sent == 0.0 or due < start + 0.8:
                bench.daemon.stream([sent], bench.clock.now(), ["joint1"])
            due += 1.0 / rate_hz
        bench.run(0.02)
    bench.until(held, 2.0)
    assert np.array(bench.arm.goals)[:, 0].max() <= 0.1 + 1e-9
    assert bench.arm.goals[-1][0] == pytest.approx(0.1, abs=1e-6)


def test_a_stream_at_speed_that_falls_silent_rests_at_its_last_point(bench):
    point = 0.0
    for _ in range(60):
        point += 0.02
        bench.daemon.stream([point], bench.clock.now(), ["joint1"])
        bench.run(0.02)
    bench.until(held, 2.0)
    assert np.array(bench.arm.goals)[:, 0].max() <= point + 1e-9
    assert bench.arm.goals[-1][0] == pytest.approx(point, abs=1e-6)


def test_two_commanders_of_a_rank_do_not_fight_over_the_arm(bench):
    other = Commander("teleop_node", Rank.TELEOP, b"elsewhere")
    for _ in range(100):
        bench.daemon.stream([0.5], bench.clock.now(), ["joint1"], TELEOP)
        with pytest.raises(CommandRefusedError, match="commands the arm"):
            bench.daemon.stream([-0.5], bench.clock.now(), ["joint1"], other)
        bench.run(0.02)
    assert bench.daemon.snapshot().commander == "teleop_node"
    assert np.array(bench.arm.goals)[:, 0].min() >= -1e-9


def test_an_operator_takes_over_softly_and_is_announced(new_bench):
    b = new_bench(soft_start_s=1.0)
    b.run(0.04)
    b.daemon.set_torque(True)
    b.run(1.2)
    for k in range(50):
        b.daemon.stream([0.01 * k], b.clock.now(), ["joint1"], TELEOP)
        b.run(0.02)
    first = len(b.arm.goals)
    b.daemon.home(OPERATOR)
    snapshot = b.run(0.2)
    assert snapshot.handover == "_ros2cli_7 (operator) takes over from teleop_node"
    assert np.abs(speeds(b, first=first + 5)).max() < 0.8
    with pytest.raises(CommandRefusedError):
        b.daemon.stream([0.5], b.clock.now(), ["joint1"], TELEOP)
    with pytest.raises(CommandRefusedError, match=r"_ros2cli_7 \(operator\) commands the arm"):
        b.daemon.gripper(0.0, SCRIPT)


def test_the_arm_is_free_again_when_a_motion_has_ended(bench):
    bench.daemon.home(OPERATOR)
    bench.until(held, 5.0)
    bench.run(0.04)
    bench.daemon.follow([1.0], [[0.2]], joints=["joint1"], by=SCRIPT)
    assert bench.until(held, 3.0).result.succeeded


# -- time --------------------------------------------------------------------------------------------------------------


def test_a_computer_that_stood_still_gives_the_motion_up_and_blames_no_servo(bench):
    bench.daemon.follow([4.0], [[1.2]], joints=["joint1"])
    bench.run(1.0)
    bench.clock.advance(3.0)
    snapshot = bench.run(0.1)
    assert snapshot.state is S.HOLD
    assert snapshot.result.reason.startswith("this computer stood still for 3.0 s")
    resting = bench.measured()[0]
    assert bench.run(1.0).reading.position[0] == pytest.approx(resting, abs=2 * TICK)


def test_what_was_decided_before_the_computer_stood_still_is_not_sent_after_it(bench, monkeypatch):
    bench.daemon.follow([4.0], [[1.2]], joints=["joint1"])
    bench.run(1.0)
    decide, motion = bench.daemon._motion.decide, bench.daemon._motion

    def stopped_while_deciding(*given):
        governed = decide(*given)
        bench.clock.advance(2.0)
        return governed

    sent = len(bench.arm.goals)
    monkeypatch.setattr(motion, "decide", stopped_while_deciding)
    bench.daemon.step()
    monkeypatch.setattr(motion, "decide", decide)
    assert len(bench.arm.goals) == sent
    assert bench.run(0.1).result.reason.startswith("this computer stood still for 2.0 s")


@pytest.mark.parametrize(
    ("field", "value"),
    [("control_rate_hz", np.inf), ("max_velocity", np.nan), ("write_rate_hz", 0.5), ("command_timeout_s", 60.0)],
)
def test_a_parameter_out_of_its_range_is_refused_by_name(field, value):
    from dofbot_ros.errors import ConfigError

    with pytest.raises(ConfigError, match=rf"{field} must be "):
        DriverConfig(**{field: value})
