"""YAML as it is written and read: the same comes back."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dofbot_ros.config.yaml_text import read_yaml, write_yaml


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("yaml") / "any.yaml"


@given(st.text("0123456789abcdefE+-._:", max_size=12) | st.floats(allow_nan=False) | st.integers() | st.booleans())
@example("5256118803e1")
@example("1e3")
@example("-1E-5")
@example("525611880301")
@example(1e22)
def test_what_was_written_is_read(file: Path, value: object) -> None:
    """The commit 5256118803e1 was written without quotes, and read as a number."""
    file.write_text(write_yaml({"training": {"commit": value}, "list": [value]}), encoding="utf-8")
    assert read_yaml(file) == {"training": {"commit": value}, "list": [value]}
    assert type(read_yaml(file)["list"][0]) is type(value)
