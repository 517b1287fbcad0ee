"""How every node process starts, waits, and ends: DDS profile, executor, signals, readiness, exit code."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

import rclpy
from rclpy.executors import Executor, ExternalShutdownException, MultiThreadedExecutor, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from dofbot_ros.core.dds import configure_dds
from dofbot_ros.errors import DofbotError
from dofbot_ros.extras import missing_package
from dofbot_ros.ros.runtime.output import STDERR, nonblocking_output
from dofbot_ros.ros.runtime.parameters import check_given
from dofbot_ros.ros.runtime.service_manager import READY, notify

ARM_THREADS = 4
"""Threads for the callbacks of an arm's node: its emergency stop, its torque, its commands, and everything else."""
NO_LOG_FILE = ("--ros-args", "--disable-external-lib-logs")
"""rclpy writes log files with the interpreter lock held: a disk that hangs would block the whole node."""
CLOSE_LIMIT_S = 30
"""A node that has not come to rest this long after it was told to end is killed [s]."""


class ShutdownSignal:
    """Keeps the process alive until somebody says stop; a failure becomes its exit code.

    The main thread reads from a pipe, into which Python writes as soon as a signal arrives (signal.set_wakeup_fd). It
    does not wait for a lock: a signal that arrives just before such a wait, or in another thread, would not end it, and
    a handler that takes the lock while the main thread holds it would hang.
    """

    def __init__(self) -> None:
        self._ended = False
        self._failure: BaseException | None = None
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._wake, False)

    def obey(self, *numbers: signal.Signals) -> None:
        """Stop upon these signals; called in the main thread, which alone handles them."""
        for number in numbers:
            signal.signal(number, lambda *_: self.stop())
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)

    def stop(self) -> None:
        """End the process in good order; for any thread, and for the handler of a signal."""
        self._ended = True
        with suppress(BlockingIOError):  # the pipe is full, so wait() returns anyway
            os.write(self._wake, b"\0")

    def fail(self, error: BaseException) -> None:
        """End the process because of `error`; the first one counts."""
        self._failure = self._failure or error
        self.stop()

    @property
    def ended(self) -> bool:
        """Whether the process is to end."""
        return self._ended

    def wait(self) -> None:
        """Return when stopped.

        Raises:
            BaseException: the failure, if there was one.
        """
        while not self._ended:
            os.read(self._woken, 1)
        if self._failure is not None:
            raise self._failure


class ManagedNode(Protocol):
    """A node with something to put in order before the process ends."""

    @property
    def node(self) -> Node:
        """Added to the executor, and destroyed after close()."""
        ...

    def close(self) -> None:
        """Stop threads, bring the arm to rest, let go of devices. ROS still works meanwhile."""
        ...


def run(
    make: Callable[[ShutdownSignal], ManagedNode],
    args: Sequence[str] | None = None,
    threads: int = 1,
    *,
    pictures: bool = True,
) -> int:
    """Run one node until SIGINT or SIGTERM.

    Its output does not block, and it writes no log file of its own: log lines go to standard error, which `ros2 launch`
    keeps in files, and to /rosout.

    rclpy's own handlers would shut ROS down under the node's feet; these let it come to rest first (on_exit).

    Args:
        make: makes the node.
        args: of the command line; None for this process's.
        threads: in which callbacks run: a node whose services take long needs more than one.
        pictures: whether it sends pictures; see configure_dds().

    Returns:
        Exit code: 0 stopped by a signal, 1 failed (with one line on stderr).
    """
    if os.isatty(STDERR):  # which rclpy cannot see behind the pipe
        os.environ.setdefault("RCUTILS_COLORIZED_OUTPUT", "1")
    with nonblocking_output():
        return _run(make, args, threads, pictures=pictures)


def _run(
    make: Callable[[ShutdownSignal], ManagedNode], args: Sequence[str] | None, threads: int, *, pictures: bool
) -> int:
    lifeline = ShutdownSignal()
    lifeline.obey(signal.SIGINT, signal.SIGTERM)
    managed: ManagedNode | None = None
    executor: Executor | None = None
    try:
        warnings = configure_dds(pictures=pictures)
        words = list(sys.argv if args is None else args)
        rclpy.init(args=[*words, *NO_LOG_FILE], signal_handler_options=SignalHandlerOptions.NO)
        managed = make(lifeline)
        check_given(managed.node)
        for warning in warnings:
            managed.node.get_logger().warning(warning)
        executor = SingleThreadedExecutor() if threads == 1 else MultiThreadedExecutor(threads)
        executor.add_node(managed.node)
        spinner = threading.Thread(target=_spin, args=(executor, lifeline), name="executor", daemon=True)
        spinner.start()
        # A full garbage collection takes 30 ms and more, longer than a control period: exempt what exists by now.
        gc.freeze()
        notify(READY)
        managed.node.get_logger().info("ready")
        lifeline.wait()
    except DofbotError as error:
        sys.stderr.write(f"{managed.node.get_name() if managed else 'dofbot_ros'}: {error}\n")
        return 1
    except ModuleNotFoundError as error:
        missing = missing_package(error, "this node")
        if missing is None:
            raise
        sys.stderr.write(f"dofbot_ros: {missing}\n")
        return 1
    finally:
        # From here SIGINT is old news, SIGTERM means at once, and the alarm sees to it that there is an end.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.alarm(CLOSE_LIMIT_S)
        if managed is not None:
            managed.close()
        if executor is not None:
            executor.shutdown()
            spinner.join()
        if managed is not None:
            managed.node.destroy_node()
        rclpy.try_shutdown()
        gc.unfreeze()  # nanobind (ruckig) reports objects that are not collected at exit as leaks
    return 0


def _spin(executor: Executor, lifeline: ShutdownSignal) -> None:
    try:
        executor.spin()
    except ExternalShutdownException:
        lifeline.stop()
    except BaseException as error:
        lifeline.fail(error)
