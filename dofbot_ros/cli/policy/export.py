"""`dofbot policy export`: a policy's files written anew from its weights."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dofbot_ros.core.console import JsonOption, emit
from dofbot_ros.errors import optional_packages


def export(
    *,
    folder: Annotated[Path, typer.Argument(help="Folder with policy.yaml and policy.safetensors.")],
    out: Annotated[Path, typer.Option(help="Folder for what is written; new or empty.")],
    network: Annotated[
        Path | None,
        typer.Option(
            help="Folder of another pose network to put before it. An image policy of an earlier version needs that "
            "which it was taught with."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a policy's ONNX files anew from its .safetensors weights.

    An image policy of an earlier version is one network: it becomes a pose network and a network that acts.
    """
    with optional_packages("learn", "exporting policies"):
        from dofbot_ros.policy.learning.reexport import export_again
    written = export_again(folder, out, network)
    emit({path.stem: str(path) for path in written}, as_json, f"Policy in {out}")
