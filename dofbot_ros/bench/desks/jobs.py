"""The jobs that are measured on desks: each runs once on an installation of its own, in this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path

from dofbot_ros.desks.config import name_and_told
from dofbot_ros.desks.installation import install
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.errors import InputError
from dofbot_ros.grasp.detection.model_io import load_model
from dofbot_ros.grasp.detection.planner import GraspPlanner, NetworkPlanner
from dofbot_ros.grasp.learning.evaluate import EvaluateConfig, attempt_scene
from dofbot_ros.grasp.planning.block_plan import PlannerConfig
from dofbot_ros.grasp.simulation.families import families_of
from dofbot_ros.grasp.simulation.grasp_sim import GraspSim
from dofbot_ros.grasp.simulation.scenes import SceneRules
from dofbot_ros.policy.env.environments import DofBotEnv
from dofbot_ros.policy.evaluation.evaluate import EvaluateConfig as EvaluatePolicy
from dofbot_ros.policy.evaluation.evaluate import make_world, rollout
from dofbot_ros.policy.runtime.policy_runner import PolicyRunner, shipped
from dofbot_ros.sim.config import load_world_config
from dofbot_ros.trials.direct import DirectArm
from dofbot_ros.trials.place import PlaceTask
from dofbot_ros.trials.protocol import ProtocolConfig
from dofbot_ros.trials.sight import ArmSight
from dofbot_ros.trials.strategies.markers import ArucoStrategy
from dofbot_ros.trials.trial import run_trial
from dofbot_ros.vision.markers.blocks import LocaliserConfig

TRIES = ProtocolConfig().attempts
"""Grasps of a thing, as long as the fingers close on nothing."""


@dataclass(frozen=True)
class Outcome:
    """What came of one trial of a job.

    Attributes:
        world: name or file of the desk.
        job: which job.
        number: 0, 1, ... of the trial.
        success: whether it was done, by the true poses.
        first: whether the first attempt did it.
        cause: why not, "" where it was.
        error_mm: distance from where the object should be; None where it does not apply.
        seen_off_mm: how far off the object was localised before each attempt.
        seconds: arm time.
        reason: the job's own words.
    """

    world: str
    job: str
    number: int
    success: bool
    first: bool = False
    cause: str = ""
    error_mm: float | None = None
    seen_off_mm: list[float] = field(default_factory=list)
    seconds: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Ablation:
    """What is left out of what bears a desk's errors, to see what it is worth.

    Attributes:
        trim: joints that gravity or play holds off their goals are brought there (motion/goal_trim.py).
        tolerance: the localiser bears markers of another size, and images out of focus (vision/markers/blocks.py).
        sight: the arm looks at its own hand, and aims by that (trials/sight.py).
    """

    trim: bool = True
    tolerance: bool = True
    sight: bool = True


WHOLE = Ablation()


def demo(desk: str, number: int, seed: int, ablation: Ablation = WHOLE) -> Outcome:
    """The marker demo: find a block, take it, put it elsewhere, as `dofbot demo` does through ROS.

    Args:
        desk: name or file.
        number: of the trial; the installation is that of seed + number.
        seed: of the series.
        ablation: what is left out.
    """
    driver = DriverConfig() if ablation.trim else DriverConfig(goal_trim=0.0)
    localiser = LocaliserConfig() if ablation.tolerance else LocaliserConfig(size_range=(1.0, 1.0), sharpen=False)
    installation = install(desk, seed + number, load_world_config())
    arm = DirectArm(installation, driver, localiser=localiser)
    try:
        strategy = ArucoStrategy(installation.belief.blocks, arm.daemon.robot, PlannerConfig())
        sight = ArmSight(arm, strategy.planner) if ablation.sight else None
        record, _ = run_trial(arm, PlaceTask(arm, strategy, sight, ProtocolConfig(), seed=seed, number=number))
    finally:
        arm.close()
    placed = bool(record.placed)
    return Outcome(
        desk,
        "demo",
        number,
        placed,
        placed and record.attempts == 1,
        record.cause,
        record.error_mm,
        record.block_off_mm,
        record.cycle_s,
        "; ".join([*record.setbacks, record.reason]) if record.reason else "; ".join(record.setbacks),
    )


def grasp(objects: str, desk: str, number: int, seed: int, ablation: Ablation = WHOLE) -> Outcome:
    """An object lifted by the shipped network, as `dofbot grasp evaluate --desk --tries 3` does it.

    Args:
        objects: which the object is drawn from, as `dofbot grasp evaluate` takes them.
        desk, number, seed: as of demo().
        ablation: may leave out the look at the hand.

    Raises:
        InputError: it leaves out something else.
    """
    if replace(ablation, sight=True) != WHOLE:
        raise InputError("--without trim and tolerance are for the job demo: leave them out, or name --job demo")
    sim, planner, config = _grasp_bench(objects, desk, seed, ablation.sight)
    row = attempt_scene(sim, planner, config, number)
    lifted = row.outcome == "lifted"
    cause = "" if lifted else row.outcome
    return Outcome(desk, f"grasp {objects}", number, lifted, lifted and row.tries == 1, cause)


def policy(obs: str, desk: str, number: int, seed: int, ablation: Ablation = WHOLE) -> Outcome:
    """One episode of the shipped pick policy, as `dofbot policy evaluate --desk` runs it.

    Args:
        obs: state (of the real localiser), pipeline or image.
        desk, number, seed: as of demo().
        ablation: must leave nothing out.

    Raises:
        InputError: it leaves something out.
    """
    if ablation != WHOLE:
        raise InputError("--without is for the jobs demo and grasp: leave it out, or name one of them by --job")
    env, runner = _policy_bench(obs, desk)
    done = rollout(env, runner, seed + number).success
    return Outcome(desk, f"policy {obs}", number, done, done, "" if done else "not reached")


@lru_cache(maxsize=16)
def _policy_bench(obs: str, desk: str) -> tuple[DofBotEnv, PolicyRunner]:
    config = EvaluatePolicy(shipped("pick", obs), desk=desk)
    runner = PolicyRunner(config.model)
    return make_world(config, runner.spec), runner


@lru_cache(maxsize=16)
def _grasp_bench(objects: str, desk: str, seed: int, sight: bool) -> tuple[GraspSim, GraspPlanner, EvaluateConfig]:
    model = load_model(None)
    rules = SceneRules(view=model.info.view)
    config = EvaluateConfig(objects, seed=seed, rules=rules, baselines=(), desk=desk, sight=sight, tries=TRIES)
    return GraspSim(families_of(objects), rules, desk=desk), NetworkPlanner(model), config


JOBS: Mapping[str, Callable[[str, int, int, Ablation], Outcome]] = {
    "demo": demo,
    "grasp train": partial(grasp, "train"),
    "grasp heldout": partial(grasp, "heldout"),
    "policy state": partial(policy, "state"),
    "policy pipeline": partial(policy, "pipeline"),
    "policy image": partial(policy, "image"),
}
"""Name -> one trial of it on a desk (name or file), by number, of the series `seed`, something left out or not."""


def world_name(desk: str) -> str:
    """How a row names its desk: by its name, or by that of its file."""
    name, told = (Path(part) for part in name_and_told(desk))
    label = name.stem if name.is_file() else str(name)
    return f"{label}:{told.name}" if told.name else label
