"""The protocol of grasp trials: what is drawn, and what is refused."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dofbot_ros.config.loader import load_yaml
from dofbot_ros.core.resources import share_file
from dofbot_ros.errors import ConfigError
from dofbot_ros.sim.config import load_world_config
from dofbot_ros.trials.placement import REACH, PickProtocol, draw
from dofbot_ros.trials.reporting.placement_diagram import sketch

SHIPPED = load_yaml(PickProtocol, share_file("config", "trials.yaml"))


@settings(deadline=None)
@given(st.integers(0, 2**31), st.sampled_from(SHIPPED.conditions), st.integers(0, 500))
def test_every_placement_can_be_set_up_and_reached(seed, condition, number) -> None:  # type: ignore[no-untyped-def]
    placement = draw(SHIPPED, seed, condition, number)
    assert placement == draw(SHIPPED, seed, condition, number)
    assert placement.target in condition.objects
    assert len({thing.name for thing in placement.objects}) == 1 + condition.clutter
    spots = np.array([(thing.x, thing.y) for thing in placement.objects])
    assert np.all(np.abs(1e3 * spots - np.round(1e3 * spots)) < 1e-6)
    for x, y in spots:
        assert SHIPPED.x[0] <= x <= SHIPPED.x[1]
        assert SHIPPED.y[0] <= y <= SHIPPED.y[1]
        assert REACH[0] <= math.hypot(x, y) <= REACH[1]
    for i, spot in enumerate(spots):
        assert all(np.linalg.norm(spot - other) >= SHIPPED.spacing for other in spots[:i])


def test_placements_differ_by_number_condition_and_seed() -> None:
    first, second = SHIPPED.conditions[:2]
    drawn = [
        draw(SHIPPED, 0, first, 0),
        draw(SHIPPED, 0, first, 1),
        draw(SHIPPED, 0, second, 0),
        draw(SHIPPED, 1, first, 0),
    ]
    assert len({(p.objects[0].x, p.objects[0].y) for p in drawn}) == 4


def test_a_condition_keeps_its_placements_whatever_the_others_are() -> None:
    last = SHIPPED.conditions[-1]
    alone = replace(SHIPPED, conditions=(last,))
    assert draw(alone, 3, last, 7) == draw(SHIPPED, 3, last, 7)


def test_plain_cubes_are_in_the_world_with_their_size_and_colour(tmp_path: Path) -> None:
    path = tmp_path / "protocol.yaml"
    path.write_text(
        "name: mine\nobjects: {red: {}, cork: {size: 0.025, colour: [180, 140, 90]}}\n"
        "conditions: [{name: a, objects: [cork]}]\n"
    )
    world = load_yaml(PickProtocol, path).world(load_world_config())
    assert world.marked == ("red",)
    assert [(b.name, b.size, b.colour) for b in world.plain] == [("cork", 0.025, (180, 140, 90))]


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        ("conditions: []", "at least one condition"),
        ("conditions: [{name: a, objects: [rde]}]", "did you mean red"),
        ("conditions: [{name: a, objects: [red], light: dark}]", "light 'dark' is not one of normal"),
        ("conditions: [{name: a, objects: [red], clutter: 2}]", "2 others of 2 objects"),
        ("conditions: [{name: a, objects: []}]", "has no objects"),
        ("conditions: [{name: a/b, objects: [red]}]", "letters, digits"),
        ("conditions: [{name: a, objects: [red]}, {name: a, objects: [red]}]", "two conditions are called a"),
        (
            "conditions: [{name: a, objects: [red]}]\nx: [0.2, 0.1]",
            "x must be .min, max. with min < max, got .0.2, 0.1.",
        ),
        ("conditions: [{name: a, objects: [red]}]\nlift: 0.2", "lift"),
        ("conditions: [{name: a, objects: [red]}]\ntrails: 5", "did you mean trials"),
    ],
)
def test_a_protocol_that_cannot_be_run_is_refused(yaml: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "protocol.yaml"
    path.write_text(f"name: bad\nobjects: {{red: {{}}, green: {{}}}}\n{yaml}")
    with pytest.raises(ConfigError, match=message):
        load_yaml(PickProtocol, path)


def test_objects_that_do_not_fit_are_told() -> None:
    crowded = replace(SHIPPED, spacing=0.2)
    with pytest.raises(ConfigError, match=r"clutter: 4 objects 0\.2 m apart do not fit"):
        draw(crowded, 0, SHIPPED.condition("clutter"), 0)


def test_the_sketch_shows_the_object_where_it_is_to_stand() -> None:
    placement = draw(SHIPPED, 0, SHIPPED.condition("single"), 0)
    thing = placement.objects[0]
    assert thing.name == "yellow"
    image = sketch(placement, SHIPPED)
    row, column = round((0.31 - thing.x) * 2000), round((0.17 - thing.y) * 2000)
    red, green, blue = (int(v) for v in image[row, column])
    assert red > 200
    assert green > 150
    assert blue < 120
