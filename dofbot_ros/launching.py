"""A stack as data: arguments, nodes, conditions; and how it becomes command lines."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import yaml

from dofbot_ros.config.params_file import Scalar, parameters_of
from dofbot_ros.core.dds import NETWORK_VARIABLE
from dofbot_ros.errors import InputError, UsageError, one_of
from dofbot_ros.supervisor import Command

PACKAGE = "dofbot_ros"


@dataclass(frozen=True)
class Argument:
    """One `name:=value` of a stack, as people type it."""

    name: str
    default: str
    description: str
    choices: tuple[str, ...] = ()

    def check(self, value: str) -> str:
        """The value, if it may stand here.

        Raises:
            InputError: not one of the choices.
        """
        if self.choices and value not in self.choices:
            raise UsageError(one_of(f"{self.name}:=", value, self.choices))
        return value


@dataclass(frozen=True)
class Ref:
    """A parameter that takes its value from the argument `argument`; `kind` is the parameter's type."""

    argument: str
    kind: type[Scalar] = str
    optional: bool = False
    """Left to the node's own default where the argument is empty."""


@dataclass(frozen=True)
class NodeSpec:
    """One node process.

    Attributes:
        executable: console script, and module below dofbot_ros.ros.nodes.
        parameters: parameter -> fixed value or Ref.
        when: argument -> the values with which this node runs; all must hold.
        unless: argument -> the values with which it does not.
        required: its end is the end of the stack.
    """

    executable: str
    parameters: Mapping[str, Scalar | Ref] = field(default_factory=dict)
    when: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unless: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    required: bool = True


@dataclass(frozen=True)
class Stack:
    """Nodes that run together."""

    name: str
    description: str
    arguments: tuple[Argument, ...]
    nodes: tuple[NodeSpec, ...]

    def resolve(self, given: Mapping[str, str]) -> dict[str, str]:
        """Every argument with its value.

        Raises:
            InputError: an unknown argument, or a value that is not one of its choices.
        """
        known = {a.name: a for a in self.arguments}
        for name in given:
            if name not in known:
                raise UsageError(one_of(f"argument of stack {self.name}", name, known))
        return {name: argument.check(given.get(name, argument.default)) for name, argument in known.items()}


@dataclass(frozen=True)
class Process:
    """One node, ready to be started."""

    executable: str
    parameters: dict[str, Scalar]
    namespace: str
    required: bool

    def command(self) -> Command:
        """How `dofbot up` starts it: the module in this interpreter, so that no installation is needed."""
        module = f"{PACKAGE}.ros.nodes.{self.executable}"
        words = [sys.executable, "-m", module, "--ros-args", *enclave(self.executable)]
        if self.namespace:
            words += ["-r", f"__ns:=/{self.namespace.strip('/')}"]
        for name, value in self.parameters.items():
            words += ["-p", f"{name}:={_yaml(value)}"]
        return Command(self.executable, tuple(words), self.required)


def enclave(executable: str) -> list[str]:
    """ROS arguments that name the node's own enclave in config/sros2/; without SROS 2 they have no effect."""
    return ["--enclave", f"/{executable}"]


def processes(stack: Stack, given: Mapping[str, str]) -> list[Process]:
    """The processes of `stack`, in the order to start them.

    Args:
        stack: what to run.
        given: argument -> value as typed; the others have their defaults.

    Raises:
        InputError: an unknown argument, or a value that does not fit.
    """
    arguments = stack.resolve(given)
    namespace, file = arguments["namespace"].strip("/"), arguments["params_file"]
    if namespace and "emulator_port" in arguments and "emulator_port" not in given:
        arguments["emulator_port"] += "_" + namespace.replace("/", "_")  # each arm has a bus of its own
    return [
        Process(
            executable=node.executable,
            parameters=_parameters(node, arguments, set(given), parameters_of(file, node.executable, namespace)),
            namespace=namespace,
            required=node.required,
        )
        for node in stack.nodes
        if runs(node, arguments)
    ]


def _parameters(
    node: NodeSpec, arguments: Mapping[str, str], typed: set[str], from_file: Mapping[str, Scalar]
) -> dict[str, Scalar]:
    """What is typed counts more than what stands in the params_file, and that more than a default."""
    values: dict[str, Scalar] = {}
    for name, value in node.parameters.items():
        if not isinstance(value, Ref):
            values[name] = value
        elif not (value.optional and arguments[value.argument] == ""):
            values[name] = parse(value, arguments)
    typed_names = {n for n, value in node.parameters.items() if isinstance(value, Ref) and value.argument in typed}
    return values | {name: value for name, value in from_file.items() if name not in typed_names}


def environment(stack: Stack, given: Mapping[str, str]) -> dict[str, str]:
    """The variables of the stack's processes: this process's, and who may reach them.

    Raises:
        InputError: an unknown argument, or a value that does not fit.
    """
    chosen = stack.resolve(given)["network"]
    return {**os.environ, NETWORK_VARIABLE: chosen} if chosen else dict(os.environ)


def runs(node: NodeSpec, arguments: Mapping[str, str]) -> bool:
    """Whether `node` runs with these arguments."""
    wanted = all(arguments[name] in values for name, values in node.when.items())
    return wanted and not any(arguments[name] in values for name, values in node.unless.items())


def parse(ref: Ref, arguments: Mapping[str, str]) -> Scalar:
    """The value that `ref` points to, in its type.

    Raises:
        InputError: the text is not of that type.
    """
    text = arguments[ref.argument]
    if ref.kind is str:
        return text
    if ref.kind is bool:
        if text.lower() not in ("true", "false"):
            raise UsageError(one_of(f"{ref.argument}:=", text, ("true", "false")))
        return text.lower() == "true"
    try:
        return ref.kind(text)
    except ValueError as error:
        raise InputError(f"{ref.argument}:={text} is no {'whole ' if ref.kind is int else ''}number") from error


def parse_words(words: Iterable[str]) -> dict[str, str]:
    """`name:=value` words as typed behind `ros2 launch` and `dofbot up`.

    Raises:
        InputError: a word of another form.
    """
    pairs = {}
    for word in words:
        name, separator, value = word.partition(":=")
        if not separator or not name:
            raise InputError(f"{word!r} is not of the form name:=value")
        pairs[name] = value
    return pairs


def check_words(stack: Stack, words: Sequence[str]) -> None:
    """Refuse a misspelt argument behind `ros2 launch`, which itself passes over every name it does not know.

    Args:
        stack: whose launch file is read.
        words: of the command line; nothing is said of one that launches another file, which may include this one.

    Raises:
        InputError: an argument that the stack has not, or a value that is not one of its choices.
    """
    file = f"{stack.name}.launch.py"
    places = [k for k, word in enumerate(words) if word.rsplit("/", 1)[-1] == file]
    if places:
        stack.resolve(parse_words(word for word in words[places[0] + 1 :] if ":=" in word and word[0] != "-"))


def describe(stack: Stack) -> str:
    """The arguments of a stack, one a line, as `ros2 launch --show-args` words them."""
    lines = [stack.description, ""]
    for a in stack.arguments:
        choices = f" ({' | '.join(filter(None, a.choices))})" if a.choices else ""
        lines.append(f"  {a.name}:={a.default}{choices}\n      {a.description}")
    return "\n".join(lines)


def _yaml(value: Scalar) -> str:
    # Parameters are read as YAML: quoted, "0" stays text and "/dev/ttyUSB0" needs no care.
    return yaml.safe_dump(value, default_style='"' if isinstance(value, str) else None, width=1 << 20).splitlines()[0]
