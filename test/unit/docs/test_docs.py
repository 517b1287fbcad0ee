"""The documents are checked like code: links lead somewhere, commands and their options exist."""

import re
import shlex
from pathlib import Path

import pytest
import typer.main
from command_line import left_out

from dofbot_ros.cli.main import app

ROOT = Path(__file__).resolve().parents[3]
COMMAND = typer.main.get_command(app)
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])


def commands():
    """(page, words) of every `dofbot ...` in a code span or block, fenced or indented."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        spans = re.findall(r"```[a-z]*\n(.*?)```", text, re.DOTALL) + re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text)
        spans += re.findall(r"^ {4}(dofbot .*)$", text, re.MULTILINE)
        for span in spans:
            for line in span.splitlines():
                found = re.search(r"(?:^|\s|/)dofbot( [a-z].*)", line)
                if found:
                    yield page.name, found[1].split("#")[0].strip()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = [t for t in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in t]
    dead = [t for t in targets if not (page.parent / t.split("#")[0]).exists()]
    assert not dead


@pytest.mark.parametrize(("page", "line"), sorted(set(commands())))
def test_commands_and_options_exist(page, line):
    command = COMMAND
    words = iter(shlex.split(line))
    for word in words:
        if word.startswith("--"):
            known = {option: p for p in command.params for option in (*p.opts, *p.secondary_opts)}
            assert word.split("=")[0] in {*known, "--help"}, f"{page}: dofbot {line}"
            if hasattr(command, "commands") and not getattr(known.get(word), "is_flag", True):
                next(words)  # its value is no command
        elif hasattr(command, "commands") and word not in ("...", "NAME") and not word.startswith("-"):
            assert word in command.commands, f"{page}: dofbot {line}"
            command = command.commands[word]


def test_whole_lines_have_all_that_their_commands_need():
    """Indented ones are to be typed as they stand; but commands.md, which is made, names commands alone."""
    wanting = {}
    for page in (page for page in PAGES if page.name != "commands.md"):
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        for line in re.findall(r"^ {4}(dofbot .*)$", text, re.MULTILINE):
            if missing := left_out(app, line.split("#")[0]):
                wanting[page.name, line] = missing
    assert not wanting


def test_there_are_commands_to_check():
    assert len(set(commands())) >= 5
