"""Two series against each other: the sentence, the interval, and which trials count."""

from __future__ import annotations

from pathlib import Path

import pytest

from dofbot_ros.errors import InputError
from dofbot_ros.trials.compare import compare, verdict
from dofbot_ros.trials.log import PickLog, PickSeries
from dofbot_ros.trials.pick import PickRecord
from dofbot_ros.trials.placement import PickProtocol, PlacedObject


def log(kit: PickProtocol, planner: str, **successes: tuple[int, int]) -> PickLog:
    """A series with so many successes in so many trials, by condition; the successes first."""
    records = [
        PickRecord(
            name, number, (PlacedObject("red", 0.2, 0.0, 0.0),), "lifted" if number < good else "missed", "truth"
        )
        for name, (good, trials) in successes.items()
        for number in range(trials)
    ]
    return PickLog(Path(planner), PickSeries(planner, "sim", 0, "truth", "", kit), records)


def test_published_difference_in_words() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table II, method 10: 56/70 against 48/80 is 0.0524 to 0.3339.
    assert verdict((56, 70), (48, 80)) == "A is better by 20 points (5 to 33)"
    assert verdict((48, 80), (56, 70)) == "B is better by 20 points (5 to 33)"
    assert verdict((9, 10), (8, 10)).startswith("no difference shown: A +10 points against B, and anything from -")


def test_by_condition_where_both_have_it(kit: PickProtocol) -> None:
    result = compare(log(kit, "aruco", single=(20, 20), dim=(1, 2)), log(kit, "cnn", single=(10, 20), clutter=(1, 1)))
    assert list(result["by_condition"]) == ["single"]
    assert result["left_out"] == ["clutter", "dim"]
    assert result["not_the_same"] == ["planner"]
    assert result["difference"] == 0.5
    assert result["verdict"].startswith("A is better by 50 points")


def test_more_trials_of_what_is_easy_make_no_difference(kit: PickProtocol) -> None:
    # In each condition both succeed equally often; all trials together, A would look better.
    a = log(kit, "a", single=(90, 90), dim=(5, 10))
    b = log(kit, "b", single=(10, 10), dim=(45, 90))
    result = compare(a, b)
    assert result["a"]["trials"] == result["b"]["trials"] == 20
    assert result["a"]["lifted"] == 15
    assert result["by_condition"]["dim"]["difference"] == 0.0


def test_nothing_in_common_is_refused(kit: PickProtocol) -> None:
    with pytest.raises(InputError, match="no condition in common"):
        compare(log(kit, "a", single=(1, 1)), log(kit, "b", dim=(1, 1)))
