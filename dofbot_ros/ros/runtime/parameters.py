"""ROS parameters from the fields of a configuration dataclass: one description, one check."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable
from typing import Any, TypeVar, cast

from rcl_interfaces.msg import ParameterDescriptor, SetParametersResult
from rclpy.exceptions import InvalidParameterTypeException
from rclpy.node import Node
from rclpy.parameter import Parameter

from dofbot_ros.config.loader import from_mapping
from dofbot_ros.config.ranges import Range, declared
from dofbot_ros.errors import ConfigError, nearest

T = TypeVar("T")

MISSPELT = 0.7
"""Names that are this similar (difflib) are taken for one name."""


def declare(node: Node, cls: type[T]) -> T:
    """Declare a parameter for each field of `cls` and read them into it.

    Name, type and default are the field's; the description is in its metadata or in the class's docstring, under
    Attributes. They are read once, hence read-only, unless the metadata says `live`.

    Raises:
        ConfigError: a value of another type, or one that the dataclass refuses.
    """
    where = f"parameters of {node.get_name()}"
    documented = attributes(cls.__doc__ or "")
    values = {}
    for field in dataclasses.fields(cast(Any, cls)):
        descriptor = ParameterDescriptor(
            description=field.metadata.get("description") or documented[field.name],
            read_only=not field.metadata.get("live", False),
            # A whole number is a fine float, and `-p video_device:=0` a fine text; a statically typed parameter
            # would refuse both.
            dynamic_typing=isinstance(field.default, float | str),
            additional_constraints=_constraints(cls, field.name),
        )
        try:
            value = node.declare_parameter(field.name, field.default, descriptor).value
            values[field.name] = _spelt(field, value)
        except InvalidParameterTypeException as error:
            raise ConfigError(str(error), where) from error
    _check_when_set(node, cls, where)
    return from_mapping(cls, values, where)


def when_set(node: Node, name: str, apply: Callable[[Any], None]) -> None:
    """Call `apply` with each value that a live parameter is set to from now on, once it was checked."""

    def on_set(parameters: list[Parameter[Any]]) -> None:
        for parameter in parameters:
            if parameter.name == name:
                apply(parameter.value)

    node.add_post_set_parameters_callback(on_set)


class ToldParameter:
    """A parameter by which a node tells something: it changes while the node runs, and nobody else can set it.

    Args:
        node: that has it.
        name: of the parameter.
        value: at first.
        description: as tools show it.
    """

    def __init__(self, node: Node, name: str, value: float, description: str) -> None:
        self._node, self._name = node, name
        self.value: float = node.declare_parameter(name, value, ParameterDescriptor(description=description)).value
        node.add_on_set_parameters_callback(self._check)

    def tell(self, value: float) -> None:
        """It is `value` from now on."""
        self.value = value
        self._node.set_parameters([Parameter(self._name, value=value)])

    def _check(self, parameters: list[Parameter[Any]]) -> SetParametersResult:
        if all(parameter.name != self._name or parameter.value == self.value for parameter in parameters):
            return SetParametersResult(successful=True)
        return SetParametersResult(successful=False, reason=f"{self._name} is told by the node and cannot be set")


def _check_when_set(node: Node, cls: type, where: str) -> None:
    """Let the dataclass refuse values of its live parameters while the node runs, as it does at the start."""
    live = {field.name: field for field in dataclasses.fields(cast(Any, cls)) if field.metadata.get("live", False)}
    if not live:
        return

    def check(parameters: list[Parameter[Any]]) -> SetParametersResult:
        given = {each.name: _spelt(live[each.name], each.value) for each in parameters if each.name in live}
        try:
            from_mapping(cls, given, where)
        except ConfigError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    node.add_on_set_parameters_callback(check)


def _spelt(field: dataclasses.Field[Any], value: Any) -> Any:
    """A value as the field has it: `-p video_device:=0` is a text."""
    return str(value) if isinstance(field.default, str) and type(value) is int else value


def _constraints(cls: type, name: str) -> str:
    """The range of a number, as tools show it; the dataclass itself says what is wrong with a value outside."""
    return ", ".join(str(rule) for rule in declared(cls).get(name, ()) if isinstance(rule, Range))


def check_given(node: Node) -> None:
    """Refuse a parameter that was given and is none of the node's, where it looks like one of them: it is misspelt.

    Others are passed over, as ROS does: a parameters file may hold those of other nodes under /**.

    Raises:
        ConfigError: names both.
    """
    known = [name for name in node._parameters if not name.startswith("qos_overrides.")]
    for name in node._parameter_overrides:
        if name not in known and (near := nearest(name, known, MISSPELT)):
            raise ConfigError(f"parameters of {node.get_name()}: there is no {name}; did you mean {near}?")


def attributes(docstring: str) -> dict[str, str]:
    """The entries of a docstring's Attributes section, each on one line."""
    section = inspect.cleandoc(docstring).partition("\nAttributes:\n")[2].partition("\n\n")[0]
    entries = re.findall(r"^ {4}(\w+): (.*(?:\n {8,}.*)*)", section, flags=re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in entries}
