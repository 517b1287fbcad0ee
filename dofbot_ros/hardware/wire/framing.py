"""Frames in a byte stream: a header, a length, a sum; and a decoder that finds them again after any garbage."""

from __future__ import annotations

from dataclasses import dataclass

from dofbot_ros.errors import FrameError


@dataclass(frozen=True)
class Framing:
    """How one direction of one protocol wraps its frames.

    Attributes:
        header: the first two bytes.
        length_at: index of the length byte.
        overhead: bytes of the whole frame that the length byte does not count.
        inverted_sum: whether the checksum is the complement of the sum over everything after the header.
        min_size: shortest frame [bytes].
        max_size: longest frame [bytes].
    """

    header: bytes
    length_at: int
    overhead: int
    inverted_sum: bool
    min_size: int
    max_size: int

    def seal(self, body: bytes) -> bytes:
        """The frame around `body`, everything between header and checksum, its length byte included."""
        return self.header + body + bytes([self.checksum(body)])

    def checksum(self, body: bytes) -> int:
        """The last byte of the frame around `body`."""
        total = sum(body) & 0xFF
        return total ^ 0xFF if self.inverted_sum else total

    def is_frame(self, data: bytes) -> bool:
        """Whether `data` is exactly one valid frame, from its header to its sum, of an allowed size."""
        return (
            self.min_size <= len(data) <= self.max_size
            and data.startswith(self.header)
            and data[self.length_at] + self.overhead == len(data)
            and self.checksum(data[2:-1]) == data[-1]
        )

    def body(self, frame: bytes) -> bytes:
        """What lies between header and checksum of a whole frame.

        Raises:
            FrameError: `frame` is not exactly one valid frame.
        """
        if not self.min_size <= len(frame) <= self.max_size or not frame.startswith(self.header):
            right = f"{self.min_size} to {self.max_size} bytes that begin {self.header.hex(' ')}"
            raise FrameError(f"{frame.hex(' ')} is no frame: it should be {right}")
        if frame[self.length_at] + self.overhead != len(frame):
            raise FrameError(f"{frame.hex(' ')} is no frame: its length byte does not fit its {len(frame)} bytes")
        body = frame[len(self.header) : -1]
        if self.checksum(body) != frame[-1]:
            raise FrameError(f"{frame.hex(' ')} has checksum {frame[-1]:02x}, its bytes make {self.checksum(body):02x}")
        return body


class FrameDecoder:
    """Finds frames in bytes that come in any pieces, with echo, noise and cut-off frames between them.

    What looks like a header but leads to a wrong sum is given up one byte at a time, so no frame inside it is lost.
    What looks like a header and claims more bytes than have come holds back what follows; that ends after `max_size`
    bytes at the latest, or when the caller, hearing nothing more, calls flush(). A caller that knows the size of the
    frame it waits for passes it as `size`: candidates of another size are then no candidates, so an earlier one is also
    complete earlier, and nothing is ever held back.

    Args:
        framing: the direction to listen to.
        size: accept frames of this many bytes only.
    """

    def __init__(self, framing: Framing, size: int | None = None) -> None:
        self._framing = framing
        self._min_size = size or framing.min_size
        self._max_size = size or framing.max_size
        self._pending = b""

    @property
    def missing(self) -> int:
        """How many more bytes have to come, at least, before a frame can be complete."""
        length_at = self._framing.length_at
        size = self._pending[length_at] + self._framing.overhead if len(self._pending) > length_at else self._min_size
        return size - len(self._pending)

    @property
    def idle(self) -> bool:
        """Whether nothing is pending: the next byte begins something new."""
        return not self._pending

    def feed(self, data: bytes) -> list[bytes]:
        """Take more bytes. Returns the whole frames that they complete, in order."""
        self._pending += data
        return self._scan(silent=False)

    def flush(self) -> list[bytes]:
        """The line has fallen silent: nothing will complete what is pending. Returns the frames found inside it."""
        return self._scan(silent=True)

    def _scan(self, silent: bool) -> list[bytes]:
        frames: list[bytes] = []
        data, at = self._pending, 0
        while (at := self._next_header(data, at)) < len(data):
            size = self._claimed_size(data, at)
            if size is not None and at + size > len(data):
                if not silent:
                    break
            elif size is not None and self._framing.checksum(data[at + 2 : at + size - 1]) == data[at + size - 1]:
                frames.append(data[at : at + size])
                at += size
                continue
            at += 1
        self._pending = data[at:]
        return frames

    def _next_header(self, data: bytes, start: int) -> int:
        """Index of the next header, or of a last byte that may begin one, or the end."""
        at = data.find(self._framing.header, start)
        if at >= 0:
            return at
        return len(data) - 1 if data.endswith(self._framing.header[:1]) and start < len(data) else len(data)

    def _claimed_size(self, data: bytes, at: int) -> int | None:
        """Size of the frame that begins at `at` [bytes], the smallest where it is not known yet; None: it is none."""
        if len(data) - at <= self._framing.length_at:
            return self._min_size
        size = data[at + self._framing.length_at] + self._framing.overhead
        return size if self._min_size <= size <= self._max_size else None
