"""Which page commands the arm: one at a time; the others watch until it hands over, or leaves."""

from __future__ import annotations

from dataclasses import dataclass

from dofbot_ros.core.clock import Clock
from dofbot_ros.errors import CommandRefusedError


@dataclass
class Page:
    """An open page.

    Attributes:
        number: 1, 2, ... in the order of coming.
        heard_s: when it said something last [s].
        asks: whether its operator asked to be handed control.
    """

    number: int
    heard_s: float
    asks: bool = False


class Operators:
    """Control of the arm among pages.

    Args:
        clock: by which pages are heard.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pages: dict[int, Page] = {}
        self._count = 0
        self.commander: int | None = None
        """Number of the page that has control; None where nobody has."""

    def join(self) -> int:
        """A page opens; the only one gets control at once. Returns its number."""
        self._count += 1
        self._pages[self._count] = Page(self._count, self._clock.now())
        if len(self._pages) == 1:
            self.commander = self._count
        return self._count

    def leave(self, page: int) -> bool:
        """A page is gone; its control is free then. Returns whether it had control."""
        self._pages.pop(page, None)
        had = self.commander == page
        if had:
            self.commander = None
        return had

    def heard(self, page: int) -> None:
        """A page said something."""
        self._pages[page].heard_s = self._clock.now()

    def silent_s(self) -> float:
        """How long the page that has control has said nothing [s]; 0 where nobody has control."""
        return self._clock.now() - self._pages[self.commander].heard_s if self.commander is not None else 0.0

    def ask(self, page: int) -> None:
        """A watching operator takes control that is free, or asks to be handed it."""
        if self.commander is None:
            self.commander = page
        self._pages[page].asks = self.commander != page

    def hand_over(self, page: int, to: int) -> None:
        """Hand control from `page` to the page `to`.

        Raises:
            CommandRefusedError: `page` has no control, or `to` is not open.
        """
        self.require(page)
        if to not in self._pages:
            raise CommandRefusedError(f"operator {to} has left; there {self._names()}")
        self.commander = to
        self._pages[to].asks = False
        self._pages[to].heard_s = self._clock.now()

    def require(self, page: int) -> None:
        """Return where `page` has control.

        Raises:
            CommandRefusedError: it has not, and who has.
        """
        if self.commander is None:
            raise CommandRefusedError("nobody has control: take it first")
        if self.commander != page:
            raise CommandRefusedError(f"operator {self.commander} has control, you are watching: ask to be handed it")

    def asking(self) -> list[int]:
        """Numbers of the pages whose operators ask for control."""
        return [page.number for page in self._pages.values() if page.asks]

    @property
    def pages(self) -> list[int]:
        """Numbers of all open pages."""
        return list(self._pages)

    def _names(self) -> str:
        numbers = ", ".join(map(str, self._pages))
        return f"is operator {numbers}" if len(self._pages) == 1 else f"are operators {numbers}"
