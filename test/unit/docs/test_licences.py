"""docs/licences.md is what tools/licences.py writes today."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def test_the_page_of_licences_is_current() -> None:
    words = [sys.executable, str(ROOT / "tools" / "licences.py"), "--check"]
    checked = subprocess.run(words, capture_output=True, text=True, check=False)
    if checked.returncode == 2:
        pytest.skip(checked.stderr.strip())
    assert checked.returncode == 0, checked.stderr


def test_every_pin_declares_a_licence() -> None:
    text = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 30
    for cells in rows:
        assert len(cells) == 5, cells
        assert cells[3] not in ("", "not declared"), cells
        assert cells[4].startswith("http"), cells
