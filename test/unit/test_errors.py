"""Errors come whole from one process to another, and a package that is not installed is one line with its remedy."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from dofbot_ros import errors
from dofbot_ros.core.types import ToolPose
from dofbot_ros.errors import ConfigError, DependencyError, DofbotError, NoReplyError, PortError
from dofbot_ros.extras import MODULES

REQUIREMENTS = Path(__file__).parents[2] / "requirements"
POSE = ToolPose(0.1, 0.2, 0.3, 0.4, 0.5)
MADE = (
    ConfigError("a value", "a file"),
    DependencyError("torch", "learn", "training"),
    PortError("gone", "/dev/ttyUSB0"),
    NoReplyError("silent", [1, 2]),
    errors.UnreachableError(POSE, POSE),
)


def kinds() -> list[type[DofbotError]]:
    return [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, DofbotError)]


def test_every_kind_of_error_that_takes_more_than_a_message_is_tried_below() -> None:
    assert {kind for kind in kinds() if "__init__" in vars(kind)} == {type(error) for error in MADE}


@pytest.mark.parametrize("error", [*MADE, DofbotError("plain")], ids=lambda error: type(error).__name__)
def test_an_error_comes_whole_from_another_process(error: DofbotError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


def test_every_optional_module_is_brought_by_the_extra_that_is_named() -> None:
    pins = {
        extra: {re.split("[=<>]", line)[0].lower() for line in (REQUIREMENTS / f"{extra}.txt").read_text().splitlines()}
        for extra in set(MODULES.values())
    }
    installed = packages_distributions()
    for module, extra in MODULES.items():
        names = {name.lower().replace("_", "-") for name in installed.get(module, ())}
        # Messages of ROS come with a package of packages, and Pinocchio is not found by its module's name.
        if names and extra != "ros":
            assert names & pins[extra] or module == "pinocchio", module


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "extra"),
    [
        ("analyze layers policies", "learn"),
        ("bench analysis", "learn"),
        ("policy evaluate --task hopper --model x", "learn"),
        ("policy evaluate --episodes 1", "learn"),
        ("grasp evaluate --attempts 1", "learn"),
        ("imitate evaluate --targets 1", "learn"),
        ("export x.mcap out", "teleop"),
        ("console --backend sim", "console"),
    ],
)
def test_a_command_without_its_packages_says_in_one_line_where_they_come_from(words: str, extra: str) -> None:
    missing = {module for module, where in MODULES.items() if where not in ("ros", "sim")}
    program = (
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({sorted(missing)!r}))\n"
        f"sys.argv[1:] = {words.split()!r}\n"
        "from dofbot_ros.cli.main import main\n"
        "main()\n"
    )
    ended = subprocess.run((sys.executable, "-c", program), capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 1, ended.stderr
    said = [line for line in ended.stderr.splitlines() if line.startswith("dofbot: ")]
    assert len(said) == 1, ended.stderr
    assert f"'.[{extra}]'" in said[0]
    assert "Traceback" not in ended.stderr
