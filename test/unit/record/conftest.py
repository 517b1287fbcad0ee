"""What replays are played on is an arm of this process's own, whatever else runs on this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dofbot_ros.core.dds import reserved_domain


@pytest.fixture(scope="module", autouse=True)
def _own_domain() -> Iterator[int]:
    with reserved_domain() as domain, pytest.MonkeyPatch.context() as here:
        here.setenv("ROS_DOMAIN_ID", str(domain))
        yield domain
