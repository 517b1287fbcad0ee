"""Driver, camera and localizer run where torch, mediapipe, pybullet and the rest are not installed at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dofbot_ros.core.dds import reserved_domain
from dofbot_ros.supervisor import Command, ProcessGroup

pytest.importorskip("rclpy", reason="ROS 2 is not installed here")

ROOT = Path(__file__).resolve().parents[2]
ABSENT = ("torch", "mediapipe", "pybullet", "scipy", "matplotlib", "psutil")
INSTALL_S = 240.0
READY_S = 90.0

pytestmark = [pytest.mark.slow, pytest.mark.ros, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a virtual environment with nothing but requirements/base.txt and ros.txt."""
    place = tmp_path_factory.mktemp("light") / "venv"
    # With the pip that is here, and without bytecode of what is never imported: half the time.
    venv = [sys.executable, "-m", "venv", "--without-pip", str(place)]
    subprocess.run(venv, check=True, timeout=150.0, env=clean())
    interpreter = place / "bin" / "python"
    words = ["install", "--quiet", "--no-compile", "-r", "requirements/base.txt", "-r", "requirements/ros.txt"]
    command = [sys.executable, "-m", "pip", "--python", str(interpreter), *words]
    done = subprocess.run(
        command, cwd=ROOT, env=clean(), capture_output=True, text=True, timeout=INSTALL_S, check=False
    )
    if "No matching distribution" in done.stderr or "Temporary failure" in done.stderr:
        pytest.skip(f"the package index is out of reach: {done.stderr.splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return interpreter


def clean() -> dict[str, str]:
    """This environment, without what the ROS wheels of one virtual environment leave for their children."""
    dropped = {"_ROS_WHEELS_BOOTSTRAP_COMPLETE", "LD_LIBRARY_PATH", "AMENT_PREFIX_PATH", "VIRTUAL_ENV"}
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**kept, "PYTHONPATH": str(ROOT)}


def test_the_heavy_packages_are_not_there(python: Path) -> None:
    code = f"import importlib.util as u; print([n for n in {ABSENT!r} if u.find_spec(n)])"
    done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, env=clean(), check=True)
    assert done.stdout.strip() == "[]"


def test_the_light_nodes_start_and_serve(python: Path, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    nodes = {
        "driver_node": [f"port:={tmp_path / 'none'}"],
        "camera_node": [f"video_device:={pictures}"],
        "block_localizer_node": [],
    }
    commands = [
        Command(name, (str(python), "-m", f"dofbot_ros.ros.nodes.{name}", *ros(words))) for name, words in nodes.items()
    ]
    with reserved_domain() as domain, ProcessGroup(commands, {**clean(), "ROS_DOMAIN_ID": str(domain)}) as group:
        group.wait_ready(READY_S)
        assert set(group.pids()) == set(nodes)
        assert not group.ended()


def ros(words: list[str]) -> list[str]:
    """Command-line words that set parameters."""
    return ["--ros-args", *(part for word in words for part in ("-p", word))]
