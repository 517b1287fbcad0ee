"""Silent servos: told from late answers and from a computer that was late itself."""

import numpy as np

from dofbot_ros.hardware.silence import ASK_AGAIN_S, LONG_ASK_AGAIN_S, LONG_S, UNANSWERED, Silence


def test_a_lost_answer_or_two_are_no_silence():
    silence = Silence(6)
    for k in range(UNANSWERED - 1):
        silence.unanswered(2, 0.1 * k)
        silence.answered(1)
    assert silence.lengths_s(10.0).tolist() == [0.0] * 6
    assert not silence.long(2)


def test_silence_runs_from_the_first_question_that_was_not_answered():
    silence = Silence(6)
    for k in range(UNANSWERED):
        silence.unanswered(2, 1.0 + 0.1 * k)
        silence.answered(1)
    assert np.flatnonzero(silence.lengths_s(2.0)).tolist() == [2]
    assert silence.lengths_s(2.0)[2] == 1.0
    assert silence.long(2)
    silence.answered(2)
    assert not silence.lengths_s(2.0).any()


def test_a_dead_bus_is_noticed_before_every_servo_was_asked_three_times():
    silence = Silence(6)
    for i in range(UNANSWERED):
        silence.unanswered(i, 1.0)
    assert np.flatnonzero(silence.lengths_s(1.2)).tolist() == list(range(UNANSWERED))


def test_a_computer_that_stood_still_blames_no_servo():
    silence = Silence(6)
    silence.unanswered(0, 1.0)
    assert not silence.lengths_s(60.0).any()


def test_a_silent_servo_is_asked_again_after_a_pause_that_grows():
    silence = Silence(1)
    assert silence.worth_asking(0, 0.0)
    silence.unanswered(0, 0.0)
    assert not silence.worth_asking(0, 0.9 * ASK_AGAIN_S)
    assert silence.worth_asking(0, ASK_AGAIN_S)
    now = LONG_S + 0.1
    silence.unanswered(0, now)
    assert not silence.worth_asking(0, now + 0.9 * LONG_ASK_AGAIN_S)
    assert silence.worth_asking(0, now + LONG_ASK_AGAIN_S)


def test_to_be_asked_at_once_does_not_make_a_servo_answer():
    silence = Silence(6)
    for k in range(UNANSWERED):
        silence.unanswered(2, 1.0 + 0.01 * k)
        silence.answered(1)
    assert not silence.worth_asking(2, 1.03)
    silence.ask_all()
    assert silence.worth_asking(2, 1.03)
    assert np.flatnonzero(silence.lengths_s(1.03)).tolist() == [2]
