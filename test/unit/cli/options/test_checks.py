from __future__ import annotations

import pytest
from command_line import CliRunner

from dofbot_ros.cli.main import app


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
@pytest.mark.parametrize(
    "words",
    [
        ["replay", "x.mcap", "--backend", "sim", "--speed"],
        ["record", "--out", "x", "--seconds"],
        ["record", "--out", "x", "--image-hz"],
        ["localize", "x.png", "--marker-size"],
        ["grasp", "collect", "--out", "x", "--val-share"],
        ["bench", "bus", "--seconds"],
        ["bench", "following", "--amplitude"],
    ],
    ids=lambda words: " ".join(words[:1] + words[-1:]),
)
def test_numbers_that_are_not_finite_are_wrong_usage(words: list[str], value: str) -> None:
    result = CliRunner().invoke(app, [*words, value])

    assert result.exit_code == 2
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert words[-1] in result.output
