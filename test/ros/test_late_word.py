"""What is asked of a node that has not heard yet what others know of the arm already."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from std_msgs.msg import String

from dofbot_ros.driver.motion_events import Event, MotionEvent
from dofbot_ros.errors import CommandRefusedError, DofbotError
from dofbot_ros.ros.clients import arm_listener
from dofbot_ros.ros.clients.arm_client import ArmClient, background_client
from dofbot_ros.ros.runtime.background_node import BackgroundNode
from dofbot_ros.ros.runtime.qos import EVENTS, LATCHED

from .conftest import SOON_S

NAMESPACE = "late"


class Word:
    """What an arm says, said when the test wants it: a driver of our own cannot be made to speak late."""

    def __init__(self, node: BackgroundNode) -> None:
        self._states = node.node.create_publisher(String, "state", LATCHED)
        self._events = node.node.create_publisher(String, "motion_events", EVENTS)
        self.while_waiting: Callable[[], None] = lambda: None

    def state(self, name: str) -> None:
        self._states.publish(String(data=name))

    def stopped(self) -> None:
        self._events.publish(String(data=MotionEvent(Event.STOPPED).to_json()))

    @property
    def events_heard(self) -> bool:
        return self._events.get_subscription_count() > 0

    def check(self) -> None:
        """Called by the client now and then while it waits, for nothing else."""
        self.while_waiting()


@pytest.fixture
def word() -> Iterator[Word]:
    with BackgroundNode("voice", NAMESPACE) as voice:
        yield Word(voice)


@pytest.fixture
def client(word: Word) -> Iterator[ArmClient]:
    with background_client(ArmClient, namespace=NAMESPACE, check=word.check) as client:
        word.state("IDLE")
        client.wait_until(lambda: client.state == "IDLE", SOON_S, "first state")
        client.wait_until(lambda: word.events_heard, SOON_S, "events")
        yield client


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Word may come as late as a busy machine makes it."""
    monkeypatch.setattr(arm_listener, "LATE_S", SOON_S)


@pytest.mark.usefixtures("patient")
def test_torque_that_came_on_just_now_is_waited_for(word: Word, client: ArmClient) -> None:
    word.while_waiting = lambda: word.state("HOLD")
    client.require_ready()


def test_an_arm_that_stays_without_torque_is_refused(client: ArmClient) -> None:
    with pytest.raises(DofbotError, match="the arm's state is IDLE: call enable_torque first"):
        client.require_ready()


@pytest.mark.usefixtures("patient")
def test_a_stop_ends_the_waiting(word: Word, client: ArmClient) -> None:
    def stop_and_go_on() -> None:
        word.while_waiting = lambda: None
        word.stopped()
        client.wait_until(lambda: client.stops > 0, SOON_S, "stop")
        word.state("HOLD")

    word.while_waiting = stop_and_go_on
    with pytest.raises(CommandRefusedError, match="stopped"):
        client.require_ready()
