"""Every piece of Python in the documents runs as it stands, those of a page one after the other."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
ON_A_RUNNING_ARM = """import contextlib, dofbot_ros
running = contextlib.ExitStack()
running.enter_context(dofbot_ros.connect('sim'))
"""
"""Before snippets for an arm whose stack runs already."""
LIMIT_S = 120.0


def programs() -> dict[str, str]:
    """Page -> what is to be run; a snippet that makes its own node stands for itself, and the same one runs once."""
    found: dict[str, str] = {}
    known: set[str] = set()
    for page in PAGES:
        snippets = re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
        for snippet in snippets:
            plain = re.sub(r" *#.*", "", snippet)
            if plain in known:
                continue
            known.add(plain)
            if "rclpy.init()" in snippet:
                found[f"{page.name}, node"] = ON_A_RUNNING_ARM + snippet + "running.close()\n"
            else:
                found[page.name] = found.get(page.name, "") + snippet
    return found


PROGRAMS = programs()


def test_there_is_python_in_the_documents() -> None:
    assert len(PROGRAMS) >= 6


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_python_of_a_page_runs(name: str, tmp_path: Path) -> None:
    pytest.importorskip("pybullet")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAMS[name]],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
