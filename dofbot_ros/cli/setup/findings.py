"""What `dofbot doctor` looks at: each finding says what is the matter, and what to do about it."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from dofbot_ros.cli.setup.preflight import missing_libraries
from dofbot_ros.core.dds import NETWORK_VARIABLE, OPEN
from dofbot_ros.errors import how_to_install
from dofbot_ros.safety.stop_line import addresses, ask
from dofbot_ros.safety.stop_sender import WHO
from dofbot_ros.teleop.input.model_files import MODELS, brings_models, how_to_get, model_folder

GOOD, WARNING, BAD = "ok", "warning", "bad"
LEAST_SHARED_MIB = 128
"""Fast DDS takes 16 MiB of shared memory for each process that takes part; Docker gives 64 in all [MiB]."""
SHARED_FILES = ("fastrtps_*", "fastdds_*")
"""Those of Fast DDS 2, as Jazzy has it, and of Fast DDS 3."""
MUCH_SHARED_MIB = 1024
"""More than all nodes of a stack take [MiB]: killed programs have left theirs."""
LAST_DOMAIN = 101
"""ROS domains above have ports that Linux gives to others."""
CH340 = ("1a86", "7523")
PACKAGES = {
    "ruckig": "smooth motions",
    "opencv-contrib-python": "cameras and markers",
    "pybullet": f"the simulated arm: {how_to_install('sim')}",
    "mediapipe": f"teleoperation by camera: {how_to_install('teleop')}",
    "mcap": f"recording: {how_to_install('teleop')}",
    "torch": f"training: {how_to_install('learn')}",
    "onnxruntime": f"networks and policies: {how_to_install('learn')}",
}
"""Package -> what does not work without it."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `level` is GOOD, WARNING or BAD, `remedy` "" where there is nothing to do."""

    topic: str
    level: str
    what: str
    remedy: str = ""


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


@dataclass(frozen=True)
class Machine:
    """What is looked at. Another root and environment than this machine's are for tests.

    Attributes:
        root: of the file system.
        environment: variables.
        readable: whether a file can be read and written by this user.
        installed: package -> version, None where it is not installed.
    """

    root: Path = Path("/")
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    readable: Callable[[Path], bool] = lambda path: os.access(path, os.R_OK | os.W_OK)
    installed: Callable[[str], str | None] = _version

    def files(self, folder: str, pattern: str) -> list[Path]:
        """Files below root, in order."""
        return sorted((self.root / folder).glob(pattern))


def look(machine: Machine) -> Iterator[Finding]:
    """Everything, in the order in which it is told."""
    for topic in (versions, libraries, ros, domain, shared_memory, real_time, ports, brltty, cameras, gpu):
        yield from topic(machine)


def versions(machine: Machine) -> Iterator[Finding]:
    """Python and the packages that this one builds on."""
    yield Finding("python", GOOD, f"Python {platform.python_version()} at {sys.executable}")
    there = {name: machine.installed(name) for name in PACKAGES}
    yield Finding("packages", GOOD, ", ".join(f"{name} {version}" for name, version in there.items() if version))
    for name, version in there.items():
        if version is None:
            yield Finding("packages", WARNING, f"{name} is not installed", f"needed for {PACKAGES[name]}")
    if (version := there["mediapipe"]) is not None and not brings_models(version):
        folder = model_folder(machine.environment)
        for model in (each for each in MODELS if not (folder / each.name).is_file()):
            what = f"mediapipe {version} brings no models, and {model.name} is not in {folder}"
            yield Finding("packages", WARNING, what, how_to_get(model, folder))
    if (there["opencv-contrib-python"] or "").startswith("5"):
        yield Finding("packages", BAD, "OpenCV 5 lacks calls that this needs", "pip install 'opencv-contrib-python<5'")


def libraries(_: Machine) -> Iterator[Finding]:
    """System libraries that wheels expect."""
    for name, package in missing_libraries().items():
        yield Finding("libraries", BAD, f"{name} is missing", f"sudo apt install {package}")


def ros(machine: Machine) -> Iterator[Finding]:
    """Whether nodes can run."""
    distribution = machine.environment.get("ROS_DISTRO", "")
    if find_spec("rclpy") is None:
        yield Finding(
            "ros", BAD, "rclpy cannot be imported",
            f"source /opt/ros/jazzy/setup.bash, or without an installation: {how_to_install('ros')}",
        )  # fmt: skip
        return
    yield Finding(
        "ros", GOOD, f"ROS 2 {distribution or 'by wheels, ros-rclpy ' + (machine.installed('ros-rclpy') or '')}"
    )
    middleware = machine.environment.get("RMW_IMPLEMENTATION", "")
    if middleware not in ("", "rmw_fastrtps_cpp"):
        yield Finding(
            "ros", WARNING, f"RMW_IMPLEMENTATION={middleware}: this was tried with rmw_fastrtps_cpp only",
            "unset RMW_IMPLEMENTATION where nodes do not find one another",
        )  # fmt: skip
    if find_spec("control_msgs") is None:
        yield Finding("ros", GOOD, "without control_msgs there are no actions, which only planners such as MoveIt need")


def domain(machine: Machine) -> Iterator[Finding]:
    """Which arms this terminal reaches, and who reaches them."""
    text = machine.environment.get("ROS_DOMAIN_ID") or "0"
    if not text.isdecimal() or int(text) > LAST_DOMAIN:
        yield Finding(
            "domain", BAD, f"ROS_DOMAIN_ID={text}", f"export ROS_DOMAIN_ID=0: 0 to {LAST_DOMAIN} are possible"
        )
    for address in addresses():
        owner = ask(address, WHO)
        if owner is None:
            yield Finding(
                "domain", WARNING, f"an arm in {address} does not answer", "end its process and start it anew"
            )
            continue
        why = ": ".join(part for part in (owner.state, owner.reason) if part)
        yield Finding("domain", GOOD, f"an arm in {address}: {owner}, {why}")
    if machine.environment.get(NETWORK_VARIABLE) == OPEN:
        yield Finding(
            "domain", WARNING, "every machine on the network can command the arm", f"unset {NETWORK_VARIABLE}"
        )


def shared_memory(machine: Machine) -> Iterator[Finding]:
    """Room for what nodes send one another."""
    place = machine.root / "dev/shm"
    if not place.is_dir():
        yield Finding(
            "shared memory", BAD, "there is no /dev/shm: images are lost", "sudo mount -t tmpfs tmpfs /dev/shm"
        )
        return
    free_mib = shutil.disk_usage(place).free >> 20
    used_mib, count = 0.0, 0
    for pattern in SHARED_FILES:
        for file in machine.files("dev/shm", pattern):
            with suppress(FileNotFoundError):  # its program has just ended
                used_mib, count = used_mib + file.stat().st_size / 2**20, count + 1
    what = f"{free_mib} MiB free in /dev/shm, {used_mib:.0f} MiB in {count} files of Fast DDS"
    remove = f"with no node running, rm -f {' '.join(f'/dev/shm/{pattern}' for pattern in SHARED_FILES)}"
    if free_mib < LEAST_SHARED_MIB:
        yield Finding("shared memory", BAD, what, f"docker run --shm-size=512m; elsewhere, {remove}")
    elif used_mib > MUCH_SHARED_MIB:
        yield Finding("shared memory", WARNING, f"{what}: programs that were killed leave theirs", remove)
    else:
        yield Finding("shared memory", GOOD, what)


def real_time(_: Machine) -> Iterator[Finding]:
    """Whether a busy machine can make the arm late."""
    import resource

    if resource.getrlimit(resource.RLIMIT_RTPRIO)[0] == 0 and os.geteuid() != 0:
        yield Finding(
            "real time", WARNING, "no real-time priority: a busy machine makes the arm late",
            "echo \"$USER - rtprio 90\" | sudo tee /etc/security/limits.d/dofbot.conf, then log in again",
        )  # fmt: skip
    else:
        yield Finding("real time", GOOD, "real-time priority is permitted")


def ports(machine: Machine) -> Iterator[Finding]:
    """Serial ports that an arm may be on."""
    found = [path for pattern in ("ttyUSB*", "ttyACM*", "ttyTHS*", "ttyAMA*") for path in machine.files("dev", pattern)]
    if not found:
        yield Finding(
            "ports", WARNING, "no serial port: no arm is plugged in",
            "plug the cable in and look again; where nothing appears: sudo dmesg | tail",
        )  # fmt: skip
    for path in found:
        if machine.readable(path):
            yield Finding("ports", GOOD, f"{path}; `dofbot find-port` asks who is there")
        else:
            yield Finding(
                "ports", BAD, f"{path} may not be opened", "sudo usermod -aG dialout $USER, then log in again"
            )


def brltty(machine: Machine) -> Iterator[Finding]:
    """A program for braille displays that takes adapters with the CH340 away, as they may be one."""
    for folder in ("usr/lib/udev/rules.d", "lib/udev/rules.d", "etc/udev/rules.d"):
        for rules in machine.files(folder, "*brltty*.rules"):
            lines = rules.read_text(encoding="utf-8", errors="replace").lower().splitlines()
            if any(all(part in line for part in CH340) for line in lines if not line.lstrip().startswith("#")):
                yield Finding(
                    "ports", BAD, f"brltty takes the arm's USB adapter away ({rules})",
                    "sudo apt remove brltty, unless you use a braille display; then plug the cable in anew",
                )  # fmt: skip
                return


def cameras(machine: Machine) -> Iterator[Finding]:
    """V4L2 cameras."""
    found = machine.files("dev", "video*")
    if not found:
        yield Finding(
            "camera", WARNING, "no camera: /dev/video* is empty", "plug one in, or name a stream: camera:=http://..."
        )
    for path in found:
        if machine.readable(path):
            yield Finding("camera", GOOD, str(path))
        else:
            yield Finding("camera", BAD, f"{path} may not be opened", "sudo usermod -aG video $USER, then log in again")


def gpu(machine: Machine) -> Iterator[Finding]:
    """For training alone: everything else runs on the processor."""
    cards = [path.name for path in machine.files("dev", "nvidia[0-9]*")]
    yield Finding("gpu", GOOD, f"NVIDIA: {', '.join(cards)}" if cards else "no NVIDIA card: training takes longer")
