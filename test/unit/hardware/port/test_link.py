"""The name of an emulated port belongs to one process; what a dead one left is taken over."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dofbot_ros.errors import InputError
from dofbot_ros.hardware.port.pseudo_port import PseudoPort

HOLDER = """
import sys, time
from pathlib import Path
from dofbot_ros.hardware.port.pseudo_port import PseudoPort
port = PseudoPort(115200, Path(sys.argv[1]))
print("here", flush=True)
time.sleep(600)
"""


@pytest.fixture
def link(tmp_path: Path) -> Path:
    return tmp_path / "servo_bus"


@pytest.fixture
def holder(link: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the port."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(link)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "here\n"
    yield process
    process.kill()
    process.wait()


def test_a_second_process_is_refused_by_name_and_the_first_keeps_its_port(
    holder: subprocess.Popen[str], link: Path
) -> None:
    before = os.readlink(link)
    with pytest.raises(InputError, match=rf"{link} is the emulated port of process {holder.pid}, which is running"):
        PseudoPort(115200, link)
    assert os.readlink(link) == before
    assert Path(before).is_char_device()


def test_the_same_process_is_refused_too(link: Path) -> None:
    port = PseudoPort(115200, link)
    with pytest.raises(InputError, match=f"process {os.getpid()}"):
        PseudoPort(115200, link)
    port.close()


def test_what_a_killed_process_left_is_taken_over_even_if_its_number_lives_on(
    holder: subprocess.Popen[str], link: Path
) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert link.is_symlink()
    stranger, terminal = os.openpty()  # a terminal that somebody opens meanwhile may get the number
    link.unlink()
    link.symlink_to(os.ttyname(terminal))
    port = PseudoPort(115200, link)
    assert os.readlink(link) != os.ttyname(terminal)
    port.close()
    for end in (stranger, terminal):
        os.close(end)


def test_a_dangling_link_is_taken_over(link: Path) -> None:
    link.symlink_to("/dev/pts/4000000")
    port = PseudoPort(115200, link)
    assert Path(os.readlink(link)).is_char_device()
    port.close()


def test_another_programs_pty_is_not_taken(link: Path) -> None:
    far, near = os.openpty()
    link.symlink_to(os.ttyname(near))
    with pytest.raises(InputError, match="another program's"):
        PseudoPort(115200, link)
    assert os.readlink(link) == os.ttyname(near)
    for end in (far, near):
        os.close(end)


def test_a_link_to_a_real_device_and_a_file_are_left_alone(link: Path) -> None:
    link.symlink_to("/dev/null")
    with pytest.raises(InputError, match=rf"{link} leads to /dev/null, no emulated port"):
        PseudoPort(115200, link)
    assert os.readlink(link) == "/dev/null"
    link.unlink()
    link.write_text("mine")
    with pytest.raises(InputError, match="exists and is no link"):
        PseudoPort(115200, link)
    assert link.read_text() == "mine"


def test_a_refusal_leaves_no_lock_behind(link: Path) -> None:
    link.write_text("mine")
    with pytest.raises(InputError):
        PseudoPort(115200, link)
    assert [path.name for path in link.parent.iterdir()] == [link.name]


def test_closing_leaves_nothing_and_the_name_is_free(link: Path) -> None:
    for _ in range(2):
        port = PseudoPort(115200, link)
        assert port.name == str(link)
        port.close()
        port.close()
        assert list(link.parent.iterdir()) == []


def test_closing_leaves_a_link_that_leads_elsewhere_by_now(link: Path) -> None:
    port = PseudoPort(115200, link)
    link.unlink()
    link.symlink_to("/dev/null")
    port.close()
    assert os.readlink(link) == "/dev/null"


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be made a link to /dev/pts/\d+: No such file or directory"):
        PseudoPort(115200, tmp_path / "nowhere" / "port")


def test_a_lock_that_its_owner_removed_meanwhile_is_not_taken_for_one(
    link: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between open() and flock() the owner closes: the lock is then on a file that nobody else sees."""
    lock_file = link.with_name(f".{link.name}.lock")
    took = fcntl.flock
    removed: list[bool] = []

    def flock(descriptor: int, how: int) -> None:
        if not removed:
            removed.append(True)
            lock_file.unlink()
        took(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", flock)
    port = PseudoPort(115200, link)
    with pytest.raises(InputError, match=f"process {os.getpid()}"):
        PseudoPort(115200, link)
    port.close()


def test_a_folder_that_takes_no_files_is_said(link: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "symlink_to", full)
    with pytest.raises(InputError, match=r"cannot be made a link to \S+: No space left on device"):
        PseudoPort(115200, link)
    assert list(link.parent.iterdir()) == []
