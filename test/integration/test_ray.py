"""Work spread over a real Ray cluster on this machine: the same data as without it, its errors, its end."""

from __future__ import annotations

from functools import partial
from itertools import chain, repeat

import psutil
import pytest

from dofbot_ros.errors import DofbotError, InputError
from dofbot_ros.grasp.learning.evaluate import EvaluateConfig, attempt_share
from dofbot_ros.grasp.learning.ray_cluster import RayCluster
from dofbot_ros.grasp.learning.workers import parallel
from dofbot_ros.stacks import find

pytest.importorskip("ray", reason="ray is not installed: pip install -r requirements/ray.txt")
pytest.importorskip("pybullet")

HERE = RayCluster("local", 1)


@pytest.mark.slow
def test_attempts_end_as_they_do_in_a_process_and_nothing_is_left() -> None:
    work = partial(attempt_share, EvaluateConfig("cube", baselines=("moments",), seed=2))
    (_, alone), (_, spread) = (next(parallel(work, [[0]], workers)) for workers in (1, HERE))
    assert [(row.planner, row.outcome) for row in spread] == [(row.planner, row.outcome) for row in alone]
    assert len(spread) == 2
    assert not [p for p in psutil.Process().children(recursive=True) if "ray" in p.name()]


@pytest.mark.slow
def test_what_a_job_raises_arrives_as_it_is_and_endless_jobs_may_be_left() -> None:
    results = parallel(find, chain(["demo"], repeat("dmeo")), HERE)
    job, stack = next(results)
    assert job == stack.name == "demo"
    with pytest.raises(InputError, match=r"^stack 'dmeo' is not one of .* \(did you mean demo\?\)$"):
        next(results)


@pytest.mark.parametrize("address", ["nonsense", "127.0.0.1:1", "ray://127.0.0.1:1", "no-such-host.invalid:6379"])
def test_no_cluster_is_told_at_once(address: str) -> None:
    with pytest.raises(DofbotError, match=f"^no Ray cluster at '{address}'"):
        next(parallel(find, ["demo"], RayCluster(address)))
