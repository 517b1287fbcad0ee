"""`dofbot analyze layers|weights|maximize|activations|attribute|cluster|predict`: look into a trained network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dofbot_ros.cli.analysis.learning import live, prune
from dofbot_ros.cli.analysis.options import (
    ImageOption,
    LayerOption,
    ModelArgument,
    ObjectsOption,
    OutOption,
    SamplesOption,
    SeedOption,
    draw_samples,
    inputs_of,
    open_analyzer,
)
from dofbot_ros.cli.options.progress import progress_bar
from dofbot_ros.core.console import JsonOption, emit
from dofbot_ros.errors import InputError, UsageError

if TYPE_CHECKING:
    from torch import Tensor

    from dofbot_ros.lab.analysis.analyzer import NetworkAnalyzer

app = typer.Typer(no_args_is_help=True)
app.command("live")(live)
app.command("prune")(prune)

OUT = Path("analysis")


@app.callback()
def root() -> None:
    """Look into trained networks, and watch networks learn."""


@app.command("layers")
def layers(model: ModelArgument, *, out: OutOption = OUT, as_json: JsonOption = False) -> None:
    """List a network's layers and draw it."""
    from dofbot_ros.lab.analysis.onnx_network import OnnxNetwork

    analyzer = open_analyzer(model, out)
    names = analyzer.list_layer_names()
    convolutions = set(analyzer.list_convolutional_layer_names())
    found = {name: "convolution" if name in convolutions else "other" for name in names}
    if isinstance(analyzer.network, OnnxNetwork):
        emit({"layers": found}, as_json, str(model))
        return
    picture = analyzer.plot_model()
    if not as_json:
        typer.echo(analyzer.summary())
    emit({"layers": found, "picture": str(picture)}, as_json, str(model))


@app.command("weights")
def weights(model: ModelArgument, *, layer: LayerOption, out: OutOption = OUT, as_json: JsonOption = False) -> None:
    """Draw the kernels of a convolution that has 1 or 3 input channels."""
    picture = open_analyzer(model, out).visualize_layer_weights(layer)
    emit({"picture": str(picture)}, as_json, f"Weights of {layer}")


@app.command("maximize")
def maximize(
    model: ModelArgument,
    *,
    layer: LayerOption,
    features: Annotated[str, typer.Option(help="Numbers with commas, or a range: 0-8.")] = "0-8",
    steps: Annotated[
        int, typer.Option(min=1, help="Of gradient ascent at each resolution, three times as many at the last.")
    ] = 40,
    seed: SeedOption = 0,
    out: OutOption = OUT,
    as_json: JsonOption = False,
) -> None:
    """Find the inputs that excite features of a layer most."""
    analyzer = open_analyzer(model, out)
    chosen = _numbers(features)
    inputs = getattr(analyzer.network, "inputs", ())
    others = inputs_of(analyzer, None, 1, seed)[1:] if len(inputs) > 1 else ()
    with progress_bar("gradient ascent") as bar:
        line = bar.add_task("steps", total=None)
        picture = analyzer.visualize_max_filter_respondence(
            layer,
            chosen,
            steps,
            seed=seed,
            others=others,
            report=lambda done, of: bar.update(line, completed=done, total=of),
        )
    emit({"features": chosen, "picture": str(picture)}, as_json, f"What excites {layer}")


@app.command("activations")
def activations(
    model: ModelArgument,
    *,
    layer: LayerOption,
    image: ImageOption = None,
    style: Annotated[str, typer.Option(help="gray, heat or plot.")] = "gray",
    seed: SeedOption = 0,
    out: OutOption = OUT,
    as_json: JsonOption = False,
) -> None:
    """Draw what a layer makes of an input."""
    analyzer = open_analyzer(model, out)
    given = inputs_of(analyzer, image, 1, seed)
    picture = analyzer.visualize_activation_map(layer, given, style)  # type: ignore[arg-type]
    emit({"picture": str(picture)}, as_json, f"Activations of {layer}")


@app.command("attribute")
def attribute(
    model: ModelArgument,
    *,
    image: ImageOption = None,
    method: Annotated[str, typer.Option(help="saliency, integrated_gradients or grad_cam.")] = "integrated_gradients",
    target: Annotated[
        str | None,
        typer.Option(
            help="Name or number of the output, place in a map; chosen: the planner's grasp; all: a policy's actions."
        ),
    ] = None,
    layer: Annotated[str | None, typer.Option("--layer", help="Of Grad-CAM; the last convolution by default.")] = None,
    samples: SamplesOption = 1,
    seed: SeedOption = 0,
    out: OutOption = OUT,
    as_json: JsonOption = False,
) -> None:
    """Draw which inputs drive an output; of a policy --samples 100 shows an episode."""
    analyzer = open_analyzer(model, out)
    given = inputs_of(analyzer, image, samples, seed)
    if target == "all":
        picture = analyzer.drivers(given)
        emit({"method": "integrated_gradients", "picture": str(picture)}, as_json, "What drives each output")
        return
    chosen = _chosen(analyzer, model, given) if target == "chosen" else _target(target)
    picture = analyzer.attribute(given, method, chosen, layer=layer)  # type: ignore[arg-type]
    emit({"method": method, "picture": str(picture)}, as_json, f"What drives {target or 'the largest output'}")


@app.command("cluster")
def cluster(
    model: ModelArgument,
    *,
    layer: LayerOption,
    quantity: Annotated[str, typer.Option(help="That colours the points: x, y, yaw, ...")] = "x",
    how: Annotated[str, typer.Option(help="pca, or tsne where scikit-learn is installed.")] = "pca",
    samples: SamplesOption = 300,
    objects: ObjectsOption = "train",
    seed: SeedOption = 0,
    out: OutOption = OUT,
    as_json: JsonOption = False,
) -> None:
    """Draw where inputs lie to each other in a layer's activations."""
    analyzer = open_analyzer(model, out)
    network = analyzer.torch_network("clustering")
    drawn = draw_samples(network, samples, seed, objects)
    colour = drawn.quantity(quantity)[:, 0]
    picture = analyzer.cluster_inputs(layer, drawn.inputs, how, colour=colour, label=quantity, seed=seed)  # type: ignore[arg-type]
    emit({"samples": samples, "picture": str(picture)}, as_json, f"Inputs in {layer}")


@app.command("predict")
def predict(
    model: ModelArgument,
    *,
    layer: Annotated[
        str, typer.Option("--layer", help="A layer, several with commas, or all: every convolution and linear layer.")
    ] = "all",
    quantity: Annotated[str, typer.Option(help="x, y, yaw, ...; an unknown one names those that are known.")] = "yaw",
    samples: SamplesOption = 500,
    objects: ObjectsOption = "cube",
    seed: SeedOption = 0,
    out: OutOption = OUT,
    as_json: JsonOption = False,
) -> None:
    """Measure what layers know: how much of a quantity a linear probe reads from their activations."""
    from dofbot_ros.lab.analysis.probe_report import probe_layers

    analyzer = open_analyzer(model, out)
    network = analyzer.torch_network("a probe")
    drawn = draw_samples(network, samples, seed, objects)
    result = probe_layers(
        analyzer, drawn, quantity, layers=None if layer == "all" else layer.split(","), out=out, seed=seed
    )
    emit(result, as_json, f"How much of {quantity} layers know (share of the variance, held-out inputs)")


def _numbers(text: str) -> list[int]:
    """0-8 or 1,5,7."""
    try:
        if "-" in text:
            first, last = text.split("-")
            return list(range(int(first), int(last) + 1))
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise UsageError(f"features are numbers with commas, or a range such as 0-8, got {text!r}") from error


def _chosen(analyzer: NetworkAnalyzer, model: Path, given: tuple[Tensor, ...]) -> tuple[int, int, int]:
    """The grasp that the planner of this run chooses in the first view."""
    from dofbot_ros.lab.analysis.given import to_picture
    from dofbot_ros.lab.analysis.grasp_choice import chosen_grasp

    network = analyzer.torch_network("attribution")
    if network.kind != "grasp":
        raise InputError(f"a grasp is chosen from a grasp network's map, which {network.name} has not")
    return chosen_grasp(model if model.is_dir() else model.parent, to_picture(network, given[0][:1])[0])


def _target(text: str | None) -> str | int | tuple[int, ...] | None:
    if text is None:
        return None
    parts = text.split(",")
    if all(part.strip().isdigit() for part in parts):
        numbers = tuple(int(part) for part in parts)
        return numbers[0] if len(numbers) == 1 else numbers
    return text
