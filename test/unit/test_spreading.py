"""Which files of tests start arms in real time, and so run in the processes that do; and which are begun first."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("xdist", reason="tests are spread over processes by pytest-xdist")

from spreading import COMPUTE, LONGEST, starts_arms, turn

TESTS = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("path", ["test/ros/test_demo.py", "test/contract/test_backend.py"])
def test_folders_of_arms_start_them(path: str) -> None:
    assert starts_arms(path)


@pytest.mark.parametrize("place", COMPUTE)
def test_what_computes_goes_with_the_unit_tests(place: str) -> None:
    assert (TESTS / place).is_file()
    assert not starts_arms(f"test/{place}")


def test_a_unit_test_starts_no_arm() -> None:
    assert not starts_arms("test/unit/test_spreading.py")


@pytest.mark.parametrize("place", LONGEST)
def test_what_takes_long_is_begun_early(place: str) -> None:
    assert (TESTS / place).is_file()
    assert turn(f"test/{place}") < turn("test/unit/test_spreading.py")


def test_the_longest_that_start_arms_are_begun_before_what_computes() -> None:
    starts = [starts_arms(f"test/{place}") for place in LONGEST]
    assert starts == sorted(starts, reverse=True)
