"""The site: every page is in its contents, and the page of commands is what the code says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_the_page_of_commands_is_current() -> None:
    words = [sys.executable, str(ROOT / "tools" / "command_page.py"), "--check"]
    assert subprocess.run(words, check=False).returncode == 0, "python tools/command_page.py"


def test_every_page_is_in_the_contents_of_the_site() -> None:
    listed = set(re.findall(r": (\w+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE))
    assert listed == {page.name for page in (ROOT / "docs").glob("*.md")}


def test_files_for_the_system_begin_with_how_they_are_used() -> None:
    for name in ("config/system/99-dofbot.rules", "config/system/dofbot.service", "docker/Dockerfile"):
        first = (ROOT / name).read_text(encoding="utf-8").splitlines()[:3]
        assert all(line.startswith("#") for line in first), name
