import pytest

from dofbot_ros.core.resources import share_file
from dofbot_ros.errors import InputError


def test_shared_files_are_found():
    assert share_file("urdf", "dofbot.urdf").is_file()


def test_a_missing_shared_file_says_where_it_was_looked_for():
    with pytest.raises(InputError, match=r"config/none\.yaml is in none of .*is the installation complete"):
        share_file("config", "none.yaml")
