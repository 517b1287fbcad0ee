"""The measurement of inverse kinematics, on few goals."""

import json

import pytest
from command_line import CliRunner

from dofbot_ros.bench.kinematics import measure
from dofbot_ros.cli.bench import app
from dofbot_ros.errors import InputError

pytest.importorskip("pybullet", reason="PyBullet is not installed")
pytest.importorskip("pinocchio", reason="Pinocchio is not installed")


def test_the_closed_form_solves_all_and_the_others_are_called_right():
    result = measure(goals=200, seed=1)
    assert list(result) == ["dofbot", "pybullet", "pin"]
    assert result["dofbot"]["success_rate"] == 1.0
    assert result["dofbot"]["median_us"] < result["pybullet"]["median_us"]
    # Pinocchio finds the pose, if not within the limits: the goals and frames of the comparison are the same.
    assert result["pin"]["pose_rate"] > 0.95
    assert result["pin"]["success_rate"] > 0.5


def test_the_command_prints_one_json_object():
    run = CliRunner().invoke(app, ["kinematics", "--goals", "20", "--seed", "3", "--json"])
    assert run.exit_code == 0
    for figures in json.loads(run.stdout).values():
        assert {"success_rate", "median_us"} <= figures.keys()


def test_no_goals_is_an_error():
    with pytest.raises(InputError, match="goals must be at least 1"):
        measure(goals=0)
