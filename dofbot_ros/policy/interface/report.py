"""How a policy's run stands, as it goes over the wire: `policy/status` is JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class PolicyReport:
    """One message on `policy/status`.

    Attributes:
        phase: idle, approaching (to the pose where runs begin) or running.
        ended: why the last run ended; "" before the first, and while one goes on.
        runs: how many have begun.
        reached: how many of them ended with the goal reached, as far as was seen.
        fault: what keeps a run from beginning now; "" when nothing does.
        arm: state of the arm; "" when it says nothing.
        task: of the policy.
        obs: state, image or pipeline.
        seconds: since the run began [s].
        joint_age_s: age of the oldest joint reading [s]; None before the first.
        block_age_s: age of the last sighting of the block [s]; None before the first.
        held: whether the fingers hold something.
        inference_ms: the last period's observation, networks and joint goals [ms]; None before the first.
        missed: periods that were skipped because the one before took too long.
    """

    phase: str
    ended: str
    runs: int
    reached: int
    fault: str
    arm: str
    task: str
    obs: str
    seconds: float
    joint_age_s: float | None
    block_age_s: float | None
    held: bool
    inference_ms: float | None
    missed: int

    def to_json(self) -> str:
        """As text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> PolicyReport:
        """What `to_json` wrote."""
        return cls(**json.loads(text))
