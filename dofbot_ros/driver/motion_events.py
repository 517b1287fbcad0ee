"""What becomes of commands, as data: motions begin and end with a number and a code, or are refused."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from enum import Enum

from dofbot_ros.errors import InputError


class Event(Enum):
    """What happened."""

    BEGAN = "began"
    ENDED = "ended"
    REFUSED = "refused"
    """A command was not carried out; nothing has moved."""
    STOPPED = "stopped"
    """Somebody stopped everything: whoever runs a sequence of motions gives up the rest."""


class EndCode(Enum):
    """Why a motion ended. Programs decide by it; the reason beside it is for people."""

    ARRIVED = "arrived"
    STALLED = "stalled"
    """The fingers were stopped by something before they came to their gap: they hold it, or cannot get there."""
    REPLACED = "replaced"
    STOPPED = "stopped"
    ESTOP = "estop"
    FAULT = "fault"
    LIMITED = "limited"
    """The governor kept it from going on: a limit of the joints or of the workspace stood in its way."""
    STALE = "stale"
    """The stream that it followed ended, or was no number."""
    PAUSED = "paused"
    """This computer stood still, and the servos came to rest by themselves."""
    TORQUE_CHANGED = "torque_changed"
    DISCONNECTED = "disconnected"


@dataclass(frozen=True)
class MotionEvent:
    """One thing that happened to a command, or to all of them.

    Attributes:
        event: what happened.
        motion: number of the motion; arm and gripper motions are counted together, from 1 since the driver started.
            0 where there is none.
        kind: of the motion: joints, trajectory, stream, pose, twist, home, park, gripper; "" where there is none.
        commander: who commanded it; "" where that is not known.
        code: why it ended; None while it has not.
        reason: the same in words, or why the command was refused; "" for a motion that arrived.
    """

    event: Event
    motion: int = 0
    kind: str = ""
    commander: str = ""
    code: EndCode | None = None
    reason: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether the motion did what it was told to; fingers that something stopped have closed as far as they can."""
        return self.code in (EndCode.ARRIVED, EndCode.STALLED)

    def to_json(self) -> str:
        """As text."""
        code = self.code.value if self.code else None
        return json.dumps({**vars(self), "event": self.event.value, "code": code})

    @classmethod
    def from_json(cls, text: str) -> MotionEvent:
        """What to_json() wrote.

        Raises:
            InputError: it did not.
        """
        try:
            told = json.loads(text)
            code = EndCode(told["code"]) if told["code"] is not None else None
            words = {name: str(told[name]) for name in ("kind", "commander", "reason")}
            return cls(Event(told["event"]), int(told["motion"]), code=code, **words)
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
            raise InputError(f"no motion event: {text[:80]!r}") from error


class MotionLog:
    """Counts motions, and keeps what happened until somebody has taken note.

    Attributes:
        last: how the motion that ended last ended; None before the first.
    """

    def __init__(self) -> None:
        self.last: MotionEvent | None = None
        self._number = 0
        self._events: list[MotionEvent] = []

    def begin(self, kind: str, commander: str) -> MotionEvent:
        """Note that a motion begins, and number it."""
        self._number += 1
        began = MotionEvent(Event.BEGAN, self._number, kind, commander)
        self._events.append(began)
        return began

    def end(self, began: MotionEvent, code: EndCode, reason: str) -> None:
        """Note how a motion ended."""
        self.last = replace(began, event=Event.ENDED, code=code, reason=reason)
        self._events.append(self.last)

    def stop(self, reason: str) -> None:
        """Note that everything was stopped."""
        self._events.append(MotionEvent(Event.STOPPED, reason=reason))

    def take(self) -> tuple[MotionEvent, ...]:
        """What happened since the last call, in order."""
        events, self._events = tuple(self._events), []
        return events
