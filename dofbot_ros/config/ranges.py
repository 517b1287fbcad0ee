"""Ranges of configuration values: declared in the types of a dataclass's fields, checked when an object is made."""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, TypeAlias, cast

from dofbot_ros.errors import ConfigError, InputError, one_of


@dataclass(frozen=True)
class Range:
    """Where a number, or each number of a tuple, has to be. `Range(0, 1)` is 0 to 1, both included.

    Attributes:
        at_least, at_most: ends that belong to the range.
        above, below: ends that do not.
        infinite: inf is in the range, too.
    """

    at_least: float = -math.inf
    at_most: float = math.inf
    above: float = -math.inf
    below: float = math.inf
    infinite: bool = False

    def __contains__(self, number: float) -> bool:
        if not math.isfinite(number):
            return self.infinite and number == math.inf
        return self.at_least <= number <= self.at_most and self.above < number < self.below

    def __str__(self) -> str:
        if math.isfinite(self.at_least) and math.isfinite(self.at_most):
            return f"{self.at_least:g} to {self.at_most:g}"
        if self == POSITIVE:
            return "positive"
        ends = {"above": self.above, "at least": self.at_least, "below": self.below, "at most": self.at_most}
        return " and ".join(f"{word} {end:g}" for word, end in ends.items() if math.isfinite(end)) or "finite"

    def problem(self, name: str, value: Any) -> str:
        """What is wrong with the value of the field `name`, "" where nothing is."""
        numbers = value if isinstance(value, (tuple, list)) else (value,)
        wrong = [number for number in numbers if number not in self]
        if not wrong:
            return ""
        ends = max(self.at_least, self.above), min(self.at_most, self.below)
        half_open = any(map(math.isinf, ends)) and not all(map(math.isinf, ends))
        wanted = f"finite and {self}" if half_open and not (self.infinite or math.isfinite(wrong[0])) else str(self)
        each = " each" if len(numbers) > 1 else ""
        return f"{name} must be {wanted}{each}, got {list(value) if each else wrong[0]}"


POSITIVE = Range(above=0.0)


@dataclass(frozen=True)
class Rising:
    """A pair is its lower and its upper end. `or_equal`: these may be the same."""

    or_equal: bool = False

    def problem(self, name: str, value: Any) -> str:
        """As Range.problem."""
        low, high = value
        if low < high or (self.or_equal and low == high):
            return ""
        return f"{name} must be [min, max] with min {'<=' if self.or_equal else '<'} max, got [{low}, {high}]"


Positive: TypeAlias = Annotated[float, POSITIVE]
NotNegative: TypeAlias = Annotated[float, Range(0.0)]
Finite: TypeAlias = Annotated[float, Range()]
Share: TypeAlias = Annotated[float, Range(0.0, 1.0)]
Count: TypeAlias = Annotated[int, Range(1)]
Index: TypeAlias = Annotated[int, Range(0)]
Interval: TypeAlias = Annotated[tuple[float, float], Rising()]
"""A lower and a higher number."""
Colour: TypeAlias = Annotated[tuple[int, int, int], Range(0, 255)]
"""Red, green, blue."""
Amount: TypeAlias = Annotated[tuple[float, float], Range(0.0), Rising(or_equal=True)]
Factor: TypeAlias = Annotated[tuple[float, float], POSITIVE, Rising(or_equal=True)]
Part: TypeAlias = Annotated[tuple[float, float], Range(0.0, 1.0), Rising(or_equal=True)]
"""The lowest and the highest value of a quantity that is drawn: from 0 on, above 0, from 0 to 1."""


class Checked:
    """Base of dataclasses that refuse values outside the ranges of their fields; fields that are None are not checked.

    A field of a `Literal` type is checked, too. What has to hold between fields is told by `problems`.
    """

    ERROR: ClassVar[type[InputError]] = ConfigError
    """Raised with the first thing that is wrong."""

    def __post_init__(self) -> None:
        for name, rules in declared(type(self)).items():
            value = getattr(self, name)
            for rule in rules if value is not None else ():
                if problem := rule.problem(name, value):
                    raise self.ERROR(problem)
        for problem in self.problems():
            raise self.ERROR(problem)

    def problems(self) -> Iterator[str]:
        """What is wrong between the fields, each of which is in its range."""
        return iter(())


@dataclass(frozen=True)
class _OneOf:
    """A value is one of a list."""

    values: tuple[Any, ...]

    def problem(self, name: str, value: Any) -> str:
        """As Range.problem."""
        return "" if value in self.values else one_of(name, value, self.values)


Rule: TypeAlias = Range | Rising | _OneOf


def parameter(default: Any, description: str, live: bool = False) -> Any:
    """A field that tells what it is, as tools show it; a `live` one may be set while a node runs."""
    return dataclasses.field(default=default, metadata={"description": description, "live": live})


def declared(cls: type) -> dict[str, tuple[Rule, ...]]:
    """Field of a dataclass -> what is declared of it; fields of which nothing is declared are left out."""
    return _declared(cast(Hashable, cls))


@cache
def _declared(cls: Any) -> dict[str, tuple[Rule, ...]]:
    hints = typing.get_type_hints(cls, include_extras=True)
    found = {field.name: tuple(_rules(hints[field.name])) for field in dataclasses.fields(cls)}
    return {name: rules for name, rules in found.items() if rules}


def _rules(hint: Any) -> Iterator[Rule]:
    if typing.get_origin(hint) is Annotated:
        kind, *extras = typing.get_args(hint)
        yield from _rules(kind)
        yield from (extra for extra in extras if isinstance(extra, (Range, Rising)))
    elif typing.get_origin(hint) is Literal:
        yield _OneOf(typing.get_args(hint))
    elif type(None) in typing.get_args(hint):
        for kind in typing.get_args(hint):
            yield from _rules(kind)
