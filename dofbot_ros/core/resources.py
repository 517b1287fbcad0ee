"""Where the shared files (urdf, config, launch) lie: in a checkout, a pip prefix or a colcon install."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from dofbot_ros.errors import InputError

PACKAGE = "dofbot_ros"


def share_roots() -> list[Path]:
    """Folders that may hold the shared files, best first."""
    package = Path(__file__).resolve().parents[1]
    roots = [package.parent]
    # <prefix>/lib/pythonX.Y/site-packages/dofbot_ros -> <prefix>
    roots += [p / "share" / PACKAGE for p in package.parents]
    roots += [Path(p) / "share" / PACKAGE for p in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if p]
    roots.append(Path(sys.prefix) / "share" / PACKAGE)
    return roots


def share_file(*parts: str) -> Path:
    """Path of a shared file, for instance share_file("urdf", "dofbot.urdf").

    Raises:
        InputError: no place holds it.
    """
    roots = share_roots()
    for root in roots:
        path = root.joinpath(*parts)
        if path.exists():
            return path
    raise InputError(
        f"{'/'.join(parts)} is in none of {', '.join(str(r) for r in roots)}: is the installation complete?"
    )


def package_share(name: str) -> Path:
    """The folder share/<name> of an installed ROS package, as the ament index knows it.

    Raises:
        InputError: no such package in AMENT_PREFIX_PATH.
    """
    if name == PACKAGE:
        return share_file("package.xml").parent
    prefixes = [Path(p) for p in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if p]
    for prefix in prefixes:
        if (prefix / "share" / "ament_index" / "resource_index" / "packages" / name).exists():
            return prefix / "share" / name
    raise InputError(f"package {name} is not in AMENT_PREFIX_PATH: is it installed, and its setup.bash sourced?")
