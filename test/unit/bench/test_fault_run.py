"""A matrix that goes on whatever happens to a case, that can be interrupted and resumed, and says how long it takes."""

from __future__ import annotations

import json
import math
import threading
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest
from command_line import CliRunner

from dofbot_ros.bench.faults.cases.case import run_case
from dofbot_ros.bench.faults.cases.conditions import Conditions
from dofbot_ros.bench.faults.eta import LINE_S, Eta
from dofbot_ros.bench.faults.judge import Violation
from dofbot_ros.bench.faults.outcome import Case, Outcome, from_json, to_json
from dofbot_ros.bench.faults.rigs.real_time import NotHereError, RealTimeCase, attempt
from dofbot_ros.bench.faults.run import Wanted, _measure, measure
from dofbot_ros.bench.faults.state_file import open_state
from dofbot_ros.bench.faults.table import markdown
from dofbot_ros.cli.main import app
from dofbot_ros.errors import DofbotError, InputError

CASE = Case("HOLD", "echo", "estop")
BROKEN = Violation("fault", 1.0, "", math.inf, 0.3, "the fault was noticed never")


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    found = run_case(CASE)
    return replace(found, judgement=replace(found.judgement, violations=(BROKEN,)))


def failing(error: BaseException, fault: str = "x") -> RealTimeCase:
    def play() -> NoReturn:
        raise error

    return RealTimeCase(Case("HOLD", fault, "none"), 1.0, play)


def test_an_outcome_is_the_same_after_a_file(outcome: Outcome) -> None:
    assert from_json(json.loads(json.dumps(to_json(outcome)))) == outcome


def test_what_is_done_is_found_again_also_after_a_crash_in_the_middle_of_a_line(
    outcome: Outcome, tmp_path: Path
) -> None:
    path = tmp_path / "new" / "matrix.jsonl"
    file = open_state(path)
    file.add(outcome)
    with path.open("a") as text:
        text.write('{"case": {"state": "HO')
    again = open_state(path)
    assert again.results == [outcome]
    other = replace(outcome, case=replace(CASE, event="stop"))
    again.add(other)
    assert open_state(path).results == [outcome, other]


def test_a_file_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "matrix.jsonl"
    for text, says in (
        ("hello\n", "is no file of `dofbot bench faults`"),
        ("[1]\n", "is no file of `dofbot bench faults`"),
        ('{"results of": "dofbot bench faults", "version": "0.0.0"}\n', r"other conditions \(version 0.0.0 there"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=says):
            open_state(path)
        assert path.read_text() == text
    path.unlink()
    open_state(path)
    path.write_text(path.read_text() + '{"case": {}}\n')
    with pytest.raises(InputError, match=r"line 2: .*it is measured again"):
        open_state(path)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (DofbotError("the driver has not found its arm within 10 s"), "^the driver has not found its arm within 10 s$"),
        (NotHereError("no tmpfs here"), "^no tmpfs here$"),
        (IndexError("9 is out of bounds"), r"^IndexError in test_fault_run.py, line \d+: 9 is out of bounds$"),
    ],
)
def test_a_case_that_cannot_be_measured_is_one_with_its_reason(error: Exception, says: str) -> None:
    import re

    found = attempt(failing(error))
    assert re.search(says, found.unmeasured)
    assert found.judgement.violations == ()


def test_after_a_case_that_failed_the_others_run_and_it_is_tried_again_next_time(
    outcome: Outcome, tmp_path: Path
) -> None:
    path = tmp_path / "matrix.jsonl"
    good = RealTimeCase(CASE, 1.0, lambda: outcome)
    summary, outcomes = _measure([], [failing(ValueError("no")), good], open_state(path))
    assert summary["cases"] == 1
    assert [entry["case"] for entry in summary["unmeasured"]] == ["HOLD x x x none"]
    assert len(summary["violations"]) == 1
    assert markdown(outcomes).count("\n") == 2  # two lines of head, one of figures
    assert open_state(path).results == [outcome]


def test_ctrl_c_ends_it_with_what_there_is_and_the_next_run_goes_on(outcome: Outcome, tmp_path: Path) -> None:
    path = tmp_path / "matrix.jsonl"
    last = replace(outcome, case=replace(CASE, event="none"))
    good, late = RealTimeCase(CASE, 1.0, lambda: outcome), RealTimeCase(last.case, 1.0, lambda: last)
    summary, _ = _measure([], [good, failing(KeyboardInterrupt()), late], open_state(path))
    assert summary["interrupted"]
    assert summary["cases"] == 1
    once = failing(AssertionError("run a second time"))
    summary, outcomes = _measure([], [RealTimeCase(CASE, 1.0, once.play), late], open_state(path))
    assert not summary["interrupted"]
    assert outcomes == [outcome, last]


@pytest.mark.slow
def test_the_command_goes_on_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "matrix.jsonl"
    first, outcomes = measure(Wanted(state="HOLD", fault="echo"), path)
    lines = path.read_text().splitlines()
    assert len(lines) == 1 + first["cases"]
    path.write_text("\n".join(lines[:-1]) + "\n")
    again, resumed = measure(Wanted(state="HOLD", fault="echo"), path)
    assert resumed == outcomes
    assert again["table"] == first["table"]


def test_a_file_of_other_conditions_is_refused(outcome: Outcome, tmp_path: Path) -> None:
    path = tmp_path / "matrix.jsonl"
    loaded = Conditions(load=6, priority=False)
    open_state(path, loaded).add(outcome)
    assert open_state(path, loaded).results == [outcome]
    says = "load of 6, without real-time priority there, load of 0, with real-time priority here"
    with pytest.raises(InputError, match=says):
        open_state(path)


def test_a_load_computes_beside_the_cases_and_ends_with_them(outcome: Outcome) -> None:
    def children() -> int:
        return len(Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text().split())

    before, during = children(), []

    def play() -> Outcome:
        during.append(children())
        return outcome

    _measure([], [RealTimeCase(CASE, 1.0, play)], open_state(None), load=2)
    assert during == [before + 2]
    assert children() == before


def test_a_part_of_the_matrix_is_chosen_and_a_load_comes_once() -> None:
    def real(wanted: Wanted, conditions: Conditions) -> set[str]:
        return {one.case.fault for one in wanted.real(conditions)}

    assert Wanted(part="real").virtual() == []
    assert Wanted().real(Conditions()) == []
    assert Wanted(full=True, part="virtual").real(Conditions()) == []
    usual, loaded = (real(Wanted(full=True), conditions) for conditions in (Conditions(), Conditions(6)))
    assert usual - loaded == {"load of 6", "load of 6, no real-time priority"}
    assert loaded < usual


def test_conditions_of_real_time_with_virtual_cases_alone_are_one_line() -> None:
    for words in (["--load", "6"], ["--full", "--part", "virtual", "--no-priority"]):
        result = CliRunner().invoke(app, ["bench", "faults", *words])
        assert result.exit_code != 0
        assert "concern the cases in real time: add --full" in str(result.exception or result.output)


def test_the_time_left_follows_from_what_the_work_before_has_taken() -> None:
    now, lines = [0.0], list[str]()
    eta = Eta("matrix", {"a": 10.0, "b": 30.0, "c": 10.0}, done=2, clock=lambda: now[0], say=lines.append)
    assert eta.left_s is None
    now[0] = 20.0
    eta.advance("a", 0)
    assert eta.left_s == pytest.approx(80.0)
    assert lines == []  # too early for a line
    now[0] = 20.0 + LINE_S
    eta.begin("b")
    assert lines == ["matrix: 3 of 5, 0 violations, 3 min left, b"]
    now[0] = 100.0
    eta.advance("b", 2)
    assert lines[1:] == ["matrix: 4 of 5, 2 violations, 25 s left"]
