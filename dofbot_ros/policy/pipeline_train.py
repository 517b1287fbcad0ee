"""Makes a pipeline policy: a pose network, trained here, in front of a state policy that is already there."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from dofbot_ros.config.loader import save_yaml
from dofbot_ros.errors import InputError
from dofbot_ros.policy.keypoint_train import PoseTrainConfig, Report, train_pose
from dofbot_ros.policy.pixels import WIDTH
from dofbot_ros.policy.spec import MODEL, SPEC, load_spec


def train_pipeline(
    config: PoseTrainConfig, state_policy: Path, run: Path, *, resume: bool = False, report: Report | None = None
) -> None:
    """Train the pose network in `run` and put `state_policy` beside it.

    Args:
        config: of the pose network.
        state_policy: folder of the policy that acts.
        run: gets pose.onnx, pose.yaml, policy.onnx and policy.yaml.
        resume: go on with what is there.
        report: told how far it is.

    Raises:
        InputError: `run` holds another run, or `state_policy` is no policy of a block's state.
    """
    spec = load_spec(state_policy)
    if spec.obs != "state" or spec.task == "reach":
        raise InputError(
            f"{state_policy} holds a {spec.obs} policy for {spec.task}: a pipeline needs one of a block's state"
        )
    train_pose(config, run, resume=resume, report=report)
    shutil.copyfile(state_policy / MODEL, run / MODEL)
    save_yaml(replace(spec, obs="pipeline", image_size=WIDTH), run / SPEC)
