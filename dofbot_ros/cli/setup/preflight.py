"""Checks that what the wheels expect of the system is there, and names the apt package where it is not."""

from __future__ import annotations

import ctypes
import sys

SYSTEM_LIBRARIES = {"libGL.so.1": "libgl1", "libglib-2.0.so.0": "libglib2.0-0"}
"""Shared library that OpenCV's and PyBullet's wheels load -> Debian and Ubuntu package."""


def missing_libraries() -> dict[str, str]:
    """The libraries that cannot be loaded, each with its apt package."""
    return {name: package for name, package in SYSTEM_LIBRARIES.items() if not _loads(name)}


def _loads(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def main() -> int:
    """Print one line for what is missing. Returns the exit code."""
    missing = missing_libraries()
    if missing:
        names, packages = ", ".join(missing), " ".join(missing.values())
        sys.stderr.write(f"dofbot: missing system libraries {names}; install them: sudo apt install {packages}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
