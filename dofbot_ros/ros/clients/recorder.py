"""Takes the messages of an episode off the wire, as bytes: nothing is decoded on the way to the file."""

from __future__ import annotations

import importlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rclpy.parameter import parameter_value_to_python
from rclpy.parameter_client import AsyncParameterClient
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from dofbot_ros.errors import DofbotError, InputError, UsageError, one_of
from dofbot_ros.record import require_mcap
from dofbot_ros.record.steady import ClockStep, SteadyUnixTime
from dofbot_ros.record.topics import JOINT_STATES, Delivery, Topic
from dofbot_ros.ros.runtime.background_node import BackgroundNode
from dofbot_ros.ros.runtime.graph import NAMELESS
from dofbot_ros.ros.runtime.qos import LATCHED

ANSWER_S = 5.0
POLL_S = 0.05
EVERY_ONE = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=200, reliability=ReliabilityPolicy.RELIABLE)
"""Deep enough for seconds in which the recorder does not get to run."""
IMAGES = 5
"""As many images may wait: each is a megabyte."""
DELIVERIES: dict[Delivery, QoSProfile] = {"stream": EVERY_ONE, "latched": LATCHED}

Sink = Callable[[str, str, bytes, int, int], None]
"""Full topic name, type name, CDR bytes, received and sent [ns]: EpisodeWriter.write."""

OnStep = Callable[[ClockStep], None]
"""EpisodeWriter.note."""


@dataclass(frozen=True)
class Arrival:
    """How a topic comes in: messages so far, their present rate [1/s], and the age of the last one [s]."""

    count: int
    rate_hz: float
    age_s: float


class RecordNode(BackgroundNode):
    """A node of its own within the namespace of the arm.

    Args:
        topics: what to record; topics without publishers are subscribed to all the same, if their type is known.
        namespace: of the arm.
    """

    def __init__(self, topics: Sequence[Topic], namespace: str = "") -> None:
        super().__init__("record_node", namespace)
        self._topics = topics
        self._arrivals: dict[str, deque[float]] = {topic.name: deque(maxlen=100) for topic in topics}
        self._counts = dict.fromkeys(self._arrivals, 0)
        self.spin()

    def wait_for_publishers(self, timeout_s: float) -> None:
        """Return when at least one of the topics has a publisher, and all whose type is not known have one.

        Raises:
            DofbotError: not within `timeout_s` [s].
        """
        deadline = time.monotonic() + timeout_s
        while True:
            published = self._published()
            unknown = [t.name for t in self._topics if not t.type_name and self._full_name(t) not in published]
            if not unknown and any(self._full_name(t) in published for t in self._topics):
                return
            if time.monotonic() > deadline:
                break
            time.sleep(POLL_S)
        if unknown and published:
            raise UsageError(one_of("topic", unknown[0], sorted(published)))
        raise DofbotError(
            f"nobody publishes {self.node.resolve_topic_name(unknown[0] if unknown else JOINT_STATES)}: "
            "is the arm running (dofbot up sim), in this namespace and ROS_DOMAIN_ID?"
        )

    def publishers(self) -> dict[str, list[str]]:
        """Topic, by its name as given -> names of the nodes that publish it; what nobody publishes is left out."""
        named = {
            topic.name: sorted(
                "a node whose name is not known yet"
                if info.node_name == NAMELESS
                else f"{info.node_namespace.rstrip('/')}/{info.node_name}"
                for info in self.node.get_publishers_info_by_topic(self._full_name(topic))
            )
            for topic in self._topics
        }
        return {topic: nodes for topic, nodes in named.items() if nodes}

    def arm_parameters(self) -> dict[str, Any]:
        """Name and parameters of the arm's node; empty when none answers."""
        name = self._arm_node()
        if name is None:
            return {}
        client = AsyncParameterClient(self.node, name)
        if not client.wait_for_services(ANSWER_S):
            return {}
        listed: Any = self._answer(client.list_parameters())
        parameters = [] if listed is None else list(listed.result.names)
        values: Any = self._answer(client.get_parameters(parameters))
        if values is None:
            return {}
        pairs = zip(parameters, values.values, strict=True)
        return {"node": name, **{key: parameter_value_to_python(value) for key, value in pairs}}

    def start(self, sink: Sink, on_step: OnStep, clock: SteadyUnixTime | None = None) -> None:
        """Give every message that comes from now on to `sink`, in this node's thread.

        Args:
            sink: takes the messages.
            on_step: told whenever the system clock was set.
            clock: stamps the arrivals; by default it begins with the system clock's time.

        Raises:
            InputError: the messages of a topic are of a type that is not installed.
        """
        clock = clock or SteadyUnixTime()
        for topic in self._topics:
            type_name = topic.type_name or self._published()[self._full_name(topic)]
            message_class = _message_class(type_name)
            delivery = DELIVERIES.get(topic.delivery)
            if delivery is None:
                depth = IMAGES if topic.delivery == "image" else EVERY_ONE.depth
                delivery = self._offered(self._full_name(topic), depth)
            callback = self._taking(topic, type_name, sink, on_step, clock)
            self.node.create_subscription(message_class, topic.name, callback, delivery, raw=True)

    def arrivals(self) -> dict[str, Arrival]:
        """How each topic that has come in at all does, by its name as given.

        Raises:
            DofbotError: the sink failed; with its reason.
        """
        if self.failure is not None:
            raise self.failure
        now = time.monotonic()
        result = {}
        for name, count in list(self._counts.items()):
            times = list(self._arrivals[name])
            if times:
                span = times[-1] - times[0]
                result[name] = Arrival(count, (len(times) - 1) / span if span > 0 else 0.0, now - times[-1])
        return result

    def _taking(
        self, topic: Topic, type_name: str, sink: Sink, on_step: OnStep, clock: SteadyUnixTime
    ) -> Callable[[bytes, Any], None]:
        full_name, times = self._full_name(topic), self._arrivals[topic.name]
        period_s = 1.0 / topic.max_hz if topic.max_hz else 0.0
        due_s = -float("inf")

        def on_message(cdr: bytes, info: Any) -> None:
            nonlocal due_s
            now = time.monotonic()
            if now < due_s:
                return
            # A period of slack keeps the mean rate although messages come late, or at no multiple of that rate.
            due_s = max(due_s, now - period_s) + period_s
            step = clock.step()
            if step is not None:
                on_step(step)
            sink(full_name, type_name, cdr, clock.now_ns(), info["source_timestamp"])
            times.append(now)
            self._counts[topic.name] += 1

        return on_message

    def _published(self) -> dict[str, str]:
        """Type name by full topic name, of all topics that somebody publishes."""
        topics = self.node.get_topic_names_and_types()
        return {name: types[0] for name, types in topics if self.node.count_publishers(name)}

    def _arm_node(self) -> str | None:
        """Who publishes joint_states; names become known a moment later than topics."""
        deadline = time.monotonic() + ANSWER_S
        while time.monotonic() < deadline:
            for info in self.node.get_publishers_info_by_topic(self.node.resolve_topic_name(JOINT_STATES)):
                if info.node_name != NAMELESS:
                    return f"{info.node_namespace.rstrip('/')}/{info.node_name}"
            time.sleep(POLL_S)
        return None

    def _full_name(self, topic: Topic) -> str:
        return str(self.node.resolve_topic_name(topic.name))

    def _offered(self, full_name: str, depth: int) -> QoSProfile:
        """What every publisher of the topic can serve; best effort where there is none yet."""
        offers = [info.qos_profile for info in self.node.get_publishers_info_by_topic(full_name)]
        reliable = bool(offers) and all(offer.reliability == ReliabilityPolicy.RELIABLE for offer in offers)
        latched = bool(offers) and all(offer.durability == DurabilityPolicy.TRANSIENT_LOCAL for offer in offers)
        return QoSProfile(
            history=HistoryPolicy.KEEP_LAST,
            depth=depth,
            reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
            durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
        )

    @staticmethod
    def _answer(future: Any) -> Any:
        done = threading.Event()
        future.add_done_callback(lambda _: done.set())
        return future.result() if done.wait(ANSWER_S) else None


@contextmanager
def recorded(folder: Path, label: str, image_hz: float = 10.0) -> Iterator[Path]:
    """Record what the arm of this ROS domain does, as an episode that is kept.

    Args:
        folder: gets the file.
        label: what is done; part of the file's name.
        image_hz: at most so many camera images [1/s].

    Yields:
        The file; what is in it is complete once the context has ended.

    Raises:
        DofbotError: no arm is there, or the file cannot be written.
    """
    require_mcap()
    from dofbot_ros.record.episode import EpisodeWriter
    from dofbot_ros.record.metadata import EpisodeInfo, Outcome
    from dofbot_ros.record.topics import default_topics

    with RecordNode(default_topics(image_hz)) as node:
        node.wait_for_publishers(ANSWER_S)
        writer = EpisodeWriter(folder, EpisodeInfo(time.time(), label, config={"arm": node.arm_parameters()}))
        begun = time.monotonic()
        try:
            node.start(writer.write, writer.note)
            yield writer.path
        finally:
            node.close()
            writer.finish(Outcome(None, time.monotonic() - begun))


def _message_class(type_name: str) -> Any:
    package, _, name = type_name.split("/")
    try:
        return getattr(importlib.import_module(f"{package}.msg"), name)
    except (ImportError, AttributeError) as error:
        raise InputError(f"messages of type {type_name} cannot be recorded: {package} is not installed here") from error
