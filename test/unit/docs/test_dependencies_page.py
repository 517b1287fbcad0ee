"""docs/dependencies.md says what a package is for, and of what size is what stands in its place."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")


def test_scipy_is_listed_for_the_files_that_import_it() -> None:
    (row,) = [line for line in PAGE.splitlines() if "| scipy |" in line]
    job = row.split("|")[3]
    package = ROOT / "dofbot_ros"
    users = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if re.search(r"^\s*(from|import) scipy", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert set(re.findall(r"`([\w/]+\.py)`", job)) == users


def test_the_urdf_reader_is_as_long_as_is_said() -> None:
    said = re.search(r"the URDF reader, `([\w/.]+)`,\s+is about (\d+) lines", PAGE)
    assert said is not None
    lines = len((ROOT / "dofbot_ros" / said[1]).read_text(encoding="utf-8").splitlines())
    assert abs(lines - int(said[2])) <= 30
