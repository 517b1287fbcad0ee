"""Six servos on a pseudo serial port: real bytes at the line's real speed, moves that take their time, and faults.

The line is half duplex: host and servo share its time, counted by the byte. A reply is handed to the host when its last
byte is through, as a USB adapter does it. The servos answer to whoever holds `lock`; the emulator's thread does so
whenever it touches them, so a program that shares them (a simulated world, a test) takes it too.
"""

from __future__ import annotations

import heapq
import select
import threading
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from dofbot_ros.core.clock import Clock, MonotonicClock
from dofbot_ros.core.realtime import realtime
from dofbot_ros.errors import FrameError
from dofbot_ros.hardware.faults import FaultPlan
from dofbot_ros.hardware.framing import FrameDecoder
from dofbot_ros.hardware.protocol import ProtocolName
from dofbot_ros.hardware.pseudo_port import PseudoPort
from dofbot_ros.hardware.servo_side import servo_side
from dofbot_ros.hardware.servos import ModelServos, ServoBank

BITS_PER_BYTE = 10
"""8N1: a start bit, eight data bits, a stop bit."""
STEP_S = 0.005
"""How often servos that nobody asks move on."""
SILENCE_S = 0.005
"""A gap longer than this ends whatever frame was under way."""


@dataclass(frozen=True)
class Traffic:
    """Counters since the emulator was made."""

    requests: int = 0
    replies: int = 0
    bytes_heard: int = 0
    bytes_said: int = 0


class Emulator:
    """Serves a port from a thread of its own, from start() or `with` to close().

    Args:
        servos: what is behind the line; six stand-alone models when None.
        protocol: "bus" or "se".
        baudrate: [1/s].
        faults: what goes wrong; change its fields at any time.
        link: symbolic link to the port, so that its name survives unplug() and plug_in().
        reply_delay_s: from the end of a request to the start of the reply [s].
        first: serve before ordinary threads where that is permitted: real servos wait for no computer.
        clock: paces the line and the servos; it has to run at the speed of the machine's clock.
    """

    def __init__(
        self,
        servos: ServoBank | None = None,
        protocol: ProtocolName = "bus",
        baudrate: int = 115200,
        *,
        faults: FaultPlan | None = None,
        link: Path | None = None,
        reply_delay_s: float = 100e-6,
        first: bool = False,
        clock: Clock | None = None,
    ) -> None:
        self.lock = threading.RLock()
        """Hold it to touch the servos."""
        self.faults = faults or FaultPlan()
        self._clock = clock or MonotonicClock()
        self.servos: ServoBank = servos or ModelServos(now=self._clock.now())
        self._side = servo_side(protocol, self.servos)
        self._decoder = FrameDecoder(self._side.framing)
        self._baudrate = baudrate
        self._byte_s = BITS_PER_BYTE / baudrate
        self._link = link
        self._reply_delay_s = reply_delay_s
        self._first = first
        self._line_free_s = self._servo_s = self._step_due_s = self._clock.now()
        self._outgoing: list[tuple[float, int, bytes]] = []
        self._requests = self._replies = self._heard = self._said = 0
        self._port: PseudoPort | None = PseudoPort(baudrate, link)
        self.port = self._port.name
        """Path to open."""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="servo-emulator", daemon=True)

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def close(self) -> None:
        """Stop serving and remove the port; may be called twice."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self.unplug()

    def __enter__(self) -> Emulator:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def unplug(self) -> None:
        """Pull the cable; the servos stay powered and hold."""
        with self.lock:
            if self._port is not None:
                self._port.close()
            self._port = None
            self._outgoing.clear()

    def plug_in(self) -> None:
        """Put the cable back. Without a link the port may get another name."""
        with self.lock:
            if self._port is None:
                self._port = PseudoPort(self._baudrate, self._link)
                self.port = self._port.name

    def traffic(self) -> Traffic:
        """What has gone over the line."""
        with self.lock:
            return Traffic(self._requests, self._replies, self._heard, self._said)

    def _serve(self) -> None:
        with realtime() if self._first else nullcontext():
            self._serve_until_closed()

    def _serve_until_closed(self) -> None:
        while not self._stopping.is_set():
            with self.lock:
                port = self._port
                wait_s = self._work(self._clock.now())
            if port is None:
                self._stopping.wait(wait_s)
                continue
            try:
                readable, _, _ = select.select([port.far_end], [], [], wait_s)
            except (OSError, ValueError):
                continue  # unplugged meanwhile
            with self.lock:
                if readable and port is self._port:
                    self._hear(port, self._clock.now())

    def _work(self, now: float) -> float:
        """Hand over the replies that are due and move the servos on. Returns how long there is nothing to do [s]."""
        while self._outgoing and self._outgoing[0][0] <= now:
            _, _, data = heapq.heappop(self._outgoing)
            if self._port is not None:
                self._port.write(data)
        if now >= self._step_due_s:
            self.servos.step(self._forwards(now))
            # A world slower than its time gets half of this thread's, not all: others want to run, too.
            self._step_due_s = now + max(STEP_S, 2.0 * (self._clock.now() - now))
        wake_s = min(self._step_due_s, self._outgoing[0][0]) if self._outgoing else self._step_due_s
        return max(0.0, wake_s - self._clock.now())

    def _hear(self, port: PseudoPort, now: float) -> None:
        """Take what the host has sent, byte by byte at the line's speed."""
        data = port.read()
        if now - self._line_free_s > SILENCE_S:
            self._decoder.flush()
        at = max(now, self._line_free_s)
        self._line_free_s = at + len(data) * self._byte_s
        self._heard += len(data)
        if self.faults.echo:
            self._hand_over(data, self._line_free_s)
        for byte in data:
            at += self._byte_s
            for frame in self._decoder.feed(bytes([byte])):
                self._obey(frame, at)

    def _obey(self, frame: bytes, at: float) -> None:
        self._requests += 1
        if self.faults.carry(frame) != frame:
            return  # a servo takes no notice of a frame with a wrong sum
        try:
            reply = self._side.answer(frame, self._forwards(at), self.faults.silent)
        except FrameError:
            return
        arrived = self.faults.carry(reply) if reply is not None else None
        if arrived is None:
            return
        begin = max(at, self._line_free_s) + self._reply_delay_s + self.faults.lateness_s()
        self._line_free_s = begin + len(arrived) * self._byte_s
        self._replies += 1
        self._hand_over(arrived, self._line_free_s)

    def _hand_over(self, data: bytes, at: float) -> None:
        self._said += len(data)
        heapq.heappush(self._outgoing, (at, self._said, data))

    def _forwards(self, at: float) -> float:
        """Servo time: a request is obeyed as of its last byte, a moment ahead of the clock; time never runs back."""
        self._servo_s = max(self._servo_s, at)
        return self._servo_s
