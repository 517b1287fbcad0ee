"""Writes a LeRobot dataset, version 3.0: rows as Parquet, pictures as H.264 video, and what describes them.

The format is that of lerobot 0.4. Here one Parquet file and one video hold one episode each; readers join them.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.errors import DependencyError, InputError
from dofbot_ros.extras import MODULES
from dofbot_ros.vision.film import Film

VERSION = "v3.0"
CAMERA = "observation.images.overhead"
STATE, ACTION = "observation.state", "action"
FILE = "chunk-{chunk_index:03d}/file-{file_index:03d}"
DATA, VIDEO = f"data/{FILE}.parquet", f"videos/{{video_key}}/{FILE}.mp4"
FILES_IN_CHUNK = 1000
QUANTILES = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}
INDEX = "__index_level_0__"
TASKS_FRAME = {
    "index_columns": [INDEX],
    "column_indexes": [],
    "columns": [
        {"name": "task_index", "field_name": "task_index", "pandas_type": "int64", "numpy_type": "int64"},
        {"name": None, "field_name": INDEX, "pandas_type": "unicode", "numpy_type": "object"},
    ],
    "pandas_version": "2.0.0",
}
"""Readers find a task's number by its words: in pandas' terms the words are the table's index."""
LOOKED_AT = 20
"""Pictures of an episode whose colours go into its statistics, and every so many pixels of them along both axes."""
EVERY = 8


def require_lerobot() -> None:
    """Raises DependencyError where the libraries for Parquet and video are not installed."""
    for package in ("pyarrow", "av"):
        if find_spec(package) is None:
            raise DependencyError(package, MODULES[package], "a LeRobot dataset")


class LeRobotWriter:
    """One dataset. It takes its place only once it is whole: until finish() it lies beside it under another name.

    Args:
        out: folder to write.
        fps: rows a second; the pictures' rate too.
        names: of the numbers in state and action.
        robot: what the arm is called.

    Attributes:
        lengths: rows of each episode.

    Raises:
        InputError: there is something at `out` already, or it cannot be written.
    """

    def __init__(self, out: Path, fps: int, names: Sequence[str], robot: str = "dofbot") -> None:
        if out.exists():
            raise InputError(f"{out} exists already: a dataset is written in one go, into a folder of its own")
        self.fps, self.lengths = fps, list[int]()
        self._out, self._names, self._robot = out, list(names), robot
        self._part = out.with_name(f".{out.name}.{os.getpid()}.part")
        self._tasks: dict[str, int] = {}
        self._episodes: list[dict[str, Any]] = []
        self._columns: dict[str, list[NDArray[Any]]] = {}
        self._colours: list[FloatArray] = []
        self._shape: tuple[int, ...] | None = None
        try:
            self._part.mkdir(parents=True)
        except OSError as error:
            raise InputError(f"{out} cannot be written: {error.strerror}") from error

    def add(self, task: str, state: FloatArray, action: FloatArray, pictures: Iterable[ImageArray] | None) -> None:
        """Add an episode.

        Args:
            task: what it shows, in words.
            state, action: shape (n, len(names)).
            pictures: n of them, RGB (h, w, 3); None in a dataset without.

        Raises:
            InputError: pictures of another size than before, or some where there were none, or none where there were.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        index, n, start = len(self.lengths), len(state), sum(self.lengths)
        place = {"chunk_index": index // FILES_IN_CHUNK, "file_index": index % FILES_IN_CHUNK}
        columns: dict[str, NDArray[Any]] = {
            STATE: np.asarray(state, np.float32),
            ACTION: np.asarray(action, np.float32),
            "timestamp": (np.arange(n) / self.fps).astype(np.float32),
            "frame_index": np.arange(n),
            "episode_index": np.full(n, index),
            "index": start + np.arange(n),
            "task_index": np.full(n, self._tasks.setdefault(task, len(self._tasks))),
        }
        stats = {name: statistics(values) for name, values in columns.items()}
        episode: dict[str, Any] = {"episode_index": index, "tasks": [task], "length": n}
        episode |= {f"data/{name}": number for name, number in place.items()}
        if pictures is not None:
            colours = self._film(self._path(VIDEO, place, video_key=CAMERA), pictures)
            stats[CAMERA] = _of_colours(colours)
            self._colours.append(colours)
            episode |= {f"videos/{CAMERA}/{name}": number for name, number in place.items()}
            episode |= {f"videos/{CAMERA}/from_timestamp": 0.0, f"videos/{CAMERA}/to_timestamp": n / self.fps}
        elif self._shape is not None:
            raise InputError(f"episode {index} has no pictures, those before have")
        episode |= {"dataset_from_index": start, "dataset_to_index": start + n}
        episode |= {"meta/episodes/chunk_index": 0, "meta/episodes/file_index": 0}
        episode |= {f"stats/{name}/{kind}": v.tolist() for name, told in stats.items() for kind, v in told.items()}
        table = {
            name: pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])
            if values.ndim == 2
            else pa.array(values)
            for name, values in columns.items()
        }
        pq.write_table(pa.table(table), self._path(DATA, place))
        self._episodes.append(episode)
        self.lengths.append(n)
        for name, values in columns.items():
            self._columns.setdefault(name, []).append(values)

    def finish(self) -> None:
        """Describe what was added, and put the dataset in its place.

        Raises:
            InputError: no episode, or somebody else has written there meanwhile.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        if not self.lengths:
            raise InputError("a dataset needs an episode")
        stats = {name: statistics(np.concatenate(parts)) for name, parts in self._columns.items()}
        if self._colours:
            stats[CAMERA] = _of_colours(np.concatenate(self._colours))
        meta = self._part / "meta"
        (meta / "episodes" / "chunk-000").mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(self._episodes), meta / "episodes" / "chunk-000" / "file-000.parquet")
        tasks = pa.table({"task_index": list(self._tasks.values()), INDEX: list(self._tasks)})
        pq.write_table(tasks.replace_schema_metadata({"pandas": json.dumps(TASKS_FRAME)}), meta / "tasks.parquet")
        told = {name: {kind: value.tolist() for kind, value in one.items()} for name, one in stats.items()}
        (meta / "stats.json").write_text(json.dumps(told, indent=4))
        (meta / "info.json").write_text(json.dumps(self._info(), indent=4))
        try:
            self._part.rename(self._out)
        except OSError as error:
            raise InputError(f"{self._out} cannot be written: {error.strerror}") from error

    def discard(self) -> None:
        """Remove what was written, unless it is finished."""
        shutil.rmtree(self._part, ignore_errors=True)

    # -- inside ------------------------------------------------------------------------------------------------------

    def _path(self, pattern: str, place: dict[str, int], **names: str) -> Path:
        path = self._part / pattern.format(**place, **names)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _film(self, path: Path, pictures: Iterable[ImageArray]) -> FloatArray:
        """Encode an episode's pictures. Returns colours of some pixels (k, 3), 0..1."""
        kept: list[FloatArray] = []
        # A picture in two stands alone: a training that takes rows in any order decodes few to get one.
        with Film(path, self.fps, standing_alone=2) as film:
            for number, picture in enumerate(pictures):
                if self._shape is None and not self.lengths:
                    self._shape = picture.shape
                if picture.shape != self._shape:
                    raise InputError(
                        f"episode {len(self.lengths)}: pictures of {_size(picture.shape)} beside others of "
                        f"{_size(self._shape)}: a dataset's pictures have one size"
                    )
                if number % LOOKED_AT == 0:
                    kept.append(picture[::EVERY, ::EVERY].reshape(-1, 3) / 255.0)
                film.add(picture)
        return np.concatenate(kept)

    def _info(self) -> dict[str, Any]:
        vector = {"dtype": "float32", "shape": [len(self._names)], "names": self._names}
        features: dict[str, Any] = {STATE: vector, ACTION: vector}
        if self._shape is not None:
            height, width, channels = self._shape
            features[CAMERA] = {
                "dtype": "video",
                "shape": [height, width, channels],
                "names": ["height", "width", "channels"],
                "info": {
                    "video.height": height,
                    "video.width": width,
                    "video.codec": "h264",
                    "video.pix_fmt": "yuv420p",
                    "video.is_depth_map": False,
                    "video.fps": self.fps,
                    "video.channels": channels,
                    "has_audio": False,
                },
            }
        features["timestamp"] = {"dtype": "float32", "shape": [1], "names": None}
        for name in ("frame_index", "episode_index", "index", "task_index"):
            features[name] = {"dtype": "int64", "shape": [1], "names": None}
        return {
            "codebase_version": VERSION,
            "robot_type": self._robot,
            "total_episodes": len(self.lengths),
            "total_frames": sum(self.lengths),
            "total_tasks": len(self._tasks),
            "chunks_size": FILES_IN_CHUNK,
            "data_files_size_in_mb": 100,
            "video_files_size_in_mb": 200,
            "fps": self.fps,
            "splits": {"train": f"0:{len(self.lengths)}"},
            "data_path": DATA,
            "video_path": VIDEO if self._shape is not None else None,
            "features": features,
        }


def statistics(values: NDArray[Any]) -> dict[str, FloatArray]:
    """Of a column (n,) or (n, k): min, max, mean, std and quantiles (k,), and count (1,)."""
    rows = values.reshape(len(values), -1).astype(np.float64)
    told = {"min": rows.min(0), "max": rows.max(0), "mean": rows.mean(0), "std": rows.std(0)}
    told |= {name: np.quantile(rows, share, axis=0) for name, share in QUANTILES.items()}
    return told | {"count": np.array([len(rows)])}


def _of_colours(colours: FloatArray) -> dict[str, FloatArray]:
    """Statistics per channel, (3, 1, 1), as pictures have them."""
    return {kind: v if kind == "count" else v.reshape(3, 1, 1) for kind, v in statistics(colours).items()}


def _size(shape: tuple[int, ...] | None) -> str:
    return "no pixels" if shape is None else f"{shape[1]}x{shape[0]}"
