"""Six servos on a pseudo serial port: real bytes at the line's real speed, moves that take their time, and faults.

The line itself is servo_line.py; here it gets a thread, the machine's clock and a pty. The servos answer to whoever
holds `lock`; the emulator's thread does so whenever it touches them, so a program that shares them (a simulated world,
a test) takes it too.
"""

from __future__ import annotations

import select
import threading
from contextlib import nullcontext
from pathlib import Path
from types import TracebackType

from dofbot_ros.core.clock import Clock, MonotonicClock
from dofbot_ros.core.realtime import realtime
from dofbot_ros.hardware.emulation.faults import FaultPlan
from dofbot_ros.hardware.emulation.servos import ModelServos, ServoBank
from dofbot_ros.hardware.port.pseudo_port import PseudoPort
from dofbot_ros.hardware.port.servo_line import ServoLine, Traffic
from dofbot_ros.hardware.wire.protocol import ProtocolName

STEP_S = 0.005
"""How often servos that nobody asks move on."""
LATE_S = 50e-6
"""By so much a wait lasts longer than asked for [s]: it is asked to be shorter, so that replies come when due."""


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
        self._line = ServoLine(
            self.servos,
            protocol,
            baudrate,
            faults=self.faults,
            reply_delay_s=reply_delay_s,
            now=self._clock.now(),
        )
        self._link = link
        self._first = first
        self._step_due_s = self._clock.now()
        self._pause_s = 0.0
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
            self._line.forget()

    def plug_in(self, link: Path | None = None) -> None:
        """Put the cable back.

        Args:
            link: another name for the port from now on; the one it had when None. A port that never had a link may get
                any name.
        """
        with self.lock:
            if self._port is None:
                self._link = link or self._link
                self._port = PseudoPort(self._line.baudrate, self._link)
                self.port = self._port.name

    def traffic(self) -> Traffic:
        """What has gone over the line."""
        with self.lock:
            return self._line.traffic()

    def longest_pause(self) -> float:
        """For how long the servos stood still at most since this was asked last [s].

        A machine that is too busy, or stands still itself, keeps this program from its work: what happened meanwhile
        says nothing about the driver.
        """
        pause_s, self._pause_s = self._pause_s, 0.0
        return pause_s

    def _serve(self) -> None:
        with realtime() if self._first else nullcontext():
            self._serve_until_closed()

    def _serve_until_closed(self) -> None:
        due_s = self._clock.now()
        while not self._stopping.is_set():
            with self.lock:
                port, now = self._port, self._clock.now()
                self._pause_s = max(self._pause_s, now - due_s)
                wait_s = self._work(now)
            due_s = self._clock.now() + wait_s
            if port is None:
                self._stopping.wait(wait_s)
                continue
            try:
                readable, _, _ = select.select([port.far_end], [], [], max(0.0, wait_s - LATE_S))
            except (OSError, ValueError):
                continue  # unplugged meanwhile
            now = self._clock.now()
            with self.lock:
                if readable and port is self._port:
                    self._line.hear(port.read(), now)

    def _work(self, now: float) -> float:
        """Hand over the replies that are due and move the servos on. Returns how long there is nothing to do [s]."""
        data = self._line.take(now)
        if data and self._port is not None:
            self._port.write(data)
        if now >= self._step_due_s:
            self._line.step(now)
            # A world slower than its time gets half of this thread's, not all: others want to run, too.
            self._step_due_s = now + max(STEP_S, 2.0 * (self._clock.now() - now))
        return max(0.0, min(self._step_due_s, self._line.due_s) - self._clock.now())
