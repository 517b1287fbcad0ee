"""What the wheels expect of the system, and what is said where it is missing."""

from __future__ import annotations

import ctypes

import pytest

from dofbot_ros.cli.setup import preflight


def test_a_missing_system_library_is_named_with_its_package(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(preflight.SYSTEM_LIBRARIES, "libdoesnotexist.so.9", "libdoesnotexist9")
    with pytest.raises(OSError, match="libdoesnotexist"):
        ctypes.CDLL("libdoesnotexist.so.9")
    assert preflight.main() == 1
    assert "libdoesnotexist.so.9; install them: sudo apt install libdoesnotexist9" in capsys.readouterr().err


def test_this_machine_has_what_is_needed() -> None:
    assert preflight.main() == 0
