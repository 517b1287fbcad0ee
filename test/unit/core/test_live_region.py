"""A live bar stays whole, and so do lines that child processes and C libraries write to stderr meanwhile."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys

PROGRAM = """
import os, subprocess, sys, time
from rich.progress import Progress
from dofbot_ros.core.console import console
from dofbot_ros.core.console import live_region

with {context}, Progress(console=console, transient=True) as bar:
    task = bar.add_task("trials", total=3)
    for k in range(3):
        bar.advance(task)
        bar.refresh()
        subprocess.run([sys.executable, "-c", f"import os; os.write(2, b'line {{k}} of a node\\\\n')"], check=True)
        os.write(2, f"line {{k}} of a library\\n".encode())
        console.print(f"trial {{k}}")
print("done", file=sys.stderr)
"""


def screen(context: str) -> list[str]:
    """The lines that a terminal is given, without colours and cursor movements."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80"}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(context=context)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
    ) as process:
        os.close(theirs)
        output = b""
        try:
            while data := os.read(ours, 65536):
                output += data
        except OSError:
            pass  # Linux ends a pty so
        assert process.wait(30) == 0, output
    os.close(ours)
    return [line.strip() for line in re.split(r"[\r\n]+", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output.decode()))]


def test_lines_of_others_are_whole_lines_above_the_bar() -> None:
    lines = screen("live_region()")
    for k in range(3):
        assert f"line {k} of a node" in lines
        assert f"line {k} of a library" in lines
        assert f"trial {k}" in lines
    assert lines[-2].endswith("done")  # the bar is wiped off first


def test_without_it_they_tear_the_bar() -> None:
    lines = screen("__import__('contextlib').nullcontext()")
    assert any("trials" in line and "line" in line for line in lines)
