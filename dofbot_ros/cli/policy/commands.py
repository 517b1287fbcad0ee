"""`dofbot policy ...`: train a policy in simulation, measure it."""

from __future__ import annotations

import math
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dofbot_ros.cli.analysis.weights import weights
from dofbot_ros.cli.options.checks import from_options
from dofbot_ros.cli.options.desk import DeskOption, chosen_desk
from dofbot_ros.cli.options.progress import progress_bar
from dofbot_ros.cli.options.state_file import StateFileOption, end_early, until_interrupted
from dofbot_ros.cli.options.training import DeviceOption
from dofbot_ros.cli.page.evaluation import episode_view
from dofbot_ros.cli.policy.domain_gap import domain_gap
from dofbot_ros.cli.policy.export import export
from dofbot_ros.cli.policy.options import EPISODES, HOPPER, WorkersOption, processes, refuse
from dofbot_ros.core.console import JsonOption, console, emit, warn
from dofbot_ros.errors import InputError, UsageError, one_of, optional_packages

if TYPE_CHECKING:
    from dofbot_ros.lab.live.policy_watch import PolicyWatch
    from dofbot_ros.policy.learning.callback import Progress as Trained
    from dofbot_ros.policy.learning.train import Trainer

app = typer.Typer(no_args_is_help=True)
app.command("export")(export)
app.command("weights")(weights)

TEACHER_EPISODES, TEACHER_WIDTH = 1200, 256
"""What imitation of the planner does by default, and the width of the networks that it teaches."""


OBSERVATIONS = ("state", "image", "pipeline")

TaskOption = Annotated[str, typer.Option(help="reach, pick or place; hopper: the laboratory's.")]
ObsOption = Annotated[str, typer.Option(help="state (joints, tool, block as localised), image or pipeline.")]


@app.callback()
def root() -> None:
    """Learn policies in simulation and measure them."""


@app.command("train")
def train(
    *,
    task: TaskOption = "reach",
    obs: ObsOption = "state",
    algo: Annotated[
        str | None, typer.Option(help="tqc, sac or ppo; hopper: trpo too. By default tqc, for the hopper ppo.")
    ] = None,
    randomize: Annotated[
        str,
        typer.Option(help="none, mild or wide: config/randomization.yaml. Hopper: none, legs or wide."),
    ] = "none",
    desk: Annotated[
        str, typer.Option(help="Every second picture shows this desk: careful, typical, rough or a file; own: none.")
    ] = "own",
    out: Annotated[Path, typer.Option(help="Folder of this run.")],
    steps: Annotated[
        int | None, typer.Option(min=0, help="Of the environment; resumed runs count on. With a teacher 0 by default.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of networks, exploration and worlds.")] = 0,
    control: Annotated[str, typer.Option(help="Actions displace the tool or the joints.")] = "tool",
    hindsight: Annotated[
        bool, typer.Option("--hindsight", help="Sparse reward, replayed with the goals that were reached (HER).")
    ] = False,
    device: DeviceOption = "auto",
    teacher: Annotated[
        str | None,
        typer.Option(
            help="planner: imitate the scripted expert before, or instead of, learning alone. "
            "Hopper: the folder of a policy from state, imitated from pictures; from state, it goes on with that one."
        ),
    ] = None,
    domain: Annotated[str | None, typer.Option(help="Hopper: source (default) or target, to learn in.")] = None,
    demos: Annotated[
        Path | None, typer.Option(help="Folder of recorded episodes (.mcap) of this task, shown to the policy first.")
    ] = None,
    block: Annotated[str, typer.Option(help="Name of the block that matters in them.")] = "red",
    pictures: Annotated[int | None, typer.Option(min=1, help="That a pose network learns from.")] = None,
    episodes: Annotated[int | None, typer.Option(min=1, help="In which the planner teaches.")] = None,
    network: Annotated[
        Path | None,
        typer.Option(
            help="Folder with pose.onnx and pose.yaml; else a pose network is trained first. "
            "Hopper: a run from pictures whose keypoint network is taken."
        ),
    ] = None,
    state_policy: Annotated[
        Path | None,
        typer.Option(help="That acts in a pipeline, or that a student begins with; by default the shipped one."),
    ] = None,
    backbone_weights: Annotated[
        Path | None,
        typer.Option(help="Backbone of the pose network to start from: a run of `grasp pretrain --backbone pose`."),
    ] = None,
    freeze: Annotated[
        bool,
        typer.Option("--freeze", help="Leave that backbone as it is, and train the rest of the pose network alone."),
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    watch: Annotated[
        bool,
        typer.Option("--watch", help="See its network learn in a browser; --out keeps it as learning.html."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Train a policy; interrupted, it goes on from its last checkpoint with --resume."""
    from dofbot_ros.config.loader import from_mapping

    backbones = {"--backbone-weights": backbone_weights, "--freeze": freeze, "--desk": desk != "own"}
    if obs != "pipeline" or network is not None:
        refuse(backbones, "for the training of a pose network: --obs pipeline without --network")

    if obs not in OBSERVATIONS:
        raise UsageError(one_of("obs", obs, OBSERVATIONS))
    if task == HOPPER:
        arms = {
            "--hindsight": hindsight,
            "--demos": demos,
            "--episodes": episodes,
            "--state-policy": state_policy,
            "--control": control != "tool",
            "--block": block != "red",
            **backbones,
        }
        refuse(arms, "not for the hopper")
        from dofbot_ros.cli.lab.hopper import train_hopper

        made = train_hopper(
            obs=obs,
            algo=algo,
            domain=domain,
            randomize=randomize,
            out=out,
            steps=steps,
            seed=seed,
            device=device,
            teacher=Path(teacher) if teacher else None,
            pictures=pictures,
            network=network,
            resume=resume,
        )
        emit(made, as_json, f"Run in {out}")
        return
    refuse({"--domain": domain}, "only for the hopper")
    if teacher not in (None, "planner"):
        raise UsageError(one_of("teacher", str(teacher), ("planner",)))
    if demos is not None and obs != "state":
        raise UsageError("recorded episodes teach policies from state: leave out --demos, or take --obs state")
    taught = teacher is not None
    pixels = obs == "pipeline" or (obs == "image" and taught)
    if obs == "pipeline":
        unused = {"--teacher": teacher, "--episodes": episodes, "--steps": steps, "--hindsight": hindsight}
        refuse(unused, "a pipeline learns to see; what acts in it is the --state-policy")
    elif pixels:
        refuse({"--steps": steps, "--hindsight": hindsight}, "a student of pictures does not go on alone")
    else:
        eyes = {"--pictures": pictures, "--network": network, "--state-policy": state_policy}
        refuse(eyes, "only for --obs pipeline, and for --obs image with --teacher planner")
        refuse({"--episodes": not taught and episodes}, "episodes are a teacher's: add --teacher planner")
    refuse({"--pictures": network and pictures}, "the pose network in --network is trained already")
    refuse({"--watch": watch and obs != "state"}, "networks of linear layers are watched: take --obs state")
    if pixels:
        from dofbot_ros.cli.policy.pixels import train_pixels

        made = train_pixels(
            task=task,
            obs=obs,
            randomize=randomize,
            desk=chosen_desk(desk, None, 0)[0],
            out=out,
            seed=seed,
            device=device,
            resume=resume,
            pictures=pictures,
            episodes=episodes,
            network=network,
            state_policy=state_policy,
            backbone_weights=backbone_weights,
            freeze=freeze,
        )
        emit(made, as_json, f"Run in {out}")
        return
    with optional_packages("learn", "training"):
        from dofbot_ros.policy.learning.train import TrainConfig, Trainer

    given = {
        "task": task,
        "obs": obs,
        "algo": algo or "tqc",
        "randomize": randomize,
        "seed": seed,
        "control": control,
        "hindsight": hindsight,
    }
    if teacher is not None:
        given |= {"episodes": episodes or TEACHER_EPISODES, "steps": 0, "width": TEACHER_WIDTH}
    if demos is not None:
        given |= {"demonstrations": str(demos.resolve()), "block": block, "steps": 0, "width": TEACHER_WIDTH}
    with from_options():
        config = from_mapping(TrainConfig, given, "dofbot policy train")
    config = config if steps is None else replace(config, steps=steps)
    trainer = Trainer(config, out, device=device, resume=resume)
    shown = trainer.demonstrations
    if shown is not None and shown.doubt:
        warn(shown.doubt)
    try:
        with progress_bar("{task.fields[rate]}") as bar, ExitStack() as stack:
            seen = stack.enter_context(_watch(trainer, out)) if watch else None
            what = "steps" if config.steps else "episodes" if config.episodes else "recordings"
            line = bar.add_task(what, total=None, rate="")

            def report(progress: Trained) -> None:
                known = (progress.success_rate, "{:.0%} succeed"), (progress.mean_return, "return {:.1f}")
                rate = ", ".join(text.format(value) for value, text in known if not math.isnan(value))
                bar.update(line, completed=progress.steps, total=progress.wanted, rate=rate)
                if seen is not None:
                    seen.take(progress.steps, progress.success_rate)

            end = trainer.train(report)
            report(end)
    finally:
        trainer.close()
    result: dict[str, Any] = {
        "steps": end.steps,
        "success_rate": end.success_rate,
        "mean_return": end.mean_return,
        "seconds": end.seconds,
        "policy": str(out / "policy.onnx"),
    }
    if config.shown:
        result["imitation_loss"] = trainer.imitation_loss
    if shown is not None:
        result["demonstrations"] = {**vars(shown), "warning": shown.doubt}
    emit(result, as_json, f"Run in {out}")


@app.command("evaluate")
def evaluate(
    *,
    task: Annotated[
        str | None, typer.Option(help="reach, pick or place; by default that of --model, or reach.")
    ] = None,
    obs: Annotated[
        str | None, typer.Option(help="state, image or pipeline; by default that of --model, or state.")
    ] = None,
    model: Annotated[Path | None, typer.Option(help="A run's folder; by default the shipped policy.")] = None,
    episodes: Annotated[
        int | None, typer.Option(min=1, help="By default 500; 50 of the hopper.", show_default=False)
    ] = None,
    domain: Annotated[str, typer.Option(help="source or target: config/domains.yaml.")] = "source",
    seed: Annotated[int, typer.Option(min=0, help="Of the first episode.")] = 0,
    workers: WorkersOption = None,
    physics: Annotated[str, typer.Option(help="node: what sim_node runs; training: the faster one.")] = "node",
    desk: DeskOption = "own",
    pictures: Annotated[
        Path | None, typer.Option(help="Hopper: folder for drawings of the first episode: GIF, keypoints, states.")
    ] = None,
    rehearsal: Annotated[
        bool,
        typer.Option("--rehearsal", help="Over an emulated servo bus too, in real time: what of it is left there?"),
    ] = False,
    state_file: StateFileOption = None,
    page: Annotated[Path | None, typer.Option(help="HTML page with the rate's chart to write.")] = None,
    view: Annotated[
        bool, typer.Option("--view", help="Show the episodes on the console's page, at the pace of the clock.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure a policy: success rate with its interval, judged by what is true of the simulated world.

    Ctrl-C prints what was measured by then.
    Of the hopper: mean_return with its interval, return_500 (of the first 500 steps), mean_length.
    """
    if task == HOPPER:
        arms = {
            "--physics": physics != "node",
            "--desk": desk != "own",
            "--rehearsal": rehearsal,
            "--workers": workers,
            "--state-file": state_file,
            "--page": page,
            "--view": view,
        }
        refuse(arms, "not for the hopper")
        from dofbot_ros.cli.lab.hopper import evaluate_hopper_policy

        measured = evaluate_hopper_policy(
            obs=obs or "state", model=model, episodes=episodes, domain=domain, seed=seed, pictures=pictures
        )
        emit(measured, as_json, f"hopper from {obs} in {domain}")
        return
    refuse({"--pictures": pictures}, "only for the hopper")
    episodes = episodes or EPISODES
    from dofbot_ros.policy.env.tasks import TASKS
    from dofbot_ros.policy.interface.spec import load_spec
    from dofbot_ros.policy.runtime.policy_runner import shipped

    for what, given, valid in (("task", task, tuple(TASKS)), ("obs", obs, OBSERVATIONS)):
        if given is not None and given not in valid:
            raise UsageError(one_of(what, given, valid))
    if physics not in ("node", "training"):
        raise UsageError(one_of("physics", physics, ("node", "training")))
    if rehearsal and workers is not None:
        raise UsageError("a rehearsal runs in real time, one episode after the other: leave out --workers")
    if rehearsal and state_file is not None:
        raise UsageError("a rehearsal keeps no file: leave out --state-file")
    if rehearsal and physics != "node":
        raise UsageError("a rehearsal runs in the nodes' physics: leave out --physics training")
    where = chosen_desk(desk, None, 0)[0]
    if rehearsal and where != "own":
        raise UsageError(f"a rehearsal has a world of its own: leave out --desk {desk}")
    folder = model or shipped(task or "reach", obs or "state")
    spec = load_spec(folder)
    task, obs = task or spec.task, obs or spec.obs
    if (spec.task, spec.obs) != (task, obs):
        raise InputError(f"{folder} holds a {spec.obs} policy for {spec.task}, not {obs} for {task}")
    with optional_packages("learn", "measuring policies"):
        from dofbot_ros.policy.evaluation.evaluate import EvaluateConfig
        from dofbot_ros.policy.evaluation.evaluate import evaluate as measure
        from dofbot_ros.policy.evaluation.rehearsal import rehearse
    with from_options():
        config = EvaluateConfig(folder, episodes, domain, seed, physics == "node", where)
    if view and workers is not None:
        raise UsageError("--view shows one episode after the other: leave out --workers")
    with ExitStack() as stack:
        seen = stack.enter_context(episode_view(episodes, paced=rehearsal)) if view else None
        bar = stack.enter_context(progress_bar("{task.fields[rate]}"))
        line = bar.add_task("episodes", total=episodes, rate="")

        def report(done: int, succeeded: int) -> None:
            bar.update(line, completed=done, rate=f"{succeeded / done:.1%} succeed")
            if seen is not None:
                seen.report(done, succeeded)

        show = seen.show if seen is not None else lambda _: None
        several = 1 if view else processes(workers)
        result, whole = until_interrupted(
            lambda: rehearse(config, report, show) if rehearsal else measure(config, several, report, state_file, show)
        )
    if page is not None:
        from dofbot_ros.trials.reporting.rates import write_evaluation

        result = {**result, "report": str(write_evaluation(result, folder, page))}
    emit(result, as_json, f"{task} from {obs} in {domain}")
    if not whole:
        end_early(result["episodes"], episodes, "episodes", state_file)


def _watch(trainer: Trainer, out: Path) -> PolicyWatch:
    """Frames of the trainer's network, in a browser."""
    from dofbot_ros.lab.live.policy_watch import PolicyWatch

    watch = PolicyWatch(trainer.model, trainer.config.environment(), out)
    console.print(f"watch it at {watch.url}", highlight=False)
    return watch


app.command("domain-gap")(domain_gap)
