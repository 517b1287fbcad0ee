"""The table of domain gaps: measured once, judged by its bars, plain where one is missed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dofbot_ros.errors import InputError
from dofbot_ros.policy.evaluation.domain_gap import CHART, RESULTS, TABLE, Row, domain_gap, judge, table
from dofbot_ros.policy.learning.train import TrainConfig, Trainer

ROW = Row("pick", "state", "wide", "source", 500, 0.99, (0.98, 1.0), "pick_state", "0", 0)


def rows(none: tuple[float, float], wide: tuple[float, float]) -> list[Row]:
    return [
        replace(ROW, randomize=level, domain=domain, success_rate=rate)
        for level, rates in (("none", none), ("wide", wide))
        for domain, rate in zip(("source", "target"), rates, strict=True)
    ]


@pytest.mark.parametrize(
    ("none", "wide", "met"),
    [
        ((0.99, 0.80), (0.99, 0.96), [True, True, True]),
        ((0.99, 0.80), (0.97, 0.96), [False, True, True]),
        ((0.99, 0.97), (0.99, 0.96), [True, True, False]),
        ((0.90, 0.95), (0.99, 0.98), [True, True, False]),
        ((0.90, 0.95), (0.98, 0.99), [True, True, True]),
    ],
)
def test_bars_are_judged(none: tuple[float, float], wide: tuple[float, float], met: list[bool]) -> None:
    found = [verdict for verdict in judge(rows(none, wide)) if verdict.what.startswith("pick from state")]
    assert [verdict.met for verdict in found] == met


def test_what_is_missed_or_missing_is_said() -> None:
    some = rows((0.99, 0.8), (0.97, 0.9))
    text = table(some, judge(some))
    assert "| pick | state | wide | source | 500 | 97.0% |" in text
    assert "pick from state, source | 98% | 97.0% | **missed** |" in text
    assert "reach from state, source | 100% |  | not measured |" in text


@pytest.mark.slow
def test_rows_are_measured_once(tmp_path: Path) -> None:
    run, out = tmp_path / "run", tmp_path / "gap"
    trainer = Trainer(TrainConfig(episodes=2, steps=0, width=16, batch=32), run)
    trainer.train()
    trainer.close()
    told: list[str] = []
    first = domain_gap([run], out, 1, 0, report=lambda row, *_: told.append(row))
    assert told == ["run in source", "run in target"]
    assert domain_gap([run], out, 1, 0, report=lambda row, *_: told.append(row)) == first
    assert len(told) == 2
    assert (out / CHART).stat().st_size > 1000
    assert first["bars"] == []  # they are the shipped policies'
    assert "bar" not in (out / TABLE).read_text()
    domain_gap([run], out, 1, 5, report=lambda row, *_: told.append(row))
    assert len(told) == 4
    more = domain_gap([run], out, 1, 0, desks=["careful"], report=lambda row, *_: told.append(row))
    assert told[4:] == ["run in desk careful"]
    assert [row["domain"] for row in more["rows"]] == ["source", "target", "desk careful"]
    assert len((out / RESULTS).read_text().splitlines()) == 5
    (out / RESULTS).write_text('{"task": "pick"}\n')
    with pytest.raises(InputError, match="--out"):
        domain_gap([run], out, 1, 0)


def test_nothing_to_measure_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--model"):
        domain_gap([], tmp_path, 1, 0)
