"""Results as people and machines get them: no brackets, no nan, no digits that do not count."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from dofbot_ros.core.console import emit

RESULT = {
    "rate": 0.123456789,
    "none": math.nan,
    "places": [0.1234567, 2.0],
    "rows": [{"id": 1, "well": True}, {"id": 2, "well": False}],
    "deep": {"count": np.int64(3), "empty": []},
}


def test_a_table_has_rounded_words(capsys: pytest.CaptureFixture[str]) -> None:
    emit(RESULT, False, "Title")
    said = capsys.readouterr().out
    assert "nan" not in said
    assert not set("[]{}'") & set(said)
    for words in ("0.1235", "0.1235  2", "id 1, well yes; id 2, well no", "deep.count", "3"):
        assert words in said


def test_json_is_rounded_to_what_counts(capsys: pytest.CaptureFixture[str]) -> None:
    emit(RESULT, True, "")
    told = json.loads(capsys.readouterr().out)
    assert told["rate"] == 0.123457
    assert told["none"] is None
    assert told["places"] == [0.123457, 2.0]
    assert told["deep"] == {"count": 3, "empty": []}
