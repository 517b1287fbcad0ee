"""What `dofbot policy` does for the hopper: training, measuring, and the gap between its two worlds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dofbot_ros.cli.options.checks import from_options
from dofbot_ros.cli.options.progress import progress_bar
from dofbot_ros.cli.policy.options import refuse
from dofbot_ros.config.loader import from_mapping
from dofbot_ros.errors import InputError, UsageError, optional_packages

if TYPE_CHECKING:
    from rich.progress import TaskID

    from dofbot_ros.policy.learning.callback import Progress as Trained

TASK = "hopper"
WHERE = "dofbot policy train --task hopper"
ROWS = (
    ("state", "none"),
    ("state", "wide"),
    ("pipeline", "none"),
    ("pipeline", "wide"),
    ("image", "none"),
    ("image", "wide"),
)
"""What a domain gap compares."""

GOING_ON_STEPS = 500_000
"""In which a policy that was trained without randomisation goes on in wide worlds."""


def train_hopper(
    *,
    obs: str,
    algo: str | None,
    domain: str | None,
    randomize: str,
    out: Path,
    steps: int | None,
    seed: int,
    device: str,
    teacher: Path | None,
    pictures: int | None,
    network: Path | None,
    resume: bool,
) -> dict[str, Any]:
    """Train a policy in `out`, with progress. Returns what the command prints; arguments are its options."""
    if obs == "state":
        refuse({"--pictures": pictures, "--network": network}, "only for --obs pipeline and image")
        given = {"algo": algo or "ppo", "domain": domain or "source", "randomize": randomize, "seed": seed}
        given |= {"start": str(teacher.resolve())} if teacher else {}
        return _train_state(given | ({} if steps is None else {"steps": steps}), out, device, resume)
    if algo is not None or domain is not None:
        raise UsageError("--algo, --domain: a policy from pictures learns from its --teacher, in source")
    given = {"obs": obs, "randomize": randomize, "seed": seed, "teacher": str(teacher.resolve()) if teacher else ""}
    given |= {} if steps is None else {"steps": steps}
    given |= {} if pictures is None else {"pictures": pictures}
    given |= {} if network is None else {"network": str(network.resolve())}
    with optional_packages("learn", "training"):
        from dofbot_ros.lab.hopper.learning.student_train import StudentConfig, StudentTrainer
    with from_options():
        config = from_mapping(StudentConfig, given, WHERE)
    trainer = StudentTrainer(config, out, device=device, resume=resume)
    with progress_bar("{task.fields[rate]}") as bar:
        lines: dict[str, TaskID] = {}

        def report(what: str, done: int, wanted: int, value: float) -> None:
            if what not in lines:
                lines[what] = bar.add_task(what, total=wanted, rate="")
            bar.update(lines[what], completed=done, rate="" if math.isnan(value) else f"loss {value:.3g}")

        made = trainer.train(report)
    return {**made, "policy": str(out / "policy.onnx")}


def _train_state(given: dict[str, Any], out: Path, device: str, resume: bool) -> dict[str, Any]:
    with optional_packages("learn", "training"):
        from dofbot_ros.lab.hopper.learning.train import HopperTrainer
        from dofbot_ros.lab.hopper.learning.train_config import HopperTrainConfig
    with from_options():
        config = from_mapping(HopperTrainConfig, given, WHERE)
    trainer = HopperTrainer(config, out, device=device, resume=resume)
    try:
        with progress_bar("{task.fields[rate]}") as bar:
            line = bar.add_task("steps", total=trainer.config.steps, rate="")

            def report(progress: Trained) -> None:
                shown = "" if math.isnan(progress.mean_return) else f"return {progress.mean_return:.0f}"
                bar.update(line, completed=progress.steps, rate=shown)

            end = trainer.train(report)
            report(end)
    finally:
        trainer.close()
    return {
        "steps": end.steps,
        "mean_return": end.mean_return,
        "seconds": end.seconds,
        "policy": str(out / "policy.onnx"),
    }


def evaluate_hopper_policy(
    *, obs: str, model: Path | None, episodes: int | None, domain: str, seed: int, pictures: Path | None = None
) -> dict[str, Any]:
    """Measure a policy, with progress. Returns what the command prints; arguments are its options."""
    from dofbot_ros.lab.hopper.evaluation.evaluate import HopperEvaluateConfig, evaluate_hopper
    from dofbot_ros.lab.hopper.spec import load_hopper_spec

    if model is None:
        raise InputError("this package ships no hopper policy: train one, and give its folder with --model RUN")
    spec = load_hopper_spec(model)
    if spec.obs != obs:
        raise InputError(f"{model} holds a {spec.obs} policy, not one from {obs}: add --obs {spec.obs}")
    config = HopperEvaluateConfig(model, episodes or 50, domain, seed)
    with progress_bar("{task.fields[rate]}") as bar:
        line = bar.add_task("episodes", total=config.episodes, rate="")

        def report(done: int, mean: float) -> None:
            bar.update(line, completed=done, rate=f"return {mean:.0f}")

        measured = evaluate_hopper(config, report)
    if pictures is not None:
        from dofbot_ros.lab.hopper.evaluation.pictures import draw_episode

        measured["pictures"] = draw_episode(model, domain, seed, pictures)
    return measured


def gap_of_hopper(
    *, out: Path, models: Sequence[Path] | None, episodes: int | None, seed: int, seeds: int | None
) -> dict[str, Any]:
    """Train what is missing, measure all, write table and chart. Returns what the command prints."""
    from dofbot_ros.lab.hopper.evaluation.domain_gap import hopper_gap

    if models and seeds:
        raise UsageError("--seeds trains policies, --model brings them: give one of both")
    policies = list(models or ())
    if seeds:
        policies = [_trained(out / "runs", "state", "none", 0, "target")]
        # Row by row: a series that is interrupted has whole rows, and those from pictures take longest.
        policies += [_trained(out / "runs", obs, level, number) for obs, level in ROWS for number in range(seeds)]
    with progress_bar("{task.fields[rate]}") as bar:
        lines: dict[str, TaskID] = {}
        wanted = episodes or 50

        def report(what: str, done: int, mean: float) -> None:
            if what not in lines:
                lines[what] = bar.add_task(what, total=wanted, rate="")
            bar.update(lines[what], completed=done, rate=f"return {mean:.0f}")

        return hopper_gap(policies, out, wanted, seed, report)


def _trained(runs: Path, obs: str, level: str, seed: int, domain: str | None = None) -> Path:
    """The folder of a policy of a domain gap, trained or gone on with where it is not finished."""
    from dofbot_ros.policy.interface.spec import MODEL
    from dofbot_ros.policy.learning.checkpoint import CHECKPOINT

    run = runs / "_".join((obs, level, *((domain,) if domain else ()), f"s{seed}"))
    if not (run / MODEL).exists():
        # A policy from pictures has claimed its folder as soon as that holds its configuration.
        begun = run / (CHECKPOINT if obs == "state" else "train.yaml")
        # A wide world is learned from what a policy can do without randomisation: see docs/laboratory_hopper.md.
        goes_on = obs == "state" and level != "none"
        before = ("state", "none") if goes_on else ("state", level)
        train_hopper(
            obs=obs,
            algo=None,
            domain=domain,
            randomize=level,
            out=run,
            steps=GOING_ON_STEPS if goes_on else None,
            seed=seed,
            device="cpu",
            teacher=_trained(runs, *before, seed) if goes_on or obs != "state" else None,
            pictures=None,
            # Teacher, seed and pictures are the same: training would make the pipeline's keypoint network again.
            network=_trained(runs, "pipeline", level, seed) if obs == "image" else None,
            resume=begun.exists(),
        )
    return run
