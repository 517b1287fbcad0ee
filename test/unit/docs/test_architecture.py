"""The tables of docs/architecture.md name functions and rooms that exist."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "dofbot_ros"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
NAME = re.compile(r"`([A-Za-z_.]+)`")


def ways() -> Iterator[tuple[str, str]]:
    """Second and third column of every row of the four ways."""
    section = PAGE.split("## Four ways through the house")[1].split("\n## ")[0]
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 3 and cells[0] not in ("hop", "---") and "as above" not in line:
            yield cells[1], cells[2]


def modules(rooms: str) -> list[Path]:
    """The files that a cell names: a file, several in one folder, or all of a folder."""
    files: list[Path] = []
    folder = PACKAGE
    for place in re.findall(r"`([^`]+)`", rooms):
        path = PACKAGE / place if "/" in place else folder / place
        folder = path if place.endswith("/") else path.parent
        assert path.exists(), f"{place} is named and does not exist"
        files += sorted(path.glob("*.py")) if place.endswith("/") else [path]
    return files


def defined(files: list[Path]) -> set[str]:
    """Functions, classes, and methods as Class.method and as method."""
    names: set[str] = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                names.add(node.name)
            if isinstance(node, ast.ClassDef):
                names |= {f"{node.name}.{part.name}" for part in node.body if isinstance(part, ast.FunctionDef)}
    return names


@pytest.mark.parametrize(("functions", "rooms"), sorted(ways()))
def test_a_hop_names_functions_that_are_where_it_says(functions: str, rooms: str) -> None:
    known = defined(modules(rooms))
    for name in NAME.findall(functions):
        assert name in known, f"{name} is not in {rooms}"


def test_there_are_four_ways() -> None:
    assert len(list(ways())) >= 30


def test_every_room_is_described() -> None:
    table = PAGE.split("## Where to look")[1].split("\n## ")[0]
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir() and not path.name.startswith("_")}
    assert rooms <= set(re.findall(r"`(\w+)/`", table))


def test_files_that_the_page_names_exist() -> None:
    for name in re.findall(r"`((?:\w+/)+\w+\.(?:py|yaml))`", PAGE):
        assert (PACKAGE / name).exists() or (ROOT / name).exists(), name
