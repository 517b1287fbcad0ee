"""Stacks as data: every one resolves, wrong words are refused, and a parameter arrives as its type."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import yaml

from dofbot_ros.core.dds import NETWORK_VARIABLE
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.errors import InputError
from dofbot_ros.launching import Ref, check_words, describe, environment, parse_words, processes
from dofbot_ros.stacks import STACKS, find

ROOT = Path(__file__).resolve().parents[2]


def executables(stack: str, **given: str) -> list[str]:
    return [p.executable for p in processes(find(stack), given)]


@pytest.mark.parametrize("name", STACKS)
def test_every_node_of_every_stack_exists(name: str) -> None:
    for node in STACKS[name].nodes:
        assert importlib.util.find_spec(f"dofbot_ros.ros.nodes.{node.executable}") is not None
        assert f'"{node.executable} = dofbot_ros.ros.nodes.{node.executable}:main"' in (ROOT / "setup.py").read_text()


@pytest.mark.parametrize("name", STACKS)
def test_every_reference_of_every_stack_is_to_one_of_its_arguments(name: str) -> None:
    stack = STACKS[name]
    known = {a.name for a in stack.arguments}
    for node in stack.nodes:
        refs = {v.argument for v in node.parameters.values() if isinstance(v, Ref)}
        assert refs | set(node.when) | set(node.unless) <= known
    assert processes(stack, {})


@pytest.mark.parametrize("name", STACKS)
def test_every_stack_has_its_launch_file(name: str) -> None:
    assert f'find("{name}")' in (ROOT / "launch" / f"{name}.launch.py").read_text()


def test_the_backend_decides_what_runs() -> None:
    assert executables("bringup") == ["driver_node"]
    assert executables("bringup", backend="emulator") == ["world_node", "driver_node"]
    assert executables("bringup", camera="0", localize="true") == [
        "driver_node",
        "camera_node",
        "block_localizer_node",
    ]
    assert executables("demo") == ["sim_node", "block_localizer_node"]
    assert executables("demo", backend="emulator") == ["world_node", "driver_node", "block_localizer_node"]
    assert executables("sim", localize="false") == ["sim_node"]


@pytest.mark.parametrize(
    ("stack", "words", "message"),
    [
        ("simm", [], "did you mean sim?"),
        ("sim", ["rft:=2"], "did you mean rtf?"),
        ("sim", ["rtf:=fast"], "rtf:=fast is no number"),
        ("sim", ["scene_seed:=1.5"], "scene_seed:=1.5 is no whole number"),
        ("bringup", ["backend:=serail"], "did you mean serial?"),
        ("sim", ["network:=opne"], "did you mean open?"),
        ("sim", ["rtf=2"], "'rtf=2' is not of the form name:=value"),
    ],
)
def test_a_word_that_does_not_fit_is_refused_with_the_nearest(stack: str, words: list[str], message: str) -> None:
    with pytest.raises(InputError) as refusal:
        processes(find(stack), parse_words(words))
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("text", ["/dev/ttyUSB0", "0", "", 'a "quoted" name', "true", "C:\\x", "ünï"])
def test_text_parameters_stay_text(text: str) -> None:
    command = processes(find("bringup"), {"port": text})[0].command()
    word = next(w for w in command.argv if w.startswith("port:="))
    assert yaml.safe_load(word.removeprefix("port:=")) == text


def test_a_namespace_moves_every_node() -> None:
    for process in processes(find("demo"), {"namespace": "/left/"}):
        assert "__ns:=/left" in process.command().argv


@pytest.mark.parametrize("name", STACKS)
def test_the_description_tells_every_argument(name: str) -> None:
    text = describe(STACKS[name])
    for argument in STACKS[name].arguments:
        assert f"{argument.name}:={argument.default}" in text
        assert argument.description in text


@pytest.mark.parametrize("name", STACKS)
@pytest.mark.parametrize(
    ("variable", "words", "network"),
    [
        (None, [], None),
        ("open", [], "open"),
        (None, ["network:=open"], "open"),
        ("open", ["network:=local"], "local"),
    ],
)
def test_every_stack_is_opened_by_its_argument_or_else_by_the_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, variable: str | None, words: list[str], network: str | None
) -> None:
    monkeypatch.delenv(NETWORK_VARIABLE, raising=False)
    if variable is not None:
        monkeypatch.setenv(NETWORK_VARIABLE, variable)
    assert environment(find(name), parse_words(words)).get(NETWORK_VARIABLE) == network


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["ros2", "launch", "dofbot_ros", "bringup.launch.py", "backnd:=sim"], "did you mean backend?"),
        (["ros2", "launch", "/opt/share/launch/bringup.launch.py", "backend:=smi"], "did you mean sim?"),
        (["ros2", "launch", "dofbot_ros", "bringup.launch.py", "backend:=sim", "--show-args"], ""),
        (["ros2", "launch", "my_robot", "everything.launch.py", "lidar:=true"], ""),
        (["dofbot", "up", "bringup"], ""),
    ],
)
def test_a_misspelt_argument_behind_ros2_launch_is_refused(words: list[str], message: str) -> None:
    if not message:
        check_words(find("bringup"), words)
        return
    with pytest.raises(InputError) as refusal:
        check_words(find("bringup"), words)
    assert message in str(refusal.value)


def parameters(stack: str, executable: str, **given: str) -> dict[str, object]:
    return next(p.parameters for p in processes(find(stack), given) if p.executable == executable)


def test_arguments_that_are_left_empty_leave_the_nodes_their_defaults() -> None:
    plain = parameters("bringup", "driver_node")
    assert not {"baudrate", "max_velocity"} & set(plain)
    given = parameters("bringup", "driver_node", baudrate="250000", max_velocity="0.8")
    assert (given["baudrate"], given["max_velocity"]) == (250000, 0.8)
    camera = parameters("bringup", "camera_node", camera="0", framerate="15", image_width="1280", frame_id="left")
    assert (camera["framerate"], camera["image_width"], camera["frame_id"]) == (15.0, 1280, "left")
    assert "image_height" not in camera


def test_two_rehearsals_have_two_buses_and_two_trees_of_frames() -> None:
    left, right = (
        {p.executable: p.parameters for p in processes(find("demo"), {"backend": "emulator", "namespace": name})}
        for name in ("left", "right")
    )
    assert left["world_node"]["port_link"] == left["driver_node"]["port"] != right["driver_node"]["port"]
    prefixed = processes(find("demo"), {"namespace": "left", "frame_prefix": "left/"})
    assert {p.parameters["frame_prefix"] for p in prefixed} == {"left/"}


def test_an_emulated_arm_needs_no_check_of_its_directions() -> None:
    assert parameters("demo", "driver_node", backend="emulator")["waive_check"] is True
    assert parameters("bringup", "driver_node")["waive_check"] is False


def test_emulated_servos_that_a_busy_computer_keeps_waiting_are_no_loose_cable() -> None:
    assert parameters("demo", "driver_node", backend="emulator")["stale_read_s"] > DriverConfig().stale_read_s
    assert "stale_read_s" not in parameters("bringup", "driver_node")


def test_policies_have_room_unless_the_operator_says_less() -> None:
    assert parameters("policy", "sim_node")["max_velocity"] == 2.0
    assert parameters("policy", "sim_node", max_velocity="1.2")["max_velocity"] == 1.2


PARAMETERS = """
/**:
  ros__parameters: {on_exit: park, max_velocity: 1.0}
driver_node:
  ros__parameters: {max_velocity: 0.9, port: /dev/ttyACM0}
/left/driver_node:
  ros__parameters: {max_velocity: 0.7}
"""


def test_a_params_file_outdoes_defaults_and_arguments_outdo_it(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    file.write_text(PARAMETERS)
    read = parameters("bringup", "driver_node", params_file=str(file))
    assert (read["port"], read["on_exit"], read["max_velocity"]) == ("/dev/ttyACM0", "park", 0.9)
    typed = parameters("bringup", "driver_node", params_file=str(file), port="/dev/ttyUSB1", max_velocity="0.5")
    assert (typed["port"], typed["on_exit"], typed["max_velocity"]) == ("/dev/ttyUSB1", "park", 0.5)
    left = parameters("bringup", "driver_node", params_file=str(file), namespace="/left")
    assert left["max_velocity"] == 0.7


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1, 2]", "is no parameters file"),
        ("driver_node: {port: x}", "driver_node has no ros__parameters"),
        ("driver_node: {ros__parameters: {port: [1, 2]}}", "driver_node: port is neither a number"),
    ],
)
def test_what_is_no_params_file_is_refused(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    file.write_text(text)
    with pytest.raises(InputError, match=message):
        processes(find("bringup"), {"params_file": str(file)})


@pytest.mark.parametrize("name", STACKS)
def test_the_launch_file_declares_what_the_stack_has(name: str) -> None:
    pytest.importorskip("launch_ros", reason="ROS 2's launch is not installed here")
    spec = importlib.util.spec_from_file_location("launch_file", ROOT / "launch" / f"{name}.launch.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    declared = {a.name: a for a in module.generate_launch_description().get_launch_arguments()}
    assert list(declared) == [a.name for a in STACKS[name].arguments]
    for argument in STACKS[name].arguments:
        assert declared[argument.name].description.startswith(argument.description)
        assert tuple(declared[argument.name].choices or ()) == argument.choices
