"""`dofbot imitate ...`: a simulated hand that imitates silhouettes; train it, measure it, show it a video."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dofbot_ros.cli.options.checks import from_options
from dofbot_ros.core.console import JsonOption, emit
from dofbot_ros.core.progress import progress_bar
from dofbot_ros.errors import optional_packages

if TYPE_CHECKING:
    from dofbot_ros.lab.imitation.imitator import Imitator

app = typer.Typer(no_args_is_help=True)

ModelOption = Annotated[
    Path | None, typer.Option(help="A run's folder; without one the method is landmarks.", show_default=False)
]
MethodOption = Annotated[
    str | None,
    typer.Option(
        help="landmarks, landmarks+refine, network or network+refine, the default with a --model.", show_default=False
    ),
]
DofOption = Annotated[int, typer.Option(help="Joints of the hand where no --model says: 12 or 17.")]
StepsOption = Annotated[int, typer.Option(min=1, help="Gradient steps of refinement.")]


@app.callback()
def root() -> None:
    """A simulated hand that imitates the silhouette of a real one."""


@app.command("train")
def train(
    *,
    out: Annotated[Path, typer.Option(help="Folder of this run.")],
    dof: Annotated[int, typer.Option(help="Joints of the hand, 12 or 17.")] = 12,
    steps: Annotated[int, typer.Option(min=1, help="Gradient steps; resumed runs count on.")] = 6000,
    seed: Annotated[int, typer.Option(min=0, help="Of weights and poses.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Train the network on generated silhouettes; interrupted, it goes on from its last checkpoint with --resume."""
    with optional_packages("learn", "training"):
        from dofbot_ros.lab.imitation.train import ImitationTrainConfig, train_imitation
    config = ImitationTrainConfig(dof=dof, steps=steps, seed=seed)
    with progress_bar("{task.fields[rate]}") as bar:
        line = bar.add_task("steps", total=steps, rate="")

        def report(done: int, wanted: int, mean: float) -> None:
            bar.update(line, completed=done, total=wanted, rate=f"overlap {mean:.1%}")

        made = train_imitation(config, out, resume=resume, report=report)
    emit(made, as_json, f"Run in {out}")


@app.command("evaluate")
def evaluate(
    *,
    model: ModelOption = None,
    method: MethodOption = None,
    dof: DofOption = 12,
    steps: StepsOption = 50,
    targets: Annotated[int, typer.Option(min=1, help="Generated ones.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Of the targets.")] = 0,
    photos: Annotated[Path | None, typer.Option(help="Folder of photos of hands, to imitate too.")] = None,
    sheet: Annotated[Path | None, typer.Option(help="PNG: ten targets, what imitates them, where both differ.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure how well the hand imitates generated targets, and photos."""
    imitator = imitator_of(model, method, dof, steps)
    from dofbot_ros.lab.imitation.evaluate import evaluate_imitation, generated_targets

    with progress_bar("{task.fields[rate]}") as bar:
        line = bar.add_task("targets", total=targets, rate="")

        def report(done: int, mean: float) -> None:
            bar.update(line, completed=done, rate=f"overlap {mean:.1%}")

        found: dict[str, Any] = evaluate_imitation(imitator, targets, seed, report)
        if photos is not None:
            from dofbot_ros.lab.imitation.photos import evaluate_photos

            shown = bar.add_task("photos", total=None, rate="")
            found["photos"] = evaluate_photos(
                imitator, photos, lambda done, mean: bar.update(shown, completed=done, rate=f"overlap {mean:.1%}")
            )
            found["no_hand"] = len(found["photos"]["no_hand"])
    if sheet is not None:
        from dofbot_ros.lab.imitation.sheet import draw_sheet

        _, silhouettes, landmarks = generated_targets(imitator.model, 10, seed)
        draw_sheet(imitator.model, silhouettes, imitator.angles(silhouettes.float(), landmarks), sheet)
        found["sheet"] = str(sheet)
    emit(found, as_json, f"{imitator.method}, {imitator.model.dof} joints")


@app.command("run")
def run(
    *,
    source: Annotated[str, typer.Option(help="A camera's number or device, a video file, or a folder of images.")],
    out: Annotated[Path, typer.Option(help="Folder for imitation.mp4 and angles.jsonl.")],
    model: ModelOption = None,
    method: MethodOption = None,
    dof: DofOption = 17,
    steps: StepsOption = 50,
    as_json: JsonOption = False,
) -> None:
    """Imitate a hand in a camera or a recording; where none is seen, the last pose is held."""
    imitator = imitator_of(model, method, dof, steps)
    from dofbot_ros.core.clock import MonotonicClock
    from dofbot_ros.lab.imitation.photos import follow

    with progress_bar("") as bar:
        line = bar.add_task("frames", total=None)
        found = follow(imitator, source, out, MonotonicClock(), lambda done: bar.update(line, completed=done))
    emit(found, as_json, f"Imitation of {source}")


def imitator_of(model: Path | None, method: str | None, dof: int, steps: int) -> Imitator:
    """The imitator that the options name.

    Raises:
        UsageError: there is no such method or hand, or the method needs a network.
    """
    with optional_packages("learn", "imitation"):
        from dofbot_ros.lab.imitation.hand import HandModel
        from dofbot_ros.lab.imitation.imitator import Imitator, load_network
    hand, network = (HandModel(dof), None) if model is None else load_network(model)
    with from_options():
        return Imitator(hand, network, method or ("landmarks" if network is None else "network+refine"), steps)
