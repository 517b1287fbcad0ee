"""`dofbot policy weights`: a policy's weights out of its ONNX file, for torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dofbot_ros.core.console import JsonOption, emit
from dofbot_ros.errors import InputError, optional_packages


def weights(
    *,
    folders: Annotated[list[Path], typer.Argument(help="Folders with policy.onnx, and pose.onnx of a pipeline.")],
    as_json: JsonOption = False,
) -> None:
    """Write a policy's weights as safetensors, for `dofbot analyze`, and compare what both files answer."""
    with optional_packages("learn", "reading weights"):
        from dofbot_ros.policy.learning.recover_weights import recover_weights
    files = [path for folder in folders for path in sorted(folder.glob("*.onnx"))]
    if not files:
        raise InputError(f"no .onnx file in {', '.join(map(str, folders))}: folders of policies are expected")
    found = [recover_weights(path) for path in files]
    result = {
        str(one.path): {"kind": one.kind, "parameters": one.parameters, "difference": one.difference} for one in found
    }
    emit(result, as_json, "Weights for torch, and the largest difference of outputs to ONNX")
