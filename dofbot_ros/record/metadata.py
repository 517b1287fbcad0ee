"""What an episode says of itself, in two metadata records: one at its start, one at its end."""

from __future__ import annotations

import json
import platform
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from dofbot_ros import __version__
from dofbot_ros.config.ranges import Checked
from dofbot_ros.errors import InputError

START_RECORD = "dofbot_ros.episode"
END_RECORD = "dofbot_ros.outcome"
STEP_RECORD = "dofbot_ros.clock_step"
"""One for each time that the system clock was set while the episode was recorded."""


@dataclass(frozen=True)
class EpisodeInfo(Checked):
    """Known when an episode begins.

    Attributes:
        started_s: Unix time [s].
        label: what was done, in a word or two.
        operator: who did it.
        namespace: of the arm, without slashes around it; topics in the file stand below it.
        config: parameters of the arm's node and of the recorder.
        versions: of the programs involved.
    """

    ERROR = InputError

    started_s: float
    label: str = ""
    operator: str = ""
    namespace: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(
        default_factory=lambda: {"dofbot_ros": __version__, "python": platform.python_version()}
    )

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        if "/" in self.label or len(self.label) > 100:
            yield f"label {self.label!r} is to be part of a file name: no slash, at most 100 characters"

    @property
    def file_stem(self) -> str:
        """Time and label, fit for a file name: 20260131-142233_red-block."""
        stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(self.started_s))
        words = re.findall(r"\w+", self.label)
        return "_".join([stamp, *(["-".join(words)] if words else [])])

    def as_record(self) -> dict[str, str]:
        """Text values, as MCAP wants them."""
        return {
            "started_s": repr(self.started_s),
            "label": self.label,
            "operator": self.operator,
            "namespace": self.namespace,
            "config": json.dumps(self.config, sort_keys=True),
            "versions": json.dumps(self.versions, sort_keys=True),
        }

    @classmethod
    def from_record(cls, record: dict[str, str]) -> EpisodeInfo:
        """What as_record() wrote.

        Raises:
            InputError: a record that it has not written.
        """
        try:
            return cls(
                float(record["started_s"]),
                record["label"],
                record["operator"],
                record["namespace"],
                json.loads(record["config"]),
                json.loads(record["versions"]),
            )
        except (KeyError, ValueError, TypeError, RecursionError) as error:
            raise InputError(f"the record {START_RECORD} cannot be understood: {error!r}") from error


@dataclass(frozen=True)
class Outcome:
    """Known when an episode has ended.

    Attributes:
        success: whether the operator got done what the label says; None when nobody said.
        duration_s: from start to end [s].
    """

    success: bool | None
    duration_s: float

    def as_record(self) -> dict[str, str]:
        """Text values, as MCAP wants them."""
        return {"success": json.dumps(self.success), "duration_s": repr(self.duration_s)}

    @classmethod
    def from_record(cls, record: dict[str, str]) -> Outcome:
        """What as_record() wrote.

        Raises:
            InputError: a record that it has not written.
        """
        try:
            return cls(json.loads(record["success"]), float(record["duration_s"]))
        except (KeyError, ValueError, RecursionError) as error:
            raise InputError(f"the record {END_RECORD} cannot be understood: {error!r}") from error
