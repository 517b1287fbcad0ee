"""Writes docs/commands.md for the site: every command with its options, defaults and examples, as the code has them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.core import TyperGroup
from typer.main import get_command

from dofbot_ros.cli.main import app
from dofbot_ros.cli.options.examples import EXAMPLES, commands

PAGE = Path(__file__).resolve().parents[1] / "docs" / "commands.md"
HEAD = """# Commands

Made from the code. `dofbot COMMAND --help` and `dofbot help COMMAND` tell the same.
Those that measure take `--json`: one object on stdout, everything else on stderr.
Exit codes: 0 done, 1 failed, 2 wrong use, 130 interrupted.
"""


def page() -> str:
    """The page."""
    return HEAD + "".join(section(path, command) for path, command in commands(get_command(app)) if path)


def section(path: str, command: Any) -> str:
    """One command."""
    words = [p.metavar or p.name for p in command.params if p.param_type_name == "argument"]
    depth = "##" if " " not in path else "###"
    usage = " ".join(("dofbot", path, *(word.upper() for word in words)))
    lines = [f"\n{depth} {path}\n", _plain(command.help or ""), ""]
    if not isinstance(command, TyperGroup):
        lines += [f"    {usage}", ""]
    if rows := list(_rows(command)):
        lines += ["| option | default | meaning |", "|---|---|---|", *rows, ""]
    lines += [f"    {example}" for example in EXAMPLES.get(path, ()) if example != usage]
    return "\n".join(lines).rstrip() + "\n"


def _rows(command: Any) -> Iterator[str]:
    for each in command.params:
        if each.name == "help" or each.param_type_name != "option":
            if each.param_type_name == "argument" and each.help:
                yield f"| {(each.metavar or each.name).upper()} | | {_cell(each.help)} |"
            continue
        names = " / ".join(f"`{name}`" for name in (*each.opts, *each.secondary_opts))
        default = "" if each.default in (None, False, ()) or callable(each.default) else f"`{each.default}`"
        yield f"| {names} | {default if default != '``' else ''} | {_cell(each.help or '')} |"


def _cell(text: str) -> str:
    return _plain(text).replace("|", "\\|")


def _plain(text: str) -> str:
    # <...> would be taken for a tag.
    return " ".join(text.replace("\b", "").split()).replace("<", "&lt;")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
