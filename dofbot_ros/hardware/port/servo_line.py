"""A half-duplex line with servos at its far end, as arithmetic on times: no thread, no port, no clock of its own.

Host and servo share the line's time, counted by the byte. A reply is due at the host when its last byte is through, as
a USB adapter hands it over. Its owner tells the line what the host has sent and asks what is due: the emulator, with a
pty and the machine's clock, or a virtual port, with a clock that jumps.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from dofbot_ros.errors import FrameError
from dofbot_ros.hardware.emulation.faults import FaultPlan
from dofbot_ros.hardware.emulation.servo_side import servo_side
from dofbot_ros.hardware.emulation.servos import ServoBank
from dofbot_ros.hardware.wire.framing import FrameDecoder
from dofbot_ros.hardware.wire.protocol import ProtocolName

BITS_PER_BYTE = 10
"""8N1: a start bit, eight data bits, a stop bit."""
SILENCE_S = 0.005
"""A gap longer than this ends whatever frame was under way."""
BABBLE_S = 0.002
"""Random bytes of a noisy line are handed over in portions of this length."""


@dataclass(frozen=True)
class Traffic:
    """Counters since the line was made."""

    requests: int = 0
    replies: int = 0
    bytes_heard: int = 0
    bytes_said: int = 0


class ServoLine:
    """Servos on their line. Times must not run backwards.

    Args:
        servos: what is behind the line.
        protocol: "bus" or "se".
        baudrate: [1/s].
        faults: what goes wrong; its fields may be changed at any time.
        reply_delay_s: from the end of a request to the start of the reply [s].
        now: the present time [s].
    """

    def __init__(
        self,
        servos: ServoBank,
        protocol: ProtocolName = "bus",
        baudrate: int = 115200,
        *,
        faults: FaultPlan,
        reply_delay_s: float = 100e-6,
        now: float = 0.0,
    ) -> None:
        self.servos = servos
        self.faults = faults
        self.baudrate = baudrate
        self._side = servo_side(protocol, servos)
        self._decoder = FrameDecoder(self._side.framing)
        self._byte_s = BITS_PER_BYTE / baudrate
        self._reply_delay_s = reply_delay_s
        self._line_free_s = self._servo_s = self._handed_s = self._babbled_s = now
        self._asleep = False
        self._outgoing: deque[tuple[float, bytes]] = deque()
        self._requests = self._replies = self._heard = self._said = 0

    @property
    def due_s(self) -> float:
        """When the next bytes for the host are due [s]; infinite for none."""
        babble_s = self._babbled_s + BABBLE_S if self.faults.garbage_hz else math.inf
        return min(self._outgoing[0][0], babble_s) if self._outgoing else babble_s

    def take(self, now: float) -> bytes:
        """The bytes that have come through to the host by `now` [s] and were not taken yet."""
        if self.faults.garbage_hz and now >= self._babbled_s + BABBLE_S:
            self._hand_over(self.faults.garbage(now - self._babbled_s), now)
        if not self.faults.garbage_hz or now >= self._babbled_s + BABBLE_S:
            self._babbled_s = now
        data = b""
        while self._outgoing and self._outgoing[0][0] <= now:
            data += self._outgoing.popleft()[1]
        return data

    def hear(self, data: bytes, now: float) -> None:
        """Take what the host has sent at `now` [s], byte by byte at the line's speed."""
        silence_s = now - self._line_free_s
        if silence_s > SILENCE_S:
            self._decoder.flush()
        if self.faults.swallow_s and silence_s >= self.faults.swallow_s:
            self._asleep = True
        at = max(now, self._line_free_s)
        self._line_free_s = at + len(data) * self._byte_s
        self._heard += len(data)
        if self.faults.echo:
            self._hand_over(data, self._line_free_s)
        if self.faults.baudrate not in (0, self.baudrate):
            return  # at another speed no byte is what it was
        if self._decoder.idle and self._side.framing.is_frame(data):
            self._obey(data, self._line_free_s)  # one whole frame, as nearly always
            return
        for byte in data:
            at += self._byte_s
            for frame in self._decoder.feed(bytes([byte])):
                self._obey(frame, at)

    def step(self, now: float) -> None:
        """Bring the servos up to `now` [s]."""
        self.servos.step(self._forwards(now))

    def forget(self) -> None:
        """Drop what is on its way to the host: the cable was pulled."""
        self._outgoing.clear()

    def traffic(self) -> Traffic:
        """What has gone over the line."""
        return Traffic(self._requests, self._replies, self._heard, self._said)

    def _obey(self, frame: bytes, at: float) -> None:
        self._requests += 1
        if self._asleep:
            self._asleep = False
            return
        if self.faults.carry(frame) != frame:
            return  # a servo takes no notice of a frame with a wrong sum
        try:
            reply = self._side.answer(frame, self._forwards(at), self.faults)
        except FrameError:
            return
        arrived = self.faults.carry(reply) if reply is not None else None
        if arrived is None:
            return
        begin = max(at, self._line_free_s) + self._reply_delay_s
        self._line_free_s = begin + len(arrived) * self._byte_s
        self._replies += 1
        self._hand_over(arrived, self._line_free_s + self.faults.lateness_s())

    def _hand_over(self, data: bytes, at: float) -> None:
        """Let `data` be due at `at` [s], after everything before it: an adapter keeps the order."""
        if not data:
            return
        self._said += len(data)
        self._handed_s = max(self._handed_s, at) if self._outgoing else at
        self._outgoing.append((self._handed_s, data))

    def _forwards(self, at: float) -> float:
        """Servo time: a request is obeyed as of its last byte, a moment ahead of the clock; time never runs back."""
        self._servo_s = max(self._servo_s, at)
        return self._servo_s
