"""A run goes from the ready pose to an end, tells the arm to brake there, and says why."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION
from dofbot_ros.arm.model import at_base_height, load_model
from dofbot_ros.arm.robot import DRAWN, Robot
from dofbot_ros.errors import CommandRefusedError, InputError
from dofbot_ros.launching import processes
from dofbot_ros.policy.interface.action_mapper import PERIOD_S
from dofbot_ros.policy.interface.compatibility import RobotCapabilities, check_compatibility, check_spec
from dofbot_ros.policy.interface.report import PolicyReport
from dofbot_ros.policy.runtime.controller import READY, ControllerConfig, PolicyController
from dofbot_ros.policy.runtime.episode_runner import (
    Command,
    EpisodeRunner,
    HaltCommand,
    MoveCommand,
    Phase,
    StreamCommand,
)
from dofbot_ros.policy.runtime.policy_runner import PolicyRunner
from dofbot_ros.stacks import find

GOAL = (0.20, 0.06, 0.09)
UPRIGHT = [0.0] * 6


class PerfectArm:
    """Does at once what it is told, and remembers its orders."""

    def __init__(self, session: EpisodeRunner) -> None:
        self.session, self.now_s, self.joints, self.state = session, 0.0, list(UPRIGHT), "HOLD"
        self.orders: list[Command] = []
        self.tell()

    def tell(self) -> None:
        self.session.controller.joints(self.joints, self.now_s)

    def live(self) -> None:
        """One period."""
        self.tell()
        order = self.session.cycle(self.now_s, self.state)
        if order is not None:
            self.orders.append(order)
        if isinstance(order, MoveCommand):
            self.joints = list(order.position)
        elif isinstance(order, StreamCommand):
            self.joints = order.position.tolist()
        self.now_s += PERIOD_S

    def live_until_idle(self) -> None:
        for _ in range(1000):
            if self.session.phase is Phase.IDLE:
                return
            self.live()
        pytest.fail("the run does not end")


@pytest.fixture
def arm(straight_policy: Any, tmp_path: Path) -> PerfectArm:
    runner = PolicyRunner(straight_policy(tmp_path / "reach"))
    return PerfectArm(EpisodeRunner(PolicyController(runner, ControllerConfig(time_limit_s=8.0))))


def test_a_run_goes_to_the_ready_pose_then_to_its_goal_and_brakes(arm: PerfectArm) -> None:
    arm.session.start(0.0, arm.state, GOAL)
    arm.live_until_idle()
    assert arm.session.ended == "goal reached"
    assert (arm.session.runs, arm.session.reached) == (1, 1)
    first, *middle, last = arm.orders
    assert isinstance(first, MoveCommand)
    assert all(isinstance(order, StreamCommand) for order in middle)
    assert isinstance(last, HaltCommand)
    fastest = max(abs(q - p) for q, p in zip(first.position, UPRIGHT, strict=True)) / first.seconds
    assert fastest <= 0.8 + 1e-9
    # The stream begins at the ready pose, so that its first velocity is none.
    follow = [order.position for order in middle if isinstance(order, StreamCommand)]
    assert follow[0] == pytest.approx(first.position)
    steps = np.abs(np.diff(follow, axis=0)).max(axis=1) / PERIOD_S
    # Points lie ahead by what braking takes, so they move up to twice as fast as the arm while it gains speed.
    assert steps[0] <= 0.33 + 0.32**2 / 16 / PERIOD_S
    assert steps.max() <= 2 * 1.6 + 1e-6


def test_an_arm_that_is_there_already_is_not_sent_again(arm: PerfectArm) -> None:
    arm.joints = arm.session.controller.ready_pose()
    arm.tell()
    arm.session.start(0.0, arm.state, GOAL)
    arm.live_until_idle()
    assert not any(isinstance(order, MoveCommand) for order in arm.orders)
    assert arm.session.ended == "goal reached"


@pytest.mark.parametrize("state", ["ESTOP", "FAULT", "DISCONNECTED", ""])
def test_an_arm_that_obeys_no_more_ends_the_run(state: str, arm: PerfectArm) -> None:
    arm.session.start(0.0, arm.state, GOAL)
    for _ in range(10):
        arm.live()
    arm.state = state
    arm.live()
    assert isinstance(arm.orders[-1], HaltCommand)
    assert arm.session.ended == (f"the arm is {state}" if state else "the arm says nothing")
    with pytest.raises(CommandRefusedError, match=arm.session.ended):
        arm.session.start(arm.now_s, arm.state, GOAL)


def test_an_arm_that_does_not_come_to_the_ready_pose_is_given_up(arm: PerfectArm) -> None:
    arm.session.start(0.0, arm.state, GOAL)
    arm.live()
    arm.joints = list(UPRIGHT)
    arm.live_until_idle()
    assert "has not come to the pose" in arm.session.ended
    assert isinstance(arm.orders[-1], HaltCommand)


def test_a_run_ends_on_the_arm_that_it_began_with(arm: PerfectArm) -> None:
    raised = Robot.calibrated(replace(DEFAULT_CALIBRATION, base_height_m=0.110))
    arm.session.start(0.0, arm.state, GOAL)
    arm.live()
    arm.session.use(raised)
    assert arm.session.controller.robot is DRAWN
    arm.session.stop("stopped")
    arm.session.use(raised)
    assert arm.session.controller.robot is raised
    ready = arm.session.controller.ready_pose()
    assert raised.kinematics.forward(ready[:5]).z == pytest.approx(READY[1], abs=1e-6)


def test_an_arm_that_does_not_reach_the_ready_pose_is_told_so(arm: PerfectArm) -> None:
    stiff = replace(DEFAULT_CALIBRATION.joint3, max_ticks=2100)
    arm.session.use(Robot.calibrated(replace(DEFAULT_CALIBRATION, joint3=stiff)))
    with pytest.raises(CommandRefusedError, match="does not reach 190 mm from joint 1 at a height of 110 mm"):
        arm.session.controller.ready_pose()


def test_a_second_start_is_refused_and_stop_says_whether_there_was_a_run(arm: PerfectArm) -> None:
    assert arm.session.stop("stopped") is None
    arm.session.start(0.0, arm.state, GOAL)
    with pytest.raises(CommandRefusedError, match="under way"):
        arm.session.start(0.0, arm.state, GOAL)
    assert arm.session.stop("stopped") == HaltCommand()
    assert arm.session.ended == "stopped"


def test_a_limp_arm_is_told_what_it_lacks(arm: PerfectArm) -> None:
    with pytest.raises(CommandRefusedError, match="enable_torque"):
        arm.session.start(0.0, "IDLE", GOAL)


@pytest.mark.parametrize(
    ("driver", "why"),
    [
        ({"max_velocity": 0.8}, "max_velocity is 0.8, the policy needs 2"),
        ({"max_acceleration": 4.0}, "max_acceleration is 4, the policy needs 16"),
        ({"control_rate_hz": 10.0}, "control_rate_hz is 10, the policy needs 25"),
        ({"command_timeout_s": 0.05}, "command_timeout_s is 0.05, the policy needs 0.08"),
    ],
)
def test_a_driver_that_is_slower_than_the_training_is_refused(
    driver: dict[str, float], why: str, straight_policy: Any
) -> None:
    spec, usual = straight_policy.spec(), {"max_velocity": 2.0, "max_acceleration": 16.0, "control_rate_hz": 50.0}
    check_compatibility(spec, RobotCapabilities(load_model(), usual))
    check_compatibility(spec, RobotCapabilities(load_model()))  # another maker's driver need not tell
    with pytest.raises(CommandRefusedError, match=why):
        check_compatibility(spec, RobotCapabilities(load_model(), {**usual, **driver}))


def test_the_stack_gives_the_driver_what_policies_need(straight_policy: Any) -> None:
    for backend, executable in (("sim", "sim_node"), ("serial", "driver_node"), ("emulator", "driver_node")):
        running = processes(find("policy"), {"backend": backend})
        [parameters] = [process.parameters for process in running if process.executable == executable]
        known = {name: value for name, value in parameters.items() if isinstance(value, float)}
        assert {"max_velocity", "max_acceleration"} <= set(known)
        check_compatibility(straight_policy.spec(), RobotCapabilities(load_model(), known))


def test_an_arm_of_another_shape_is_refused(straight_policy: Any) -> None:
    spec, model = straight_policy.spec(), load_model()
    check_compatibility(spec, RobotCapabilities(at_base_height(model, 0.109)))
    with pytest.raises(CommandRefusedError, match=r"base height is 120\.0 mm, the policy's 107\.5 mm"):
        check_compatibility(spec, RobotCapabilities(at_base_height(model, 0.120)))
    # What the zero of a real servo takes away is no other arm.
    zero = replace(DEFAULT_CALIBRATION.joint3, zero_ticks=2030)
    check_compatibility(spec, RobotCapabilities(Robot.calibrated(replace(DEFAULT_CALIBRATION, joint3=zero)).describe()))
    narrow = tuple(replace(joint, upper=1.0) if joint.name == "joint2" else joint for joint in model.joints)
    with pytest.raises(CommandRefusedError, match=r"joint2 goes from -1\.57 to 1\.00 rad"):
        check_compatibility(spec, RobotCapabilities(replace(model, joints=narrow)))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"task": "pickk"}, "did you mean pick"),
        ({"control": "torque"}, "control 'torque'"),
        ({"frame": "camera"}, "its frame is camera, not base_link"),
        ({"goal_size": 2}, "goal size is 2, not 3"),
        ({"observation": ()}, "its layout is"),
        ({"obs": "pipeline"}, "it is one from pipeline, its network takes state"),
        ({"obs": "state", "image_size": 128}, "it is one from state, its network takes pipeline"),
    ],
)
def test_a_policy_that_cannot_be_driven_is_refused(change: dict[str, Any], why: str, straight_policy: Any) -> None:
    with pytest.raises(InputError, match=why):
        check_spec(replace(straight_policy.spec(), **change))


def test_a_network_that_is_not_what_its_spec_says_is_refused(straight_policy: Any, tmp_path: Path) -> None:
    folder = straight_policy(tmp_path / "pick", "pick")
    straight_policy(tmp_path / "reach", "reach")
    (folder / "policy.yaml").write_text((tmp_path / "reach" / "policy.yaml").read_text())
    with pytest.raises(InputError, match="the network does not take what its spec says"):
        PolicyController(PolicyRunner(folder))


def test_a_report_survives_the_wire() -> None:
    report = PolicyReport("idle", "", 1, 0, "", "HOLD", "pick", "state", 0.5, 0.01, None, False, None, 3)
    assert PolicyReport.from_json(report.to_json()) == report
