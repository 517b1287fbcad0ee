"""Who may command the arm: a lease that one commander holds, taken over by a higher rank only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from dofbot_ros.errors import CommandRefusedError


class Rank(IntEnum):
    """Commanders by precedence; the emergency stop stands above all of them."""

    SCRIPT = 1
    POLICY = 2
    TELEOP = 3
    OPERATOR = 4


@dataclass(frozen=True)
class Commander:
    """A source of commands: its name as messages show it, its rank, and what tells it from others of that name."""

    name: str
    rank: Rank = Rank.OPERATOR
    key: bytes = b""


CYCLES_S = 0.2
"""A lease outlasts the control cycle in which it was renewed, also a slow one [s]."""
LOCAL = Commander("this program", Rank.OPERATOR)
"""A program that calls the daemon directly, without ROS between them."""


class Authority:
    """Grants the arm to one commander at a time.

    The one that holds the lease keeps it while its motion runs, or while its stream comes. A commander of a higher rank
    takes over. A stream that was stopped, or taken over from, is refused until it has paused for `pause_s`: whoever
    kept sending has to engage anew.

    Args:
        pause_s: silence that lets a stopped stream begin again [s].
    """

    def __init__(self, pause_s: float) -> None:
        self._pause_s = pause_s
        self._holder: Commander | None = None
        self._until_s = -float("inf")
        self._streaming: dict[Commander, float] = {}
        self._stopped: dict[Commander, float] = {}
        self.handover = ""
        """The last take-over in words, "" before the first."""
        self.handovers = 0

    def holder(self, now_s: float) -> Commander | None:
        """The commander that holds the lease at `now_s`, None for a free arm."""
        return self._holder if now_s <= self._until_s else None

    def admit(self, who: Commander, now_s: float, stream: bool = False) -> bool:
        """Let `who` command from now on.

        Returns:
            Whether the arm was taken over from another commander.

        Raises:
            CommandRefusedError: another commander of the same or a higher rank holds the arm, or `who` keeps sending a
                stream that was stopped.
        """
        self.check(who, now_s, stream)
        holder = self.holder(now_s)
        taken = holder is not None and holder != who
        if holder is not None and taken:
            self._stop_stream(holder, now_s)
            self.handover = f"{who.name} ({who.rank.name.lower()}) takes over from {holder.name}"
            self.handovers += 1
        self._holder = who
        self._until_s = now_s + CYCLES_S
        if stream:
            self._streaming[who] = now_s
        return taken

    def check(self, who: Commander, now_s: float, stream: bool = False) -> None:
        """Whether admit() would let `who` command, without handing it the arm.

        Raises:
            CommandRefusedError: as admit().
        """
        if stream:
            self._check_stopped(who, now_s)
        holder = self.holder(now_s)
        if holder is not None and holder != who:
            self._check_rank(who, holder)

    def refused(self, who: Commander, now_s: float) -> None:
        """A point of a stream came that the arm cannot follow now: the stream does not begin by itself later on."""
        self._streaming.pop(who, None)
        self._stopped[who] = now_s

    def renew(self, now_s: float) -> None:
        """The holder's motion is under way at `now_s`: its lease goes on to the next time this is said."""
        self._until_s = max(self._until_s, now_s + CYCLES_S)

    def settle(self, now_s: float) -> None:
        """No motion is under way, nor a stream: the arm is free."""
        self._until_s = min(self._until_s, now_s)

    def release(self, now_s: float) -> None:
        """Everything was stopped: nobody holds the arm, and streams that run have to be engaged anew."""
        self._stopped = {who: last_s for who, last_s in self._stopped.items() if now_s - last_s <= self._pause_s}
        for who, last_s in list(self._streaming.items()):
            if now_s - last_s <= self._pause_s:
                self._stop_stream(who, now_s)
        self._holder, self._until_s = None, -float("inf")
        self._streaming.clear()

    def _check_stopped(self, who: Commander, now_s: float) -> None:
        last_s = self._stopped.get(who)
        if last_s is None:
            return
        if now_s - last_s <= self._pause_s:
            self._stopped[who] = now_s
            raise CommandRefusedError(
                f"the stream of {who.name} was stopped: pause it for {self._pause_s:g} s to engage it anew"
            )
        del self._stopped[who]

    def _stop_stream(self, who: Commander, now_s: float) -> None:
        if self._streaming.pop(who, None) is not None:
            self._stopped[who] = now_s

    @staticmethod
    def _check_rank(who: Commander, holder: Commander) -> None:
        if who.rank <= holder.rank:
            raise CommandRefusedError(
                f"{holder.name} ({holder.rank.name.lower()}) commands the arm; "
                f"{who.name} ({who.rank.name.lower()}) may not take it over"
            )
