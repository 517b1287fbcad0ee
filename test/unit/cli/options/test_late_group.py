"""Commands of a late group have their names before they are imported, and are imported one by one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from dofbot_ros.cli.main import command_line
from dofbot_ros.cli.options.late_group import LateCommands, late_group

MODULES = {
    "late_one": '''def one() -> None:
    """The first."""
    print("one was called")
''',
    "late_two": '''import typer
app = typer.Typer(no_args_is_help=True)
@app.callback()
def two() -> None:
    """The second."""
@app.command()
def inner() -> None:
    print("inner was called")
''',
    "late_extra": """def extra() -> None:
    print("extra was called")
""",
}
PLACES = {"one": "late_one:one", "two": "late_two:app", "two extra": "late_extra:extra"}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A program with the commands of PLACES and one of its own."""
    for name, text in MODULES.items():
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    app = typer.Typer(cls=late_group(PLACES))
    app.callback()(lambda: None)
    app.command("own")(lambda: None)
    return get_command(app)


def imported() -> set[str]:
    return set(MODULES) & set(sys.modules)


def test_names_are_known_before_anything_is_imported(root: Any) -> None:
    assert list(root.commands) == ["own", "one", "two"]
    assert len(root.commands) == 3
    assert "one" in root.commands
    assert "three" not in root.commands
    assert not imported()


@pytest.mark.parametrize(
    ("words", "modules"),
    [("one", {"late_one"}), ("two inner", {"late_two", "late_extra"}), ("two extra", {"late_two", "late_extra"})],
)
def test_a_call_imports_what_it_calls(
    words: str, modules: set[str], root: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    root(words.split(), standalone_mode=False)

    assert capsys.readouterr().out == f"{words.rsplit(maxsplit=1)[-1]} was called\n"
    assert imported() == modules


def test_the_help_lists_all(root: Any, capsys: pytest.CaptureFixture[str]) -> None:
    root(["--help"], standalone_mode=False)

    shown = capsys.readouterr().out
    assert all(text in shown for text in ("own", "The first.", "The second."))


def test_the_help_lists_what_the_commands_say_of_themselves() -> None:
    commands = command_line().commands  # type: ignore[attr-defined]
    commands.listing = True
    listed = {name: command.help for name, command in commands.items()}
    commands.listing = False

    assert listed == {name: command.help for name, command in commands.items()}
    assert all(listed.values())


def test_the_help_makes_no_command(root: Any) -> None:
    made: list[str] = []
    root.commands.finish(lambda name, _: made.append(name))
    root(["--help"], standalone_mode=False)

    assert made == ["own"]


def test_a_command_is_made_once_and_finished_once(root: Any) -> None:
    seen: list[tuple[str, Any]] = []
    root.commands.finish(lambda name, command: seen.append((name, command)))
    assert [name for name, _ in seen] == ["own"]

    two = root.commands["two"]
    assert seen[1:] == [("two", two)]
    assert root.commands["two"] is two
    assert len(seen) == 2
    assert set(two.commands) == {"inner", "extra"}


def test_commands_are_added_and_taken_away_as_from_any_mapping(root: Any) -> None:
    root.commands["more"] = root.commands["own"]
    del root.commands["one"]

    assert list(root.commands) == ["own", "two", "more"]
    assert isinstance(root.commands, LateCommands)
    with pytest.raises(KeyError):
        root.commands["one"]
