"""What is asked of a node that has not heard yet what others know of the arm already."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from rclpy.callback_groups import ReentrantCallbackGroup
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64, String
from std_srvs.srv import SetBool, Trigger
from trajectory_msgs.msg import JointTrajectory

from dofbot_ros.arm.model import load_model
from dofbot_ros.driver.motion_events import EndCode, Event, MotionEvent
from dofbot_ros.errors import CommandRefusedError, DofbotError
from dofbot_ros.ros.clients import arm_client, arm_listener
from dofbot_ros.ros.clients.arm_client import ArmClient, background_client
from dofbot_ros.ros.clients.arm_listener import ArmListener
from dofbot_ros.ros.clients.arm_sender import UNHEARD
from dofbot_ros.ros.conversions.messages import joint_state, to_time
from dofbot_ros.ros.runtime.background_node import BackgroundNode
from dofbot_ros.ros.runtime.qos import COMMANDS, EVENTS, LATCHED, STREAM
from dofbot_ros.supervisor import Command, ProcessGroup
from dofbot_ros.teleop.retargeting.clutch import Reason

from .conftest import READY_S, SOON_S

NAMESPACE = "late"


class Word:
    """What an arm says, said when the test wants it: a driver of our own cannot be made to speak late."""

    def __init__(self, node: BackgroundNode) -> None:
        self._states = node.node.create_publisher(String, "state", LATCHED)
        self._descriptions = node.node.create_publisher(String, "robot_description", LATCHED)
        self._events = node.node.create_publisher(String, "motion_events", EVENTS)
        self._joints = node.node.create_publisher(JointState, "joint_states", STREAM)
        self._node = node
        self.gaps: list[float] = []
        self.while_waiting: Callable[[], None] = lambda: None

    def state(self, name: str) -> None:
        self._states.publish(String(data=name))

    def describe(self) -> None:
        """As the shipped arm."""
        self._descriptions.publish(String(data=load_model().urdf))

    def hear(self) -> None:
        """Subscribe to commands; the gripper's are obeyed at once."""
        for kind, name in ((JointTrajectory, "joint_trajectory"), (JointTrajectory, "joint_stream")):
            self._node.node.create_subscription(kind, f"command/{name}", lambda _: None, COMMANDS)
        self._node.node.create_subscription(Float64, "command/gripper", self._on_gripper, COMMANDS)
        self._node.spin()

    def _on_gripper(self, message: Float64) -> None:
        self.gaps.append(message.data)
        began = MotionEvent(Event.BEGAN, len(self.gaps), "gripper")
        for event in (began, replace(began, event=Event.ENDED, code=EndCode.ARRIVED)):
            self._events.publish(String(data=event.to_json()))

    def stopped(self) -> None:
        self._events.publish(String(data=MotionEvent(Event.STOPPED).to_json()))

    @contextmanager
    def joints(self) -> Iterator[None]:
        """Joint states now and then: an arm that says nothing is not there."""
        ended = threading.Event()

        def tell() -> None:
            while not ended.wait(0.05):
                stamp = to_time(time.time())
                self._joints.publish(joint_state(stamp, np.zeros(6), np.zeros(6)))

        thread = threading.Thread(target=tell)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

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


def test_a_command_waits_for_an_arm_that_is_heard_before_it_hears(word: Word, client: ArmClient) -> None:
    """What is published before the driver's subscription is known is lost: the driver would never answer."""

    def hear_and_go_on() -> None:
        word.while_waiting = lambda: None
        word.hear()

    word.while_waiting = hear_and_go_on
    with word.joints():
        client.wait_until(lambda: bool(np.isfinite(client.position).all()), SOON_S, "joint states")
        assert not client.present
        assert client.silence == UNHEARD
        assert not client.gripper(0.03)
        assert client.silence == ""
    assert word.gaps == [0.03]


def test_nothing_is_sent_to_an_arm_that_does_not_hear(client: ArmClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arm_client, "FIRST_HEARD_S", 0.1)
    with pytest.raises(DofbotError, match="does not subscribe to commands"):
        client.gripper(0.03)


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


class Asked:
    """A node with one thread whose service waits for late word, as those of teleop_node and policy_node do."""

    def __init__(self, node: BackgroundNode) -> None:
        self.node = node.node
        self.listener = ArmListener(self.node)
        self.waiting = threading.Event()
        group = ReentrantCallbackGroup()
        self.node.create_service(Trigger, "begin", self._on_begin, callback_group=group)
        self.node.create_service(Trigger, "other", self._on_other)

    async def _on_begin(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self.waiting.set()
        try:
            await self.listener.late_word(lambda: self.listener.state == "HOLD")
        except CommandRefusedError as error:
            response.message = str(error)
            return response
        response.success, response.message = self.listener.state == "HOLD", self.listener.state
        return response

    def _on_other(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.success = True
        return response


@pytest.fixture
def asked(word: Word) -> Iterator[Asked]:
    with BackgroundNode("asked", NAMESPACE) as node:
        asked = Asked(node)
        node.spin()
        word.state("IDLE")
        asked.listener.wait_until(lambda: asked.listener.state == "IDLE", SOON_S, "first state")
        asked.listener.wait_until(lambda: word.events_heard, SOON_S, "events")
        yield asked


@pytest.fixture
def begun(client: ArmClient, asked: Asked) -> Iterator[Future[str]]:
    """The answer to somebody who asked the node to begin, and whom it lets wait."""
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(client.trigger, "begin", 2 * SOON_S)
        assert asked.waiting.wait(SOON_S)
        yield answer


@pytest.mark.usefixtures("patient")
def test_a_service_of_a_node_with_one_thread_hears_late_word(word: Word, client: ArmClient, begun: Future[str]) -> None:
    client.trigger("other")
    assert not begun.done(), "the node goes on meanwhile"
    word.state("HOLD")
    assert begun.result(SOON_S) == "HOLD"


@pytest.mark.usefixtures("patient")
def test_a_stop_ends_the_waiting_of_a_service(word: Word, asked: Asked, begun: Future[str]) -> None:
    word.stopped()
    asked.listener.wait_until(lambda: asked.listener.stops > 0, SOON_S, "stop")
    word.state("HOLD")
    with pytest.raises(CommandRefusedError, match="stopped"):
        begun.result(SOON_S)


def test_a_service_refuses_when_no_word_comes(begun: Future[str]) -> None:
    with pytest.raises(CommandRefusedError, match="IDLE"):
        begun.result(SOON_S)


TELEOP = """
from dofbot_ros.ros.clients import arm_listener
from dofbot_ros.ros.nodes.teleop_node import main
arm_listener.LATE_S = 60.0
main()
"""


def test_teleop_node_waits_for_late_word_and_may_be_released_meanwhile(word: Word, client: ArmClient) -> None:
    """An arm that was in FAULT; what it says then comes late."""
    arguments = ("--ros-args", "-r", f"__ns:=/{NAMESPACE}", "-p", "source:=joy")
    word.hear()
    word.describe()
    told: list[str] = []
    client.node.create_subscription(String, "teleop/status", client.notify_after(lambda m: told.append(m.data)), 10)

    engaging = client.node.create_client(SetBool, "teleop/engage")

    def ask(engage: bool) -> Any:
        """Requests of one client keep their order; those from two threads need not."""
        answer = engaging.call_async(SetBool.Request(data=engage))
        answer.add_done_callback(client.notify_after(lambda _: None))
        return answer

    def answered(answer: Any) -> SetBool.Response:
        client.wait_until(answer.done, SOON_S, "answer")
        return answer.result()

    def engage() -> Any:
        """Ask to engage an arm in FAULT; the node goes on while the answer waits."""
        word.state("FAULT")
        client.wait_until(lambda: '"arm": "FAULT"' in "".join(told[-1:]), SOON_S, "node that knows of the fault")
        answer = ask(True)
        with pytest.raises(CommandRefusedError, match="not engaged"):
            client.trigger("teleop/recenter")
        assert not answer.done()
        return answer

    command = Command("teleop_node", (sys.executable, "-c", TELEOP, *arguments))
    with ProcessGroup([command]) as group, word.joints():
        group.wait_ready(READY_S)
        assert engaging.wait_for_service(SOON_S)
        waiting = engage()
        assert answered(ask(False)).success
        word.state("HOLD")
        assert answered(waiting).message == Reason.RELEASED.value
        waiting = engage()
        word.state("HOLD")
        heard = answered(waiting)
    assert not heard.success
    assert Reason.ARM_NOT_READY.value not in heard.message, "what is left is that nobody steers"
