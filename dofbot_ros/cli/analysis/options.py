"""Options that the commands of `dofbot analyze` share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dofbot_ros.cli.options.progress import progress_bar
from dofbot_ros.errors import InputError, optional_packages

if TYPE_CHECKING:
    from dofbot_ros.lab.analysis.analyzer import NetworkAnalyzer
    from dofbot_ros.lab.analysis.network import Network
    from dofbot_ros.lab.analysis.samples import Samples

ModelArgument = Annotated[
    Path,
    typer.Argument(help="A run's folder, .safetensors, .onnx, or a .zip of stable-baselines3."),
]
LayerOption = Annotated[str, typer.Option("--layer", help="Name of a layer, as `dofbot analyze layers` lists them.")]
ImageOption = Annotated[
    Path | None,
    typer.Option("--image", help="PNG or JPEG, or a .npz of the network's inputs; by default drawn in simulation."),
]
OutOption = Annotated[Path, typer.Option("--out", help="Folder of the pictures; nothing in it is overwritten.")]
SeedOption = Annotated[int, typer.Option(min=0, help="Of everything that is drawn at random.")]
SamplesOption = Annotated[int, typer.Option(min=1, help="Inputs that are drawn in simulation.")]
ObjectsOption = Annotated[str, typer.Option(help="Families on the table, for grasp networks.")]


def open_analyzer(model: Path, out: Path) -> NetworkAnalyzer:
    """The analyzer of a saved network; its pictures go to `out`."""
    with optional_packages("lab", "looking into networks"):
        from dofbot_ros.lab.analysis.analyzer import NetworkAnalyzer
    return NetworkAnalyzer.from_saved_model(model, "save", folder=out)


def draw_samples(network: Network, count: int, seed: int, objects: str = "train") -> Samples:
    """Real inputs, with progress."""
    from dofbot_ros.lab.analysis.samples import real_samples

    with progress_bar("inputs from the simulation") as bar:
        line = bar.add_task("inputs", total=count)
        return real_samples(
            network, count, seed, objects=objects, report=lambda done, of: bar.update(line, completed=done, total=of)
        )


def inputs_of(analyzer: NetworkAnalyzer, image: Path | None, count: int, seed: int) -> Any:
    """What the network is given: a person's file, or inputs from the simulation."""
    from dofbot_ros.lab.analysis.given import to_inputs
    from dofbot_ros.lab.analysis.onnx_network import OnnxNetwork

    network = analyzer.network
    if isinstance(network, OnnxNetwork):
        if image is None:
            raise InputError(f"{network.name} is an ONNX file: give it a picture or a .npz with --image")
        return image
    if image is None:
        return draw_samples(network, count, seed).inputs
    others: tuple[Any, ...] = ()
    if len(network.inputs) > 1 and image.suffix != ".npz":
        others = tuple(part[:1] for part in draw_samples(network, 1, seed).inputs[1:])
    return to_inputs(network, image, others=others)
