"""Networks that are watched while they learn: frames tell what is true, films and pages are whole and repeatable."""

from __future__ import annotations

import json
import re
import urllib.request
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="watching a network learn needs the extra learn")

import torch
from PIL import Image
from torch import nn

from dofbot_ros.errors import InputError
from dofbot_ros.lab.live.data_sets import NAMES, load_data_set
from dofbot_ros.lab.live.drawing import HEIGHT, WIDTH, draw
from dofbot_ros.lab.live.film import write_gif
from dofbot_ros.lab.live.learner import LearnConfig, learn
from dofbot_ros.lab.live.page import write_page
from dofbot_ros.lab.live.recorder import MOST_UNITS, Recorder
from dofbot_ros.lab.live.server import FrameServer
from dofbot_ros.lab.live.window import Player

FEW = LearnConfig(steps=30, frames=6)


@pytest.mark.parametrize("seed", range(3))
def test_xor_is_solved(seed: int) -> None:
    frames = list(learn(load_data_set("xor"), LearnConfig(seed=seed, frames=2)))
    assert frames[0].score < 1.0
    assert frames[-1].score == 1.0


@pytest.mark.parametrize("name", NAMES)
def test_sets_are_balanced_bounded_and_repeatable(name: str) -> None:
    data = load_data_set(name, 100, 3)
    assert np.array_equal(data.points, load_data_set(name, 100, 3).points)
    assert data.labels.mean() == pytest.approx(0.5)
    assert np.abs(data.points).max() < 1.3


def test_a_csv_is_read_and_a_wrong_one_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("a,b,c,label\n" + "\n".join(f"{k},{k * k},1,{k % 2}" for k in range(8)))
    data = load_data_set(str(path))
    assert (data.points.shape, data.columns, data.name) == ((8, 3), ("a", "b", "c"), "mine")
    assert np.abs(data.points).max() <= 1.0
    for text, said in (
        ("", "is empty"),
        ("1,2,0\n1,x,1\n", r"row 2: 3 numbers are expected"),
        ("1,2,7\n" * 4, "a last column of 0 or 1"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=said):
            load_data_set(str(path))
    with pytest.raises(InputError, match="did you mean spiral"):
        load_data_set("spirale")
    with pytest.raises(InputError, match="layers begin with 2"):
        next(learn(load_data_set("xor"), LearnConfig((3, 4, 1))))


def test_a_frame_tells_activations_dead_units_and_flows() -> None:
    torch.manual_seed(0)
    layers = [nn.Linear(2, 3), nn.Linear(3, 1)]
    with torch.no_grad():
        layers[0].weight[1] = 0.0
    samples = torch.randn(5, 2)
    frame = Recorder(layers, torch.relu, torch.sigmoid, samples).frame(7, 0.5, 0.8)
    hidden = torch.relu(layers[0](samples)).detach().numpy()
    assert np.allclose(frame.activations[1], hidden, atol=1e-6)
    assert frame.dead[1][1]
    assert not frame.dead[0].any()
    assert np.allclose(frame.flow(1, 2), layers[1].weight.detach().numpy() * hidden[2], atol=1e-6)
    assert [len(fields) for fields in frame.fields] == [2, 3, 1]
    # The plane's upper left corner is (-1.1, 1.1).
    assert frame.fields[0][:, 0, 0].tolist() == pytest.approx([-1.1, 1.1])


def test_of_wide_layers_the_strongest_units_are_shown() -> None:
    layers = [nn.Linear(4, 100), nn.Linear(100, 1)]
    with torch.no_grad():
        layers[1].weight.fill_(0.001)
        layers[1].weight[0, 40] = 5.0
    frame = Recorder(layers, torch.tanh, torch.sigmoid, torch.randn(9, 4)).frame(0, 0.0)
    assert frame.sizes == (4, 100, 1)
    assert len(frame.units[1]) == MOST_UNITS
    assert 40 in frame.units[1]
    assert frame.fields == ()
    assert draw(frame, [frame], "wide").shape == (HEIGHT, WIDTH, 3)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_film(tmp_path: Path) -> None:
    for name in ("a.gif", "b.gif"):
        write_gif(list(learn(load_data_set("xor"), FEW)), tmp_path / name, "xor", sample=1)
    assert (tmp_path / "a.gif").read_bytes() == (tmp_path / "b.gif").read_bytes()
    with Image.open(tmp_path / "a.gif") as film:
        assert film.n_frames == FEW.frames
        assert film.size == (WIDTH, HEIGHT)


def test_the_page_holds_its_frames_and_loads_nothing(tmp_path: Path) -> None:
    write_page(list(learn(load_data_set("circle"), FEW)), tmp_path / "page.html", "a <b> & c")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "a &lt;b&gt; &amp; c" in text
    assert not re.search(r"https?://|src=", text)
    told = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])  # type: ignore[index]
    assert [frame["step"] for frame in told["frames"]] == [0, 6, 12, 18, 24, 30]
    assert len(told["frames"][0]["fields"][1]) == 5


def test_frames_are_served_to_who_comes_late_too() -> None:
    with FrameServer(0, "xor") as server:
        frames = list(learn(load_data_set("xor"), FEW))
        for frame in frames:
            server.send(frame)
        server.finish()
        with urllib.request.urlopen(server.url, timeout=10.0) as page:
            assert b'"live": true' in page.read()
        with urllib.request.urlopen(f"{server.url}frames", timeout=10.0) as stream:
            lines = [line for line in stream if line.startswith(b"data: {")]
    assert len(lines) == len(frames)
    assert json.loads(lines[-1][6:])["step"] == 30


def test_a_taken_port_is_said_to_be_taken() -> None:
    with FrameServer(0, "one") as server:
        port = int(server.url.rstrip("/").rsplit(":", 1)[1])
        with pytest.raises(InputError, match=f"port {port} of 127.0.0.1 cannot be served"):
            FrameServer(port, "two")


def test_a_window_pauses_steps_and_changes_the_sample() -> None:
    player = Player(learn(load_data_set("xor"), FEW))
    while player.advance():
        pass
    assert (player.at, len(player.history)) == (5, 6)
    assert player.key(81)
    assert (player.at, player.paused) == (4, True)
    player.key(83)
    player.key(ord("s"))
    assert (player.at, player.sample) == (5, 0)
    for _ in range(24):
        player.key(ord("s"))
    assert player.sample is None
    assert not player.key(ord("q"))
