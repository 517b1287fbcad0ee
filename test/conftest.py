"""For all tests: property tests are about values, never about how long a busy machine takes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

REAL_TIME = [Path(__file__).parent / name for name in ("ros", "integration")]
"""Real processes that talk in real time: what a stalled machine fails once gets a second chance; -ra tells of it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if any(folder in item.path.parents for folder in REAL_TIME):
            item.add_marker(pytest.mark.flaky(reruns=1))
