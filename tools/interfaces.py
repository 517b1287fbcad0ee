"""Builds control_msgs and tf2_msgs for the tests, where no ROS 2 of apt has them: `make interfaces`.

The wheels of ROS hold the generators but not these two packages. The definitions in tools/interface_definitions are
built in a venv that is removed afterwards, into .interfaces/<key>; the key changes with pins, definitions and Python.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DEFINITIONS = ROOT / "tools" / "interface_definitions"
JAZZY = any(metadata.distributions(name="ros-jazzy-rclpy"))
"""Whether the wheels of ROS here are Jazzy's."""
ROS_PINS = ("interfaces_jazzy.txt", "jazzy.txt") if JAZZY else ("interfaces.txt", "ros.txt")
PINS = tuple(ROOT / "requirements" / name for name in (*ROS_PINS, "base.txt"))
PACKAGES = ("tf2_msgs", "control_msgs")
CACHE = ROOT / ".interfaces"
BUILT_ELSEWHERE = {
    re.compile(r"/opt/python/[^/;\"]+/lib/python[^/]+/site-packages/numpy/_?core/include"): "numpy",
    re.compile(r"/opt/python/[^/;\"]+/include/python[0-9.]+"): "python",
}
"""Folders of the machine that built the wheels, as they stand in their CMake files, and what is there."""


class BuildError(Exception):
    """A step of the build failed; one line, with the file that holds the rest."""


def key() -> str:
    """What the built packages depend on: pins, definitions, interpreter and machine."""
    digest = hashlib.sha256(f"{sys.implementation.cache_tag} {platform.machine()}".encode())
    for path in (*PINS, *sorted(p for p in DEFINITIONS.rglob("*") if p.is_file())):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def prefix() -> Path:
    """The install prefix that `make interfaces` fills."""
    return CACHE / key()


def missing_tools() -> str:
    """What the build needs of the system and does not find, in one line; "" when everything is there."""
    if not (shutil.which("c++") or shutil.which("g++")):
        return "no C++ compiler is here (Debian, Ubuntu: sudo apt install g++)"
    if not (Path(sysconfig.get_path("include")) / "Python.h").exists():
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        return f"Python.h is not here (Debian, Ubuntu: sudo apt install python{version}-dev)"
    return ""


def variables(where: Path) -> dict[str, str]:
    """Environment variables that make the packages below `where` importable, in front of what is set already."""
    site = where / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    new = {"PYTHONPATH": site, "LD_LIBRARY_PATH": where / "lib", "AMENT_PREFIX_PATH": where}
    return {name: os.pathsep.join(filter(None, (str(path), os.environ.get(name)))) for name, path in new.items()}


def activate() -> bool:
    """Make the packages importable here and in processes started from here, where they are built. Returns whether."""
    if importlib.util.find_spec("control_msgs") is not None:
        return True  # an apt installation's, or those of the process that started this one
    where = prefix()
    if not where.exists():
        return False
    chosen = variables(where)
    os.environ.update(chosen)
    sys.path.insert(1, chosen["PYTHONPATH"].split(os.pathsep)[0])
    _load(list((where / "lib").glob("*.so")))
    return True


def build(where: Path) -> None:
    """Build the packages into `where`, whole or not at all.

    Raises:
        BuildError: a step failed.
    """
    CACHE.mkdir(exist_ok=True)
    log = CACHE / "build.log"
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="build-") as name, log.open("w") as out:
        work, venv = Path(name), Path(name) / "venv"
        python = venv / "bin" / "python"
        _step("make a venv", [sys.executable, "-m", "venv", str(venv)], out.fileno(), dict(os.environ))
        install = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "-r", str(PINS[0])]
        _step("install the generators", install, out.fileno(), _clean_environment(venv))
        _relocate(venv)
        for package in PACKAGES:
            environment = _clean_environment(venv)
            tree = str(work / package)
            options = [
                f"-DCMAKE_INSTALL_PREFIX={work / 'prefix'}",
                f"-DCMAKE_PREFIX_PATH={venv}",
                f"-DPython3_EXECUTABLE={python}",
                "-DPython3_FIND_VIRTUALENV=ONLY",
                "-DBUILD_TESTING=OFF",
            ]
            configure = ["cmake", "-S", str(DEFINITIONS / package), "-B", tree, "-G", "Ninja", *options]
            _step(f"configure {package}", configure, out.fileno(), environment)
            _step(f"build {package}", ["cmake", "--build", tree, "--target", "install"], out.fileno(), environment)
        shutil.rmtree(where, ignore_errors=True)
        (work / "prefix").rename(where)


def main() -> int:
    """Build what is not built yet. Returns the exit code; a machine without a compiler is no failure."""
    where = prefix()
    if where.exists():
        return 0
    if missing := missing_tools():
        sys.stderr.write(f"interfaces: tests of actions and TF will be skipped: {missing}\n")
        return 0
    sys.stderr.write("interfaces: building control_msgs and tf2_msgs for the tests: about two minutes, once\n")
    began = time.monotonic()
    try:
        build(where)
    except BuildError as error:
        sys.stderr.write(f"interfaces: {error}\n")
        return 1
    sys.stderr.write(f"interfaces: built in {time.monotonic() - began:.0f} s\n")
    return 0


def _step(what: str, command: list[str], out: int, environment: dict[str, str]) -> None:
    if subprocess.run(command, stdout=out, stderr=out, env=environment, check=False).returncode:
        raise BuildError(f"could not {what}: see {CACHE / 'build.log'}")


def _clean_environment(venv: Path) -> dict[str, str]:
    """This environment without what belongs to another venv or to an installed ROS."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("PYTHONPATH", "LD_LIBRARY_PATH", "_ROS_WHEELS_BOOTSTRAP_COMPLETE", "CMAKE_PREFIX_PATH")
    }
    return {**kept, "PATH": f"{venv / 'bin'}{os.pathsep}{os.environ['PATH']}", "AMENT_PREFIX_PATH": str(venv)}


def _relocate(venv: Path) -> None:
    """Let the wheels' CMake files look for headers on this machine."""
    code = "import numpy, sys; sys.stdout.write(numpy.get_include())"
    numpy = subprocess.run(
        [str(venv / "bin" / "python"), "-c", code],
        env=_clean_environment(venv), capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    here = {"numpy": numpy, "python": sysconfig.get_path("include")}
    for path in (venv / "share").rglob("*.cmake"):
        text = changed = path.read_text(encoding="utf-8")
        for pattern, what in BUILT_ELSEWHERE.items():
            changed = pattern.sub(here[what], changed)
        if changed != text:
            path.write_text(changed, encoding="utf-8")


def _load(libraries: list[Path]) -> None:
    """Load shared libraries by path: LD_LIBRARY_PATH is read when a process starts, so it is too late to set it."""
    while libraries:
        left = list(_not_loaded(libraries))
        if len(left) == len(libraries):
            return  # the import will name what is missing
        libraries = left


def _not_loaded(libraries: list[Path]) -> Iterator[Path]:
    for library in libraries:
        try:
            ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)
        except OSError:
            yield library


if __name__ == "__main__":
    sys.exit(main())
