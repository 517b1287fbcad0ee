"""A group whose commands are imported and made when they are asked for: `dofbot arm` imports no other group."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, solve_typer_info_help
from typer.models import TyperInfo

Finish = Callable[[str, Any], None]
"""Takes the words that call a command, and the command."""


class LateCommands(MutableMapping[str, Any]):
    """Name -> command; its names are known before the commands are.

    Args:
        made: the commands that exist, listed first.
        places: the words that call a command -> its "module:function", or "module:app" of a group. Two words are a
            command of the group of the first, from another module than the group.
    """

    def __init__(self, made: Mapping[str, Any], places: Mapping[str, str]) -> None:
        self._places = places
        self._made: dict[str, Any | None] = {**made, **{path: None for path in places if " " not in path}}
        self._finish: list[Finish] = []
        self.listing = False
        """While it is true a command that was not asked for yet is its name and its help, which is what a list shows:
        to make all of `dofbot` takes longer than to import it."""

    def finish(self, how: Finish) -> None:
        """Call `how` for each command: now for those that exist, as they are made for the others."""
        self._finish.append(how)
        for name, command in self._made.items():
            if command is not None:
                how(name, command)

    def __getitem__(self, name: str) -> Any:
        command = self._made[name]
        if command is None and self.listing:
            return TyperCommand(name, help=_help(_found(self._places[name])))
        if command is None:
            command = self._made[name] = self._make(name)
            for how in self._finish:
                how(name, command)
        return command

    def __setitem__(self, name: str, command: Any) -> None:
        self._made[name] = command

    def __delitem__(self, name: str) -> None:
        del self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in self._made

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)

    def _make(self, name: str) -> Any:
        command = made_from(name, self._places[name])
        for path, place in self._places.items():
            group, _, below = path.partition(" ")
            if below and group == name:
                command.commands[below] = made_from(below, place)
        return command


def made_from(name: str, place: str) -> Any:
    """The command or group `name` of "module:function" or "module:app"."""
    found = _found(place)
    alone = typer.Typer(add_completion=False)
    if isinstance(found, typer.Typer):
        alone.add_typer(found, name=name)
        group: Any = get_command(alone)
        return group.commands[name]
    alone.command(name)(found)
    return get_command(alone)


def _found(place: str) -> Any:
    module, _, attribute = place.partition(":")
    return getattr(importlib.import_module(module), attribute)


def _help(found: Any) -> str | None:
    """What a command's function or a group says of itself."""
    if isinstance(found, typer.Typer):
        return solve_typer_info_help(TyperInfo(found))
    return inspect.getdoc(found)


def late_group(places: Mapping[str, str]) -> type[TyperGroup]:
    """A class for Typer's `cls` whose groups have the commands of `places`, too; see LateCommands."""

    class LateGroup(TyperGroup):
        def __init__(self, **attributes: Any) -> None:
            super().__init__(**attributes)
            self.commands = self._late = LateCommands(self.commands, places)

        def format_help(self, ctx: Any, formatter: Any) -> None:
            self._late.listing = True
            try:
                super().format_help(ctx, formatter)
            finally:
                self._late.listing = False

    return LateGroup
