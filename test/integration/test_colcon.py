"""`colcon build` builds the package, and what it installs runs on its own, outside the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from dofbot_ros.stacks import STACKS

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "dofbot_ros"
COLCON = Path(sys.executable).with_name("colcon")

pytestmark = pytest.mark.skipif(not COLCON.exists(), reason="colcon is not installed in this environment")


@pytest.fixture(scope="module", params=[[], ["--symlink-install"]], ids=["copied", "linked"])
def prefix(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """The installation of a fresh build."""
    place = tmp_path_factory.mktemp("colcon")
    command = [str(COLCON), "--log-base", str(place / "log"), "build", "--base-paths", str(ROOT), *request.param]
    command += ["--build-base", str(place / "build"), "--install-base", str(place / "install")]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=240.0, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return place / "install" / PACKAGE


def run(prefix: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command as after sourcing the installation, with the checkout out of sight."""
    [site] = (prefix / "lib").glob("python3*/site-packages")
    # What --symlink-install's hook pythonpath_develop adds: the links to the checkout.
    linked = prefix.parents[1] / "build" / PACKAGE
    path = f"{site}{os.pathsep}{linked}" if (linked / PACKAGE).is_symlink() else str(site)
    environment = {**os.environ, "PYTHONPATH": path, "AMENT_PREFIX_PATH": str(prefix)}
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
    # Linked, the module lies in the checkout, and so do its files.
    urdf = Path("urdf") / "dofbot.urdf"
    assert Path(done.stdout.strip()) in (prefix / "share" / PACKAGE / urdf, ROOT / urdf)


def test_the_installed_command_runs(prefix: Path) -> None:
    done = run(prefix, str(prefix / "lib" / PACKAGE / "dofbot"), "up")
    assert done.returncode == 0, done.stderr
    assert set(STACKS) <= set(done.stdout.split())


def test_a_source_distribution_builds_and_holds_the_shared_files(tmp_path: Path) -> None:
    source = tmp_path / "source"
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("this is no git checkout, so what belongs to the sources is not known")
    for name in filter(lambda n: (ROOT / n).is_file(), listed.stdout.splitlines()):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    build = [sys.executable, "setup.py", "-q", "sdist", "--dist-dir", str(tmp_path)]
    done = subprocess.run(build, cwd=source, capture_output=True, text=True, timeout=240.0, check=False)
    assert done.returncode == 0, done.stderr
    [archive] = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path, filter="data")
    [unpacked] = tmp_path.glob("dofbot_ros-*/")
    for needed in ("requirements/base.txt", "package.xml", "urdf/dofbot.urdf", "config/sros2/node.xml", "launch"):
        assert (unpacked / needed).exists(), needed
    again = [sys.executable, "setup.py", "--name"]
    assert subprocess.run(again, cwd=unpacked, capture_output=True, text=True, check=False).stdout.strip() == PACKAGE
