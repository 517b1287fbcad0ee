"""`dofbot imitate ...`: a simulated hand that imitates silhouettes; train it, measure it, show it a video."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from dofbot_ros.cli.options.checks import from_options
from dofbot_ros.cli.options.progress import progress_bar
from dofbot_ros.core.console import JsonOption, emit, warn
from dofbot_ros.errors import UsageError, optional_packages

if TYPE_CHECKING:
    from dofbot_ros.lab.imitation.imitator import Imitator

app = typer.Typer(no_args_is_help=True)

ModelOption = Annotated[
    Path | None, typer.Option(help="A run's folder; by default the shipped network for --dof.", show_default=False)
]
MethodOption = Annotated[
    str | None,
    typer.Option(
        help="landmarks, landmarks+refine, network, network+refine (the default; with --urdf: landmarks), or sac with "
        "its run.",
        show_default=False,
    ),
]
DofOption = Annotated[int, typer.Option(help="Joints of the hand where no --model says: 12 or 17.")]
StepsOption = Annotated[int, typer.Option(min=1, help="Gradient steps of refinement.")]

UrdfOption = Annotated[Path | None, typer.Option(help="URDF of another hand, in place of --dof's.", show_default=False)]
JointOption = Annotated[
    list[str] | None,
    typer.Option(
        help="'index base=JOINT', repeated: which joint of --urdf a degree of freedom moves, where its name does not "
        "say; -JOINT turns the other way.",
        show_default=False,
    ),
]


@app.callback()
def root() -> None:
    """A simulated hand that imitates the silhouette of a real one."""


@app.command("train")
def train(
    *,
    out: Annotated[Path, typer.Option(help="Folder of this run.")],
    dof: Annotated[int, typer.Option(help="Joints of the hand, 12 or 17.")] = 12,
    urdf: UrdfOption = None,
    joint: JointOption = None,
    method: Annotated[
        Literal["network", "sac"],
        typer.Option(help="network: through the renderer; sac: soft actor-critic, the reference, far slower."),
    ] = "network",
    steps: Annotated[
        int | None,
        typer.Option(min=1, help="Gradient steps, 6,000 or sac's 20,000; resumed runs count on.", show_default=False),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of weights and poses.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Train on generated silhouettes; interrupted, it goes on from its last checkpoint with --resume."""
    own, joints = "" if urdf is None else str(urdf), joints_of(urdf, joint)
    given: dict[str, Any] = {"dof": dof, "urdf": own, "joints": joints, "seed": seed}
    if steps is not None:
        given["steps"] = steps
    with progress_bar("{task.fields[rate]}") as bar:
        line = bar.add_task("steps", total=steps, rate="")

        def report(done: int, wanted: int, mean: float) -> None:
            bar.update(line, completed=done, total=wanted, rate=f"overlap {mean:.1%}")

        with optional_packages("learn", "training"), from_options():
            if method == "sac":
                from dofbot_ros.lab.imitation.reference.sac_train import SacConfig, train_sac

                made = train_sac(SacConfig(**given), out, resume=resume, report=report)
            else:
                from dofbot_ros.lab.imitation.train import ImitationTrainConfig, train_imitation

                made = train_imitation(ImitationTrainConfig(**given), out, resume=resume, report=report)
    emit(made, as_json, f"Run in {out}")


@app.command("evaluate")
def evaluate(
    *,
    model: ModelOption = None,
    method: MethodOption = None,
    dof: DofOption = 12,
    urdf: UrdfOption = None,
    joint: JointOption = None,
    steps: StepsOption = 50,
    targets: Annotated[int, typer.Option(min=1, help="Generated ones.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Of the targets.")] = 0,
    photos: Annotated[Path | None, typer.Option(help="Folder of photos of hands, to imitate too.")] = None,
    sheet: Annotated[Path | None, typer.Option(help="PNG: ten targets, what imitates them, where both differ.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure how well the hand imitates generated targets, and photos."""
    imitator = imitator_of(model, method, dof, steps, urdf=urdf, joint=joint)
    from dofbot_ros.lab.imitation.evaluate import evaluate_imitation, generated_targets

    with progress_bar("{task.fields[rate]}") as bar:
        line = bar.add_task("targets", total=targets, rate="")

        def report(done: int, mean: float) -> None:
            bar.update(line, completed=done, rate=f"overlap {mean:.1%}")

        found: dict[str, Any] = {**evaluate_imitation(imitator, targets, seed, report), "no_hand": 0}
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
    urdf: UrdfOption = None,
    joint: JointOption = None,
    steps: StepsOption = 50,
    as_json: JsonOption = False,
) -> None:
    """Imitate a hand in a camera or a recording; where none is seen, the last pose is held."""
    imitator = imitator_of(model, method, dof, steps, urdf=urdf, joint=joint)
    from dofbot_ros.core.clock import MonotonicClock
    from dofbot_ros.lab.imitation.photos import follow

    with progress_bar("") as bar:
        line = bar.add_task("frames", total=None)
        found = follow(imitator, source, out, MonotonicClock(), lambda done: bar.update(line, completed=done))
    emit(found, as_json, f"Imitation of {source}")


def imitator_of(
    model: Path | None,
    method: str | None,
    dof: int,
    steps: int,
    *,
    urdf: Path | None = None,
    joint: Sequence[str] | None = None,
) -> Imitator:
    """The imitator that the options name.

    Raises:
        UsageError: there is no such method or hand, or the method needs a network.
    """
    with optional_packages("learn", "imitation"):
        from dofbot_ros.lab.imitation.imitator import DEFAULT, Imitator, default_method, load_network, shipped_network
        from dofbot_ros.lab.imitation.urdf.hand import UrdfHand
        from dofbot_ros.lab.imitation.urdf.saved import hand_of
        from dofbot_ros.training.run_folder import one_core
    one_core()
    if model is not None and urdf is not None:
        raise UsageError(f"--urdf and --model do not go together: the run {model} has the hand that it was trained for")
    joints = joints_of(urdf, joint)
    with from_options():
        if model is not None:
            hand, network = load_network(model)
        else:
            hand, network = hand_of(dof, "" if urdf is None else str(urdf), joints), None
            if urdf is None and method in (None, "network", DEFAULT):
                hand, network = load_network(shipped_network(dof))
        if isinstance(hand, UrdfHand) and hand.still:
            warn(f"joints {', '.join(hand.still)} stand still: --joint 'index base=JOINT' says what moves one")
        return Imitator(hand, network, method or default_method(network), steps)


def joints_of(urdf: Path | None, given: Sequence[str] | None) -> dict[str, str]:
    """Degree of freedom -> joint, of words DOF=JOINT.

    Raises:
        UsageError: a word of another form, or one without a URDF.
    """
    found: dict[str, str] = {}
    for word in given or ():
        name, equals, joint = word.partition("=")
        if not (name and equals and joint):
            raise UsageError(f"--joint takes DOF=JOINT, such as 'index base=ff_j3', not {word!r}")
        found[name] = joint
    if found and urdf is None:
        raise UsageError(f"--joint {given[0] if given else ''} says something of a --urdf, which is missing")
    return found
