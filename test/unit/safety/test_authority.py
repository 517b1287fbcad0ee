"""Who commands: one at a time, higher ranks take over, and a stopped stream has to be engaged anew."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dofbot_ros.errors import CommandRefusedError
from dofbot_ros.safety.authority import CYCLES_S, Authority, Commander, Rank

SCRIPT = Commander("grasp_node", Rank.SCRIPT)
POLICY = Commander("policy_node", Rank.POLICY)
TELEOP = Commander("teleop_node", Rank.TELEOP)
OPERATOR = Commander("_ros2cli_1", Rank.OPERATOR)


@pytest.fixture
def authority():
    return Authority(pause_s=0.5)


def test_a_free_arm_goes_to_whoever_asks_and_stays_his_while_his_motion_runs(authority):
    assert not authority.admit(SCRIPT, 0.0)
    authority.renew(1.0)
    assert authority.holder(1.02) == SCRIPT
    authority.settle(1.04)
    assert authority.holder(1.05) is None


def test_a_stream_keeps_its_lease_between_its_points_and_not_after_its_end(authority):
    authority.admit(TELEOP, 0.0, stream=True)
    assert authority.holder(0.1) == TELEOP
    authority.settle(0.2)
    assert authority.holder(0.21) is None
    assert not authority.admit(SCRIPT, 0.21)


def test_another_of_the_same_rank_is_refused_by_name_until_the_lease_is_over(authority):
    authority.admit(TELEOP, 0.0, stream=True)
    other = Commander("teleop_node", Rank.TELEOP, b"another process")
    with pytest.raises(CommandRefusedError, match=r"teleop_node \(teleop\) commands the arm; teleop_node"):
        authority.admit(other, 0.15, stream=True)
    assert not authority.admit(other, 0.6, stream=True)


@pytest.mark.parametrize(("low", "high"), [(SCRIPT, POLICY), (POLICY, TELEOP), (TELEOP, OPERATOR), (SCRIPT, OPERATOR)])
def test_a_higher_rank_takes_over_and_a_lower_one_does_not(authority, low, high):
    authority.admit(low, 0.0, stream=True)
    assert authority.admit(high, 0.1, stream=True)
    assert authority.handover == f"{high.name} ({high.rank.name.lower()}) takes over from {low.name}"
    with pytest.raises(CommandRefusedError):
        authority.admit(low, 0.2, stream=True)
    with pytest.raises(CommandRefusedError, match="may not take it over"):
        authority.check(low, 0.3)


def test_a_stream_that_was_taken_over_from_has_to_pause_before_it_begins_again(authority):
    authority.admit(POLICY, 0.0, stream=True)
    authority.admit(OPERATOR, 0.1)
    for k in range(20):
        with pytest.raises(CommandRefusedError, match=r"policy_node was stopped: pause it for 0\.5 s"):
            authority.admit(POLICY, 0.2 + 0.1 * k, stream=True)
    assert not authority.admit(POLICY, 2.1 + 0.51, stream=True)


def test_a_released_arm_is_free_and_its_stream_has_to_be_engaged_anew(authority):
    authority.admit(TELEOP, 0.0, stream=True)
    authority.release(0.1)
    assert authority.holder(0.1) is None
    with pytest.raises(CommandRefusedError, match="was stopped"):
        authority.check(TELEOP, 0.2, stream=True)
    assert not authority.admit(SCRIPT, 0.3)


def test_a_release_stops_no_stream_that_ended_long_ago(authority):
    authority.admit(TELEOP, 0.0, stream=True)
    authority.release(5.0)
    assert not authority.admit(TELEOP, 5.1, stream=True)


def test_a_stop_says_nothing_against_single_commands_of_the_same_commander(authority):
    authority.admit(TELEOP, 0.0, stream=True)
    authority.release(0.1)
    assert not authority.admit(TELEOP, 0.15)


def test_the_holder_may_go_on_with_any_kind_of_command(authority):
    authority.admit(SCRIPT, 0.0)
    authority.renew(1.0)
    assert not authority.admit(SCRIPT, 0.5, stream=True)
    assert authority.handovers == 0


@given(st.lists(st.tuples(st.sampled_from([SCRIPT, POLICY, TELEOP, OPERATOR]), st.booleans(), st.floats(0.0, 0.7))))
def test_nobody_ever_takes_the_arm_from_a_higher_or_equal_rank(commands):
    authority, now = Authority(0.5), 0.0
    for who, stream, pause in commands:
        now += pause
        before = authority.holder(now)
        try:
            authority.admit(who, now, stream)
        except CommandRefusedError:
            assert authority.holder(now) == before
            continue
        assert before is None or before == who or who.rank > before.rank
        assert authority.holder(now) == who


def test_a_stream_that_was_refused_all_the_time_does_not_begin_by_itself(authority):
    """An arm that was stopped, let go or at fault while somebody streamed must not start when it is ready again."""
    for k in range(100):
        authority.refused(POLICY, 0.05 * k)
    with pytest.raises(CommandRefusedError, match="pause it"):
        authority.admit(POLICY, 5.0, stream=True)
    assert not authority.admit(POLICY, 5.6, stream=True)


# -- the exact ends of leases and pauses -------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
def test_a_lease_outlasts_its_last_command_by_cycles_s(authority, stream):
    authority.admit(SCRIPT, 1.0, stream)
    assert authority.holder(1.0 + CYCLES_S) == SCRIPT
    assert authority.holder(1.01 + CYCLES_S) is None


def test_the_lease_of_a_stream_outlasts_its_last_point_by_some_cycles(authority):
    authority.admit(TELEOP, 1.0, stream=True)
    assert authority.holder(1.2) == TELEOP
    assert authority.holder(1.21) is None


def test_each_renewal_moves_the_end_of_the_lease_and_none_brings_it_nearer(authority):
    authority.admit(TELEOP, 1.0, stream=True)
    authority.renew(0.9)
    assert authority.holder(1.2) == TELEOP
    authority.renew(1.4)
    assert authority.holder(1.59) == TELEOP
    assert authority.holder(1.61) is None


def test_settling_never_prolongs_a_lease(authority):
    authority.admit(SCRIPT, 1.0)
    authority.settle(1.1)
    authority.settle(1.3)
    assert authority.holder(1.2) is None


def test_hand_overs_are_counted_and_the_last_one_is_told(authority):
    assert (authority.handover, authority.handovers) == ("", 0)
    authority.admit(SCRIPT, 0.0)
    authority.admit(TELEOP, 0.1)
    authority.admit(OPERATOR, 0.2)
    assert authority.handovers == 2
    assert authority.handover == "_ros2cli_1 (operator) takes over from teleop_node"


def test_a_refusal_names_both_commanders_and_their_ranks(authority):
    authority.admit(TELEOP, 0.0)
    with pytest.raises(CommandRefusedError) as refused:
        authority.check(SCRIPT, 0.1)
    assert str(refused.value) == ("teleop_node (teleop) commands the arm; grasp_node (script) may not take it over")


@pytest.mark.parametrize("silence", [0.5, 0.25])
def test_a_point_within_the_pause_lets_it_begin_again(authority, silence):
    authority.admit(TELEOP, 0.0, stream=True)
    authority.release(0.0)
    with pytest.raises(CommandRefusedError):
        authority.check(TELEOP, silence, stream=True)
    with pytest.raises(CommandRefusedError):
        authority.check(TELEOP, silence + 0.5, stream=True)
    authority.check(TELEOP, silence + 1.01, stream=True)
    authority.check(TELEOP, silence + 1.02, stream=True)


def test_a_release_stops_a_stream_whose_last_point_is_just_as_old_as_the_pause(authority):
    authority.admit(TELEOP, 0.0, stream=True)
    authority.release(0.5)
    with pytest.raises(CommandRefusedError, match="was stopped"):
        authority.check(TELEOP, 0.75, stream=True)


def test_a_second_release_forgets_only_streams_that_have_paused(authority):
    authority.admit(TELEOP, 0.0, stream=True)
    authority.release(0.0)
    authority.release(0.5)
    with pytest.raises(CommandRefusedError, match="was stopped"):
        authority.check(TELEOP, 0.5, stream=True)


def test_a_stream_pauses_from_its_refused_point_on_whatever_is_released_later(authority):
    authority.admit(TELEOP, 0.0, stream=True)
    authority.refused(TELEOP, 0.1)
    authority.release(0.3)
    authority.check(TELEOP, 0.61, stream=True)
    authority.refused(TELEOP, 1.0)
    with pytest.raises(CommandRefusedError, match="was stopped"):
        authority.check(TELEOP, 1.5, stream=True)


def test_a_pause_counts_from_the_stop_whenever_that_was(authority):
    authority.admit(TELEOP, 100.0, stream=True)
    authority.release(100.1)
    authority.release(100.3)
    with pytest.raises(CommandRefusedError, match="was stopped"):
        authority.check(TELEOP, 100.4, stream=True)


def test_after_a_release_nobody_holds_the_arm_at_any_time(authority):
    authority.admit(TELEOP, 1.0)
    authority.release(1.0)
    authority.renew(-1e9)
    assert authority.holder(-1e9) is None
