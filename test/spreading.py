"""How tests are spread over processes (pytest-xdist)."""

from __future__ import annotations

from xdist.scheduler.loadfile import LoadFileScheduling

ARMS = ("ros", "integration", "contract")
"""Folders of tests that start arms and wait for them."""


class ArmScheduling(LoadFileScheduling):  # type: ignore[misc]
    """One process runs all tests that start arms, beside the unit tests of the others.

    Arms are judged in real time: two at once, each with its nodes, would take one another's time. Unit tests go by
    files, so that the fixtures of a file are made once.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "arms" if file.split("/")[1] in ARMS else file
