"""Files of measurements that go on: what is kept, what a crash leaves, what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dofbot_ros.core.result_file import ResultFile
from dofbot_ros.errors import InputError


def opened(path: Path | None, conditions: dict[str, Any] | None = None) -> ResultFile[int]:
    return ResultFile(
        path, "dofbot bench numbers", conditions or {"seed": 1}, lambda n: {"n": n}, lambda data: data["n"]
    )


def test_what_is_added_is_there_the_next_time(tmp_path: Path) -> None:
    path = tmp_path / "new" / "numbers.jsonl"
    opened(path).add(3, 1)
    again = opened(path)
    assert again.results == [3, 1]
    again.add(2)
    assert again.results == [3, 1, 2]
    assert opened(path).results == [3, 1, 2]


def test_without_a_path_nothing_is_kept(tmp_path: Path) -> None:
    file = opened(None)
    file.add(5)
    assert file.results == [5]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("cut", range(1, 10))
def test_a_line_that_was_cut_off_counts_as_not_written(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "numbers.jsonl"
    opened(path).add(3, 1)
    path.write_bytes(path.read_bytes()[:-cut])
    again = opened(path)
    assert again.results == [3]
    again.add(7)
    assert opened(path).results == [3, 7]


def test_tuples_are_the_lists_that_json_makes_of_them(tmp_path: Path) -> None:
    path = tmp_path / "numbers.jsonl"
    opened(path, {"sizes": (1, 2)}).add(1)
    assert opened(path, {"sizes": (1, 2)}).results == [1]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("hello\n", "no file of `dofbot bench numbers`"),
        ("[1]\n", "no file of `dofbot bench numbers`"),
        ('{"results of": "dofbot bench letters"}\n', "no file of `dofbot bench numbers`"),
        ('{"results of": "dofbot bench numbers", "seed": 2}\n', r"other conditions \(seed 2 there, 1 here\)"),
        ('{"results of": "dofbot bench numbers"}\n', r"other conditions \(seed unknown there, 1 here\)"),
        (
            '{"results of": "dofbot bench numbers", "seed": 1, "x": 0}\n',
            r"other conditions \(x 0 there, unknown here\)",
        ),
        ('{"results of": "dofbot bench numbers", "seed": 1}\n{"m": 1}\n', "line 2: 'n'; delete the line"),
        ('{"results of": "dofbot bench numbers", "seed": 1}\n{"n": 1}\nrubbish\n', "line 3: "),
    ],
)
def test_a_file_that_does_not_fit_is_refused_and_left_alone(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "numbers.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=says):
        opened(path)
    assert path.read_text(encoding="utf-8") == text
