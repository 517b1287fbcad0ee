"""What has to be known of a trained policy to run it: layout and scales of observation and action, rate, origin."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dofbot_ros.arm.robot import DRAWN
from dofbot_ros.config.loader import from_mapping
from dofbot_ros.config.yaml_text import read_yaml
from dofbot_ros.core.types import FloatArray
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.errors import InputError
from dofbot_ros.policy.interface.action_mapper import GRIP_STEP, JOINT_STEP, PERIOD_S, ROLL_STEP, TOOL_STEP
from dofbot_ros.policy.interface.observation import CLIP, GOAL_CENTRE, GOAL_SCALE, Entry

MODEL, SPEC = "policy.onnx", "policy.yaml"

Observed = Literal["state", "image", "pipeline"]
"""state: joints, tool and the block as localised; pipeline: the same with the block as a pose network finds it in
pictures; image: the pictures themselves."""

EXPORT_AGAIN = "`dofbot policy export FOLDER --network POSE --out NEW` writes it anew"
"""What to do with an image policy of an earlier version, which had the state estimator inside its network."""


@dataclass(frozen=True)
class ActionEntry:
    """One number of the action, -1..1: what it displaces, and by how much a full one does in one period."""

    name: str
    scale: float


@dataclass(frozen=True)
class JointLimits:
    """What a policy's commands were limited to, per joint, in the order of JOINT_NAMES.

    Attributes:
        lower, upper: of the position [rad].
        velocity: [rad/s].
        acceleration: [rad/s^2].
    """

    lower: tuple[float, ...]
    upper: tuple[float, ...]
    velocity: tuple[float, ...]
    acceleration: tuple[float, ...]


TOOL_ACTIONS = (
    ActionEntry("tool x, base_link [m]", TOOL_STEP),
    ActionEntry("tool y, base_link [m]", TOOL_STEP),
    ActionEntry("tool z, base_link [m]", TOOL_STEP),
    ActionEntry("joint5 [rad]", ROLL_STEP),
    ActionEntry("grip_joint [rad]", GRIP_STEP),
)
JOINT_ACTIONS = (
    *(ActionEntry(f"joint{number} [rad]", JOINT_STEP) for number in range(1, 6)),
    ActionEntry("grip_joint [rad]", GRIP_STEP),
)


@dataclass(frozen=True)
class PolicySpec:
    """The YAML beside the ONNX file.

    Attributes:
        task: reach, pick or place.
        obs: what it was made from. image: one that learned from pictures, a network of its own or behind a pose
            network; pipeline: a state policy, unchanged, behind a pose network. See `observed`.
        control: tool or joints.
        frame: of every place in observation and action.
        observation: the numbers, in order, each (value - centre) / scale, then clipped.
        goal: the same of goals; achieved and desired ones alike.
        goal_size: how many numbers a goal has.
        clip: of scaled numbers.
        inputs: names of the network's inputs.
        image_size: width of a picture [px], its rows are three quarters of that; 0 without pictures.
        stack: pictures in an observation; 0 where they go to a pose network instead.
        action: the numbers of the action, in order; the tilt of the tool follows the reach map.
        period_s: of the policy [s].
        limits: of the arm that it learned on.
        training: algorithm, level of randomisation, reward, seed, steps and commit.
    """

    task: str
    obs: Observed
    control: str
    frame: str
    observation: tuple[Entry, ...]
    goal: Entry
    goal_size: int
    clip: float
    inputs: tuple[str, ...]
    image_size: int
    stack: int
    action: tuple[ActionEntry, ...]
    period_s: float
    limits: JointLimits
    training: dict[str, str]

    @property
    def observed(self) -> Observed:
        """What its network is given. A pipeline's is given a state that is estimated from pictures: pose.onnx lies
        beside it. So is an image policy's that has no picture among its inputs."""
        if "image" in self.inputs:
            return "image"
        return "pipeline" if self.image_size else "state"


def goal_entry() -> Entry:
    """How goals are scaled; a height is the third of its numbers."""
    return Entry("place, base_link [m]", 3, GOAL_CENTRE, GOAL_SCALE)


def action_entries(control: str, size: int) -> tuple[ActionEntry, ...]:
    """The first `size` numbers of an action."""
    return (TOOL_ACTIONS if control == "tool" else JOINT_ACTIONS)[:size]


def joint_limits() -> JointLimits:
    """Those of the arm that environments simulate."""
    limits = DriverConfig().motion_limits(DRAWN)

    def rounded(values: FloatArray) -> tuple[float, ...]:
        return tuple(round(float(value), 6) for value in values)

    return JointLimits(
        rounded(limits.lower), rounded(limits.upper), rounded(limits.velocity), rounded(limits.acceleration)
    )


def load_spec(folder: Path) -> PolicySpec:
    """Read a policy's YAML and refuse one that this version's observation or arm does not fit.

    Raises:
        InputError: there is none, it is one of an earlier version, or it was made for other scales or another rate.
    """
    spec, remembers = read_spec(folder)
    path = folder / SPEC
    if remembers:
        raise InputError(f"{path} is of an image policy of an earlier version: {EXPORT_AGAIN}")
    mine = (action_entries(spec.control, len(spec.action)), PERIOD_S, CLIP, goal_entry(), joint_limits())
    if (spec.action, spec.period_s, spec.clip, spec.goal, spec.limits) != mine:
        raise InputError(f"{path} was made for other scales, limits or another rate than this version's: train it anew")
    return spec


def read_spec(folder: Path) -> tuple[PolicySpec, bool]:
    """A policy's YAML as it stands there, and whether its network has a memory, as image policies had before.

    Raises:
        InputError: there is none.
        ConfigError: it is damaged.
    """
    path = folder / SPEC
    if not path.exists():
        raise InputError(f"{path} does not exist: the folder of a policy is one that `dofbot policy train` wrote")
    content = read_yaml(path)
    memory = content.pop("memory", 0) if isinstance(content, dict) else 0
    return from_mapping(PolicySpec, content, str(path)), bool(memory)


def commit() -> str:
    """The commit of this checkout, with a + where files differ from it; "unknown" outside a checkout."""
    here = Path(__file__).resolve().parent
    try:
        done = [
            subprocess.run(["git", *words], cwd=here, capture_output=True, text=True, check=True, timeout=10).stdout
            for words in (("rev-parse", "--short=12", "HEAD"), ("status", "--porcelain", "--untracked-files=no", "."))
        ]
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return done[0].strip() + ("+" if done[1].strip() else "")
