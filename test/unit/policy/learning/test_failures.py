"""A network that answers nonsense, or does not answer at all: the arm holds, and the run ends with one line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, save

from dofbot_ros.errors import InputError
from dofbot_ros.policy.interface.action_mapper import PERIOD_S
from dofbot_ros.policy.interface.spec import MODEL, PolicySpec
from dofbot_ros.policy.runtime.controller import PolicyController
from dofbot_ros.policy.runtime.episode_runner import EpisodeRunner, HaltCommand, Phase
from dofbot_ros.policy.runtime.policy_runner import PolicyRunner

GOAL = (0.20, -0.06, 0.09)


def write(straight_policy: Any, folder: Path, operator: str, shape: tuple[int, ...] = (1, 3)) -> Path:
    """A reach policy whose action is `operator` of the scaled goal, which is 0 before a run has one."""
    straight_policy(folder, "reach")
    number = TensorProto.FLOAT
    nodes = [
        helper.make_node("Expand", ["desired_goal", "shape"], ["goal"]),
        helper.make_node(operator, ["goal"], ["action"]),
    ]
    graph = helper.make_graph(
        nodes,
        "nonsense",
        [helper.make_tensor_value_info("desired_goal", number, [1, 3])],
        [helper.make_tensor_value_info("action", number, shape)],
        [helper.make_tensor("shape", TensorProto.INT64, [len(shape)], shape)],
    )
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(folder / MODEL))
    return folder


class Failing:
    """Acts for some periods, then does what it was made with."""

    def __init__(self, spec: PolicySpec, periods: int, last: Any) -> None:
        self.spec, self._left, self._last = spec, periods, last

    def act(self, observation: Mapping[str, Any]) -> NDArray[np.float32]:
        self._left -= 1
        if self._left >= 0:
            return np.zeros(3, np.float32)
        if isinstance(self._last, Exception):
            raise self._last
        return np.asarray(self._last, np.float32)


def run(controller: PolicyController) -> tuple[EpisodeRunner, list[Any]]:
    """Let an arm that stands at the ready pose be driven until the run ends."""
    session, now_s, orders = EpisodeRunner(controller), 0.0, []
    controller.joints(controller.ready_pose(), now_s)
    session.start(now_s, "HOLD", GOAL)
    while session.phase is not Phase.IDLE and now_s < 5.0:
        controller.joints(controller.ready_pose(), now_s)
        order = session.cycle(now_s, "HOLD")
        orders += [] if order is None else [order]
        now_s += PERIOD_S
    return session, orders


def test_a_network_that_answers_nan_ends_the_run(straight_policy: Any, tmp_path: Path) -> None:
    controller = PolicyController(PolicyRunner(write(straight_policy, tmp_path / "p", "Sqrt")))

    session, orders = run(controller)

    assert session.ended.startswith("the policy failed: the network answers numbers that are not finite")
    assert "\n" not in session.ended
    assert orders[-1] == HaltCommand()
    assert session.reached == 0


@pytest.mark.parametrize(
    ("last", "says"),
    [
        ([np.nan, 0.0, 0.0], "an action that is not finite"),
        ([0.0, np.inf, 0.0], "an action that is not finite"),
        ([0.0, 0.0], r"gives \(2,\) numbers where its spec says 3"),
        ([[0.0, 0.0, 0.0]], r"gives \(1, 3\) numbers where its spec says 3"),
        (0.0, r"gives \(\) numbers"),
        (RuntimeError("out of\nmemory"), "out of memory"),
        (ValueError(), "ValueError"),
    ],
)
def test_whatever_goes_wrong_on_the_way_the_arm_holds(straight_policy: Any, last: Any, says: str) -> None:
    controller = PolicyController(Failing(straight_policy.spec("reach"), 6, last))

    session, orders = run(controller)

    assert re.search(f"^the policy failed: .*{says}", session.ended), session.ended
    assert "\n" not in session.ended
    assert orders[-1] == HaltCommand()
    assert all(np.isfinite(order.position).all() for order in orders[:-1])


def test_actions_beyond_one_count_as_one(straight_policy: Any) -> None:
    steps = []
    for action in (1.0, 1e30):
        controller = PolicyController(Failing(straight_policy.spec("reach"), 1, [action, 0.0, 0.0]))
        controller.joints(controller.ready_pose(), 0.0)
        controller.start(0.0, GOAL)
        steps.append(controller.step(0.0).command)

    np.testing.assert_array_equal(steps[0], steps[1])


@pytest.mark.parametrize(
    ("operator", "shape", "says"),
    [
        ("Reciprocal", (1, 3), "not finite"),
        ("Sqrt", (3, 3), r"answers \(3, 3\) where its spec says \(1, 3\)"),
        ("Sqrt", (1, 1, 3), r"answers \(1, 1, 3\) where its spec says \(1, 3\)"),
    ],
)
def test_what_is_wrong_from_the_start_is_refused_before_anything_moves(
    straight_policy: Any, tmp_path: Path, operator: str, shape: tuple[int, ...], says: str
) -> None:
    with pytest.raises(InputError, match=says):
        PolicyController(PolicyRunner(write(straight_policy, tmp_path / "p", operator, shape)))


def test_tensors_in_other_files_are_not_followed(straight_policy: Any, tmp_path: Path) -> None:
    import onnx

    folder = straight_policy(tmp_path / "p")
    model = onnx.load(str(folder / MODEL))
    (tmp_path / "secret").write_bytes(bytes(1024))
    for tensor in model.graph.initializer:
        if tensor.name == "mixing":
            tensor.ClearField("float_data")
            tensor.data_location = TensorProto.EXTERNAL
            tensor.external_data.add(key="location", value="../secret")
    (folder / MODEL).write_bytes(model.SerializeToString())

    with pytest.raises(InputError, match=r"policy\.onnx is no policy"):
        PolicyRunner(folder)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x08\x08" + b"\xff" * 100, b"\x80\x04."])
def test_what_is_no_model_is_one_line(straight_policy: Any, tmp_path: Path, content: bytes) -> None:
    folder = straight_policy(tmp_path / "p")
    (folder / MODEL).write_bytes(content)

    with pytest.raises(InputError, match=r"policy\.onnx is no policy") as caught:
        PolicyRunner(folder)
    assert "\n" not in str(caught.value)
