"""`colcon build` builds the package, and what it installs runs on its own, outside the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dofbot_ros.stacks import STACKS

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "dofbot_ros"
COLCON = Path(sys.executable).with_name("colcon")

pytestmark = pytest.mark.skipif(not COLCON.exists(), reason="colcon is not installed in this environment")


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installation of a fresh build."""
    place = tmp_path_factory.mktemp("colcon")
    command = [str(COLCON), "--log-base", str(place / "log"), "build", "--base-paths", str(ROOT)]
    command += ["--build-base", str(place / "build"), "--install-base", str(place / "install")]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=110.0, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return place / "install" / PACKAGE


def run(prefix: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command as after sourcing the installation, with the checkout out of sight."""
    [site] = (prefix / "lib").glob("python3*/site-packages")
    environment = {**os.environ, "PYTHONPATH": str(site), "AMENT_PREFIX_PATH": str(prefix)}
    return subprocess.run(
        command, cwd=prefix, env=environment, capture_output=True, text=True, timeout=60.0, check=False
    )


def test_ament_finds_the_package_its_launch_files_and_its_nodes(prefix: Path) -> None:
    assert (prefix / "share" / "ament_index" / "resource_index" / "packages" / PACKAGE).exists()
    assert (prefix / "share" / PACKAGE / "package.xml").exists()
    for name, stack in STACKS.items():
        assert (prefix / "share" / PACKAGE / "launch" / f"{name}.launch.py").exists()
        for node in stack.nodes:
            assert os.access(prefix / "lib" / PACKAGE / node.executable, os.X_OK)


def test_the_installed_package_finds_its_shared_files(prefix: Path) -> None:
    code = "from dofbot_ros.core.resources import share_file; print(share_file('urdf', 'dofbot.urdf'))"
    done = run(prefix, sys.executable, "-c", code)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()) == prefix / "share" / PACKAGE / "urdf" / "dofbot.urdf"


def test_the_installed_command_runs(prefix: Path) -> None:
    done = run(prefix, str(prefix / "lib" / PACKAGE / "dofbot"), "up")
    assert done.returncode == 0, done.stderr
    assert set(STACKS) <= set(done.stdout.split())
