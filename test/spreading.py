"""How tests are spread over processes (pytest-xdist)."""

from __future__ import annotations

from xdist.scheduler.loadfile import LoadFileScheduling
from xdist.workermanage import WorkerController

ARMS = ("ros", "integration", "contract")
"""Folders of tests that start arms and wait for them."""

COMPUTE = (
    "integration/test_cli.py",
    "integration/test_colcon.py",
    "integration/test_grasp_cli.py",
    "integration/test_light_install.py",
    "integration/test_localize_cli.py",
    "integration/test_ray.py",
    "integration/test_teleop_footage.py",
)
"""Files there that are not judged in real time: they compute or install, and go with the unit tests."""

LONGEST = (
    "ros/test_calibrate_all.py",
    "ros/test_demo.py",
    "ros/test_arm_command.py",
    "ros/test_arm_contract.py",
    "ros/test_quickstarts.py",
    "ros/test_teleop.py",
    "integration/test_teleop_cli.py",
    "ros/test_record.py",
    "ros/test_network.py",
    "ros/test_examples.py",
    "ros/test_policy_node.py",
    "ros/test_calibrated_arm.py",
    "integration/test_fault_processes.py",
    "ros/test_trials_run.py",
    "ros/test_arm_lifecycle.py",
    "ros/test_grasp_node.py",
    "ros/test_console.py",
    "unit/bench/test_fault_matrix.py",
    "integration/test_grasp_cli.py",
    "integration/test_light_install.py",
    "integration/test_teleop_footage.py",
)
"""Files that take longest, those that start arms first: what is begun last has to be short, or processes wait for it.
`pytest --durations=0` tells."""

ARM_WORKERS = ("gw0", "gw1")
"""Workers that run tests which start arms, by xdist's names for them. More at once would take one another's time: arms
are judged in real time. The other workers compute unit tests, at a lower priority: nodes that wake find a free core."""

NICENESS = 10


def starts_arms(path: str) -> bool:
    """Whether a file of tests, as pytest names it from the checkout's root, starts arms that run in real time."""
    _, place = path.split("/", 1)
    return place.split("/")[0] in ARMS and place not in COMPUTE


def turn(path: str) -> int:
    """When a file of tests is begun, before those with a higher number; a path from the checkout's root, as above."""
    place = path.split("/", 1)[1]
    return LONGEST.index(place) if place in LONGEST else len(LONGEST)


class ArmScheduling(LoadFileScheduling):  # type: ignore[misc]
    """ARM_WORKERS run the tests that start arms, and then unit tests; the others run unit tests alone.

    All go by files, so that the fixtures of a file are made once.
    """

    def _assign_work_unit(self, node: WorkerController) -> None:
        arms = node.gateway.id in ARM_WORKERS
        fitting = next((scope for scope in self.workqueue if starts_arms(scope) == arms), None)
        if fitting is not None:
            self.workqueue.move_to_end(fitting, last=False)
        super()._assign_work_unit(node)

    def _reschedule(self, node: WorkerController) -> None:
        if node.gateway.id not in ARM_WORKERS and all(starts_arms(scope) for scope in self.workqueue):
            if not node.shutting_down:
                node.shutdown()
            return
        super()._reschedule(node)
