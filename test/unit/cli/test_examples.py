"""Every command has examples below its help, of words and options that exist; and the shell completes them."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from typing import Any

import pytest
from command_line import left_out
from rich.text import Text
from typer.core import TyperGroup
from typer.main import get_command

from dofbot_ros.cli.main import app
from dofbot_ros.cli.options.examples import EXAMPLES, add_examples, commands, keep_brackets, shortest

DOFBOT = (sys.executable, "-c", "from dofbot_ros.cli.entry import main; main()")
ROOT = get_command(app)
ALL = dict(commands(ROOT))


def test_every_command_has_examples_below_its_help() -> None:
    for path, command in ALL.items():
        add_examples(path, command)
    assert all("dofbot" in (command.epilog or "") for command in ALL.values())
    assert set(EXAMPLES) <= set(ALL)
    assert shortest("servos set-id", ALL["servos set-id"]) == "dofbot servos set-id OLD NEW"
    assert shortest("grasp train", ALL["grasp train"]) == "dofbot grasp train --data DATA --out OUT"


@pytest.mark.parametrize("line", sorted({line for lines in EXAMPLES.values() for line in lines}))
def test_every_example_exists(line: str) -> None:
    command = ROOT
    for word in shlex.split(line)[1:]:
        if word.startswith("--"):
            known = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
            assert word in known | {"--help"}
        elif isinstance(command, TyperGroup):
            command = command.commands.get(word, command)
    assert not isinstance(command, TyperGroup) or line.endswith("--help") or command is ROOT
    assert not left_out(app, line)


@pytest.mark.slow
def test_help_shows_what_the_option_shows() -> None:
    shown = [
        subprocess.run([*DOFBOT, *words], capture_output=True, text=True, check=True, timeout=60).stdout
        for words in (["help", "arm", "jog"], ["arm", "jog", "--help"])
    ]
    assert shown[0] == shown[1]
    assert "dofbot arm jog joint1 5" in shown[0]
    assert "How far from where it is [deg]." in shown[0]


def test_no_unit_of_a_help_text_is_taken_for_markup() -> None:
    for path, command in commands(get_command(app)):
        keep_brackets(command)
        for before, text in zip(_helps(ALL[path]), _helps(command), strict=True):
            assert Text.from_markup(text or "").plain == (before or ""), path


def _helps(command: Any) -> list[str | None]:
    return [command.help, *(getattr(each, "help", None) for each in command.params)]


@pytest.mark.parametrize(
    ("typed", "offered"), [("dofbot ar", "arm"), ("dofbot up te", "teleop"), ("dofbot arm jo", "jog")]
)
def test_the_shell_completes(typed: str, offered: str) -> None:
    variables = {"_DOFBOT_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}
    done = subprocess.run(
        DOFBOT, capture_output=True, text=True, check=False, timeout=60, env={**os.environ, **variables}
    )
    assert offered in done.stdout.split()
