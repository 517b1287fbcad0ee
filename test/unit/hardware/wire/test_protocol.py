"""Every worked frame of the protocol sheets, byte for byte, and what no frame can carry."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dofbot_ros.errors import FrameError
from dofbot_ros.hardware.wire import bus, se
from dofbot_ros.hardware.wire.framing import FrameDecoder
from dofbot_ros.hardware.wire.protocol import BusProtocol

ACT = bus.encode_request(bus.Request(bus.BROADCAST, bus.ACTION))


def later(servo: int, ticks: int, time_ms: int) -> bytes:
    """A goal that waits for ACT: servos know it, this driver does not use it."""
    words = bytes([bus.GOAL_ADDRESS]) + bus.goal_bytes(ticks, time_ms)
    return bus.encode_request(bus.Request(servo, bus.REG_WRITE, words))


HOME = {1: 2000, 2: 2000, 3: 2000, 4: 2000, 5: 1486, 6: 1266}

BUS_REQUESTS = [
    ("1 ping", bus.ping(1), "FF FF 01 02 01 FB"),
    ("2 read position", bus.read_position(1), "FF FF 01 04 02 38 02 BE"),
    ("4 servo 1 to 90 deg", bus.write_goal(1, 2000, 1000), "FF FF 01 07 03 2A 07 D0 03 E8 08"),
    ("5 servo 2 to 45 deg", bus.write_goal(2, 2550, 800), "FF FF 02 07 03 2A 09 F6 03 20 A7"),
    ("6 servo 5 to 90 deg", bus.write_goal(5, 1486, 500), "FF FF 05 07 03 2A 05 CE 01 F4 FE"),
    ("7 servo 6 to 134 deg", bus.write_goal(6, 2537, 500), "FF FF 06 07 03 2A 09 E9 01 F4 DE"),
    ("8 torque off", bus.write_torque(3, False), "FF FF 03 04 03 28 00 CD"),
    ("8 torque on", bus.write_torque(3, True), "FF FF 03 04 03 28 01 CC"),
    ("9 reg-write", later(1, 2000, 1000), "FF FF 01 07 04 2A 07 D0 03 E8 07"),
    ("9 action", ACT, "FF FF FE 02 05 FA"),
    ("10 all to 2048", bus.write_goal(bus.BROADCAST, 2048, 1000), "FF FF FE 07 03 2A 08 00 03 E8 DA"),
    (
        "11 sync write home",
        bus.sync_write_goals({servo: (ticks, 1500) for servo, ticks in HOME.items()}),
        "FF FF FE 22 83 2A 04 01 07 D0 05 DC 02 07 D0 05 DC 03 07 D0 05 DC 04 07 D0 05 DC 05 05 CE 05 DC "
        "06 04 F2 05 DC AE",
    ),
    ("12 read temperature", bus.read_temperature(1), "FF FF 01 04 02 3F 01 B8"),
    ("read current", bus.read_current(1), "FF FF 01 04 02 2E 03 C7"),
    ("read goal", bus.read_goal(1), "FF FF 01 04 02 2A 04 CA"),
    ("read torque", bus.read_torque(1), "FF FF 01 04 02 28 01 CF"),
]

BUS_REPLIES = [
    ("1 ping", bus.Reply(1, 0), "FF F5 01 02 00 FC"),
    ("2 position 0x07FF", bus.Reply(1, 0, b"\x07\xff"), "FF F5 01 04 00 07 FF F4"),
    ("3 position 2000", bus.Reply(1, 0, b"\x07\xd0"), "FF F5 01 04 00 07 D0 23"),
    ("13 overload", bus.Reply(6, bus.OVERLOAD_BIT), "FF F5 06 02 20 D7"),
]

SE_REQUESTS = [
    ("1 servo 1 to 90 deg", se.write_goal(1, 2000, 1000), "FF FC 07 11 07 D0 03 E8 DA"),
    ("2 servo 2 to 45 deg", se.write_goal(2, 2550, 800), "FF FC 07 12 09 F6 03 20 3B"),
    (
        "3 all home",
        se.write_goals(list(HOME.values()), 1500),
        "FF FC 11 1D 07 D0 07 D0 07 D0 07 D0 05 CE 04 F2 05 DC 34",
    ),
    ("4 read servo 1", se.read_position(1), "FF FC 03 31 34"),
    ("5 torque off", se.write_torque(False), "FF FC 04 1A 00 1E"),
    ("6 beep", se.encode(se.Message(se.BEEP, b"\x01")), "FF FC 04 06 01 0B"),
    ("7 red", se.encode(se.Message(se.RGB, b"\xff\x00\x00")), "FF FC 06 02 FF 00 00 07"),
    ("8 version", se.encode(se.Message(se.VERSION)), "FF FC 03 01 04"),
]


@pytest.mark.parametrize(("what", "frame", "expected"), BUS_REQUESTS + SE_REQUESTS)
def test_worked_request(what, frame, expected):
    assert frame.hex(" ").upper() == expected, what


@pytest.mark.parametrize(("what", "reply", "expected"), BUS_REPLIES)
def test_worked_reply(what, reply, expected):
    assert bus.encode_reply(reply).hex(" ").upper() == expected, what
    assert bus.decode_reply(bytes.fromhex(expected)) == reply, what


def test_worked_position_reply_of_the_board():
    frame = bytes.fromhex("FF FB 06 0A 07 D0 31 18")
    assert se.decode_position(frame) == (1, 2000)
    assert se.position_reply(1, 2000) == frame


def test_the_maker_s_sync_write_example_prints_a_checksum_that_its_own_formula_contradicts():
    """Servos 1 and 3 to 2000 in 1000 ms: the sheet prints 8B; the formula that fits all its other examples makes BA."""
    ours = bus.sync_write_goals({1: (2000, 1000), 3: (2000, 1000)})
    assert ours.hex(" ").upper() == "FF FF FE 0E 83 2A 04 01 07 D0 03 E8 03 07 D0 03 E8 BA"
    assert bus.decode_request(ours).instruction == bus.SYNC_WRITE
    with pytest.raises(FrameError, match="checksum 8b, its bytes make ba"):
        bus.decode_request(ours[:-1] + b"\x8b")


@given(st.integers(1, bus.MAX_ID), st.integers(0, 4095), st.integers(0, 0xFFFF))
def test_requests_decode_to_what_was_encoded(servo, ticks, time_ms):
    request = bus.decode_request(bus.write_goal(servo, ticks, time_ms))
    assert request == bus.Request(servo, bus.WRITE, bytes([0x2A]) + bus.goal_bytes(ticks, time_ms))


@given(st.integers(1, bus.MAX_ID), st.integers(0, 255), st.binary(max_size=58))
def test_replies_decode_to_what_was_encoded(servo, status, data):
    reply = bus.Reply(servo, status, data)
    assert bus.decode_reply(bus.encode_reply(reply)) == reply


@given(st.integers(1, 6), st.integers(0, 4095))
def test_board_positions_decode_to_what_was_encoded(servo, ticks):
    assert se.decode_position(se.position_reply(servo, ticks)) == (servo, ticks)


@given(st.binary(max_size=40))
def test_bytes_that_are_no_frame_raise_the_project_s_own_error(data):
    for decode in (bus.decode_request, bus.decode_reply, se.decode, se.decode_position):
        try:
            decode(data)
        except FrameError:
            continue


@given(st.sampled_from([bus.ping(1), bus.encode_reply(bus.Reply(6, 32, b"\x01")), bus.read_position(5)]), st.data())
def test_one_flipped_bit_is_never_taken_for_a_frame(frame, data):
    bit = data.draw(st.integers(0, len(frame) * 8 - 1))
    flipped = bytearray(frame)
    flipped[bit // 8] ^= 1 << bit % 8
    decode = bus.decode_reply if frame[1] == 0xF5 else bus.decode_request
    with pytest.raises(FrameError):
        decode(bytes(flipped))


KINDS = ("position", "temperature", "torque_state", "current", "goal")


@given(st.integers(1, 6), st.sampled_from(KINDS), st.sampled_from(KINDS), st.data())
def test_no_answer_is_taken_for_that_to_another_question(servo, asked, next_asked, data):
    """A reply does not say what was asked, and may come when the next question has been."""
    protocol = BusProtocol()
    late, wanted = getattr(protocol, asked)(servo), getattr(protocol, next_asked)(servo)
    count = bus.decode_request(late.frame).parameters[1]
    low = {
        "torque_state": st.sampled_from([b"\0", b"\1"]),
        "temperature": st.integers(2, 255).map(lambda v: bytes([v])),
    }
    registers = data.draw(low.get(asked, st.binary(min_size=count, max_size=count)))
    answer = bus.encode_reply(bus.Reply(servo, 0, registers))
    assert len(answer) == late.reply_size
    decoder = FrameDecoder(wanted.reply, wanted.reply_size)
    told = [wanted.parse(frame) for frame in decoder.feed(answer)]
    if asked == next_asked:
        assert late.parse(answer) is not None or asked == "position"  # 4096 and more is no position
    else:
        assert told in ([], [None])


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: bus.write_goal(0, 2000, 100), "servo id 0"),
        (lambda: bus.write_goal(251, 2000, 100), "1..250"),
        (lambda: bus.write_goal(1, 4096, 100), "0..4095"),
        (lambda: bus.write_goal(1, -1, 100), "-1 ticks"),
        (lambda: bus.write_goal(1, 2000, 70000), "70000 ms"),
        (lambda: bus.encode_reply(bus.Reply(254, 0)), "1..250"),
        (lambda: bus.encode_request(bus.Request(1, 3, bytes(100))), "at most 58"),
        (lambda: se.read_position(7), "1..6"),
        (lambda: se.write_goals([2000] * 5, 100), "got 5"),
        (lambda: se.encode(se.Message(1, bytes(40))), "at most 27"),
    ],
)
def test_values_that_no_frame_can_carry_are_refused_with_the_range(build, says):
    with pytest.raises(FrameError, match=says):
        build()
