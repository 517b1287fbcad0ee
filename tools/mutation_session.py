"""mutmut with the tests collected once: each mutant runs them in a fork of that session (called by tools/mutation.py).

mutmut itself starts pytest anew for each mutant, which takes longer than the few tests that notice it.
"""

from __future__ import annotations

import itertools
import math
import os
import resource
from collections.abc import Iterable
from time import process_time

import pytest
from _pytest.config import _prepareconfig
from mutmut.runners.harness import PytestRunner
from mutmut.state import state
from mutmut.utils.file_utils import change_cwd
from mutmut.workers import isolation

LEAST_S, SLOWER = 2.0, 5.0
"""A test that takes this long [s], and this many times as long as on the unchanged code, is taken to run for ever."""
MOST_S = float(os.environ.get("MUTATION_MOST_S", "inf"))
"""For how long a mutant is tested at most, by the times that its tests take on the unchanged code [s]."""
KILLED, SUSPICIOUS = 1, 35


class CollectedRunner(PytestRunner):
    """mutmut's runner of tests, which for mutants takes the tests of one session."""

    def __init__(self) -> None:
        super().__init__()
        self._all_passed = False
        self._session: pytest.Session | None = None

    def run_stats(self, *, tests: Iterable[str]) -> int:
        """Find out which tests call what. Returns pytest's exit code."""
        tests = list(tests)
        code = int(super().run_stats(tests=tests))
        self._all_passed = code == 0 and not tests
        return code

    def run_forced_fail(self) -> int:
        """Have every changed function raise. Returns pytest's exit code, which is to be a failure."""
        return int(super().run_tests(mutant_name=None, tests=[]))

    def run_tests(self, *, mutant_name: str | None, tests: Iterable[str]) -> int:
        """Run tests, in the given order, until one fails.

        Args:
            mutant_name: what is changed; None for the unchanged code, after which the tests are collected.
            tests: their pytest ids.

        Returns:
            An exit code as mutmut reads it.
        """
        if mutant_name is None:
            code = 0 if self._all_passed else int(super().run_tests(mutant_name=None, tests=tests))
            self._session = self._collected()
            return code
        assert self._session is not None, "mutmut runs the unchanged code first"
        try:
            return self._run(self._session, _chosen(mutant_name, tests))
        except BaseException:
            return SUSPICIOUS  # and no kill; in a forked process nothing may reach mutmut's own loop

    def _collected(self) -> pytest.Session:
        with change_cwd("mutants"):
            selected = [*self._pytest_add_cli_args, *self._pytest_add_cli_args_test_selection]
            config = _prepareconfig(["--rootdir=.", "--capture=no", *selected])
            config._do_configure()
            session = pytest.Session.from_config(config)
            config.hook.pytest_sessionstart(session=session)
            config.hook.pytest_collection(session=session)
        return session

    @staticmethod
    def _run(session: pytest.Session, tests: Iterable[str]) -> int:
        by_name = {item.nodeid: item for item in session.items}
        items = [by_name[name] for name in tests]
        _, hard_limit = resource.getrlimit(resource.RLIMIT_CPU)
        with change_cwd("mutants"):
            for item, following in zip(items, [*items[1:], None], strict=True):
                takes_s = LEAST_S + SLOWER * state().duration_by_test[item.nodeid]
                limit_s = min(math.ceil(process_time() + takes_s), hard_limit)
                resource.setrlimit(resource.RLIMIT_CPU, (limit_s, hard_limit))
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if session.testsfailed:
                    return KILLED
        return 0


def _chosen(mutant_name: str, tests: Iterable[str]) -> list[str]:
    """Tests in the order in which they are run: first those named like the changed module, the likeliest to notice."""
    duration_s = state().duration_by_test
    first_word = mutant_name.split(".")[-2].partition("_")[0]
    ordered = sorted(tests, key=lambda test: (f"/test_{first_word}" not in test, duration_s[test]))
    run_s = itertools.accumulate(duration_s[test] for test in ordered)
    return [test for test, end_s in zip(ordered, run_s, strict=True) if end_s <= MOST_S]


if __name__ == "__main__":
    isolation.PytestRunner = CollectedRunner
    from mutmut.__main__ import cli

    cli()
