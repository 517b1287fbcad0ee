"""YAML text into plain data, within bounds: no file can hang the reader, fill the memory, or say one thing twice."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from dofbot_ros.errors import ConfigError

MAX_BYTES = 256 * 1024
"""Longest file that is read: the largest that this package ships has 4 kB."""
MAX_DEPTH = 50
"""Deepest nesting of lists and mappings."""
MAX_NODES = 50_000
"""Most values in a file, those counted again that an alias (*name) repeats."""

SCALAR_SIZE = 64
"""A text counts as one value for each so many characters."""

_MERGE = "tag:yaml.org,2002:merge"
# What PyYAML's constructors raise on a scalar that is not what its tag or its spelling promises.
_UNREADABLE = (
    yaml.YAMLError, ValueError, OverflowError, LookupError, AttributeError, TypeError, RecursionError
)  # fmt: skip


class BoundedLoader(yaml.SafeLoader):
    """SafeLoader that stops at MAX_DEPTH and MAX_NODES, and refuses a key that stands twice in one mapping."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._depth = 0
        self._weights: dict[yaml.Node, int] = {}

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Compose one node, and count it with all that it holds."""
        if self.check_event(yaml.AliasEvent):
            node = super().compose_node(parent, index)
            if node not in self._weights:
                raise yaml.YAMLError("an alias stands inside what it names")
            return node
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise yaml.YAMLError(f"lists and mappings are nested more than {MAX_DEPTH} deep")
        node = super().compose_node(parent, index)
        self._depth -= 1
        if node is not None:
            self._weights[node] = self._weigh(node)
        return node

    def _weigh(self, node: yaml.Node) -> int:
        if isinstance(node, yaml.ScalarNode):
            return 1 + len(node.value) // SCALAR_SIZE
        if isinstance(node, yaml.MappingNode):
            _refuse_doubles(node)
            children = [part for pair in node.value for part in pair]
        else:
            children = node.value
        weight = 1 + sum(self._weights[child] for child in children)
        if weight > MAX_NODES:
            raise yaml.YAMLError(f"holds more than {MAX_NODES} values, aliases counted")
        return weight


class _Dumper(yaml.SafeDumper):
    """Writes what BoundedLoader reads: a text that looks like a number there is put in quotes, as some commits do."""


# PyYAML follows YAML 1.1, where 1e-3 without a point is text; numpy, OpenCV and people write it all the same.
for _side in (BoundedLoader, _Dumper):
    _side.add_implicit_resolver(
        "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+[eE][-+]?[0-9]+\Z"), list("-+0123456789")
    )


def write_yaml(data: object, flow: bool | None = False) -> str:
    """Plain data as YAML text, which this module's loader reads as the same.

    Args:
        data: numbers, texts, lists and dictionaries.
        flow: whether lists and dictionaries stand in one line each; None: those that hold no others.
    """
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, default_flow_style=flow)
    return text


def read_yaml(path: str | Path, loader: Callable[[str], BoundedLoader] = BoundedLoader) -> Any:
    """Plain data from the YAML file `path`; None where it is empty.

    Args:
        path: the file, at most MAX_BYTES long.
        loader: reads the text; a subclass may know more tags.

    Raises:
        ConfigError: no such file, no YAML, a key that stands twice, or more of anything than this module's limits.
    """
    where = str(path)
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where) from error
    if len(content) > MAX_BYTES:
        raise ConfigError(f"is longer than {MAX_BYTES // 1024} kB: a configuration or calibration is expected", where)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError("is not YAML: it is no text file (UTF-8)", where) from error
    return parse_yaml(text, where, loader)


def parse_yaml(text: str, where: str, loader: Callable[[str], BoundedLoader] = BoundedLoader) -> Any:
    """Plain data from YAML text; `where` names its place in messages.

    Raises:
        ConfigError: no YAML, a key that stands twice, or more nesting or values than this module's limits.
    """
    try:
        reader = loader(text)
        try:
            return reader.get_single_data()
        finally:
            reader.dispose()
    except _UNREADABLE as error:
        raise ConfigError(f"is not YAML: {' '.join(str(error).split())[:300]}", where) from error


def _refuse_doubles(node: yaml.MappingNode) -> None:
    seen: set[tuple[str, str]] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.tag == _MERGE:
            continue
        if (key.tag, key.value) in seen:
            raise yaml.MarkedYAMLError(problem=f"key {key.value!r} stands twice", problem_mark=key.start_mark)
        seen.add((key.tag, key.value))
