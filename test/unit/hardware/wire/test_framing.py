"""The decoder: any garbage, any pieces, echo, truncation, concatenation, false headers; and it never waits for ever."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dofbot_ros.errors import FrameError
from dofbot_ros.hardware.wire import bus, se
from dofbot_ros.hardware.wire.framing import FrameDecoder, Framing

FRAMINGS = (bus.HOST, bus.SERVO, se.HOST, se.BOARD)

bus_replies = st.builds(bus.Reply, st.integers(1, 250), st.integers(0, 255), st.binary(max_size=20)).map(
    bus.encode_reply
)
bus_requests = st.builds(bus.Request, st.integers(1, 250), st.integers(0, 255), st.binary(max_size=30)).map(
    bus.encode_request
)
se_requests = st.builds(se.Message, st.integers(0, 255), st.binary(max_size=20)).map(se.encode)
se_replies = st.builds(se.Message, st.integers(0, 255), st.binary(max_size=20)).map(lambda m: se.encode(m, se.BOARD))
cases = st.one_of(
    bus_replies.map(lambda f: (bus.SERVO, f)),
    bus_requests.map(lambda f: (bus.HOST, f)),
    se_requests.map(lambda f: (se.HOST, f)),
    se_replies.map(lambda f: (se.BOARD, f)),
)

# Bytes that headers, ids and lengths are made of come often: plain noise would hardly ever look like a frame.
tricky = st.lists(
    st.one_of(st.sampled_from([0xFF, 0xF5, 0xFC, 0xFB, 1, 2, 4, 6, 0x22, 0x3C]), st.integers(0, 255)), max_size=80
).map(bytes)


def is_frame(framing: Framing, data: bytes) -> bool:
    """The definition that the decoder is checked against: one exact frame of an allowed size."""
    try:
        framing.body(data)
    except FrameError:
        return False
    return framing.min_size <= len(data) <= framing.max_size


def decode(framing: Framing, data: bytes, size: int | None = None) -> list[bytes]:
    decoder = FrameDecoder(framing, size)
    return decoder.feed(data) + decoder.flush()


def swallowed(framing: Framing, garbage: bytes, frame: bytes) -> bool:
    """Whether valid frames begin in the garbage and reach into the true one: then nothing can tell which is meant."""
    data = garbage + frame
    starts = range(len(garbage))
    ends = range(len(garbage) + 1, len(data) + 1)
    return any(is_frame(framing, data[start:end]) for start in starts for end in ends)


@given(tricky, cases)
def test_a_frame_after_any_garbage_is_found(garbage, case):
    framing, frame = case
    assume(not swallowed(framing, garbage, frame))
    assert decode(framing, garbage + frame)[-1] == frame


@given(tricky, cases)
def test_a_frame_after_any_garbage_is_found_by_a_listener_who_knows_its_size_as_its_last_byte_comes(garbage, case):
    framing, frame = case
    assume(not swallowed(framing, garbage, frame))
    assert FrameDecoder(framing, len(frame)).feed(garbage + frame)[-1] == frame


@given(tricky, cases)
def test_without_silence_a_false_header_holds_a_frame_back_no_longer_than_the_longest_frame(garbage, case):
    framing, frame = case
    assume(not swallowed(framing, garbage, frame))
    decoder = FrameDecoder(framing)
    frames = decoder.feed(garbage + frame)
    frames += decoder.feed(bytes(framing.max_size))
    assert frame in frames


@given(tricky, cases, tricky)
def test_only_frames_come_out_in_order_and_none_overlaps(before, case, after):
    framing, frame = case
    data = before + frame + after
    found = decode(framing, data)
    assert all(is_frame(framing, f) for f in found)
    at = 0
    for f in found:
        at = data.index(f, at) + len(f)


@given(tricky, cases, st.lists(st.integers(0, 120), max_size=8))
def test_the_pieces_in_which_bytes_come_do_not_matter(garbage, case, cuts):
    framing, frame = case
    data = garbage + frame + garbage
    bounds = sorted({0, len(data), *(c for c in cuts if c < len(data))})
    decoder = FrameDecoder(framing)
    found = [f for a, b in pairwise(bounds) for f in decoder.feed(data[a:b])]
    assert found + decoder.flush() == decode(framing, data)


@given(st.lists(bus_replies, max_size=6))
def test_frames_without_a_gap_come_apart_again(frames):
    assert decode(bus.SERVO, b"".join(frames)) == frames


@given(bus_requests, bus_replies)
def test_the_host_s_own_echo_is_no_reply(request_frame, reply):
    assume(not swallowed(bus.SERVO, request_frame, reply))
    assume(not any(is_frame(bus.SERVO, request_frame[a:]) for a in range(len(request_frame))))
    found = decode(bus.SERVO, request_frame + reply)
    assert found[-1] == reply


@given(bus_replies, bus_replies, st.integers(1, 5))
def test_a_cut_off_frame_does_not_take_the_next_one_with_it(first, second, cut):
    truncated = first[:-cut]
    assume(not swallowed(bus.SERVO, truncated, second))
    assert decode(bus.SERVO, truncated + second)[-1] == second


@given(tricky)
def test_no_input_raises_and_at_least_one_byte_is_always_missing(data):
    for framing in FRAMINGS:
        decoder = FrameDecoder(framing)
        for byte in data:
            decoder.feed(bytes([byte]))
            assert 1 <= decoder.missing <= framing.max_size
        decoder.flush()
        assert 1 <= decoder.missing <= framing.max_size


def test_a_false_header_that_runs_over_the_true_frame_is_given_up_when_the_line_is_silent():
    frame = bus.encode_reply(bus.Reply(1, 0, b"\x07\xd0"))
    decoder = FrameDecoder(bus.SERVO)
    assert decoder.feed(b"\xff\xf5\x07\x30" + frame) == []
    assert decoder.flush() == [frame]


def test_missing_counts_down_to_the_end_of_the_frame():
    frame = bus.encode_reply(bus.Reply(1, 0, b"\x07\xd0"))
    decoder = FrameDecoder(bus.SERVO, len(frame))
    counted = []
    for byte in frame:
        counted.append(decoder.missing)
        found = decoder.feed(bytes([byte]))
    assert counted == [8, 7, 6, 5, 4, 3, 2, 1]
    assert found == [frame]


@pytest.mark.parametrize("noise", [b"\xff", b"\xff\xff", b"\xff\xf5", b"\xff\xf5\xff\xf5"])
def test_header_bytes_in_front_of_a_header(noise):
    frame = bus.encode_reply(bus.Reply(3, 0, b"\x07\xd0"))
    assert FrameDecoder(bus.SERVO, len(frame)).feed(noise + frame) == [frame]
