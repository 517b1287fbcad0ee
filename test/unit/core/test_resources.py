import ctypes

import pytest

from dofbot_ros.core import preflight
from dofbot_ros.core.resources import share_file
from dofbot_ros.errors import InputError


def test_shared_files_are_found():
    assert share_file("urdf", "dofbot.urdf").is_file()


def test_a_missing_shared_file_says_where_it_was_looked_for():
    with pytest.raises(InputError, match=r"config/none\.yaml is in none of .*is the installation complete"):
        share_file("config", "none.yaml")


def test_a_missing_system_library_is_named_with_its_package(monkeypatch, capsys):
    monkeypatch.setitem(preflight.SYSTEM_LIBRARIES, "libdoesnotexist.so.9", "libdoesnotexist9")
    with pytest.raises(OSError, match="libdoesnotexist"):
        ctypes.CDLL("libdoesnotexist.so.9")
    assert preflight.main() == 1
    assert "libdoesnotexist.so.9; install them: sudo apt install libdoesnotexist9" in capsys.readouterr().err


def test_this_machine_has_what_is_needed():
    assert preflight.main() == 0
