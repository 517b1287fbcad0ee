"""`dofbot localize IMAGE`: the markers in one picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from dofbot_ros.cli.options.checks import finite
from dofbot_ros.core.console import JsonOption, console, emit, warn


def localize(
    image: Annotated[Path, typer.Argument(help="Picture file.", show_default=False)],
    *,
    camera_info: Annotated[
        Path, typer.Option(help="Calibration for this image size: ROS camera_info or OpenCV YAML.", show_default=False)
    ],
    dictionary: Annotated[str | None, typer.Option(help="ArUco dictionary; by default the kit's.")] = None,
    marker_size: Annotated[
        float | None,
        typer.Option(callback=finite, help="Edge of the markers' black square [m]; by default that of the kit."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the picture with the markers drawn in.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Find the ArUco markers in a picture: ids, corners in pixels, each one's pose in the camera's optical frame."""
    from dofbot_ros.vision.markers.block_layout import load_blocks
    from dofbot_ros.vision.markers.marker_report import report, save_image

    kit = load_blocks()
    size = kit.blocks[0].marker_size if marker_size is None else marker_size
    found = report(image, camera_info, dictionary or kit.dictionary, size)
    if out is not None:
        save_image(found.drawn(), out)
        console.print(f"wrote {out}", highlight=False, soft_wrap=True, markup=False)
    result = found.as_dict()
    if as_json:
        emit(result, as_json, str(image))
    else:
        Console().print(_table(result, str(image)))
    if not found.markers:
        warn(f"no marker of {found.dictionary} in {image}: other markers need --dictionary and --marker-size")


def _table(result: dict[str, Any], title: str) -> Table:
    """What fits a terminal; corners and orientations are in --json."""
    table = Table(title=f"{title}: {len(result['markers'])} markers of {result['dictionary']}", title_justify="left")
    for heading in ("id", "top left, px", "x y z, m", "error, px", "ambiguity"):
        table.add_column(heading, justify="right")
    for m in result["markers"]:
        corner = " ".join(f"{v:.1f}" for v in m["corners"][0])
        position = " ".join(f"{v:.4f}" for v in m["position"])
        table.add_row(str(m["id"]), corner, position, f"{m['reprojection_px']:.2f}", f"{m['ambiguity']:.2f}")
    return table
