"""The site: every page is in its contents, and the page of commands is made from the code."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_the_page_of_commands_has_every_command_with_its_options() -> None:
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        from command_page import page
    finally:
        sys.path.pop(0)
    text = page()
    for words in ("## arm\n", "### servos set-id\n", "    dofbot servos set-id OLD NEW\n", "| `--namespace` |"):
        assert words in text


def test_every_page_is_in_the_contents_of_the_site() -> None:
    listed = set(re.findall(r": (\w+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE))
    assert listed == {page.name for page in (ROOT / "docs").glob("*.md")} | {"commands.md"}


def test_files_for_the_system_begin_with_how_they_are_used() -> None:
    for name in ("config/system/99-dofbot.rules", "config/system/dofbot.service", "docker/Dockerfile"):
        first = (ROOT / name).read_text(encoding="utf-8").splitlines()[:3]
        assert all(line.startswith("#") for line in first), name
