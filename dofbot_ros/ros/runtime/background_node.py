"""A node inside a program: with a ROS context, an executor and a thread of its own."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import TypeVar

import rclpy
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

from dofbot_ros.core.dds import configure_dds
from dofbot_ros.ros.runtime.lean_node import LeanNode

Me = TypeVar("Me", bound="BackgroundNode")


class BackgroundNode:
    """Takes part in ROS from here to close(); callbacks run in its thread once spin() was called.

    Args:
        name: of the node.
        namespace: of the node.

    Attributes:
        node: for subscriptions, publishers and services.
        failure: what a callback raised and ended the thread with.
    """

    def __init__(self, name: str, namespace: str = "") -> None:
        warnings = configure_dds()
        self._context = Context()
        rclpy.init(args=[], context=self._context)
        self.node = LeanNode(name, namespace=namespace, context=self._context)
        for warning in warnings:
            self.node.get_logger().warning(warning)
        self.failure: BaseException | None = None
        self._closing = False
        self._awake = threading.Event()
        self._awake.set()
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._spin, name=name, daemon=True)

    def __enter__(self: Me) -> Me:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def spin(self) -> None:
        """Let callbacks run from now on."""
        self._thread.start()

    def listen(self, on: bool) -> None:
        """Let callbacks run, or let them wait: messages that come meanwhile cost next to nothing, and all but the
        newest are forgotten."""
        if on:
            self._awake.set()
        else:
            self._awake.clear()

    def check(self) -> None:
        """Raise what a callback raised and ended the thread with."""
        if self.failure is not None:
            raise self.failure

    def close(self) -> None:
        """Leave ROS; no callback runs any more. May be called twice."""
        if self._context.ok():
            self._closing = True
            self._awake.set()
            self._executor.shutdown()
            if self._thread.ident is not None:
                self._thread.join()
            self.node.destroy_node()
            self._context.try_shutdown()

    def _spin(self) -> None:
        try:
            while self._context.ok() and not self._closing:  # as Executor.spin()
                self._executor.spin_once()
                self._awake.wait()
        except ExternalShutdownException:
            return
        except BaseException as error:
            self.failure = error
