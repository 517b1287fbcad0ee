"""`dofbot grasp pretrain`: teach a network's backbone to see, before any grasp or policy is tried."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dofbot_ros.cli.options.progress import progress_bar
from dofbot_ros.cli.options.training import DeviceOption, EpochsOption, ResumeOption, TrainSeedOption, settings_of
from dofbot_ros.core.console import JsonOption, emit
from dofbot_ros.errors import optional_packages

if TYPE_CHECKING:
    from dofbot_ros.grasp.pretraining.pretrain import PretrainEpoch


def pretrain(
    *,
    out: Annotated[Path, typer.Option(help="Folder for views, weights, log and pictures of this run.")],
    on: Annotated[
        Literal["reconstruction", "classification", "pose"],
        typer.Option(help="What it learns: to draw the view again, to name the object, to tell how it lies."),
    ] = "reconstruction",
    backbone: Annotated[
        Literal["grasp", "pose"] | None,
        typer.Option(help="Whose backbone: the grasp network's (default), or the pose network's of `policy train`."),
    ] = None,
    views: Annotated[int | None, typer.Option(min=20, help="To learn from; instead of the configuration's.")] = None,
    objects: Annotated[str | None, typer.Option(help="train (default), validation, heldout, or family names.")] = None,
    views_from: Annotated[
        Path | None, typer.Option(help="A run whose views are taken: they are the same for all three.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="YAML; by default config/grasp_pretrain.yaml.")] = None,
    epochs: EpochsOption = None,
    seed: TrainSeedOption = None,
    device: DeviceOption = "auto",
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes that draw views; by default one a core.")
    ] = None,
    resume: ResumeOption = False,
    as_json: JsonOption = False,
) -> None:
    """Teach a backbone to see: `grasp train --backbone-weights OUT` goes on from it, `policy train` from a pose one.

    Interrupted while views are drawn, the same command goes on; in the training, --resume does.
    """
    from dofbot_ros.grasp.pretraining.labelled_views import Wanted, labelled_views
    from dofbot_ros.grasp.simulation.families import families_of

    with optional_packages("learn", "training"):
        from dofbot_ros.grasp.learning.run import CHECKPOINT
        from dofbot_ros.grasp.pretraining.pretrain import VIEWS, PretrainConfig, Pretrainer
        from dofbot_ros.policy.perception.keypoint_backbone import pose_backbone
        from dofbot_ros.training.run_folder import RunFolder

    given = {"on": on, "backbone": backbone, "views": views, "objects": objects, "epochs": epochs, "seed": seed}
    settings = settings_of(PretrainConfig, "grasp_pretrain.yaml", config, given)
    families = families_of(settings.objects)
    RunFolder(out, resume=resume, mark=CHECKPOINT)  # refuses before anything is drawn
    with progress_bar("{task.fields[said]}") as bar:
        drawn = bar.add_task("views", total=settings.views, said="")
        made = labelled_views(
            Wanted(settings.objects, settings.views, settings.seed),
            (views_from or out) / VIEWS,
            workers or os.cpu_count() or 1,
            lambda done, of: bar.update(drawn, completed=done, total=of),
        )
        bar.update(drawn, completed=settings.views)
        trainer = Pretrainer(
            made,
            len(families),
            out,
            settings,
            make_backbone=pose_backbone if settings.backbone == "pose" else None,
            device=device,
            resume=resume,
        )
        task = bar.add_task("epochs", total=settings.epochs, completed=trainer.done, said="")

        def report(line: PretrainEpoch) -> None:
            bar.update(task, completed=line.epoch, said=f"{line.val_score:.3g} {trainer.head.score_name}")

        kept = trainer.train(report)
    result = {
        "on": settings.on,
        "backbone": settings.backbone,
        "views": settings.views,
        "kept_epoch": kept.epoch,
        "val_loss": kept.val_loss,
        "score": kept.val_score,
        "score_is": trainer.head.score_name,
        "seconds": kept.seconds,
    }
    emit(result, as_json, f"Backbone in {out}")
