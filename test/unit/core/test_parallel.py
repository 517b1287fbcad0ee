"""Work in processes of its own: each job with its result, an end that leaves nothing, one that is killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from itertools import count
from pathlib import Path

import psutil
import pytest

from dofbot_ros.core.parallel import in_processes
from dofbot_ros.errors import DofbotError, InputError


def square(number: int) -> int:
    return number**2


def refuse(number: int) -> int:
    raise InputError(f"{number} is refused")


def scratch(number: int) -> str:
    """Begins a temporary file, and says where."""
    return tempfile.mkdtemp(prefix=f"job-{number}-")


def begin_and_die(_: int) -> int:
    tempfile.mkdtemp()
    return die(0)


def die(_: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def test_each_job_comes_with_its_result() -> None:
    assert dict(in_processes(square, range(5), 2)) == {number: number**2 for number in range(5)}


def test_whoever_stops_asking_leaves_no_process() -> None:
    results = in_processes(square, count(), 2)
    next(results)
    assert len(multiprocessing.active_children()) >= 1
    results.close()
    assert multiprocessing.active_children() == []


def test_what_a_job_raises_arrives_as_it_is() -> None:
    with pytest.raises(InputError, match=r"^7 is refused$"):
        next(in_processes(refuse, [7], 1))


def test_a_worker_that_is_killed_is_told_in_one_line() -> None:
    with pytest.raises(DofbotError, match="a worker process was killed"):
        next(in_processes(die, [1], 1))


def test_temporary_files_of_workers_go_with_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of those that have done all, that nobody waits for any more, and that were killed."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    begun = in_processes(scratch, count(), 2)
    _, folder = next(begun)
    assert Path(folder).is_relative_to(tmp_path)
    assert Path(folder).is_dir()
    begun.close()
    assert list(tmp_path.iterdir()) == []
    for _, folder in in_processes(scratch, range(3), 2):
        assert Path(folder).is_relative_to(tmp_path)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(DofbotError, match="a worker process was killed"):
        next(in_processes(begin_and_die, [1], 1))
    assert list(tmp_path.iterdir()) == []


INTERRUPTED = """
import os, signal
from multiprocessing import util
from dofbot_ros.core.parallel import in_processes

start = util.spawnv_passfds

def start_and_interrupt(path, args, handles):
    process = start(path, args, handles)
    if "--multiprocessing-fork" in map(os.fsdecode, args):
        os.kill(os.getpid(), signal.SIGINT)
    return process

util.spawnv_passfds = start_and_interrupt
list(in_processes(abs, [-1, -2], 2))
"""


def test_an_interruption_while_a_worker_is_being_started_leaves_no_word_of_it() -> None:
    """The worker had not been told yet what it is for, and nobody knew of it: it ended with a traceback of its own."""
    ended = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == -signal.SIGINT
    assert ended.stderr.count("Traceback") == 1
    assert ended.stderr.strip().endswith("KeyboardInterrupt")


WORKERS = """
import time
from dofbot_ros.core.parallel import in_processes

for job, _ in in_processes(time.sleep, [0.0, 0.0, 1e6, 1e6], 2):
    print(job, flush=True)
"""

PROCESS = """
import subprocess, sys
from dofbot_ros.core.parallel import ending_with_this_process

begun = "import time; print(0.0, flush=True); time.sleep(1e6)"
for _ in range(2):
    last = subprocess.Popen([sys.executable, "-c", begun], preexec_fn=ending_with_this_process())
last.wait()
"""


@pytest.mark.parametrize("program", [WORKERS, PROCESS], ids=["workers", "process"])
def test_what_a_process_began_ends_with_it_where_that_is_killed(program: str, tmp_path: Path) -> None:
    """The system kills a process where memory runs out; workers waited for ever, each with its memory."""
    words = [sys.executable, "-c", program]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout is not None
        assert [parent.stdout.readline() for _ in range(2)] == ["0.0\n", "0.0\n"]
        begun = psutil.Process(parent.pid).children()
        assert len(begun) >= 2
        parent.kill()
    _, alive = psutil.wait_procs(begun, timeout=30)
    assert alive == []
    assert list(tmp_path.iterdir()) == []
