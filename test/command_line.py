"""The command line in this process: what it prints and its exit code, without the half second of a process's start.

For commands whose words, output and exit code are what a test asks about. Where the process is (Ctrl-C, its children,
what it imports), a process is started.
"""

from __future__ import annotations

import functools
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import pytest
import typer.testing
from typer.core import TyperGroup
from typer.main import get_command

from dofbot_ros.cli.entry import main

_made = functools.cache(get_command)


class CliRunner(typer.testing.CliRunner):
    """Typer's own, which would make all commands anew for each call: that takes longer than most of them do."""

    def invoke(self, *words: Any, **options: Any) -> Any:
        """Run a command of an app: see Typer's."""
        with pytest.MonkeyPatch.context() as here:
            here.setattr(typer.testing, "_get_command", _made)
            return super().invoke(*words, **options)


def dofbot_here(*words: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run `dofbot WORDS` with nothing on standard input. What libraries in C write is in the result, too.

    Args:
        words: behind `dofbot`.
        cwd: the folder to run it in; None: this one.
    """
    argv = ["dofbot", *map(str, words)]
    with (
        pytest.MonkeyPatch.context() as here,
        Path(os.devnull).open(encoding="utf-8") as nothing,
        _descriptor_into(1) as out,
        _descriptor_into(2) as err,
    ):
        for name, value in (("argv", argv), ("stdin", nothing), ("stdout", out), ("stderr", err)):
            here.setattr(sys, name, value)
        if cwd is not None:
            here.chdir(cwd)
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = []
        for stream in (out, err):
            stream.flush()
            stream.seek(0)
            said.append(stream.read())
    return subprocess.CompletedProcess(argv, code, *said)


@contextmanager
def _descriptor_into(number: int) -> Iterator[TextIO]:
    """A file that takes what is written to a descriptor of this process meanwhile."""
    kept = os.dup(number)
    try:
        with tempfile.TemporaryFile("w+", encoding="utf-8") as file:
            os.dup2(file.fileno(), number)
            try:
                yield file
            finally:
                os.dup2(kept, number)
    finally:
        os.close(kept)


def left_out(app: Any, line: str) -> list[str]:
    """What a command needs and `line` ("dofbot ...") does not give it: names of options and arguments."""
    command, words = _made(app), shlex.split(line)[1:]
    context = command.make_context("dofbot", [], resilient_parsing=True)
    while isinstance(command, TyperGroup):
        parser = command.make_parser(context)
        parser.allow_interspersed_args = False  # a group's own options come before the command's name
        _, words, _ = parser.parse_args(list(words))
        if not words or words[0] not in command.commands:
            return []
        command, words = command.commands[words[0]], words[1:]
        context = type(context)(command, parent=context, resilient_parsing=True, **command.context_settings)
    given, _, _ = command.make_parser(context).parse_args(list(words))
    return [each.name for each in command.params if each.required and given.get(each.name) in (None, (), [])]
