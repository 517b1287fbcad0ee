"""Writes a trained hopper network as ONNX with its spec, which is all that running it needs."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from dofbot_ros.config.loader import save_yaml
from dofbot_ros.lab.hopper.spec import HopperSpec
from dofbot_ros.policy.interface.spec import MODEL, SPEC


def export_actor(
    actor: nn.Module,
    sample: tuple[Tensor, ...],
    names: tuple[str, ...],
    spec: HopperSpec,
    folder: Path,
    *,
    outputs: tuple[str, ...] = ("action",),
) -> None:
    """Write policy.onnx and policy.yaml.

    Args:
        actor: from observations (n, ...) to actions (n, 3) in -1..1.
        sample: observations of one step, (1, ...) each.
        names: of its inputs.
        spec: beside it.
        folder: gets both.
        outputs: names of its outputs, the action first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    axes = {name: {0: "n"} for name in (*names, *outputs)}
    torch.onnx.export(
        actor.eval(),
        sample,
        str(folder / MODEL),
        input_names=list(names),
        output_names=list(outputs),
        dynamic_axes=axes,
        opset_version=17,
        dynamo=False,
    )
    save_yaml(spec, folder / SPEC)
