"""Makes a pipeline policy: a pose network in front of a state policy that is already there."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from dofbot_ros.config.loader import save_yaml
from dofbot_ros.errors import InputError
from dofbot_ros.policy.interface.spec import MODEL, SPEC, PolicySpec, load_spec
from dofbot_ros.policy.learning.recover_weights import beside
from dofbot_ros.policy.perception.keypoint_train import PoseTrainConfig, Report, train_pose
from dofbot_ros.policy.perception.pixels import WIDTH
from dofbot_ros.policy.perception.pose_estimator import POSE_MODEL, POSE_SPEC

POSE_WEIGHTS = "pose.safetensors"


def train_pipeline(
    config: PoseTrainConfig,
    task: str,
    state_policy: Path,
    run: Path,
    *,
    backbone: Path | None = None,
    device: str = "cpu",
    resume: bool = False,
    report: Report | None = None,
) -> None:
    """Train the pose network in `run` and put `state_policy` behind it.

    Args:
        config: of the pose network.
        task: pick or place.
        state_policy: folder of the policy that acts.
        run: gets pose and policy, each as .onnx, .safetensors and .yaml.
        backbone: weights of the pose network's backbone to start from, as load_pose_backbone takes them.
        device: see training_device.
        resume: go on with what is there.
        report: told how far it is.

    Raises:
        InputError: `run` holds another run, `state_policy` is no policy from state for this task, or the device cannot
            be used.
    """
    spec = _acting(state_policy, task)
    train_pose(config, run, backbone=backbone, device=device, resume=resume, report=report)
    _put_behind(spec, state_policy, run)


def join_pipeline(network: Path, task: str, state_policy: Path, run: Path) -> None:
    """Put `state_policy` behind the pose network of another pipeline: what finds a block serves every task.

    Args:
        network: folder with pose.onnx and pose.yaml.
        task: pick or place.
        state_policy: folder of the policy that acts.
        run: gets pose and policy, each as .onnx, .safetensors and .yaml.

    Raises:
        InputError: as train_pipeline, or `network` holds no pose network.
    """
    spec = _acting(state_policy, task)
    require_empty(run)
    require_pose(network)
    copy_pose(network, run)
    _put_behind(spec, state_policy, run)


def require_empty(out: Path) -> None:
    """Refuse a folder that holds anything.

    Raises:
        InputError: it does.
    """
    if out.exists() and any(out.iterdir()):
        raise InputError(f"{out} is not empty: take another --out")


def require_pose(network: Path) -> None:
    """See that a folder holds a pose network.

    Raises:
        InputError: it does not.
    """
    if not (network / POSE_MODEL).exists():
        raise InputError(f"{network / POSE_MODEL} does not exist: a folder of a pipeline is needed")


def copy_pose(network: Path, run: Path) -> None:
    """Put the pose network of the folder `network` into `run`, and at last its weights for torch, POSE_WEIGHTS."""
    run.mkdir(parents=True, exist_ok=True)
    for name in (POSE_MODEL, POSE_SPEC):
        shutil.copyfile(network / name, run / name)
    beside(run / POSE_MODEL)


def _acting(state_policy: Path, task: str) -> PolicySpec:
    spec = load_spec(state_policy)
    if (spec.obs, spec.task) != ("state", task):
        raise InputError(f"{state_policy} holds a {spec.obs} policy for {spec.task}, not one from state for {task}")
    return spec


def _put_behind(spec: PolicySpec, state_policy: Path, run: Path) -> None:
    shutil.copyfile(state_policy / MODEL, run / MODEL)
    for name in (MODEL, POSE_MODEL):
        beside(run / name)
    save_yaml(replace(spec, obs="pipeline", image_size=WIDTH), run / SPEC)
