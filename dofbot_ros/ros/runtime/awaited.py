"""Conditions that coroutine callbacks wait for, while the executor's only thread goes on with other callbacks."""

from __future__ import annotations

from collections.abc import Callable

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from rclpy.task import Future


class AwaitedConditions:
    """What is waited for; `look` is called after whatever may have changed it, in the executor's thread.

    A callback that awaits needs a callback group that lets others run meanwhile: a ReentrantCallbackGroup, say. On a
    single-threaded executor its callbacks still take turns, and change hands at `await` alone.

    Args:
        node: whose executor waits.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._group = ReentrantCallbackGroup()
        self._clock = Clock(clock_type=ClockType.STEADY_TIME)
        self._awaited: dict[Future[bool], Callable[[], bool]] = {}

    async def until(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Return whether `condition()` came to hold within `timeout_s` [s]."""
        if condition():
            return True
        future: Future[bool] = Future()
        late = self._node.create_timer(timeout_s, lambda: _settle(future, False), self._group, self._clock)
        self._awaited[future] = condition
        try:
            return bool(await future)
        finally:
            del self._awaited[future]
            self._node.destroy_timer(late)

    def look(self) -> None:
        """Let those go on whose condition holds by now."""
        for future, condition in list(self._awaited.items()):
            if condition():
                _settle(future, True)


def _settle(future: Future[bool], holds: bool) -> None:
    if not future.done():
        future.set_result(holds)
