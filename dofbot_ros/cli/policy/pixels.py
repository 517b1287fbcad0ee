"""What `dofbot policy train` does for pictures: a pose network, a pipeline around it, a student of the expert."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dofbot_ros.cli.options.checks import from_options
from dofbot_ros.cli.options.progress import progress_bar
from dofbot_ros.errors import UsageError, one_of, optional_packages

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from dofbot_ros.policy.perception.keypoint_train import Report


def train_pixels(
    *,
    task: str,
    obs: str,
    randomize: str,
    desk: str,
    out: Path,
    seed: int,
    device: str,
    resume: bool,
    pictures: int | None,
    episodes: int | None,
    network: Path | None,
    state_policy: Path | None,
    backbone_weights: Path | None = None,
    freeze: bool = False,
) -> dict[str, Any]:
    """Train with progress. Returns what the command prints."""
    from dofbot_ros.config.loader import from_mapping

    with optional_packages("learn", "training"):
        from dofbot_ros.policy.learning.pipeline_train import join_pipeline, train_pipeline
        from dofbot_ros.policy.learning.student_train import StudentConfig, StudentTrainer
        from dofbot_ros.policy.perception.keypoint_train import PoseTrainConfig, measure_pose
        from dofbot_ros.policy.runtime.policy_runner import shipped

    tasks = ("pick", "place") if obs == "pipeline" else ("pick",)
    if task not in tasks:
        raise UsageError(one_of(f"task of a policy with obs {obs}", task, tasks))
    acts = state_policy or shipped(task, "state")
    if obs == "pipeline" and network is not None:
        join_pipeline(network, task, acts, out)
        return {"policy": str(out / "policy.onnx"), "pose": str(out / "pose.onnx")}
    with from_options():
        pose = PoseTrainConfig(randomize=randomize, desk=desk, freeze=freeze, seed=seed)
    pose = pose if pictures is None else replace(pose, pictures=pictures)
    with progress_bar("{task.fields[rate]}") as progress:
        report = _reporter(progress)
        if obs == "pipeline":
            train_pipeline(
                pose, task, acts, out, backbone=backbone_weights, device=device, resume=resume, report=report
            )
            return {"policy": str(out / "policy.onnx"), "pose": str(out / "pose.onnx"), **measure_pose(out, desk)}
        given = {"task": task, "randomize": randomize, "seed": seed}
        with from_options():
            config = replace(from_mapping(StudentConfig, given, "dofbot policy train"), pose=pose)
        config = config if episodes is None else replace(config, episodes=episodes)
        trainer = StudentTrainer(config, out, network=network, start=acts, device=device, resume=resume, report=report)
        try:
            return {**trainer.train(), "policy": str(out / "policy.onnx")}
        finally:
            trainer.close()


def _reporter(progress: Progress) -> Report:
    lines: dict[str, TaskID] = {}

    def report(what: str, done: int, total: int, loss: float) -> None:
        kind, _, detail = what.partition(" (")
        if kind not in lines:
            lines[kind] = progress.add_task(kind, total=total, rate="")
        rate = "" if math.isnan(loss) else f"loss {loss:.3f}"
        progress.update(lines[kind], completed=done, rate=f"{rate} {detail.rstrip(')')}")

    return report
