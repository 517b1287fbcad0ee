"""A file is whole or not there, whatever ends its writing."""

from __future__ import annotations

from pathlib import Path

import pytest

from dofbot_ros.core.files import whole_file, write_whole


def test_a_file_gets_its_name_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "model.zip"
    write_whole(path, "first")
    with whole_file(path) as draft:
        draft.write_text("second")
        assert draft.suffix == ".zip"
        assert path.read_text() == "first"
    assert path.read_text() == "second"
    assert list(tmp_path.iterdir()) == [path]


def test_whatever_writes_it_others_may_read_it(tmp_path: Path) -> None:
    plain, path = tmp_path / "plain", tmp_path / "model.zip"
    plain.touch()
    with whole_file(path) as draft:
        draft.unlink()
        draft.write_text("by somebody careful")
        draft.chmod(0o600)
    assert path.stat().st_mode == plain.stat().st_mode


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "model.zip"
    write_whole(path, "first")

    def interrupted() -> None:
        with whole_file(path) as draft:
            draft.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]
