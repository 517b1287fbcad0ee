"""Fuzzes the wire protocols: no wrong sum is ever accepted, no frame in a clean stream is ever lost."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from dofbot_ros.bench.fuzz.mutate import flipped
from dofbot_ros.bench.fuzz.target import Target
from dofbot_ros.errors import FrameError
from dofbot_ros.hardware.wire import bus as protocol_bus
from dofbot_ros.hardware.wire import se as protocol_se
from dofbot_ros.hardware.wire.framing import FrameDecoder, Framing
from dofbot_ros.hardware.wire.protocol import BusProtocol, Query, SeProtocol

FRAMES = 20
"""In one case."""
SHARE = 40.0
"""More than a million frames in a run of n = 10,000."""
FRAMINGS = (protocol_bus.HOST, protocol_bus.SERVO, protocol_se.HOST, protocol_se.BOARD)


def targets(_: Path) -> list[Target]:
    """Frames, streams of them, and what the arm reads from replies."""
    return [
        Target("codecs: frames", _frames, FRAMES, SHARE),
        Target("codecs: streams", _streams, FRAMES, SHARE),
        Target("codecs: replies", _replies, FRAMES, SHARE),
    ]


def is_frame(framing: Framing, frame: bytes) -> bool:
    """Whether it is one, written out anew, from the documents and not from the code under test."""
    if not framing.min_size <= len(frame) <= framing.max_size or frame[:2] != framing.header:
        return False
    total = sum(frame[2:-1]) % 256
    wanted = 255 - total if framing in FRAMINGS[:2] else total
    return frame[framing.length_at] + framing.overhead == len(frame) and frame[-1] == wanted


def made(rng: random.Random, framing: Framing) -> bytes:
    """A valid frame with any content."""
    size = rng.randint(0, framing.max_size - framing.min_size)
    payload = rng.choice((rng.randbytes(size), bytes(rng.choice((0xFF, 0xF5, 0xFB, 0xFC)) for _ in range(size))))
    if framing is protocol_bus.HOST:
        servo = rng.choice((rng.randint(1, protocol_bus.MAX_ID), protocol_bus.BROADCAST))
        return protocol_bus.encode_request(protocol_bus.Request(servo, rng.randrange(256), payload))
    if framing is protocol_bus.SERVO:
        reply = protocol_bus.Reply(rng.randint(1, protocol_bus.MAX_ID), rng.randrange(256), payload)
        return protocol_bus.encode_reply(reply)
    return protocol_se.encode(protocol_se.Message(rng.randrange(256), payload), framing)


def _frames(rng: random.Random) -> None:
    for _ in range(FRAMES):
        framing = rng.choice(FRAMINGS)
        frame = made(rng, framing)
        assert is_frame(framing, frame), frame.hex()
        assert framing.seal(framing.body(frame)) == frame
        damaged = rng.randbytes(rng.randint(0, 80)) if rng.random() < 0.1 else flipped(rng, frame, 3)
        try:
            framing.body(damaged)
        except FrameError:
            assert not is_frame(framing, damaged), f"refused {damaged.hex()}"
        else:
            assert is_frame(framing, damaged), f"accepted {damaged.hex()}"


def _streams(rng: random.Random) -> None:
    framing = rng.choice(FRAMINGS)
    frames = [made(rng, framing) for _ in range(FRAMES)]
    size = rng.choice([None, None, len(frames[0])])
    clean = rng.random() < 0.3
    stream = b"".join(frames if clean else [_noise(rng, frame) for frame in frames])

    decoder, found, at = FrameDecoder(framing, size), [], 0
    while at < len(stream):
        step = rng.choice((1, 2, 3, 16, 64, 4096))
        found += decoder.feed(stream[at : at + step])
        assert decoder.missing > 0
        at += step
    found += decoder.flush()

    at_once = FrameDecoder(framing, size)
    assert found == at_once.feed(stream) + at_once.flush(), "the chunks decide what is found"
    at = 0
    for frame in found:
        assert is_frame(framing, frame), f"accepted {frame.hex()}"
        assert size is None or len(frame) == size
        at = stream.find(frame, at)
        assert at >= 0, "a frame that did not come"
        at += len(frame)
    if clean and size is None:
        assert found == frames, "a frame of a clean stream was lost"


def _noise(rng: random.Random, frame: bytes) -> bytes:
    kind = rng.random()
    if kind < 0.4:
        return frame
    if kind < 0.6:
        return flipped(rng, frame, 2)
    if kind < 0.8:
        return frame[: rng.randint(0, len(frame))]
    return rng.randbytes(rng.randint(0, 30)) + frame


def _replies(rng: random.Random) -> None:
    for _ in range(FRAMES):
        servo = rng.randint(1, 6)
        bus, board = BusProtocol(), SeProtocol()
        queries: list[Query[Any]] = [
            bus.position(servo), bus.temperature(servo), bus.torque_state(servo), board.position(servo),
        ]  # fmt: skip
        query = rng.choice(queries)
        ticks, other = rng.randint(0, 4095), rng.randint(1, 6)
        reply = (
            protocol_se.position_reply(other, ticks)
            if query.reply is protocol_se.BOARD
            else protocol_bus.encode_reply(
                protocol_bus.Reply(other, rng.randrange(256), rng.randbytes(query.reply_size - 6))
            )
        )
        if rng.random() < 0.5:
            reply = flipped(rng, reply, 2)
        for frame in FrameDecoder(query.reply, query.reply_size).feed(reply):
            value = query.parse(frame)
            ticks_read = getattr(value, "ticks", None)
            assert ticks_read is None or 0 <= ticks_read <= 4095
        try:
            protocol_bus.decode_reply(reply)
        except FrameError:
            assert not is_frame(protocol_bus.SERVO, reply)
        try:
            servo_read, ticks_read = protocol_se.decode_position(reply)
        except FrameError:
            continue
        assert is_frame(protocol_se.BOARD, reply)
        assert 1 <= servo_read <= 6
