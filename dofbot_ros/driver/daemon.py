"""The daemon that owns the arm: a control cycle reads, decides and writes; other threads give it commands."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress

import numpy as np

from dofbot_ros.arm.backend import ArmReading
from dofbot_ros.core.rate import Rate
from dofbot_ros.core.types import FloatArray
from dofbot_ros.driver.arm_core import CLOSING
from dofbot_ros.driver.motion_commands import MotionCommands
from dofbot_ros.driver.motion_events import EndCode
from dofbot_ros.driver.snapshot import Snapshot
from dofbot_ros.errors import BusError, CommandRefusedError, PortError

READ_SHARE = 0.65
"""Share of a control period after which no further servo is read, so that a slow bus does not delay the goals."""
PAUSED_S, PAUSED_PERIODS = 0.2, 5
"""When the loop stood still for longer than both, the arm counts as having come to rest by itself."""
REPEATS = 3
"""How often the last goals of a stop are sent: a lost one would leave the joint on its way to an older goal."""

log = logging.getLogger(__name__)


class ArmDaemon(MotionCommands):
    """Owns a backend. One thread calls `step()` once a control period; any thread may give commands.

    Every command but estop raises CommandRefusedError, with the reason, when the arm cannot carry it out.
    """

    # -- the loop ----------------------------------------------------------------------------------------------------

    def run(self, stop: Callable[[], bool], after_cycle: Callable[[Snapshot, Rate], None]) -> None:
        """Step at the control rate until `stop()`, then shut down as on_exit says.

        An exception of `after_cycle`, like one in the cycle itself, is a fault of the arm: it brakes and holds, and the
        loop goes on.
        """
        rate = Rate(self._clock, self.config.control_rate_hz)
        try:
            while not stop():
                snapshot = self.step()
                try:
                    after_cycle(snapshot, rate)
                except Exception as error:
                    self._crashed(error)
                rate.wait()
        finally:
            self.shutdown()

    def step(self) -> Snapshot:
        """One control cycle."""
        with self._bus:
            now = self._clock.now()
            try:
                with self._lock:
                    self._note_estop(now)
                if not self._link.connected:
                    self._connect(now)
                else:
                    self._cycle(now)
            except PortError as error:
                with self._lock:
                    self._motion.give_up(EndCode.DISCONNECTED, str(error))
                    self._authority.release(now)
                    self._torque = False
                    self._link.lose(str(error))
            except Exception as error:
                self._crashed(error)
            self._cycle_s = now
            with self._lock:
                self._snapshot = self._describe(self._clock.now(), self._motion.log.take())
            return self._snapshot

    def _cycle(self, now: float) -> None:
        reading = self._link.poll(now + READ_SHARE * self._motion.period_s, self._must_brake)
        if reading is None:
            return
        with self._lock:
            now = self._clock.now()
            self._note_estop(now)
            self._note_pause(now)
            if not self._fault:
                error = self._motion.adherence.error if self._torque else None
                self._fault = self._monitor.judge(reading, error, now)
                if self._fault:
                    self._authority.release(now)
            if not self._torque:
                return
            stopped = self._estop.reason or self._fault
            # Between a clear and the return of its cause a command may have come: it must not begin later.
            if stopped and (not self._stopped or self._motion.source is not None):
                self._motion.halt(EndCode.ESTOP if self._estop.reason else EndCode.FAULT, stopped)
            self._stopped = bool(stopped)
            if self._motion.halting:
                self._motion.fall_back(self._link.underway() - self._trim.offset)
            self._repeat = REPEATS if self._motion.braking else max(0, self._repeat - 1)
            self._motion.settling = self._trim.busy
            governed = self._motion.brake(reading, now) if stopped else self._motion.decide(reading, now)
            if self._motion.source is not None:
                self._authority.renew(now)
            else:
                self._authority.settle(now)
            move_time_s = self._motion.move_time_s(now)
            goal = self._trimmed(governed.position, reading)
        if self._clock.now() - now > PAUSED_S:
            return  # decided before this computer stood still: the arm rests since, as the next cycle will find
        self._link.write(goal, move_time_s, self._repeat > 0)

    def _trimmed(self, position: FloatArray, reading: ArmReading) -> FloatArray:
        """Goals that bring the joints to `position` [rad] (6,) in spite of the sag that gravity causes."""
        if self._stopped:
            # What was stopped must not move, not even to where it was told to be.
            self._trim.pause()
        else:
            fresh = reading.fresh & (reading.silent_s == 0.0)
            lagging, under_way = self._motion.adherence.lagging, self._motion.source is not None
            self._trim.update(position, reading.position, fresh, lagging, under_way=under_way)
        offset = self._trim.offset
        if not offset.any():
            return position
        # Never past a limit, unless the joint is there already.
        low, high = np.minimum(self.limits.lower, position), np.maximum(self.limits.upper, position)
        return np.clip(position + offset, low, high)

    def _must_brake(self) -> bool:
        """Whether an emergency stop has been requested and the arm does not rest yet."""
        trip = self._estop.current
        return trip is not None and self._torque and (trip is not self._seen_trip or not self._motion.at_rest)

    def _note_estop(self, now: float) -> None:
        trip = self._estop.current
        if trip is not self._seen_trip:
            self._seen_trip = trip
            if trip is not None:
                self._motion.stop(EndCode.ESTOP, trip.reason, now)
                self._authority.release(now)

    def _note_pause(self, now: float) -> None:
        stood_still_s = now - self._cycle_s
        if self._torque and stood_still_s > max(PAUSED_S, PAUSED_PERIODS * self._motion.period_s):
            self._motion.paused(
                f"this computer stood still for {stood_still_s:.1f} s", now, self._link.underway() - self._trim.offset
            )
            self._authority.release(now)

    def _connect(self, now: float) -> None:
        reading = self._link.connect()
        if reading is None:
            return
        with self._lock:
            self._fault = ""
            self._torque = self._freedrive = False
            self._monitor.reset()
            self._take_speed()
            self._motion.start(reading.position, now)
            self._trim.start()

    def _crashed(self, error: Exception) -> None:
        """Handle an exception of the program itself: brake, hold, report it as a fault, and go on with the loop."""
        reason = f"internal error, {type(error).__name__}: {error}"
        with self._lock:
            new, self._crash = reason != self._crash, reason
            self._fault = reason
            self._motion.give_up(EndCode.FAULT, reason)
            self._authority.release(self._clock.now())
        if new:
            self._log_crash(error)

    def _log_crash(self, error: Exception) -> None:
        """By a thread: a terminal that was stopped (Ctrl-S) holds up whoever writes to it, and must not hold this loop.

        What fails while the last line still waits is not logged; its reason is in the snapshot all the same.
        """
        if self._logging is not None and self._logging.is_alive():
            return
        words = ("the control loop failed; the arm brakes and holds",)
        self._logging = threading.Thread(
            target=log.error, args=words, kwargs={"exc_info": error}, name="crash-log", daemon=True
        )
        with suppress(RuntimeError):  # no thread can be started
            self._logging.start()

    # -- torque, stops and faults ------------------------------------------------------------------------------------

    def set_torque(self, enabled: bool) -> None:
        """Switch the servos on, holding the present pose, or off. Switching off is sent in every state."""
        with self._bus:
            if not self._link.connected:
                raise CommandRefusedError(f"the arm is not connected: {self._link.offline}")
            if enabled:
                self._hold()
            else:
                self._let_go()

    def _hold(self) -> None:
        if self._estop.tripped or self._fault:
            raise CommandRefusedError(f"not while {self._state().value}: {self._estop.reason or self._fault}")
        reading = self._link.reading
        if (
            self._torque
            and reading is not None
            and set(reading.torque) in ({True}, {None})
            and not reading.silent_s.any()
        ):
            return
        try:
            self._link.torque(True)
        except PortError:
            raise
        except BusError as error:
            raise CommandRefusedError(str(error)) from error
        with self._lock:
            now = self._clock.now()
            # Not where the servos are read: one that holds a load rests beside its goal.
            self._motion.start(self._link.underway(), now)
            self._trim.start()
            self._monitor.reset()
            self._authority.release(now)
            self._torque, self._freedrive, self._cycle_s = True, False, now

    def _let_go(self) -> None:
        with self._lock:
            now = self._clock.now()
            self._motion.stop(EndCode.TORQUE_CHANGED, "torque switched off", now)
            self._authority.release(now)
            self._torque = self._freedrive = False
        try:
            self._link.torque(False)
        except PortError:
            raise
        except BusError as error:
            raise CommandRefusedError(str(error)) from error

    def freedrive(self, enabled: bool) -> None:
        """Switch the servos off so that the arm can be moved by hand, or on again where it has been moved to."""
        with self._bus:
            self.set_torque(not enabled)
            self._freedrive = enabled

    def reset_estop(self) -> None:
        """End the emergency stop. Nothing moves by itself; a stream that still runs has to be engaged again."""
        trip = self._estop.current
        if trip is None:
            raise CommandRefusedError("there is no emergency stop to reset")
        with self._lock:
            now = self._clock.now()
            self._note_estop(now)
            self._authority.release(now)
            self._motion.soften(now)
            self._estop.reset(trip)

    def clear_fault(self) -> None:
        """Clear the fault; it is raised again when its cause persists. The arm holds its pose and starts softly.

        The pose that it holds is the commanded one, since the readings may be what is faulty.
        """
        with self._lock:
            if not self._fault:
                raise CommandRefusedError("there is no fault to clear")
            now = self._clock.now()
            self._fault = self._crash = ""
            self._monitor.reset()
            self._authority.release(now)
            self._motion.soften(now)

    def shutdown(self) -> None:
        """Brake, hold, park or release as on_exit says, and close the port. Called once, by the thread of the loop."""
        self._closing = True
        try:
            if self._link.connected and self._torque:
                self.stop()
                self._step_until(lambda: self._motion.at_rest, 2.0)
                if self.config.on_exit == "park" and not (self._estop.tripped or self._fault):
                    self.park(CLOSING)
                    self._step_until(lambda: self._motion.source is None, 15.0)
                if self.config.on_exit != "hold" and not self._crash:
                    self.set_torque(False)
        except (BusError, CommandRefusedError) as error:
            self._link.last_bus_error = str(error)
        finally:
            self._link.close()
            self._snapshot = self._describe(self._clock.now())

    def _step_until(self, done: Callable[[], bool], at_most_s: float) -> None:
        rate = Rate(self._clock, self.config.control_rate_hz)
        deadline = self._clock.now() + at_most_s
        while not done() and self._link.connected and self._clock.now() < deadline:
            self.step()
            rate.wait()
