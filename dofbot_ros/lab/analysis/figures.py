"""The analyzer's pictures: grids of images, heat over an image, charts; drawn by matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH = 7.2
"""Of a figure [inch]."""
DPI = 100


def new_figure(height: float, width: float = WIDTH) -> Figure:
    """An empty figure that belongs to no window."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained", dpi=DPI)


def grid(
    images: Sequence[NDArray[Any]], titles: Sequence[str], title: str, *, cmap: str = "gray", signed: bool = False
) -> Figure:
    """Images side by side, as square as their number allows.

    Args:
        images: RGB (rows, columns, 3) uint8, or numbers (rows, columns).
        titles: of each.
        title: of all.
        cmap: colours of numbers.
        signed: numbers have a sign: the middle of the colours is zero.
    """
    columns = int(np.ceil(np.sqrt(len(images))))
    rows = int(np.ceil(len(images) / columns))
    figure = new_figure(WIDTH * rows / columns * images[0].shape[0] / images[0].shape[1] + 0.5)
    figure.suptitle(title, fontsize=10)
    for k, (image, name) in enumerate(zip(images, titles, strict=True)):
        axes = figure.add_subplot(rows, columns, k + 1)
        limit = float(np.abs(image).max()) or 1.0
        axes.imshow(
            image, cmap=cmap, interpolation="nearest", vmin=-limit if signed else None, vmax=limit if signed else None
        )
        axes.set_title(name, fontsize=7, pad=2)
        axes.set_axis_off()
    return figure


def overlay(
    picture: NDArray[np.uint8],
    maps: Sequence[NDArray[Any]],
    titles: Sequence[str],
    title: str,
    *,
    signed: bool = False,
    mark: tuple[int, int] | None = None,
) -> Figure:
    """A picture, and beside it the same under heat.

    Args:
        picture: RGB (rows, columns, 3).
        maps: heat (rows, columns), one an image.
        titles: of the maps.
        title: of all.
        signed: heat has a sign: red for, blue against.
        mark: row and column of a place that is marked.
    """
    figure = new_figure(WIDTH / (1 + len(maps)) * picture.shape[0] / picture.shape[1] + 0.7)
    figure.suptitle(title, fontsize=10)
    for k, heat in enumerate([None, *maps]):
        axes = figure.add_subplot(1, 1 + len(maps), k + 1)
        axes.imshow(picture, interpolation="nearest")
        axes.set_title("input" if heat is None else titles[k - 1], fontsize=8)
        if mark is not None:
            axes.plot(mark[1], mark[0], marker="+", color="lime", markersize=9, markeredgewidth=1.5)
        axes.set_axis_off()
        if heat is not None:
            limit = float(np.abs(heat).max()) or 1.0
            axes.imshow(
                heat,
                cmap="RdBu_r" if signed else "inferno",
                alpha=0.65,
                vmin=-limit if signed else 0.0,
                vmax=limit,
                extent=(-0.5, picture.shape[1] - 0.5, picture.shape[0] - 0.5, -0.5),
                interpolation="bilinear",
            )
    return figure


def matrix(values: NDArray[Any], rows: Sequence[str], columns: Sequence[str], title: str, unit: str) -> Figure:
    """Numbers by row and column as colours."""
    figure = new_figure(0.8 + 0.17 * len(rows))
    axes = figure.add_subplot()
    shown = axes.imshow(values, aspect="auto", cmap="viridis", interpolation="nearest")
    axes.set_yticks(range(len(rows)), list(rows), fontsize=6)
    step = max(1, len(columns) // 12)
    axes.set_xticks(range(0, len(columns), step), list(columns)[::step], fontsize=6, rotation=20)
    axes.set_title(title, fontsize=9)
    figure.colorbar(shown, ax=axes, label=unit)
    return figure


def scatter(places: NDArray[Any], values: NDArray[Any] | None, title: str, label: str) -> Figure:
    """Points in a plane, coloured by a number each."""
    figure = new_figure(5.0)
    axes = figure.add_subplot()
    points = axes.scatter(places[:, 0], places[:, 1], c=values, s=12, cmap=None if values is None else "viridis")
    axes.set_title(title, fontsize=9)
    axes.set_xlabel("component 1")
    axes.set_ylabel("component 2")
    if values is not None:
        figure.colorbar(points, ax=axes, label=label)
    return figure


def bars(names: Sequence[str], values: Sequence[float], spans: Sequence[tuple[float, float]], title: str) -> Figure:
    """Bars with the span of each."""
    figure = new_figure(0.9 + 0.26 * len(names))
    axes = figure.add_subplot()
    errors = np.array([(max(0.0, v - low), max(0.0, high - v)) for v, (low, high) in zip(values, spans, strict=True)]).T
    axes.barh(range(len(names)), values, xerr=errors, color="tab:blue", ecolor="0.4", height=0.7)
    axes.set_yticks(range(len(names)), list(names), fontsize=7)
    axes.invert_yaxis()
    axes.set_xlim(min(0.0, min(values, default=0.0)) - 0.02, 1.02)
    axes.axvline(0.0, color="0.3", linewidth=0.8)
    axes.set_title(title, fontsize=9)
    return figure


def lines(values: NDArray[Any], title: str, what: str) -> Figure:
    """One line a feature over its positions, or over the samples."""
    figure = new_figure(3.4)
    axes = figure.add_subplot()
    axes.plot(values, linewidth=0.8)
    axes.set_title(title, fontsize=9)
    axes.set_xlabel(what)
    axes.set_ylabel("activation")
    return figure


def layer_stack(rows: Sequence[tuple[str, str, str, float]], title: str) -> Figure:
    """A network as a column of bars, top to bottom as it runs, as long as its activations have numbers.

    Args:
        rows: name, kind, shape and size of each layer.
        title: of the figure.
    """
    names, kinds, shapes, sizes = (list(column) for column in zip(*rows, strict=True))
    figure = new_figure(0.6 + 0.15 * len(names))
    axes = figure.add_subplot()
    palette = {kind: f"C{k % 10}" for k, kind in enumerate(dict.fromkeys(kinds))}
    axes.barh(range(len(names)), sizes, color=[palette[kind] for kind in kinds], height=0.8, log=True)
    for k, (name, kind, shape) in enumerate(zip(names, kinds, shapes, strict=True)):
        axes.text(1.1, k, f"{name}  {kind}  {shape}", fontsize=5.5, va="center")
    axes.set_xlim(1.0, 10.0 * max([10.0, *sizes]))
    axes.set_yticks([])
    axes.invert_yaxis()
    axes.set_xlabel("numbers in the activation")
    axes.set_title(title, fontsize=9)
    return figure
