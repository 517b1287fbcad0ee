"""Episodes as a LeRobot dataset: what stands in each row, what was known then, and what a reader finds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("pyarrow", reason="Parquet is an extra: pip install 'dofbot_ros[lerobot]'")
pytest.importorskip("av", reason="video is an extra: pip install 'dofbot_ros[lerobot]'")

import av
import pyarrow.parquet as pq
from command_line import CliRunner

from dofbot_ros.arm.gripper import gap_to_joint
from dofbot_ros.cli.main import app
from dofbot_ros.errors import InputError
from dofbot_ros.record.lerobot.dataset import CAMERA, statistics
from dofbot_ros.record.lerobot.export import NAMES, episodes_in, export_lerobot

from ..episodes import At, episode, gripper, image, state, stream

FPS = 25
TASK = "pick up the red block"


def picture(level: int) -> bytes:
    return cv2.imencode(".png", np.full((48, 64, 3), level, np.uint8))[1].tobytes()


BEGIN_S = 0.305
"""The first picture was made then, the others FRAME_S apart: none falls onto the time of a later row."""
FRAME_S = 0.099


def moments() -> Iterator[At]:
    """Two seconds: joint1 goes from 0 to 0.2 rad and is told so 20 ms ahead; pictures from BEGIN_S on."""
    for k in range(101):
        yield state(0.02 * k, [0.002 * k, 0, 0, 0, 0, 0])
        yield stream(0.02 * k, [0.002 * (k + 1), 0, 0, 0, 0])
    for k in range(17):
        yield image(BEGIN_S + FRAME_S * k, picture(30 + 10 * k))
    yield gripper(1.0, 0.03)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lerobot")
    for _ in range(2):
        episode(folder / "episodes", moments())
    export_lerobot(episodes_in(folder / "episodes"), folder / "out", TASK, FPS)
    return folder / "out"


def rows(dataset: Path, number: int = 0) -> dict[str, np.ndarray]:
    table = pq.read_table(dataset / f"data/chunk-000/file-{number:03d}.parquet")
    return {name: np.array(table[name].to_pylist()) for name in table.column_names}


def told(dataset: Path) -> dict[str, Any]:
    return json.loads((dataset / "meta" / "info.json").read_text())


def test_rows_lie_evenly_and_begin_when_everything_is_known(dataset: Path) -> None:
    table = rows(dataset)
    n = len(table["index"])
    assert 40 <= n <= 44
    assert table["timestamp"] == pytest.approx(np.arange(n) / FPS, abs=1e-6)
    assert table["frame_index"].tolist() == list(range(n))
    second = rows(dataset, 1)
    assert second["index"][0] == n
    assert set(second["episode_index"]) == {1}
    info = told(dataset)
    assert info["total_frames"] == 2 * n
    assert info["fps"] == FPS
    assert info["features"]["action"]["names"] == list(NAMES)


def test_a_state_is_the_last_one_read_and_never_one_of_the_future(dataset: Path) -> None:
    table = rows(dataset)
    at = BEGIN_S + table["timestamp"]
    joint1 = table["observation.state"][:, 0]
    assert (joint1 <= 0.1 * at + 1e-6).all()
    assert (joint1 >= 0.1 * (at - 0.021)).all()


def test_an_action_is_where_the_joints_were_to_be_a_row_later(dataset: Path) -> None:
    table = rows(dataset)
    at = BEGIN_S + table["timestamp"][:-2]
    assert table["action"][:-2, 0] == pytest.approx(0.1 * (at + 0.04 + 0.02), abs=1e-5)
    fingers = table["action"][:, 5]
    assert fingers[at.searchsorted(0.9)] == pytest.approx(0.0, abs=1e-6)
    assert fingers[-1] == pytest.approx(gap_to_joint(0.03), abs=1e-6)


def test_a_picture_is_the_last_one_made(dataset: Path) -> None:
    with av.open(str(dataset / f"videos/{CAMERA}/chunk-000/file-000.mp4")) as video:
        stream = video.streams.video[0]
        assert stream.average_rate == FPS
        frames = [(frame.time, float(frame.to_ndarray(format="rgb24").mean())) for frame in video.decode(stream)]
    times, levels = map(list, zip(*frames, strict=True))
    table = rows(dataset)
    assert times == pytest.approx(table["timestamp"].tolist(), abs=1e-4)  # the tolerance of LeRobot's reader
    shown = 30.0 + 10.0 * np.floor(table["timestamp"] / FRAME_S)
    assert levels == pytest.approx(shown.tolist(), abs=3.0)


def test_tasks_and_episodes_are_found_by_their_names(dataset: Path) -> None:
    tasks = pq.read_table(dataset / "meta" / "tasks.parquet")
    assert json.loads(tasks.schema.metadata[b"pandas"])["index_columns"] == ["__index_level_0__"]
    assert tasks.to_pydict() == {"task_index": [0], "__index_level_0__": [TASK]}
    first, second = pq.read_table(dataset / "meta/episodes/chunk-000/file-000.parquet").to_pylist()
    assert first["tasks"] == [TASK]
    assert second["dataset_from_index"] == first["dataset_to_index"] == first["length"]
    assert second[f"videos/{CAMERA}/file_index"] == 1
    stats = json.loads((dataset / "meta" / "stats.json").read_text())
    assert np.shape(stats[CAMERA]["mean"]) == (3, 1, 1)
    assert stats["observation.state"]["max"][0] == pytest.approx(rows(dataset)["observation.state"][:, 0].max())


def test_statistics_are_numpys() -> None:
    values = np.random.default_rng(0).normal(size=(500, 2))
    of = statistics(values)
    assert of["q90"] == pytest.approx(np.quantile(values, 0.9, axis=0))
    assert of["std"] == pytest.approx(values.std(axis=0))
    assert of["count"].tolist() == [500]


def test_what_cannot_be_exported_is_left_out_and_said(tmp_path: Path) -> None:
    good = episode(tmp_path / "e", moments())
    blind = episode(tmp_path / "e", (m for m in moments() if "image" not in m.topic))
    exported = export_lerobot([good, blind], tmp_path / "out", TASK, FPS)
    assert exported.episodes == 1
    assert exported.skipped == [f"{blind} has no camera images: --no-images leaves them out"]
    without = export_lerobot([good, blind], tmp_path / "without", TASK, FPS, images=False)
    assert without.episodes == 2
    assert told(tmp_path / "without")["video_path"] is None


def test_pictures_of_two_sizes_are_refused_and_nothing_is_left_behind(tmp_path: Path) -> None:
    small = cv2.imencode(".png", np.zeros((24, 32, 3), np.uint8))[1].tobytes()
    mixed = episode(tmp_path / "e", [*moments(), image(1.55, small)])
    with pytest.raises(InputError, match="pictures of 32x24 beside others of 64x48"):
        export_lerobot([mixed], tmp_path / "out", TASK, FPS)
    assert [path.name for path in tmp_path.iterdir()] == ["e"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "says in words what its episodes show"),
        (["--task", "pick"], "exists already"),
    ],
)
def test_wrong_use_is_one_line(tmp_path: Path, options: list[str], message: str) -> None:
    path = episode(tmp_path / "e", moments())
    (tmp_path / "out").mkdir()
    result = CliRunner().invoke(app, ["export", str(path), str(tmp_path / "out"), "--lerobot", *options])
    assert result.exit_code != 0
    assert message in str(result.exception) + result.output


def test_the_command_says_what_it_wrote(tmp_path: Path) -> None:
    episode(tmp_path / "e", moments())
    result = CliRunner().invoke(
        app, ["export", str(tmp_path / "e"), str(tmp_path / "out"), "--lerobot", "--task", TASK]
    )
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out" / "meta" / "info.json").exists()
