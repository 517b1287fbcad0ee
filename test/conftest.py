"""For all tests: no property is about how long a busy machine takes; Ctrl-C works; long files come first."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

os.environ.setdefault("HYPOTHESIS_NO_PLUGINS", "1")  # one of them imports trio, in each process of tests
from hypothesis import Phase, settings

sys.path.append(str(Path(__file__).resolve().parents[1] / "tools"))
import interfaces

if TYPE_CHECKING:
    from dofbot_ros.policy.interface.spec import PolicySpec

settings.register_profile("untimed", deadline=None)
settings.register_profile(
    "derandomized", deadline=None, derandomize=True, max_examples=50, phases=(Phase.explicit, Phase.generate)
)
"""For figures that are the same each time (tools/mutation.py): a failure counts, its simplest example does not."""
settings.load_profile("untimed")

# control_msgs and tf2_msgs, where `make interfaces` has built them; tests that need them skip without.
interfaces.activate()

# Tests run in several processes: more threads in each would only wait for one another. numpy and torch read it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# In a shell script's background SIGINT is ignored; processes that tests start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    """Unit tests yield to arms in the processes beside them."""
    worker = getattr(config, "workerinput", {}).get("workerid")
    if worker is not None:
        from spreading import ARM_WORKERS, NICENESS

        if worker not in ARM_WORKERS:
            os.nice(NICENESS)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    """Without the garbage collector: it would look through all modules and tests again and again as they come.

    What is there when all are collected stays to the end, and is not looked through any more.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """How `pytest -n N` spreads the tests, where pytest-xdist is installed."""
    from spreading import ArmScheduling

    return ArmScheduling(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where tests are spread over processes, long files come first: the last process to end has a short one."""
    if not hasattr(config, "workerinput"):
        return
    from spreading import turn

    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (turn(item.nodeid.split("::")[0]), item.path not in slow))


class StraightPolicy:
    """Makes policies that need no training: the tool goes straight for the goal, as ONNX with its spec."""

    GAIN = 1.2
    """Actions a goal unit of 0.1 m: a tenth of what is missing in a period, which bears a late arm."""

    def __call__(self, folder: Path, task: str = "reach") -> Path:
        """Write one into `folder`; a block is gone for with fingers that close."""
        from onnx import TensorProto, checker, helper, save

        from dofbot_ros.config.loader import save_yaml
        from dofbot_ros.policy.interface.spec import MODEL, SPEC

        spec = self.spec(task)
        size = sum(entry.size for entry in spec.observation)
        given = [("achieved_goal", spec.goal_size), ("desired_goal", spec.goal_size), ("observation", size)]
        number, actions = TensorProto.FLOAT, len(spec.action)
        mixing = [
            self.GAIN * (row == column) if spec.goal_size == 3 else float(column == 4)
            for row in range(spec.goal_size)
            for column in range(actions)
        ]
        nodes = [
            helper.make_node("Sub", ["desired_goal", "achieved_goal"], ["missing"]),
            helper.make_node("MatMul", ["missing", "mixing"], ["wanted"]),
            helper.make_node("Clip", ["wanted", "low", "high"], ["action"]),
        ]
        graph = helper.make_graph(
            nodes,
            "straight",
            [helper.make_tensor_value_info(name, number, [1, n]) for name, n in given],
            [helper.make_tensor_value_info("action", number, [1, actions])],
            [
                helper.make_tensor("mixing", number, [spec.goal_size, actions], mixing),
                helper.make_tensor("low", number, [], [-1.0]),
                helper.make_tensor("high", number, [], [1.0]),
            ],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        checker.check_model(model)
        folder.mkdir(parents=True, exist_ok=True)
        save(model, str(folder / MODEL))
        save_yaml(spec, folder / SPEC)
        return folder

    @staticmethod
    def spec(task: str = "reach", control: str = "tool") -> PolicySpec:
        """The spec that goes with `task`."""
        from dofbot_ros.policy.env.tasks import TASKS
        from dofbot_ros.policy.interface.action_mapper import PERIOD_S
        from dofbot_ros.policy.interface.observation import CLIP, StateLayout
        from dofbot_ros.policy.interface.spec import PolicySpec, action_entries, goal_entry, joint_limits

        does = TASKS[task]
        return PolicySpec(
            task=task,
            obs="state",
            control=control,
            frame="base_link",
            observation=StateLayout(does.block).entries,
            goal=goal_entry(),
            goal_size=does.goal_size,
            clip=CLIP,
            inputs=("achieved_goal", "desired_goal", "observation"),
            image_size=0,
            stack=0,
            action=action_entries(control, does.actions if control == "tool" else 6 if does.block else 5),
            period_s=PERIOD_S,
            limits=joint_limits(),
            training={"algorithm": "none"},
        )


@pytest.fixture(scope="session")
def straight_policy() -> StraightPolicy:
    """Writes an untrained policy that nevertheless reaches."""
    return StraightPolicy()
