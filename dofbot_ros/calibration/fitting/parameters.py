"""The unknowns of a calibration: names, nominal values, and how well each is known beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import InputError, UsageError, one_of


@dataclass(frozen=True)
class Parameter:
    """One unknown with a normal prior.

    Attributes:
        name: unique, for instance "joint2.zero".
        nominal: the value believed before anything was measured, in the parameter's SI unit or [px].
        sigma: standard deviation of that belief, in the same unit, positive.
    """

    name: str
    nominal: float
    sigma: float


@dataclass(frozen=True, eq=False)
class ParameterSet:
    """An ordered set of unknowns; a vector of values is in this order."""

    parameters: tuple[Parameter, ...]

    def __post_init__(self) -> None:
        names = [p.name for p in self.parameters]
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            raise InputError(f"parameters stand twice: {', '.join(doubled)}")
        for p in self.parameters:
            if not (np.isfinite(p.nominal) and np.isfinite(p.sigma) and p.sigma > 0):
                raise InputError(f"{p.name}: a prior is a finite value and a positive deviation, got {p}")

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names in the order of the vector."""
        return tuple(p.name for p in self.parameters)

    @cached_property
    def nominal(self) -> FloatArray:
        """Means of the priors, shape (n,)."""
        return np.array([p.nominal for p in self.parameters])

    @cached_property
    def sigma(self) -> FloatArray:
        """Standard deviations of the priors, shape (n,)."""
        return np.array([p.sigma for p in self.parameters])

    def index(self, name: str) -> int:
        """Place of a parameter in the vector.

        Raises:
            InputError: there is none of that name; lists those there are.
        """
        if name not in self._places:
            raise UsageError(one_of("parameter", name, self.names))
        return self._places[name]

    def slice(self, names: Sequence[str]) -> list[int]:
        """Places of several parameters in the vector."""
        return [self.index(name) for name in names]

    def value(self, x: FloatArray, name: str) -> float:
        """The value of one parameter in the vector `x` (n,)."""
        return float(x[self.index(name)])

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.names)}
