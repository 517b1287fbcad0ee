"""Whoever else commands on the same topic, a command reaches the driver."""

from __future__ import annotations

import threading

from std_msgs.msg import Float64

from dofbot_ros.ros.runtime.background_node import BackgroundNode
from dofbot_ros.ros.runtime.qos import COMMAND, COMMANDS

from .conftest import SOON_S


def test_a_command_is_not_pushed_out_by_that_of_another_node() -> None:
    heard: list[float] = []
    both, busy = threading.Event(), threading.Event()

    def on_command(message: Float64) -> None:
        busy.wait(SOON_S)  # the executor has its hands full while the others come in
        heard.append(message.data)
        if len(heard) == 4:
            both.set()

    with BackgroundNode("listener") as listener, BackgroundNode("teleop") as teleop, BackgroundNode("policy") as policy:
        listener.node.create_subscription(Float64, "queue", on_command, COMMANDS)
        publishers = [n.node.create_publisher(Float64, "queue", COMMAND) for n in (teleop, policy)]
        listener.spin()
        found = threading.Event()
        for publisher in publishers:
            while publisher.get_subscription_count() == 0 and not found.wait(0.02):
                pass
        for number in (0.0, 2.0):
            for offset, publisher in enumerate(publishers):
                publisher.publish(Float64(data=number + offset))
                assert publisher.wait_for_all_acked()
        busy.set()
        assert both.wait(SOON_S), heard
    assert sorted(heard) == [0.0, 1.0, 2.0, 3.0]
