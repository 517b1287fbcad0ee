"""The measurement of the workspace, on few poses; and that it would find a workspace that is too lenient."""

import json

import pytest
from command_line import CliRunner

from dofbot_ros.bench.workspace import measure
from dofbot_ros.cli.bench import app
from dofbot_ros.errors import InputError
from dofbot_ros.safety.separation import Box
from dofbot_ros.safety.workspace import WorkspaceConfig


@pytest.mark.slow
def test_the_shipped_workspace_has_no_violations():
    figures = measure(poses=1500, seed=3)
    assert figures["poses"] == figures["base_poses"] == 1500
    assert figures["violations"] == figures["base_violations"] == 0
    assert figures["lowest_mm"] >= 1.0
    assert 0.1 < figures["allowed_share"] < 0.6
    assert 0.0 < figures["batch_us"] < 1000.0


@pytest.mark.slow
def test_a_lenient_one_is_found_out():
    low = (Box((-0.2, -0.06, -0.02), (0.06, 0.06, 0.0)),)
    figures = measure(poses=1500, seed=3, config=WorkspaceConfig(tip_margin=-0.01, self_margin=-0.03, base=low))
    assert figures["violations"] > 50
    assert -10.001 < figures["lowest_mm"] < -5.0
    assert figures["base_violations"] > 0


def test_the_command_prints_one_json_object():
    run = CliRunner().invoke(app, ["workspace", "--poses", "50", "--seed", "3", "--json"])
    assert run.exit_code == 0
    assert {"poses", "allowed_share", "lowest_mm", "violations", "governor_us"} <= json.loads(run.stdout).keys()


def test_no_poses_is_an_error():
    with pytest.raises(InputError, match="poses must be at least 1, got 0"):
        measure(poses=0)
