"""Worlds drawn from a configuration: named sets of ranges, and one value from each range."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from dofbot_ros.errors import UsageError, one_of


def uniform(ranges: object, names: Iterable[str], rng: np.random.Generator) -> dict[str, float]:
    """One value of each range, drawn uniformly; every name takes one number from the generator, in its order.

    Args:
        ranges: an object with an attribute (lowest, highest) for each name.
        names: which of its ranges.
        rng: draws.
    """
    return {name: float(rng.uniform(*getattr(ranges, name))) for name in names}


def named(sets: object, what: str, name: str) -> Any:
    """The field `name` of a dataclass whose fields are sets of ranges.

    Args:
        sets: the dataclass.
        what: they are, for the message: level, domain.
        name: of one of them.

    Raises:
        ConfigError: it has no such field; lists those it has.
    """
    if name not in vars(sets):
        raise UsageError(one_of(what, name, vars(sets)))
    return vars(sets)[name]
