"""Inputs of a network from what a person gives: a picture file, an array, a tensor, vectors in an .npz file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dofbot_ros.core.array_files import load_arrays
from dofbot_ros.errors import InputError, optional_packages
from dofbot_ros.grasp.detection.normalise import network_input
from dofbot_ros.lab.analysis.network import Network

Given = str | Path | NDArray[Any] | Tensor | Sequence[Tensor]


def to_inputs(network: Network, given: Given, *, others: Sequence[Tensor] = ()) -> tuple[Tensor, ...]:
    """One tensor (n, ...) an input of the network.

    Args:
        network: that shall take them.
        given: a picture (file, or RGB array (rows, columns, 3) uint8), which is brought to the network's size and
            scale; a .npz file of arrays in the order of the inputs; tensors as the network takes them.
        others: for the network's inputs after the first, where only a picture is given.

    Raises:
        InputError: no such file, or of another form than the network takes.
    """
    if isinstance(given, (str, Path)):
        path = Path(given)
        if path.suffix == ".npz":
            arrays = load_arrays(path, "file of a network's inputs")
            given = [torch.from_numpy(np.asarray(array, np.float32)) for array in arrays.values()]
        else:
            given = read_picture(path)
    if isinstance(given, np.ndarray):
        if given.dtype == np.uint8 and given.ndim == 3 and given.shape[2] == 3:
            given = from_picture(network, given)
        else:
            given = torch.from_numpy(np.asarray(given, np.float32))
    inputs = (given,) if isinstance(given, Tensor) else tuple(given)
    inputs = (*inputs, *others)
    _check(network, inputs)
    return inputs


def read_picture(path: Path) -> NDArray[np.uint8]:
    """RGB (rows, columns, 3).

    Raises:
        InputError: no such file, or no picture.
    """
    if not path.is_file():
        raise InputError(f"{path} is no picture: there is no such file")
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise InputError(f"{path} is no picture that OpenCV reads: PNG or JPEG is expected")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


def from_picture(network: Network, picture: NDArray[np.uint8]) -> Tensor:
    """A picture as the network's first input, (1, channels, rows, columns).

    Raises:
        InputError: its first input is no picture, or the silhouette of a hand where the picture shows none.
    """
    spec = network.inputs[0] if network.inputs else None
    if spec is None:
        return torch.from_numpy(picture.transpose(2, 0, 1)[None].astype(np.float32) / 255.0)
    if network.kind == "hand":
        return _silhouette(picture)
    if not spec.is_picture or spec.shape[0] != 3:
        raise InputError(f"{network.name} takes {spec.name} {spec.shape}, no picture: give a .npz of its inputs")
    rows, columns = spec.shape[1:]
    small = np.asarray(cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
    if network.kind == "grasp":
        return torch.from_numpy(network_input(small[None]))
    low, high = spec.bounds()
    share = torch.from_numpy(small.transpose(2, 0, 1)[None].astype(np.float32) / 255.0)
    return low + share * (high - low)


def _silhouette(photo: NDArray[np.uint8]) -> Tensor:
    """The silhouette of a photo's hand, (1, 1, 56, 56)."""
    with optional_packages("teleop", "hands in photos"):
        from dofbot_ros.lab.imitation.seen import hand_of_photo
    found = hand_of_photo(photo)
    if found is None:
        raise InputError("the picture shows no hand: give a photo of one, or a .npz of silhouettes")
    return torch.from_numpy(found.silhouette)[None, None].float()


def to_picture(network: Network, given: Tensor) -> NDArray[np.uint8]:
    """The first input (n, channels, rows, columns) as people look at it, RGB (n, rows, columns, 3)."""
    shown = given[:, :3] if given.shape[1] >= 3 else given[:, :1].expand(-1, 3, -1, -1)
    if network.inputs:
        low, high = (bound[:, : shown.shape[1]] for bound in network.inputs[0].bounds())
        shown = (shown - low) / (high - low)
    elif float(shown.amin()) < 0.0 or float(shown.amax()) > 1.0:
        low, high = shown.amin(dim=(1, 2, 3), keepdim=True), shown.amax(dim=(1, 2, 3), keepdim=True)
        shown = (shown - low) / (high - low).clamp_min(1e-9)
    bytes_ = (255.0 * shown.clamp(0.0, 1.0)).round().to(torch.uint8)
    return np.asarray(bytes_.permute(0, 2, 3, 1).numpy())


def _check(network: Network, inputs: Sequence[Tensor]) -> None:
    if not network.inputs:
        return
    wanted = ", ".join(f"{spec.name} (n, {', '.join(map(str, spec.shape))})" for spec in network.inputs)
    if len(inputs) != len(network.inputs) or any(
        part.ndim != 1 + len(spec.shape) or tuple(part.shape[1:]) != spec.shape
        for part, spec in zip(inputs, network.inputs, strict=False)
    ):
        found = ", ".join(str(tuple(part.shape)) for part in inputs)
        raise InputError(f"{network.name} takes {wanted}; got {found}")
