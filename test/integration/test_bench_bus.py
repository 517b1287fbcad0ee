"""`dofbot bench bus` as a process: one JSON object, and a Ctrl-C that leaves nothing behind."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import psutil

COMMAND = [sys.executable, "-c", "from dofbot_ros.cli.main import main; main()", "bench", "bus", "--json"]


def test_it_prints_its_figures_as_one_json_object():
    result = subprocess.run([*COMMAND, "--seconds", "1"], capture_output=True, text=True, timeout=60, check=True)
    figures = json.loads(result.stdout)
    assert set(figures) == {"sweep", "loop"}
    assert {"p50_lateness_ms", "p99_lateness_ms", "lost", "seconds"} <= set(figures["loop"])
    assert figures["loop"]["seconds"] == 1.0
    assert figures["loop"]["writes"] == 50
    # Six exact reads; a fixed-size read with a time-out would manage eight a second.
    assert 30 < figures["sweep"]["hz"] < 115


def test_ctrl_c_ends_it_with_130_and_its_emulator_with_it():
    process = subprocess.Popen(COMMAND, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        parent, deadline = psutil.Process(process.pid), time.monotonic() + 30
        while not (children := parent.children(recursive=True)):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "Traceback" not in err
    _, alive = psutil.wait_procs(children, timeout=30)
    assert not alive
