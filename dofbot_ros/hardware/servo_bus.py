"""Questions and answers on a byte stream: exact framed reads, bounded retries, counters."""

from __future__ import annotations

from typing import TypeVar

from dofbot_ros.errors import FrameError
from dofbot_ros.hardware.port.serial_port import ByteStream
from dofbot_ros.hardware.wire.framing import FrameDecoder
from dofbot_ros.hardware.wire.protocol import Query

T = TypeVar("T")

NOISE_LIMIT = 256
"""Bytes heard without an answer among them before an attempt is given up: a babbling line must not hold the loop."""


class ServoBus:
    """The host's end of the line.

    Args:
        stream: the open line.
        retries: how often a question is asked again.
    """

    def __init__(self, stream: ByteStream, retries: int = 2) -> None:
        self._stream = stream
        self._retries = retries
        self.frames_sent = 0
        self.replies = 0
        self.retried = 0
        self.lost = 0

    def ask(self, query: Query[T], once: bool = False) -> T | None:
        """The answer, or None when none came in 1 + retries attempts (`once`: in one).

        Raises:
            PortError: the port is gone.
        """
        for attempt in range(1 if once else 1 + self._retries):
            self.retried += attempt > 0
            answer = self.attempt(query)
            if answer is not None:
                return answer
        self.lost += 1
        return None

    def attempt(self, query: Query[T]) -> T | None:
        """The answer to one question, None when none came; what is lost or asked again is for the caller to count.

        Raises:
            PortError: the port is gone.
        """
        # An answer that came too late for the last attempt must not be taken for the next one's.
        self._stream.discard_input()
        self.say(query.frame)
        answer = self._listen(query)
        self.replies += answer is not None
        return answer

    def say(self, frame: bytes) -> None:
        """Send a frame that nobody answers.

        Raises:
            PortError: the port is gone.
        """
        self._stream.write(frame)
        self.frames_sent += 1

    def _listen(self, query: Query[T]) -> T | None:
        """Read as many bytes as the frame still lacks, so that the last byte of the answer ends the wait."""
        data = self._stream.read(query.reply_size)
        # Nearly every answer is one whole frame and nothing else.
        if len(data) == query.reply_size:
            try:
                answer = query.parse(data)
            except FrameError:
                answer = None
            if answer is not None:
                return answer
        decoder = FrameDecoder(query.reply, query.reply_size)
        heard, wanted = 0, query.reply_size
        while True:
            for frame in decoder.feed(data):
                answer = query.parse(frame)
                if answer is not None:
                    return answer
            heard += len(data)
            if len(data) < wanted or heard >= NOISE_LIMIT:
                return None
            wanted = decoder.missing
            data = self._stream.read(wanted)
