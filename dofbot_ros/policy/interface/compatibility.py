"""Whether this code can run a policy, and whether an arm can do what the policy learned with."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.arm.model import ArmModel
from dofbot_ros.arm.robot import DRAWN, LENGTHS
from dofbot_ros.core.types import GRIP, JOINT_NAMES, N_JOINTS
from dofbot_ros.driver.config import SPEED_IN_USE
from dofbot_ros.errors import CommandRefusedError, InputError, one_of
from dofbot_ros.policy.env.tasks import TASKS, Task
from dofbot_ros.policy.interface.observation import StateLayout
from dofbot_ros.policy.interface.spec import PolicySpec

LENGTH_TOLERANCE = 0.003
"""A length of the arm that differs by less than this is within what training's noise covers [m]."""

LIMIT_TOLERANCE = math.radians(3.0)
"""Joint limits that are narrower by less than this cost a policy no place over the table where it learned to work
[rad]. Zeros of real servos are off by about as much, and their min_ticks and max_ticks with them."""

ROUNDING = 1e-3

VELOCITY_ROOM, ACCELERATION_ROOM = 1.25, 2.0
"""How much more than the policy's own limits the driver allows: with the same ones the governor, a cycle late at each
change, would never make up for it, and the arm lag by 50 ms that training did not show."""

CONTROLS = ("tool", "joints")

DRIVER_PARAMETERS = ("max_velocity", "max_acceleration", "control_rate_hz", "command_timeout_s", SPEED_IN_USE)
"""Of a driver that matter to a policy; names of its ROS parameters."""


def check_spec(spec: PolicySpec) -> None:
    """Refuse a policy that this code does not know how to run; load_spec() has compared scales, limits and rate.

    Raises:
        InputError: its task, control, frame, layout or sizes; says which.
    """
    for kind, name, names in (("task", spec.task, tuple(TASKS)), ("control", spec.control, CONTROLS)):
        if name not in names:
            raise InputError(f"the policy cannot be driven: {one_of(kind, name, names)}")
    if spec.observed != spec.obs and (spec.obs, spec.observed) != ("image", "pipeline"):
        raise InputError(f"the policy cannot be driven: it is one from {spec.obs}, its network takes {spec.observed}")
    task = TASKS[spec.task]
    layout = StateLayout(task.block and spec.observed != "image").entries
    checks: list[tuple[str, object, object]] = [
        ("frame", spec.frame, "base_link"),
        ("goal size", spec.goal_size, task.goal_size),
        ("number of actions", len(spec.action), task.actions if spec.control == "tool" else _joint_actions(task)),
        ("layout", [entry.name for entry in spec.observation], [entry.name for entry in layout]),
        ("scaling", spec.observation, layout),
    ]
    for what, given, needed in checks:
        if given != needed:
            raise InputError(f"the policy does not fit the task {spec.task}: its {what} is {given}, not {needed}")


def _joint_actions(task: Task) -> int:
    return N_JOINTS if task.block else GRIP


@dataclass(frozen=True)
class RobotCapabilities:
    """What an arm tells of itself.

    Attributes:
        model: from its robot_description.
        driver: DRIVER_PARAMETERS of its driver that are known.
    """

    model: ArmModel
    driver: dict[str, float] = field(default_factory=dict)


def check_compatibility(spec: PolicySpec, arm: RobotCapabilities) -> None:
    """See that `arm` can carry out what the policy asks for.

    Raises:
        CommandRefusedError: it cannot; says in what.
    """
    found = [*_geometry(arm.model), *_joints(spec, arm.model), *_driver(spec, arm.driver)]
    if found:
        raise CommandRefusedError(f"the policy does not fit this arm: {'; '.join(found)}")


def _geometry(model: ArmModel) -> list[str]:
    nominal = DRAWN.kinematics
    try:
        mine = Kinematics.from_model(model)
    except InputError as error:
        return [str(error)]
    return [
        f"its {name.replace('_', ' ')} is {1e3 * getattr(mine, name):.1f} mm, the policy's "
        f"{1e3 * getattr(nominal, name):.1f} mm"
        for name in LENGTHS
        if abs(getattr(mine, name) - getattr(nominal, name)) > LENGTH_TOLERANCE
    ]


def _joints(spec: PolicySpec, model: ArmModel) -> list[str]:
    if model.joint_names != JOINT_NAMES:
        return [f"its joints are {', '.join(model.joint_names)}"]
    limits, found = spec.limits, []
    low = model.lower > np.array(limits.lower) + LIMIT_TOLERANCE
    high = model.upper < np.array(limits.upper) - LIMIT_TOLERANCE
    for index in np.flatnonzero(low | high).tolist():
        found.append(
            f"{JOINT_NAMES[index]} goes from {model.lower[index]:.2f} to {model.upper[index]:.2f} rad, the policy's "
            f"from {limits.lower[index]:.2f} to {limits.upper[index]:.2f}"
        )
    return found


def driver_needs(spec: PolicySpec) -> dict[str, float]:
    """What each of DRIVER_PARAMETERS has to be at least."""
    return {
        "max_velocity": VELOCITY_ROOM * max(spec.limits.velocity),
        "max_acceleration": ACCELERATION_ROOM * max(spec.limits.acceleration),
        "control_rate_hz": 1.0 / spec.period_s,
        "command_timeout_s": 2.0 * spec.period_s,
        SPEED_IN_USE: 1.0,
    }


def _driver(spec: PolicySpec, driver: dict[str, float]) -> list[str]:
    return [
        f"the driver's {name} is {driver[name]:g}, the policy needs {value:g}"
        for name, value in driver_needs(spec).items()
        if driver.get(name, value) < value - ROUNDING
    ]
