"""How far a long measurement is and when it will be done: a bar at a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Generic, TypeVar

from rich.progress import BarColumn, Progress, TextColumn

from dofbot_ros.core.console import console

Work = TypeVar("Work")
LINE_S = 30.0
"""Where nobody watches a bar, a line is written so often [s]."""


class Eta(Generic[Work]):
    """Works out the time that is left from what each piece of work was expected to take, and took.

    Args:
        title: of the whole.
        costs: what is to be done, and about how long each takes [s].
        done: pieces that were done before.
        clock: tells the time [s].
        say: writes a line; by default on stderr, when that is no terminal.
    """

    def __init__(
        self,
        title: str,
        costs: Mapping[Work, float],
        done: int = 0,
        clock: Callable[[], float] = time.monotonic,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self._title, self._costs, self._clock = title, dict(costs), clock
        self._all, self._done = done + len(costs), done
        self._spent = 0.0
        self._begin_s = clock()
        self._next_line_s = self._begin_s + LINE_S
        self._name, self._violations = "", 0
        self._say = say or (None if console.is_terminal else lambda line: console.print(line, highlight=False))
        columns = (TextColumn("{task.description}", markup=False), BarColumn())
        self._bar = Progress(*columns, console=console, transient=True, disable=self._say is not None)
        self._task = self._bar.add_task(self._line(), total=sum(costs.values()))

    def __enter__(self) -> Eta[Work]:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def begin(self, work: Work) -> None:
        """A piece of work that is worth a name has begun."""
        self._name = str(work)
        self._show()

    def advance(self, work: Work, violations: int) -> None:
        """A piece of work is done; so many `violations` were found in all."""
        self._spent += self._costs.pop(work)
        self._done += 1
        self._violations, self._name = violations, ""
        self._show()

    @property
    def left_s(self) -> float | None:
        """Time until all is done [s]; None before anything is."""
        if self._spent == 0.0:
            return None
        return sum(self._costs.values()) * (self._clock() - self._begin_s) / self._spent

    def _show(self) -> None:
        self._bar.update(self._task, completed=self._spent, description=self._line())
        if self._say is not None and self._clock() >= self._next_line_s:
            self._next_line_s = self._clock() + LINE_S
            self._say(self._line())

    def _line(self) -> str:
        left_s = self.left_s
        eta = "" if left_s is None else f", {left_s / 60:.0f} min left" if left_s > 90 else f", {left_s:.0f} s left"
        name = f", {self._name}" if self._name else ""
        return f"{self._title}: {self._done} of {self._all}, {self._violations} violations{eta}{name}"
