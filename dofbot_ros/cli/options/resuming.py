"""Commands that write down what they have seen, and go on with it after Ctrl-C or a fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dofbot_ros.core.console import console
from dofbot_ros.errors import DofbotError


@contextmanager
def resumable(record: Path, begun: Callable[[], bool]) -> Iterator[None]:
    """Say how to go on, where the context ends by Ctrl-C or an error.

    Args:
        record: file of what was seen.
        begun: whether there is anything in it.
    """
    try:
        yield
    except (KeyboardInterrupt, DofbotError):
        if begun():
            console.print(
                f"{record} holds what was seen: the same command with --resume goes on", highlight=False, soft_wrap=True
            )
        raise
