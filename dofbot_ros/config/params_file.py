"""A ROS parameters file: what it holds for one node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from dofbot_ros.config.yaml_text import BoundedLoader, read_yaml
from dofbot_ros.errors import ConfigError

Scalar: TypeAlias = bool | int | float | str

KEY = "ros__parameters"


def parameters_of(file: str, node: str, namespace: str = "") -> dict[str, Scalar]:
    """Parameters of a node: those of /** first, then those of its name, then those of its full name.

    Args:
        file: path of the YAML; "" holds nothing.
        node: its name.
        namespace: without slashes around it.

    Raises:
        ConfigError: no such file, or no parameters file.
    """
    if not file:
        return {}
    content = read_yaml(file, BoundedLoader)
    if not isinstance(content, Mapping):
        raise ConfigError(f"is no parameters file: node names with {KEY} below are expected", file)
    full = f"/{namespace}/{node}" if namespace else f"/{node}"
    values: dict[str, Scalar] = {}
    for pattern in ("/**", f"/**/{node}", node, f"{namespace}/{node}", full):
        values |= _section(content, pattern, file)
    nested = content.get(namespace) or content.get(f"/{namespace}")
    if namespace and isinstance(nested, Mapping):
        values |= _section(nested, node, file)
    return values


def _section(content: Mapping[str, Any], pattern: str, file: str) -> dict[str, Scalar]:
    entry = content.get(pattern)
    if entry is None:
        return {}
    if not isinstance(entry, Mapping) or not isinstance(entry.get(KEY), Mapping):
        raise ConfigError(f"{pattern} has no {KEY}", file)
    for name, value in entry[KEY].items():
        if not isinstance(value, bool | int | float | str):
            raise ConfigError(f"{pattern}: {name} is neither a number, a text, true nor false", file)
    return {str(name): value for name, value in entry[KEY].items()}
