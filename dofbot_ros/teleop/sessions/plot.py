"""The plot of a session: what the tool was asked, and where it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dofbot_ros.teleop.sessions.tracking_log import TrackingLog

ASKED, DONE, IDLE = "#e07b00", "#1f5fa8", "#e8e8e8"


def plot_tracking(log: TrackingLog, file: Path) -> None:
    """Draw x, y, z and the gap over time as a PNG; grey where the arm was not engaged."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.0, 8.0), layout="constrained")
    axes = figure.subplots(4, 1, sharex=True)
    rows = [(f"{name} [mm]", log.target[:, i], log.tool[:, i]) for i, name in enumerate("xyz")]
    rows.append(("gap [mm]", np.where(log.engaged, log.command_gap, np.nan), log.gap))
    for ax, (label, asked, done) in zip(axes, rows, strict=True):
        ax.plot(log.time_s, 1e3 * asked, color=ASKED, linewidth=1.2, label="target")
        ax.plot(log.time_s, 1e3 * done, color=DONE, linewidth=1.2, label="arm")
        ax.fill_between(
            log.time_s,
            0,
            1,
            where=~log.engaged,
            color=IDLE,
            linewidth=0,
            zorder=0,
            transform=ax.get_xaxis_transform(),
        )
        ax.set_ylabel(label)
        ax.grid(alpha=0.3)
        ax.margins(x=0)
    lag_s, error_m = log.tracking()
    axes[0].set_title(
        f"tool: lag {1e3 * lag_s:.0f} ms, then {1e3 * error_m:.1f} mm rms (grey: not engaged)", loc="left"
    )
    axes[0].legend(loc="upper right", ncols=2)
    axes[-1].set_xlabel("time [s]")
    FigureCanvasAgg(figure)
    figure.savefig(file)
