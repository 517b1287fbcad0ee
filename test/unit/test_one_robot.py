"""One robot a program: who may make kinematics and motion limits, and who may use the arm of the drawing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "dofbot_ros"
FILES = sorted(PACKAGE.rglob("*.py"))
MAKERS = {"Kinematics": "arm/robot.py", "MotionLimits": "motion/trajectory.py"}
"""Class -> the only file that calls it; others take what `Robot` and `MotionLimits.of` make."""
DRAWN_IN = {"arm", "bench", "policy", "sim", "grasp"}
"""Folders that may use the arm of the drawing: they measure, simulate and train. The others move an arm."""


def relative(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def with_word(word: str) -> Iterator[Path]:
    """Files in which a word stands: the others need not be parsed to know that they do not use it."""
    return (path for path in FILES if word in path.read_text(encoding="utf-8"))


def called(path: Path) -> Iterator[str]:
    """Names of what a file calls, with the class of class methods: "Kinematics", "Kinematics.from_model"."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def imported(path: Path) -> Iterator[str]:
    """Names that a file imports from modules."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names)


@pytest.mark.slow
@pytest.mark.parametrize(("made", "maker"), MAKERS.items())
def test_only_its_builder_makes_it(made: str, maker: str) -> None:
    assert [relative(path) for path in with_word(made) if made in called(path)] in ([], [maker])
    assert any(name in called(PACKAGE / maker) for name in (made, "cls"))


@pytest.mark.slow
def test_programs_that_move_an_arm_do_not_take_it_for_the_drawn_one() -> None:
    users = [relative(path) for path in with_word("DRAWN") if "DRAWN" in imported(path)]
    assert users
    assert {user.partition("/")[0] for user in users} <= DRAWN_IN
