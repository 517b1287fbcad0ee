"""Files of tests that need a package: left out where it is not installed, without importing it to know.

Each of the processes that the tests are spread over collects all tests; one of them runs these.
"""

from __future__ import annotations

from importlib.util import find_spec

import pytest


def need(package: str, reason: str) -> None:
    """Skip the file of tests that calls this where `package` is not installed."""
    if find_spec(package) is None:
        pytest.skip(reason, allow_module_level=True)
