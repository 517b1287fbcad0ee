"""Frozen dataclasses from YAML: types checked, numbers finite, unknown keys refused with the nearest name."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from dofbot_ros.config.ranges import Range, declared
from dofbot_ros.config.yaml_text import read_yaml, write_yaml
from dofbot_ros.errors import ConfigError, one_of

T = TypeVar("T")

MAX_SHOWN = 80
"""Most of a wrong value that a message repeats [characters]."""


def load_yaml(cls: type[T], path: str | Path) -> T:
    """Read `path` into the dataclass `cls`.

    Raises:
        ConfigError: no such file, no YAML, an unknown key, a missing key, a value of another type, a number that is not
            finite.
    """
    content = read_yaml(path)
    return from_mapping(cls, {} if content is None else content, str(path))


def from_mapping(cls: type[T], content: object, where: str) -> T:
    """Build the dataclass `cls` from plain data; `where` names the place in messages.

    Numbers must be finite; a field of which a `Range` says so may be inf.
    """
    if not isinstance(content, Mapping):
        raise ConfigError(f"expected a mapping of {cls.__name__}, got {_shown(content)}", where)
    fields = {f.name: f for f in dataclasses.fields(typing.cast(Any, cls)) if f.init}
    for key in content:
        if key not in fields:
            raise ConfigError(one_of("key", _shown(key, bare=True), fields), where)
    missing = [
        n for n, f in fields.items()
        if n not in content and f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    ]  # fmt: skip
    if missing:
        raise ConfigError(f"missing {', '.join(missing)}", where)
    hints = typing.get_type_hints(cls)
    rules = declared(cls)
    values = {
        key: value
        if value == math.inf and any(isinstance(rule, Range) and rule.infinite for rule in rules.get(key, ()))
        else _convert(hints[key], value, f"{where}: {key}")
        for key, value in content.items()
    }
    try:
        return cls(**values)
    except ConfigError as error:
        raise type(error)(str(error), where) from error
    except (ValueError, ArithmeticError) as error:
        raise ConfigError(str(error), where) from error


def to_mapping(config: object) -> dict[str, Any]:
    """The same data as plain dicts and lists, ready for YAML or JSON."""
    return typing.cast(dict[str, Any], _plain(dataclasses.asdict(typing.cast(Any, config))))


def save_yaml(config: object, path: str | Path) -> None:
    """Write a dataclass so that load_yaml reads the same back."""
    Path(path).write_text(write_yaml(to_mapping(config)), encoding="utf-8")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value


def _convert(hint: Any, value: Any, where: str) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return value
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in args:
            return None
        return _convert(next(a for a in args if a is not type(None)), value, where)
    if origin is typing.Literal:
        if not isinstance(value, (str, int)) or value not in args:
            raise ConfigError(one_of("value", _shown(value, bare=True), args), where)
        return value
    if dataclasses.is_dataclass(hint):
        return from_mapping(typing.cast(Any, hint), value, where)
    if origin in (tuple, list):
        return _convert_sequence(origin, args, value, where)
    if origin is dict:
        if not isinstance(value, Mapping):
            raise ConfigError(f"expected a mapping, got {_shown(value)}", where)
        return {
            _convert(args[0], k, where): _convert(args[1], v, f"{where}: {_shown(k, bare=True)}")
            for k, v in value.items()
        }
    if hint is float:
        return _number(value, where)
    if (isinstance(value, bool) and hint is not bool) or not isinstance(value, hint):
        raise ConfigError(f"expected {hint.__name__}, got {_shown(value)}", where)
    return value


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ConfigError(f"expected float, got {_shown(value)}", where)
    try:
        number = float(value)
    except OverflowError as error:
        raise ConfigError("expected a float, got a whole number too large for one", where) from error
    if not math.isfinite(number):
        raise ConfigError(f"expected a finite number, got {number}", where)
    return number


def _shown(value: object, bare: bool = False) -> str:
    """The head of a value's repr, or of the value itself where it is `bare` text."""
    try:
        text = str(value) if bare else repr(value)
    except ValueError:  # Python writes no whole number of more than 4300 digits
        return "a whole number of thousands of digits"
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."


def _convert_sequence(origin: Any, args: tuple[Any, ...], value: Any, where: str) -> Any:
    if not isinstance(value, (list, tuple)):
        raise ConfigError(f"expected a list, got {_shown(value)}", where)
    variable = origin is list or (len(args) == 2 and args[1] is Ellipsis)
    if not variable and len(value) != len(args):
        raise ConfigError(f"expected {len(args)} values, got {len(value)}", where)
    items = [_convert(args[0] if variable else args[i], v, f"{where}[{i}]") for i, v in enumerate(value)]
    return origin(items)
