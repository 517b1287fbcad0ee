"""A network of an ONNX file: its layers and activations, by onnxruntime; gradients it has none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import cv2
import numpy as np
from numpy.typing import NDArray

from dofbot_ros.core.array_files import load_arrays
from dofbot_ros.core.model_files import first_words, model_bytes
from dofbot_ros.errors import InputError, UsageError, one_of
from dofbot_ros.grasp.detection.normalise import network_input
from dofbot_ros.lab.analysis.given import read_picture


class OnnxNetwork:
    """The nodes of an ONNX graph as layers.

    Args:
        path: the .onnx file.

    Attributes:
        name: for titles and file names.
        layers: names of the nodes, in the order in which they run.

    Raises:
        InputError: no such file, or no ONNX.
    """

    def __init__(self, path: Path) -> None:
        import onnx

        self._path = path
        try:
            # From the bytes alone: tensors that it refers to in other files are not followed.
            self._model = onnx.load_model_from_string(model_bytes(path, "network"))
        except InputError:
            raise
        except Exception as error:  # protobuf's own kinds
            raise InputError(f"{path} is no ONNX: {first_words(error)}") from error
        self.name = f"{path.parent.name}_{path.stem}" if path.parent.name else path.stem
        nodes = [node for node in self._model.graph.node if node.op_type != "Constant"]
        self._nodes = {(node.name or node.output[0]).lstrip("/"): node for node in nodes}
        self.layers = tuple(self._nodes)
        self.inputs = tuple(given.name for given in self._model.graph.input)
        self._weights = {one.name: one for one in self._model.graph.initializer}

    def kind(self, layer: str) -> str:
        """The operation of a layer: Conv, Relu, ..."""
        return str(self._node(layer).op_type)

    def weight(self, layer: str) -> NDArray[np.float32]:
        """Weights of a convolution or linear layer.

        Raises:
            InputError: the layer has none.
        """
        import onnx

        for name in list(self._node(layer).input)[1:]:
            if name in self._weights:
                return np.asarray(onnx.numpy_helper.to_array(self._weights[name]), np.float32)
        raise InputError(f"layer {layer} of {self.name} ({self.kind(layer)}) has no weights")

    def activations(self, layers: Sequence[str], inputs: Sequence[NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        """Activations (n, ...) of layers for inputs (n, ...), in the order of the graph's inputs.

        Raises:
            InputError: no such layer, or inputs that the network does not take.
        """
        import onnx
        import onnxruntime

        outputs = {layer: self._node(layer).output[0] for layer in layers}
        model = onnx.ModelProto()
        model.CopyFrom(self._model)
        del model.graph.output[:]
        model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in outputs.values())
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            session = onnxruntime.InferenceSession(
                model.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
            feed = {
                one.name: np.asarray(part, np.uint8 if "uint8" in one.type else np.float32)
                for one, part in zip(session.get_inputs(), inputs, strict=True)
            }
            found = session.run(list(outputs.values()), feed)
        except Exception as error:  # onnxruntime's own kinds, of which it exports none
            raise InputError(f"{self._path} does not take what it was given: {first_words(error)}") from error
        return dict(zip(outputs, (np.asarray(part, np.float32) for part in found), strict=True))

    def given(self, image: Any) -> list[NDArray[Any]]:
        """One array (n, ...) an input, from a picture file, a .npz file of arrays, an array or several.

        Raises:
            InputError: no such file, or a picture where the network takes something else.
        """
        if isinstance(image, (str, Path)):
            path = Path(image)
            if path.suffix == ".npz":
                return list(load_arrays(path, "file of a network's inputs").values())
            return [self._picture(read_picture(path))]
        if isinstance(image, np.ndarray):
            return [image]
        return [np.asarray(part) for part in image]

    def _picture(self, picture: NDArray[np.uint8]) -> NDArray[Any]:
        """A picture (rows, columns, 3) as the first input: channels first and normalised, or channels last as bytes."""
        shape = [one.dim_value for one in self._model.graph.input[0].type.tensor_type.shape.dim]
        if len(shape) == 4 and shape[1] == 3:
            small = np.asarray(cv2.resize(picture, (shape[3], shape[2]), interpolation=cv2.INTER_AREA), np.uint8)
            return network_input(small[None])
        if len(shape) == 4 and shape[3] == 3:
            return np.asarray(cv2.resize(picture, (shape[2], shape[1]), interpolation=cv2.INTER_AREA)[None])
        raise InputError(f"{self._path} takes {', '.join(self.inputs)}, no picture: give a .npz of its inputs")

    def refuse_gradients(self, what: str) -> NoReturn:
        """Say that an ONNX file cannot do `what`.

        Raises:
            InputError: always.
        """
        beside = self._path.with_suffix(".safetensors")
        hint = f"analyse {beside}" if beside.exists() else "analyse the .safetensors or .zip of the same run"
        raise InputError(f"{what} needs gradients, which an ONNX file does not have: {hint}")

    def _node(self, layer: str) -> Any:
        if layer not in self._nodes:
            raise UsageError(one_of(f"layer of {self.name}", layer, self._nodes))
        return self._nodes[layer]
