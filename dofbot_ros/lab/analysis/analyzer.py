"""NetworkAnalyzer: looks into any torch network, by forward hooks, and shows, saves or returns what it finds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dofbot_ros.errors import DependencyError, InputError, UsageError, one_of
from dofbot_ros.lab.analysis import figures
from dofbot_ros.lab.analysis.attribution import Attribution, Method, Target, attribute
from dofbot_ros.lab.analysis.clusters import Projection, features_of, project
from dofbot_ros.lab.analysis.delivery import Delivery, Mode
from dofbot_ros.lab.analysis.given import Given, to_inputs, to_picture
from dofbot_ros.lab.analysis.layer_views import (
    activation_figure,
    attribution_figure,
    describe_layers,
    drivers_figure,
    feature_count,
    is_convolution,
    layer_table,
    weight_images,
)
from dofbot_ros.lab.analysis.loading import load_network
from dofbot_ros.lab.analysis.maximize import Maximum, maximize
from dofbot_ros.lab.analysis.network import InputSpec, Network, activations
from dofbot_ros.lab.analysis.onnx_network import OnnxNetwork
from dofbot_ros.lab.analysis.predictability import Predictability, predictability

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Style = Literal["gray", "heat", "plot"]

MOST_SHOWN = 36
"""Features in one figure."""


class NetworkAnalyzer:
    """Looks into a trained network. Every visualising method shows, saves or returns, as the mode says.

    Args:
        model: a torch module, which is put into eval mode; or a Network, which knows what it takes.
        mode: show, save or return; see Delivery.
        folder: of saved pictures.
        inputs: what the module takes, where it is not a Network: maximisation needs to know.
        name: of the module, for titles and file names.

    Attributes:
        network: what is analysed.
    """

    def __init__(
        self,
        model: nn.Module | Network | OnnxNetwork,
        mode: Mode = "show",
        *,
        folder: Path = Path("analysis"),
        inputs: Sequence[InputSpec] = (),
        name: str = "network",
    ) -> None:
        self.network: Network | OnnxNetwork = (
            Network(name, "plain", model.eval(), tuple(inputs)) if isinstance(model, nn.Module) else model
        )
        self._deliver = Delivery(mode, folder)

    @classmethod
    def from_saved_model(
        cls, path: str | Path, mode: Mode = "show", *, folder: Path = Path("analysis")
    ) -> NetworkAnalyzer:
        """The analyzer of a grasp run, a ranker, a policy, a .safetensors, an SB3 .zip or an .onnx file.

        Raises:
            InputError: no network that is known here.
        """
        path = Path(path)
        network = OnnxNetwork(path) if path.suffix == ".onnx" else load_network(path)
        return cls(network, mode, folder=folder)

    # -- layers ------------------------------------------------------------------------------------------------------

    def list_layer_names(self) -> list[str]:
        """Names of all layers: modules without parts of their own, or the nodes of an ONNX graph."""
        if isinstance(self.network, OnnxNetwork):
            return list(self.network.layers)
        return [name for name, module in self.network.module.named_modules() if name and not list(module.children())]

    def list_convolutional_layer_names(self) -> list[str]:
        """Names of the convolutions."""
        return [name for name in self.list_layer_names() if self._is_convolution(name)]

    def list_non_convolutional_layer_names(self) -> list[str]:
        """Names of all other layers."""
        return [name for name in self.list_layer_names() if not self._is_convolution(name)]

    def numb_features_in_layer(self, layer: str) -> int:
        """Channels of a convolution, units of a linear layer; of others, as many as the layer before them has.

        Raises:
            InputError: no such layer, or none before it has features.
        """
        if isinstance(self.network, OnnxNetwork):
            weight = self.network.weight(layer)
            return int(weight.shape[0])
        return feature_count(self.network, layer)

    def get_layer_by_name(self, layer: str) -> nn.Module:
        """The module of this name.

        Raises:
            InputError: there is none; or the network is an ONNX file, which has no modules.
        """
        return self.torch_network("a layer as a module").layer(layer)

    def summary(self) -> str:
        """The network as torchinfo prints it; where it cannot follow an answer, layers with their shapes alone."""
        network = self.torch_network("a summary")
        try:
            from torchinfo import summary
        except ModuleNotFoundError as error:
            raise DependencyError("torchinfo", "lab", "a summary") from error
        sizes = [(1, *spec.shape) for spec in network.inputs] or None
        try:
            return str(summary(network.module, sizes, verbose=0, depth=4, device="cpu"))
        except RuntimeError:  # torchinfo takes no dataclass for an answer, as pose networks give
            return layer_table(network)

    def plot_model(self) -> Any:
        """All layers in the order in which they run, as long as their activations have numbers."""
        network = self.torch_network("a plot of the model")
        rows = describe_layers(network)
        figure = figures.layer_stack(rows, f"{network.name}: {len(rows)} layers")
        return self._deliver(figure, rows, network.name, "model")

    def visualize_layer_weights(self, layer: str) -> Any:
        """The kernels of a convolution of 1 or 3 input channels, as pictures.

        Raises:
            InputError: the layer has other weights.
        """
        if isinstance(self.network, OnnxNetwork):
            weight: NDArray[Any] = self.network.weight(layer)
        else:
            held = getattr(self.network.layer(layer), "weight", None)
            if not isinstance(held, Tensor):
                raise InputError(f"layer {layer} of {self.network.name} has no weights")
            weight = held.detach().numpy()
        images = weight_images(weight, f"layer {layer} of {self.network.name}")[:MOST_SHOWN]
        names = [str(k) for k in range(len(images))]
        figure = figures.grid(
            images, names, f"{self.network.name} {layer}: weights", signed=images[0].ndim == 2, cmap="RdBu_r"
        )
        return self._deliver(figure, weight, self.network.name, layer, "weights")

    # -- what excites, and what is excited ---------------------------------------------------------------------------

    def visualize_max_filter_respondence(
        self,
        layer: str,
        feature_ids: Sequence[int],
        optimization_steps: int = 40,
        *,
        seed: int = 0,
        others: Sequence[Tensor] = (),
        report: Callable[[int, int], None] | None = None,
    ) -> Any:
        """The inputs that excite features of a layer most; returns a Maximum.

        Args:
            layer: its name.
            feature_ids: channels or units.
            optimization_steps: of gradient ascent at each of three growing resolutions; more at the last.
            seed: of the noise that the search begins with.
            others: the network's inputs after the first, (1, ...) each.
            report: told how many steps are done, of how many.

        Raises:
            InputError: no such layer or feature, or an activation that did not rise: what excites it was not found.
        """
        network = self.torch_network("maximising an activation")
        found = maximize(network, layer, feature_ids, steps=optimization_steps, seed=seed, others=others, report=report)
        if not found.rose.all():
            flat = [k for k, rose in zip(found.features, found.rose, strict=True) if not rose]
            raise InputError(
                f"the activation of features {flat} in layer {layer} of {network.name} did not rise in "
                f"{optimization_steps} steps: they may be dead; take more steps, another seed, or leave them out"
            )
        return self._deliver(
            self._maximum_figure(network, layer, found), found, network.name, layer, "maximum", *found.features[:9]
        )

    def visualize_activation_map(self, layer: str, image: Given, style: Style = "gray") -> Any:
        """What a layer makes of an input: maps in grey or as heat, or their course as lines; returns them (n, ...).

        Raises:
            InputError: no such layer or style, or an input that the network does not take.
        """
        if style not in ("gray", "heat", "plot"):
            raise UsageError(one_of("style", style, ("gray", "heat", "plot")))
        if isinstance(self.network, OnnxNetwork):
            found = self.network.activations([layer], self.network.given(image))[layer]
        else:
            found = activations(self.network, [layer], to_inputs(self.network, image))[layer].numpy()
        figure = activation_figure(found[0], f"{self.network.name} {layer}: activations", style)
        return self._deliver(figure, found, self.network.name, layer, "activations", style)

    # -- what drives the answer --------------------------------------------------------------------------------------

    def obtain_saliency_map(self, image: Given, target: Target = None) -> Any:
        """How strongly each pixel drives the output, by its gradient; returns an Attribution."""
        return self.attribute(image, "saliency", target)

    def attribute(
        self, image: Given, method: Method = "integrated_gradients", target: Target = None, *, layer: str | None = None
    ) -> Any:
        """Which inputs drive an output; returns an Attribution.

        Args:
            image: one input, or more.
            method: saliency, integrated_gradients or grad_cam.
            target: name or number of the output, its index in a map; the largest output by default.
            layer: of Grad-CAM; the last convolution by default.

        Raises:
            InputError: no such method, output or layer, or an input that the network does not take.
        """
        network = self.torch_network("attribution")
        inputs = to_inputs(network, image)
        found: Attribution = attribute(network, inputs, method, target, layer=layer)
        figure = attribution_figure(network, inputs, found)
        named = target if isinstance(target, (str, int)) else "-".join(map(str, target or ("largest",)))
        return self._deliver(figure, found, network.name, method, named)

    def drivers(self, inputs: Given) -> Any:
        """Which numbers of a vector drive which outputs, by integrated gradients; returns (numbers, outputs).

        Args:
            inputs: n samples, such as an episode of a policy.

        Raises:
            InputError: the first input is a picture.
        """
        network = self.torch_network("attribution")
        given = to_inputs(network, inputs)
        if given[0].ndim != 2 or not network.inputs:
            raise InputError(f"{network.name} takes pictures: attribute one of its outputs to their pixels")
        count = network.answer(*(part[:1] for part in given)).shape[1]
        shares = [attribute(network, given, "integrated_gradients", k).inputs[0] for k in range(count)]
        values = torch.stack([share.abs().mean(dim=0) for share in shares], dim=1).numpy()
        return self._deliver(drivers_figure(network, values, len(given[0])), values, network.name, "drivers")

    # -- what layers know --------------------------------------------------------------------------------------------

    def cluster_inputs(
        self,
        layer: str,
        images: Given,
        how: Projection = "pca",
        *,
        colour: NDArray[Any] | None = None,
        label: str = "",
        seed: int = 0,
    ) -> Any:
        """Where inputs lie to each other in a layer's activations; returns places (n, 2).

        Args:
            layer: its name.
            images: n inputs.
            how: pca, or tsne where scikit-learn is installed.
            colour: a number of each input, (n,).
            label: what the number is.
            seed: of t-SNE.
        """
        places = project(self.features(layer, images), how, seed)
        figure = figures.scatter(places, colour, f"{self.network.name} {layer}: {len(places)} inputs ({how})", label)
        return self._deliver(figure, places, self.network.name, layer, "clusters", how, label)

    def predictability(self, layer: str, quantity: NDArray[Any], images: Given, seed: int = 0) -> Predictability:
        """How well a linear probe reads a quantity (n, k) of n inputs from a layer; "input" stands for the input."""
        return predictability(self.features(layer, images), np.asarray(quantity, np.float64), seed)

    def features(self, layer: str, images: Given) -> NDArray[np.float64]:
        """A layer's activations for n inputs as one row each, (n, k); maps are averaged to 8x8."""
        network = self.torch_network("features of a layer")
        inputs = to_inputs(network, images)
        if layer == "input":
            return np.concatenate([features_of(part) for part in inputs], axis=1)
        return features_of(activations(network, [layer], inputs)[layer])

    def _maximum_figure(self, network: Network, layer: str, found: Maximum) -> Figure:
        titles = [f"{k}: {a:.2g} -> {b:.2g}" for k, a, b in zip(found.features, found.before, found.after, strict=True)]
        title = f"{network.name} {layer}: what excites most"
        if network.inputs[0].is_picture:
            return figures.grid(list(to_picture(network, found.inputs)), titles, title)
        names = network.inputs[0].names or tuple(str(k) for k in range(found.inputs.shape[1]))
        return figures.matrix(found.inputs.T.numpy(), names, titles, title, "scaled value")

    def _is_convolution(self, name: str) -> bool:
        if isinstance(self.network, OnnxNetwork):
            return self.network.kind(name).startswith("Conv")
        return is_convolution(self.network.layer(name))

    def torch_network(self, what: str) -> Network:
        """The network, for `what` needs gradients or modules.

        Raises:
            InputError: it is an ONNX file, which has none.
        """
        if isinstance(self.network, OnnxNetwork):
            self.network.refuse_gradients(what)
        torch.set_num_threads(1)
        return self.network
