"""`dofbot grasp ...`: collect grasps, train the network, measure it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dofbot_ros.cli.grasp.pretrain import pretrain
from dofbot_ros.cli.options.checks import finite
from dofbot_ros.cli.options.desk import DeskOption, chosen_desk
from dofbot_ros.cli.options.progress import progress_bar
from dofbot_ros.cli.options.state_file import StateFileOption, end_early, until_interrupted
from dofbot_ros.cli.options.training import (
    ConfigOption,
    DeviceOption,
    EpochsOption,
    ResumeOption,
    TrainSeedOption,
    settings_of,
)
from dofbot_ros.core.console import JsonOption, console, emit
from dofbot_ros.errors import UsageError, optional_packages

if TYPE_CHECKING:
    from dofbot_ros.grasp.learning.collect import Progress as Collected
    from dofbot_ros.grasp.learning.run import Epoch
    from dofbot_ros.grasp.learning.workers import Workers

app = typer.Typer(no_args_is_help=True)
app.command("pretrain")(pretrain)

WorkersOption = Annotated[
    int | None, typer.Option(min=1, help="Processes; by default one a core, of the cluster with --ray.")
]
SeedOption = Annotated[int, typer.Option(min=0, help="Of everything that is drawn at random.")]
ObjectsOption = Annotated[
    str,
    typer.Option(help="train, validation or heldout; family names with commas; or a folder of URDF, OBJ, STL files."),
]
RayOption = Annotated[
    str | None,
    typer.Option(
        "--ray",
        metavar="ADDRESS",
        help="Spread over the Ray cluster at host:port or ray://host:port; local starts one.",
    ),
]
ClutterOption = Annotated[int, typer.Option(min=1, max=8, help="Objects on the table at once.")]


@app.callback()
def root() -> None:
    """Learn to grasp from the simulated arm's own attempts."""


@app.command("collect")
def collect(
    *,
    out: Annotated[Path, typer.Option(help="Folder for train_dataset.npz and val_dataset.npz.")],
    grasps: Annotated[int, typer.Option(min=2, help="Successful grasps in both files together.")] = 1000,
    size: Annotated[int, typer.Option(help="Pixels along each side of a view; a multiple of 16.")] = 64,
    rotations: Annotated[int, typer.Option(min=1, help="Closing lines over half a turn.")] = 8,
    objects: ObjectsOption = "train",
    val_objects: ObjectsOption = "validation",
    val_share: Annotated[
        float, typer.Option(callback=finite, min=0.0, max=0.9, help="Share of the grasps for validation.")
    ] = 0.2,
    clutter: ClutterOption = 1,
    bare: Annotated[
        float, typer.Option(min=0.0, max=0.9, help="Share of attempts on a bare table, which fail: with --failures.")
    ] = 0.0,
    model: Annotated[
        Path | None, typer.Option(help="A run's folder: its network makes most proposals, for a second round.")
    ] = None,
    failures: Annotated[bool, typer.Option("--failures", help="Keep failed attempts in the files too.")] = False,
    desk: DeskOption = "own",
    looks: Annotated[
        int, typer.Option(min=1, max=16, help="Pictures of each scene, over other tables; own and calibrated desks.")
    ] = 1,
    seed: SeedOption = 0,
    workers: WorkersOption = None,
    ray: RayOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let the simulated arm try grasps until that many succeed. Interrupted, it goes on where it stopped."""
    from dofbot_ros.grasp.detection.view import TopDownView
    from dofbot_ros.grasp.learning.collect import CollectConfig, collect_dataset
    from dofbot_ros.grasp.simulation.scenes import SceneRules

    if bare > 0.0 and not failures:
        raise UsageError("attempts on a bare table fail: --bare goes with --failures")
    if size % 16:
        raise UsageError(f"--size is a multiple of 16, got {size}")
    _name_skipped(objects)
    _name_skipped(val_objects)
    rules = SceneRules(objects=clutter, bare=bare, view=TopDownView(size=size), looks=looks)
    config = CollectConfig(objects, rotations, seed, rules, model, chosen_desk(desk, None, 0)[0])
    with progress_bar("{task.fields[rate]:.0%} succeed") as bar:
        tasks: dict[str, int] = {}

        def report(name: str, progress: Collected) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=progress.wanted, rate=0.0)
            rate = progress.successes / progress.attempts
            bar.update(bar.task_ids[tasks[name]], completed=progress.successes, rate=rate)

        result = collect_dataset(
            config,
            out,
            val_objects=val_objects,
            grasps=grasps,
            val_share=val_share,
            workers=_workers(workers, ray),
            failures=failures,
            report=report,
        )
    emit(result, as_json, f"Grasps in {out}")


@app.command("train")
def train(
    *,
    data: Annotated[
        list[Path],
        typer.Option(help="Folder with train_dataset.npz and val_dataset.npz; may be repeated."),
    ],
    out: Annotated[Path, typer.Option(help="Folder for weights, log and pictures of this run.")],
    config: ConfigOption = None,
    epochs: EpochsOption = None,
    seed: TrainSeedOption = None,
    device: DeviceOption = "auto",
    backbone_weights: Annotated[
        Path | None,
        typer.Option(help="Backbone to start from: a run of `grasp pretrain`, or torchvision's mobilenet_v3_small."),
    ] = None,
    freeze: Annotated[
        bool, typer.Option("--freeze", help="Leave that backbone as it is, and train the rest of the network alone.")
    ] = False,
    start: Annotated[
        Path | None, typer.Option(help="A run's folder: begin with its weights, for a second round's data.")
    ] = None,
    resume: ResumeOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train the grasp network on collected grasps."""
    with optional_packages("learn", "training"):
        from dofbot_ros.grasp.learning.train import MapEpoch, TrainConfig, Trainer, summary

    given = {"epochs": epochs, "seed": seed, "freeze": freeze or None}
    settings = settings_of(TrainConfig, "grasp.yaml", config, given)
    trainer = Trainer(data, out, settings, device=device, backbone=backbone_weights, start=start, resume=resume)
    with progress_bar("{task.fields[losses]}") as bar:
        task = bar.add_task("epochs", total=settings.epochs, completed=trainer.done, losses="")

        def report(line: MapEpoch) -> None:
            bar.update(task, completed=line.epoch, losses=_losses(line))

        kept = trainer.train(report)
    emit(summary(kept), as_json, f"Run in {out}")


@app.command("train-ranker")
def train_ranker(
    *,
    data: Annotated[
        list[Path],
        typer.Option(help="Folder with train_dataset.npz and val_dataset.npz, with --failures; may be repeated."),
    ],
    run: Annotated[Path, typer.Option(help="Folder of a trained network; the ranking network is put beside it.")],
    config: ConfigOption = None,
    epochs: EpochsOption = None,
    seed: TrainSeedOption = None,
    device: DeviceOption = "auto",
    start: Annotated[
        Path | None, typer.Option(help="A run's folder: begin with its ranking network, for a second round's data.")
    ] = None,
    resume: ResumeOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train the network that orders what the grasp network proposes, by a close-up of each."""
    with optional_packages("learn", "training"):
        from dofbot_ros.grasp.detection.ranker import RankerConfig
        from dofbot_ros.grasp.learning.train_ranker import RankerEpoch
        from dofbot_ros.grasp.learning.train_ranker import train_ranker as learn

    settings = settings_of(RankerConfig, "grasp_ranker.yaml", config, {"epochs": epochs, "seed": seed})
    with progress_bar("{task.fields[losses]}") as bar:
        task = bar.add_task("epochs", total=settings.epochs, losses="")

        def report(line: RankerEpoch) -> None:
            bar.update(task, completed=line.epoch, losses=f"{_losses(line)}, {line.val_ordered:.1%} in order")

        best = learn(data, run, settings, device=device, start=start, resume=resume, report=report)
    emit(asdict(best), as_json, f"Ranking network in {run}")


@app.command("blend")
def blend(
    *,
    start: Annotated[Path, typer.Option(help="Folder of the run that was begun with.")],
    tuned: Annotated[Path, typer.Option(help="Folder of the run that was trained on from it, by --start.")],
    out: Annotated[Path, typer.Option(help="Folder for the mean of both.")],
    share: Annotated[float, typer.Option(callback=finite, help="Weight of the tuned networks, 0..1.")] = 0.75,
) -> None:
    """Average the weights of a run and of its start: it keeps more of what the start could do."""
    with optional_packages("learn", "averaging networks"):
        from dofbot_ros.grasp.learning.blend import blend as mean
    mean(start, tuned, share, out)
    console.print(f"networks in {out}", highlight=False)


@app.command("evaluate")
def evaluate(
    *,
    model: Annotated[Path | None, typer.Option(help="A run's folder; by default the shipped network.")] = None,
    attempts: Annotated[int, typer.Option(min=1, help="Of each planner, in the same scenes.")] = 500,
    objects: Annotated[
        str, typer.Option(help="train, validation, heldout, family names, or a folder of URDF, OBJ and STL files.")
    ] = "heldout",
    clutter: ClutterOption = 1,
    baselines: Annotated[bool, typer.Option(help="Measure the baselines in the same scenes.")] = True,
    rehearsal: Annotated[
        bool, typer.Option("--rehearsal", help="Over an emulated serial line, in real time, in an unfamiliar world.")
    ] = False,
    desk: DeskOption = "own",
    sight: Annotated[bool, typer.Option(help="On a desk the arm looks at its hand first, and aims by that.")] = True,
    tries: Annotated[
        int,
        typer.Option(min=1, max=9, help="Grasps in a scene while the fingers close on nothing, each otherwise."),
    ] = 1,
    dataset: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Instead, score the network on the recorded grasps of a .npz: does it find those that held?",
        ),
    ] = None,
    state_file: StateFileOption = None,
    seed: SeedOption = 0,
    workers: WorkersOption = None,
    ray: RayOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure the network by grasps that the simulated arm carries out, beside planners without learning.

    Ctrl-C prints what was measured by then.
    """
    from dofbot_ros.grasp.detection.model_io import load_model
    from dofbot_ros.grasp.learning.evaluate import EvaluateConfig, baselines_for
    from dofbot_ros.grasp.learning.evaluate import evaluate as measure
    from dofbot_ros.grasp.simulation.scenes import SceneRules

    if dataset is not None:
        emit(_on_dataset(dataset, model), as_json, f"Recorded grasps of {dataset}")
        return
    rules = SceneRules(objects=clutter, view=load_model(model).info.view)
    _name_skipped(objects)
    config = EvaluateConfig(
        objects,
        attempts,
        seed,
        model,
        rules,
        baselines_for(objects) if baselines else (),
        rehearsal,
        chosen_desk(desk, None, 0)[0],
        sight,
        tries,
    )
    with progress_bar("{task.fields[rate]:.1%} lifted") as bar:
        task = bar.add_task("attempts", total=attempts, rate=0.0)

        def report(done: int, lifted: int) -> None:
            bar.update(task, completed=done, rate=lifted / done)

        result, whole = until_interrupted(lambda: measure(config, _workers(workers, ray), report, state_file))
    if not as_json:
        del result["failed_scenes"]  # for machines: which ones to look at
    emit(result, as_json, f"Grasps of {objects}")
    if not whole:
        end_early(result["attempts"], attempts, "attempts", state_file)


def _on_dataset(dataset: Path, model: Path | None) -> dict[str, Any]:
    from dofbot_ros.grasp.learning.evaluate_dataset import evaluate_dataset

    with progress_bar("recorded views") as bar:
        task = bar.add_task("views", total=None)
        return evaluate_dataset(dataset, model, lambda done, of: bar.update(task, completed=done, total=of))


def _losses(line: Epoch) -> str:
    return f"loss {line.train_loss:.3f}, validation {line.val_loss:.3f}"


def _name_skipped(objects: str) -> None:
    """Name the files of a folder of objects that cannot be used."""
    if Path(objects).is_dir():
        from dofbot_ros.grasp.simulation.object_files import read_folder

        for name, reason in read_folder(Path(objects)).skipped.items():
            console.print(f"skipped {name}: {reason}", highlight=False, soft_wrap=True)


def _workers(count: int | None, ray: str | None) -> Workers:
    import os

    from dofbot_ros.grasp.learning.ray_cluster import RayCluster

    return RayCluster(ray, count) if ray is not None else count or os.cpu_count() or 1
