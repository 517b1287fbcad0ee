"""Measuring a policy: the same figures over any number of processes, none of which outlives the command."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from dofbot_ros.core.result_file import Interrupted
from dofbot_ros.errors import ConfigError, InputError
from dofbot_ros.policy.evaluation import evaluate as evaluation
from dofbot_ros.policy.evaluation.evaluate import Ended, EvaluateConfig, evaluate
from dofbot_ros.policy.runtime.policy_runner import shipped

DEADLINE_S = 120.0


@pytest.mark.slow
def test_the_number_of_workers_changes_nothing() -> None:
    config = EvaluateConfig(shipped("pick", "state"), 5, "target", 3, node_physics=False)
    told: list[tuple[int, int]] = []
    alone = evaluate(config)
    assert evaluate(config, 2, lambda done, succeeded: told.append((done, succeeded))) == alone
    assert [done for done, _ in told] == [1, 2, 3, 4, 5]
    assert told[-1][1] == 5 * alone["success_rate"]


def test_it_goes_on_where_it_was_interrupted(tmp_path: Path) -> None:
    config = EvaluateConfig(shipped("reach", "state"), 4, node_physics=False)
    path = tmp_path / "state.jsonl"
    seen: list[int] = []

    def stop(done: int, _: int) -> None:
        seen.append(done)
        if done == 3 and len(seen) == 3:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as interruption:
        evaluate(config, report=stop, state=path)
    partly = interruption.value.result
    assert partly["episodes"] == 3
    seen.clear()
    assert evaluate(config, report=lambda done, _: seen.append(done), state=path) == evaluate(config)
    assert seen == [3, 4]
    with pytest.raises(InputError, match="domain source there, target here"):
        evaluate(replace(config, domain="target"), state=path)


def test_ctrl_c_before_anything_was_measured_has_nothing_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    config = EvaluateConfig(shipped("reach", "state"), 4, node_physics=False)
    worker = KeyboardInterrupt()

    def interrupted(*_: object) -> Ended:
        raise worker

    monkeypatch.setattr(evaluation, "rollout", interrupted)
    with pytest.raises(KeyboardInterrupt) as interruption:
        evaluate(config)
    assert interruption.value is worker


def test_what_cannot_be_measured_is_said_before_a_worker_starts(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="domain 'mars' is not one of source, target"):
        EvaluateConfig(shipped("reach", "state"), 5, "mars")
    with pytest.raises(InputError, match=str(tmp_path)):
        evaluate(EvaluateConfig(tmp_path, 5), 2)


@pytest.mark.slow
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_measurement_leaves_no_process(ending: signal.Signals) -> None:
    code = "from dofbot_ros.cli.main import main; main()"
    told = ["policy", "evaluate", "--task", "pick", "--episodes", "100000", "--workers", "2"]
    command = subprocess.Popen([sys.executable, "-c", code, *told], stderr=subprocess.PIPE, text=True)
    try:
        workers = workers_of(psutil.Process(command.pid))
        command.send_signal(ending)
        _, stderr = command.communicate(timeout=DEADLINE_S)
    finally:
        command.kill()
    assert command.returncode == 130, stderr
    assert stderr.strip().endswith("interrupted")
    assert not psutil.wait_procs(workers, timeout=DEADLINE_S)[1]


def workers_of(command: psutil.Process) -> list[psutil.Process]:
    """Its two workers, once they have begun."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline and command.is_running():
        workers = [child for child in command.children() if "--multiprocessing-fork" in child.cmdline()]
        if len(workers) == 2:
            return workers
        time.sleep(0.05)
    pytest.fail("no workers were started")
