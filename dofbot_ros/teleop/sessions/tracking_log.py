"""What the arm was asked and what it did, over time: as arrays, as files, and in figures."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from dofbot_ros.core.types import N_JOINTS, BoolArray, FloatArray, ToolPose
from dofbot_ros.teleop.retargeting.pipeline import TeleopCommand

MAX_LAG_S = 0.6
"""The arm is not later than this [s]."""


@dataclass(frozen=True, eq=False)
class Sample:
    """One control period.

    Attributes:
        time_s: of the session's clock [s].
        engaged: whether the arm follows.
        target: tool pose that the operator asks for; None while not engaged.
        command: what was commanded; None for nothing.
        measured: joints [rad], shape (6,).
        tool: tool pose of `measured`.
        gap: of the gripper as measured [m].
    """

    time_s: float
    engaged: bool
    target: ToolPose | None
    command: TeleopCommand | None
    measured: FloatArray
    tool: ToolPose
    gap: float


@dataclass(frozen=True, eq=False)
class TrackingLog:
    """A session as arrays of n control periods; nan where there is nothing.

    Attributes:
        time_s: from the first one [s], shape (n,).
        engaged: shape (n,).
        target: tool pose asked for: x, y, z [m], pitch, roll [rad], shape (n, 5).
        command: joints [rad], shape (n, 6).
        command_gap: [m], shape (n,).
        joints: measured [rad], shape (n, 6).
        tool: measured, as `target`, shape (n, 5).
        gap: measured [m], shape (n,).
        released: how often following ended.
        rejections: control cycles in which the governor did more than clamp to limits.
    """

    time_s: FloatArray
    engaged: BoolArray
    target: FloatArray
    command: FloatArray
    command_gap: FloatArray
    joints: FloatArray
    tool: FloatArray
    gap: FloatArray
    released: int
    rejections: int

    @classmethod
    def from_samples(cls, samples: Sequence[Sample], released: int, rejections: int) -> TrackingLog:
        """The samples of a session, at least one."""
        nothing = np.full(N_JOINTS, np.nan)
        return cls(
            np.array([s.time_s - samples[0].time_s for s in samples]),
            np.array([s.engaged for s in samples]),
            np.array([_row(s.target) for s in samples]),
            np.array([nothing if s.command is None else s.command.position for s in samples]),
            np.array([np.nan if s.command is None else s.command.gap for s in samples]),
            np.array([s.measured for s in samples]),
            np.array([_row(s.tool) for s in samples]),
            np.array([s.gap for s in samples]),
            released,
            rejections,
        )

    def save(self, folder: Path) -> None:
        """Write path.npz with these arrays, and path.csv with a column for each number."""
        content = {f.name: getattr(self, f.name) for f in fields(self)}
        np.savez_compressed(folder / "path.npz", **content)
        pose = ("x", "y", "z", "pitch", "roll")
        columns: dict[str, Any] = {
            "time_s": self.time_s,
            "engaged": self.engaged.astype(int),
            **{f"target_{n}": self.target[:, i] for i, n in enumerate(pose)},
            **{f"tool_{n}": self.tool[:, i] for i, n in enumerate(pose)},
            **{f"command_q{i + 1}": self.command[:, i] for i in range(N_JOINTS)},
            **{f"q{i + 1}": self.joints[:, i] for i in range(N_JOINTS)},
            "command_gap": self.command_gap,
            "gap": self.gap,
        }
        with (folder / "path.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows([f"{v:.6g}" for v in row] for row in zip(*columns.values(), strict=True))

    def tracking(self) -> tuple[float, float]:
        """How the tool point followed its target while engaged.

        Returns:
            The lag at which both fit best [s], and what then is left [m rms]; nan when it never was engaged.
        """
        if self.engaged.sum() < 2:
            return float("nan"), float("nan")
        period_s = float(np.median(np.diff(self.time_s)))
        errors = []
        for shift in range(round(MAX_LAG_S / period_s) + 1):
            ahead, behind = self.target[: len(self.target) - shift, :3], self.tool[shift:, :3]
            both = self.engaged[: len(ahead)] & self.engaged[shift:] & np.isfinite(ahead).all(axis=1)
            difference = (ahead - behind)[both]
            errors.append(np.sqrt((difference**2).sum(axis=1).mean()) if len(difference) else np.inf)
        best = int(np.argmin(errors))
        return best * period_s, float(errors[best])


def _row(pose: ToolPose | None) -> list[float]:
    return [np.nan] * 5 if pose is None else [pose.x, pose.y, pose.z, pose.pitch, pose.roll]
