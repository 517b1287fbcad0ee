"""Jobs in processes of their own: what is said when one of them is killed."""

from __future__ import annotations

import os
import signal

import pytest

from dofbot_ros.errors import DofbotError
from dofbot_ros.grasp.workers import parallel


def die(_: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def test_a_worker_that_is_killed_is_told_in_one_line() -> None:
    with pytest.raises(DofbotError, match="a worker process was killed"):
        next(parallel(die, [1], 1))
