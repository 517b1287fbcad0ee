"""`dofbot servos` and `dofbot find-port` on an emulated bus: a real pty, real bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from command_line import CliRunner

from dofbot_ros.cli.main import app
from dofbot_ros.core.console import console
from dofbot_ros.errors import DofbotError
from dofbot_ros.hardware.emulation.emulator import Emulator
from dofbot_ros.hardware.emulation.servos import ModelServos

BENT = (1900, 2100, 2000, 1800, 1486, 2000)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(ModelServos(BENT), first=True) as emulator:
        yield emulator


def run(*words: str) -> tuple[int, str, str]:
    """Exit code, stdout, stderr."""
    result = CliRunner().invoke(app, words)
    if isinstance(result.exception, DofbotError):
        return 1, result.stdout, str(result.exception)
    return result.exit_code, result.stdout, " ".join(result.stderr.split())


def scan(emulator: Emulator) -> tuple[int, dict[str, list[dict[str, object]]], str]:
    code, out, err = run("servos", "scan", "--port", emulator.port, "--ids", "8", "--json")
    return code, json.loads(out), err


def test_six_servos_that_are_well_are_no_problem(emulator: Emulator) -> None:
    code, found, _ = scan(emulator)
    assert code == 0
    assert [servo["ticks"] for servo in found["servos"]] == list(BENT)
    assert found["problems"] == []
    assert "in range" in run("servos", "scan", "--port", emulator.port, "--ids", "6")[2]


def test_problems_are_told_with_their_remedies_and_as_an_exit_code(emulator: Emulator) -> None:
    emulator.faults.twin = frozenset({3})
    with emulator.lock:
        emulator.servos.heat(5, 85.0)
    code, found, err = scan(emulator)
    assert code == 1
    assert len(found["problems"]) == 3
    for words in ("two servos have this id", "missing: 3", "servo 5 complains of temperature: let it cool down"):
        assert words in err


def test_the_progress_of_a_scan_ends_with_it_also_where_there_are_problems(emulator: Emulator) -> None:
    emulator.faults.twin = frozenset({3})
    # What the result holds of the command's frames would keep a display alive that only the garbage collector ends:
    # in a thread of another display, it then waits for itself.
    result = CliRunner().invoke(app, ["servos", "scan", "--port", emulator.port, "--ids", "8"])
    assert result.exit_code == 1
    assert not console._live_stack


@pytest.mark.slow
def test_a_servo_gets_its_id_after_a_question(emulator: Emulator) -> None:
    question = CliRunner().invoke(app, ["servos", "set-id", "6", "8", "--port", emulator.port], input="n\n")
    assert question.exit_code == 1
    assert scan(emulator)[1]["servos"][-1]["id"] == 6
    assert run("servos", "set-id", "6", "8", "--port", emulator.port, "--yes")[0] == 0
    assert scan(emulator)[1]["servos"][-1]["id"] == 8


@pytest.mark.parametrize("protocol", ["bus", "se"])
def test_the_port_of_an_arm_is_found_with_its_protocol(protocol: str) -> None:
    with Emulator(protocol=protocol, first=True) as emulator:
        code, out, _ = run("find-port", "--also", emulator.port, "--json")
    assert code == 0
    assert json.loads(out)["ports"][-1]["protocol"] == protocol


@pytest.mark.slow
def test_a_port_that_another_program_has_or_where_nobody_answers_is_told(emulator: Emulator) -> None:
    emulator.faults.silent = frozenset(range(1, 7))
    code, _, err = run("find-port", "--also", emulator.port, "--also", "/dev/none")
    assert code == 1
    assert "no arm answers on" in err
    code, _, err = run("servos", "scan", "--port", "/dev/none")
    assert (code, "no serial port /dev/none" in err) == (1, True)
