"""A policy over the wire does what it does in simulation, and its period is measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from command_line import CliRunner

from dofbot_ros.cli.main import app


def said(*words: str) -> dict[str, Any]:
    """What a command prints as JSON."""
    done = CliRunner().invoke(app, [*words, "--json"])
    assert done.exit_code == 0, done.output
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_an_episode_is_rehearsed_over_the_emulated_bus(straight_policy: Any, tmp_path: Path) -> None:
    model = straight_policy(tmp_path / "reach")
    result = said("policy", "evaluate", "--model", str(model), "--episodes", "1", "--rehearsal")
    assert result["simulated_success_rate"] == 1.0
    disturbed = result["missed_periods"] > 0 or result["lost_frames"] > 0 or result["troubles"]
    assert result["success_rate"] == 1.0 or disturbed, result
    assert result["points_below_simulation"] == 100.0 * (1.0 - result["success_rate"])


def test_a_period_is_measured(straight_policy: Any, tmp_path: Path) -> None:
    model = straight_policy(tmp_path / "pick", "pick")
    result = said("bench", "policy", "--model", str(model), "--steps", "50")
    assert 0.0 < result["state"]["p50_ms"] <= result["state"]["p99_ms"] <= result["state"]["max_ms"]
