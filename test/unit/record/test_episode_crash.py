"""Real recorders that die: killed without a word, or out of disk."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="the messages of the episodes are ROS messages")

from dofbot_ros.record.reader import Episode

WRITER = """
import signal, sys, time, resource
from pathlib import Path
from rclpy.serialization import serialize_message
from std_msgs.msg import String
from dofbot_ros.record.episode import EpisodeWriter
from dofbot_ros.record.metadata import EpisodeInfo

writer = EpisodeWriter(Path(sys.argv[1]), EpisodeInfo(time.time(), "crash"))
limit = int(sys.argv[2])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
padding = "x" * int(sys.argv[3])
number = 0
while True:
    now = time.time_ns()
    words = f"{number} {padding}" if not limit else f"{number} {time.perf_counter_ns()} {hash(str(number) * 99)}" * 40
    writer.write("/state", "std_msgs/msg/String", serialize_message(String(data=words)), now, now)
    print(number, now, flush=True)
    number += 1
    time.sleep(0.01)
"""


def start(folder: Path, file_limit: int = 0, padding: int = 0) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(folder), str(file_limit), str(padding)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
@pytest.mark.parametrize("padding", [0, 30_000], ids=["small messages", "images' size"])
def test_after_sigkill_all_but_the_last_second_reads_back(tmp_path: Path, padding: int) -> None:
    process = start(tmp_path, padding=padding)
    assert process.stdout is not None
    first_ns = 0
    for line in process.stdout:
        now_ns = int(line.split()[1])
        first_ns = first_ns or now_ns
        if now_ns - first_ns > 2.3e9:
            break
    process.send_signal(signal.SIGKILL)
    # Through the same file object: it has read ahead, and communicate() would not know.
    rest = process.stdout.read()
    process.communicate()
    last = rest.strip().splitlines()[-1] if rest.strip() else line
    written, last_ns = map(int, last.split())
    (path,) = tmp_path.glob("*.mcap")
    episode = Episode(path)
    numbers = [int(m.content.data.split()[0]) for m in episode.messages("state")]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) <= written + 2
    assert last_ns * 1e-9 - episode.end_s <= 1.0
    assert episode.finished
    assert episode.info is not None
    assert episode.info.label == "crash"
    assert episode.outcome is None


@pytest.mark.slow
def test_a_disk_that_is_full_is_said_and_what_fitted_reads_back(tmp_path: Path) -> None:
    process = start(tmp_path, file_limit=30_000)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "RecordingError" in err.splitlines()[-1]
    assert "cannot be written any further: File too large" in err
    (path,) = tmp_path.glob("*.mcap")
    numbers = [int(m.content.data.split()[0]) for m in Episode(path).messages("state")]
    assert numbers == list(range(len(numbers)))
    assert 0 < len(numbers) <= len(out.splitlines())
