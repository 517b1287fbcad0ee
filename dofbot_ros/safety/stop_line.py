"""The stop line: a local socket by which an arm's node is stopped, and found, without ROS.

The node of each arm holds one address of this machine: its ROS domain and namespace. Who sends it a stop needs no more
than Python's own library, and no discovery. An address has one owner, so a second node for the same arm is refused.
The kernel frees the address however its owner ends (unix(7), abstract sockets; Linux only).
"""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass

from dofbot_ros.errors import DofbotError, InputError
from dofbot_ros.safety.stop_sender import ANSWER_S, MOST_BYTES, STOP, WHO, abstract_name, exchange, running

MOST_REASON = 500
"""Of the reason in an answer [characters]."""


@dataclass(frozen=True)
class Address:
    """Which arm: its ROS domain, and its namespace without slashes at both ends."""

    domain: int
    namespace: str = ""

    def __str__(self) -> str:
        place = f", namespace /{self.namespace}" if self.namespace else ""
        return f"ROS domain {self.domain}{place}"

    @property
    def name(self) -> str:
        """Of the abstract socket, with the NUL that makes it one."""
        return abstract_name(self.domain, self.namespace)


@dataclass(frozen=True)
class Owner:
    """Who answers at an address.

    Attributes:
        node: name of the arm's node.
        pid: its process.
        state: of the arm, as ArmState says it; "" where the node does not tell.
        reason: for that state, "" where there is none.
    """

    node: str
    pid: int
    state: str = ""
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.node} (process {self.pid})"


class StopLine:
    """An arm's end of the line, from here to close().

    Args:
        address: of the arm.
        node: name of the arm's node.
        estop: called in this object's thread for every stop that comes.
        state: state of the arm and the reason for it, for whoever asks.

    Raises:
        DofbotError: another node commands the arm of this address.
    """

    def __init__(
        self,
        address: Address,
        node: str,
        estop: Callable[[], object],
        state: Callable[[], tuple[str, str]] = lambda: ("", ""),
    ) -> None:
        self._node, self._estop, self._state = node, estop, state
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            self._socket.bind(address.name)
        except OSError as error:
            self._socket.close()
            owner = ask(address, WHO)
            raise DofbotError(
                f"{owner or 'another node'} commands an arm in {address} already: end it, or give this one "
                "another namespace:= or ROS_DOMAIN_ID"
            ) from error
        self._thread = threading.Thread(target=self._serve, name="stop line", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Give the address up; may be called twice."""
        if self._thread.is_alive():
            self._socket.shutdown(socket.SHUT_RDWR)
            self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                message, sender = self._socket.recvfrom(MOST_BYTES)
            except OSError:
                return
            if not message and not sender:
                return  # closed
            if message == STOP:
                self._estop()
            if sender:
                state, reason = self._state()
                word = {"node": self._node, "pid": os.getpid(), "state": state, "reason": reason[:MOST_REASON]}
                try:
                    self._socket.sendto(json.dumps(word).encode(), socket.MSG_DONTWAIT, sender)
                except OSError:
                    continue  # whoever asked is gone; the stop stands


def ask(address: Address, message: bytes, timeout_s: float = ANSWER_S) -> Owner | None:
    """Send STOP or WHO to the node of an arm.

    Returns:
        Who has answered, and in answer to STOP has stopped; None where nobody does within `timeout_s` [s].
    """
    answer = exchange(address.domain, address.namespace, message, timeout_s)
    try:
        told = json.loads(answer or b"")
        return Owner(str(told["node"]), int(told["pid"]), str(told["state"]), str(told["reason"]))
    except (ValueError, KeyError, TypeError):
        return None


def addresses() -> list[Address]:
    """Of all arms that run on this machine, in order."""
    return [Address(*arm) for arm in running()]


def ros_domain() -> int:
    """ROS_DOMAIN_ID of this process, 0 where it is not set.

    Raises:
        InputError: it is no number.
    """
    text = os.environ.get("ROS_DOMAIN_ID") or "0"
    if not text.isdecimal():
        raise InputError(f"ROS_DOMAIN_ID={text} is no whole number")
    return int(text)
