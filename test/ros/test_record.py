"""`dofbot record` beside a running arm: what it writes, how it ends, and what is left when it is killed."""

from __future__ import annotations

import json
import os
import pty
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from command_line import dofbot_here

from dofbot_ros.core.types import ARM_JOINTS
from dofbot_ros.errors import InputError
from dofbot_ros.record.motion import RecordedMotion
from dofbot_ros.record.reader import Episode

from .conftest import Arm, StartArm

DOFBOT = (sys.executable, "-c", "from dofbot_ros.cli.main import main; main()")
WAIT_S = 60.0
WANTED = {
    "joint_states",
    "command/joint_stream",
    "command/gripper",
    "camera/image_raw/compressed",
    "state",
    "robot_description",
}


@pytest.fixture(scope="module")
def arm(start_arm: StartArm) -> Iterator[Arm]:
    """A simulated arm that is streamed along a wave all the while, its gripper told now and then."""
    arm = start_arm("sim_node", soft_start_s=0.1)
    arm.client.switch("enable_torque", True)
    done = threading.Event()

    def wave() -> None:
        begun = time.monotonic()
        for cycle in count():
            if done.wait(0.02):
                return
            arm.client.stream(0.3 * np.sin(1.5 * (time.monotonic() - begun)) * np.ones(5), ARM_JOINTS)
            if cycle % 25 == 0:
                arm.client.gripper(0.03)

    waving = threading.Thread(target=wave)
    waving.start()
    yield arm
    done.set()
    waving.join()


@contextmanager
def recorder(arm: Arm, folder: Path, *options: str, stdin: int = subprocess.DEVNULL) -> Iterator[subprocess.Popen[str]]:
    """`dofbot record`; it is dead afterwards."""
    words = ["record", "--out", str(folder), "--namespace", arm.client.node.get_namespace(), *options]
    process = subprocess.Popen(
        [*DOFBOT, *words], stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.1)  # a look reads the whole episode


def so_far(folder: Path) -> Episode | None:
    """What can be read of the one episode in `folder`."""
    for path in folder.glob("*.mcap"):
        # It may have been looked at before its first bytes were written.
        with suppress(InputError):
            return Episode(path)
    return None


def recorded_s(folder: Path) -> float:
    """How much that is."""
    episode = so_far(folder)
    return episode.duration_s if episode else 0.0


def holds_a_wave(folder: Path) -> bool:
    """Whether it holds a second of the stream of commands, and of everything else at least a message.

    DDS finds the publishers one after the other, and on a busy machine late: how long that takes is not tested here.
    """
    episode = so_far(folder)
    if episode is None or not set(episode.counts) >= WANTED:
        return False
    sent = [m.received_s for m in episode.messages("command/joint_stream")]
    return sent[-1] - sent[0] > 1.0


def test_an_episode_holds_the_arm_its_commands_its_pictures_and_its_parameters(arm: Arm, tmp_path: Path) -> None:
    options = ("--label", "wave", "--operator", "Ada", "--image-hz", "5", "--success")
    with recorder(arm, tmp_path, *options) as process:
        wait_for(lambda: holds_a_wave(tmp_path), process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=WAIT_S)
    assert process.returncode == 0, err
    episode = Episode(Path(out.strip()))
    assert episode.info is not None
    assert (episode.info.label, episode.info.operator) == ("wave", "Ada")
    assert episode.info.config["arm"]["soft_start_s"] == 0.1
    assert episode.outcome is not None
    assert episode.outcome.success is True
    assert set(episode.counts) >= WANTED
    assert episode.counts["camera/image_raw/compressed"] <= 5 * episode.duration_s + 2
    pictures = [m.content for m in episode.messages("camera/image_raw/compressed")]
    assert all(bytes(p.data).startswith(b"\xff\xd8") for p in pictures)
    motion = RecordedMotion(episode)
    times = np.linspace(0.0, motion.duration_s, 200)
    assert motion.told(times).all(axis=-1).any()
    assert np.ptp(motion.wanted(times), axis=0).min() > 0.1


def test_what_was_recorded_plays_on_the_simulated_arm(arm: Arm, tmp_path: Path) -> None:
    with recorder(arm, tmp_path, "--seconds", "3") as process:
        out, err = process.communicate(timeout=WAIT_S)
    assert process.returncode == 0, err
    command = [*DOFBOT, "replay", out.strip(), "--backend", "sim", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert {"duration_s", "points", "clamped", "rms_error_rad"} <= set(result)
    # A busy machine makes the stream uneven; a path that is not the recorded one is off by tenths of a radian.
    assert result["rms_error_without_lag_rad"] < 0.08
    assert result["points"] == pytest.approx(50 * result["duration_s"], abs=3)


def test_after_sigkill_all_but_the_last_second_reads_back(arm: Arm, tmp_path: Path) -> None:
    with recorder(arm, tmp_path) as process:
        wait_for(lambda: recorded_s(tmp_path) > 2.0, process)
        killed_s = time.time()
        process.kill()
        process.wait()
    (path,) = tmp_path.glob("*.mcap")
    episode = Episode(path)
    assert killed_s - episode.end_s < 1.0
    assert episode.finished
    assert episode.outcome is None
    assert RecordedMotion(episode).duration_s > 2.0


@pytest.mark.parametrize(("option", "files"), [("--keep", 1), ("--discard", 0)])
def test_ctrl_c_ends_the_episode(arm: Arm, tmp_path: Path, option: str, files: int) -> None:
    with recorder(arm, tmp_path, option) as process:
        wait_for(lambda: recorded_s(tmp_path) > 0.5, process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=WAIT_S)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    assert len(list(tmp_path.iterdir())) == len(out.split()) == files
    assert all(Episode(path).outcome is not None for path in tmp_path.iterdir())


@pytest.mark.parametrize(
    ("answer", "success"), [(b"\n", None), (b"what\nsuccess\n", True), (b"f\n", False), (b"d\n", "gone")]
)
def test_at_a_terminal_the_operator_is_asked(arm: Arm, tmp_path: Path, answer: bytes, success: object) -> None:
    keyboard, terminal = pty.openpty()
    with recorder(arm, tmp_path, "--seconds", "0.5", "--topics", "joint_states", stdin=terminal) as process:
        os.write(keyboard, answer)
        _, err = process.communicate(timeout=WAIT_S)
    os.close(keyboard)
    os.close(terminal)
    assert process.returncode == 0, err
    assert "discard it?" in " ".join(err.split())
    outcomes = [Episode(path).outcome for path in tmp_path.glob("*.mcap")]
    assert [outcome and outcome.success for outcome in outcomes] == ([] if success == "gone" else [success])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--namespace", "nowhere"], "nobody publishes /nowhere/joint_states: is the arm running (dofbot up sim)"),
        (["--topics", "joint_state"], "did you mean"),
        (["--label", "a/b"], "part of a file name"),
        (["--out", "/proc/episodes"], "cannot be made"),
    ],
)
def test_what_it_cannot_do_is_one_line_and_an_exit_code(
    arm: Arm, tmp_path: Path, options: list[str], says: str
) -> None:
    namespace = arm.client.node.get_namespace()
    done = dofbot_here("record", "--out", tmp_path, "--namespace", namespace, *options)
    assert done.returncode == (2 if "--topics" in options else 1)
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_ends_it_with_one_line_and_keeps_what_came_before(arm: Arm, tmp_path: Path) -> None:
    with recorder(arm, tmp_path, "--keep") as process:
        wait_for(lambda: recorded_s(tmp_path) > 0.5, process)
        (path,) = tmp_path.glob("*.mcap")
        size = path.stat().st_size
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size + 20_000, size + 20_000))
        out, err = process.communicate(timeout=WAIT_S)
    assert process.returncode == 1
    assert out == ""
    (line,) = err.strip().splitlines()
    assert line.endswith("cannot be written any further: File too large; what came before is kept")
    assert "kept" not in line.removesuffix("what came before is kept")
    assert Episode(path).finished
    assert recorded_s(tmp_path) > 0.5


def test_a_folder_that_is_deleted_ends_it_with_one_line_that_does_not_say_kept(arm: Arm, tmp_path: Path) -> None:
    folder = tmp_path / "episodes"
    with recorder(arm, folder, "--keep") as process:
        wait_for(lambda: recorded_s(folder) > 0.5, process)
        shutil.rmtree(folder)
        out, err = process.communicate(timeout=WAIT_S)
    assert process.returncode == 1
    assert out == ""
    (line,) = err.strip().splitlines()
    assert line.endswith("was deleted or replaced while it was recorded: the episode is lost")
