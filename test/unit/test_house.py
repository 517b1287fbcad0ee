"""The house is in order: packages import downwards only, nothing goes in circles, rooms and modules stay small."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "dofbot_ros"
LAYERS = (
    {"errors", "extras", "core", "config"},
    {"arm", "vision", "training"},
    {"motion"},
    {"safety"},
    {"hardware", "driver"},
    {"sim"},
    {"desks"},
    {"teleop", "grasp"},
    {"record"},
    {"policy"},
    {"calibration"},
    {"trials", "lab"},
    {"supervisor", "launching", "stacks"},
    {"ros", "console"},
    {"cli", "bench"},
)
"""Lowest first; a package imports from its own layer and from those below."""
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
PROBES = "ros.probes"
"""Started by benchmarks, and of their layer; in ros/ because they speak ROS."""
MOST_MODULES, MOST_LINES, MEDIAN_LINES = 16, 400, 110


def modules() -> dict[str, Path]:
    """Dotted name below dofbot_ros -> file."""
    files = {".".join(p.relative_to(PACKAGE).with_suffix("").parts): p for p in PACKAGE.rglob("*.py")}
    return {name.removesuffix(".__init__"): path for name, path in files.items() if name != "__init__"}


MODULES = modules()


def imports(path: Path, *, lazy: bool) -> Iterator[str]:
    """Modules of this package that a file imports: on import, or with `lazy` anywhere in it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = list(ast.walk(tree)) if lazy else list(_at_import(tree.body))
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("dofbot_ros"):
            base = node.module.removeprefix("dofbot_ros").lstrip(".")
            for alias in node.names:
                name = f"{base}.{alias.name}".lstrip(".")
                yield name if name in MODULES else base


def _at_import(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        yield node
        if isinstance(node, ast.If) and "TYPE_CHECKING" not in ast.unparse(node.test):
            yield from _at_import(node.body)
        if isinstance(node, ast.Try):
            yield from _at_import(node.body)


def level_of(name: str) -> int:
    return LEVEL["bench"] if name.startswith(PROBES) else LEVEL[name.partition(".")[0]]


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(MODULES))
def test_nothing_imports_upwards(name: str) -> None:
    above = {found for found in imports(MODULES[name], lazy=True) if found and level_of(found) > level_of(name)}
    assert not above


@pytest.mark.slow
def test_no_module_is_part_of_a_circle() -> None:
    graph = {
        name: {m for m in imports(path, lazy=False) if m in MODULES and m != name} for name, path in MODULES.items()
    }
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join((*way[way.index(name) :], name))
        if name not in done:
            for below in sorted(graph[name]):
                visit(below, (*way, name))
            done.add(name)

    for name in sorted(graph):
        visit(name, ())


def test_rooms_and_modules_stay_small() -> None:
    rooms: dict[Path, int] = {}
    for path in MODULES.values():
        if path.name != "__init__.py":
            rooms[path.parent] = rooms.get(path.parent, 0) + 1
    assert not {str(room.relative_to(ROOT)): n for room, n in rooms.items() if n > MOST_MODULES}
    lines = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in MODULES.items()}
    assert not {name: n for name, n in lines.items() if n > MOST_LINES}
    assert statistics.median(n for n in lines.values() if n > 1) <= MEDIAN_LINES
