"""The console's guided calibration: which step is how far, its pictures, and the process that carries it out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from dofbot_ros.calibration.guided.steps import STEPS, Step, step_named
from dofbot_ros.errors import CommandRefusedError, InputError, one_of

MOST_PICTURES = 60
ACTIONS = ("picture", "clear", "start", "cancel")


class Guide:
    """Leads through calibration.guided.steps; nothing here moves the arm.

    Args:
        folder: of the files that the steps write; pictures go below it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        self._running = ""
        self._words: dict[str, tuple[str, list[str]]] = {}
        """Step -> kind (progress, result or error) and what was said last."""

    def told(self) -> dict[str, Any]:
        """What the page shows, as plain data."""
        return {"folder": str(self._folder), "running": self._running, "steps": [self._step(step) for step in STEPS]}

    def do(self, action: str, name: str, jpeg: bytes = b"") -> None:
        """Take a picture for a step, clear its pictures, start the step, or cancel what runs. Returns at once.

        Args:
            action: of ACTIONS.
            name: of the step.
            jpeg: the camera's picture, for "picture".

        Raises:
            DofbotError: it cannot be done now, and why.
        """
        step = step_named(name)
        if action == "cancel":
            self.close()
        elif self._running:
            raise CommandRefusedError(f"{self._running} runs: wait for its end, or cancel it")
        elif action == "picture":
            self._take(step, jpeg)
        elif action == "clear":
            for path in self._pictures(step):
                path.unlink(missing_ok=True)
        elif action == "start":
            self._start(step)
        else:
            raise InputError(one_of("action", action, ACTIONS))

    def file(self, name: str) -> Path | None:
        """The file `name` that a step has written, for people to open; None where there is none."""
        known = {file for step in STEPS for file in step.writes}
        path = self._folder / name
        return path if name in known and path.is_file() else None

    def close(self) -> None:
        """End what runs."""
        process = self._process
        if process is not None and process.poll() is None:
            process.terminate()

    def _step(self, step: Step) -> dict[str, Any]:
        kind, words = self._words.get(step.name, ("", []))
        return {
            "name": step.name,
            "title": step.title,
            "todo": list(step.todo),
            "lacks": self._lacks(step),
            "files": [name for name in step.writes if self.file(name)],
            "done": bool(step.writes) and all(self.file(name) for name in step.writes),
            "pictures": len(self._pictures(step)),
            "wanted": step.pictures,
            "kind": kind,
            "words": words,
        }

    def _lacks(self, step: Step) -> list[str]:
        return [name for name in step.needs if not (self._folder / name).is_file()]

    def _place(self, step: Step) -> Path:
        return self._folder / "pictures" / step.name

    def _pictures(self, step: Step) -> list[Path]:
        return sorted(self._place(step).glob("*.jpg")) if step.pictures else []

    def _take(self, step: Step, jpeg: bytes) -> None:
        taken = self._pictures(step)
        if not step.pictures:
            raise CommandRefusedError(f"{step.title} takes no pictures")
        if not jpeg:
            raise CommandRefusedError("there is no picture: choose `camera` beside Camera, where a camera node runs")
        if len(taken) >= MOST_PICTURES:
            raise CommandRefusedError(f"{MOST_PICTURES} pictures were taken: start the step, or clear them")
        number = int(taken[-1].stem) + 1 if taken else 0
        with self._writing():
            self._place(step).mkdir(parents=True, exist_ok=True)
            (self._place(step) / f"{number:03d}.jpg").write_bytes(jpeg)

    def _start(self, step: Step) -> None:
        if lacks := self._lacks(step):
            raise CommandRefusedError(f"{step.title} needs {', '.join(lacks)}: do the steps before it")
        taken = len(self._pictures(step))
        if taken < step.pictures:
            raise CommandRefusedError(f"{step.title} needs {step.pictures} pictures, and {taken} were taken")
        with self._writing():
            self._folder.mkdir(parents=True, exist_ok=True)
        words = [sys.executable, "-m", "dofbot_ros.calibration.guided.worker", step.name]
        words += [str(self._folder), str(self._place(step))]
        self._process = subprocess.Popen(
            words,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        self._running, self._words[step.name] = step.name, ("progress", ["begun"])
        threading.Thread(target=self._hear, args=(step.name, self._process), name="calibration", daemon=True).start()

    def _hear(self, name: str, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        kind = "progress"
        for line in process.stdout:
            with suppress(ValueError):
                ((kind, said),) = json.loads(line).items()
                self._words[name] = (kind, said if isinstance(said, list) else [said])
            if kind != "progress":
                break
        process.stdout.close()
        if kind == "progress":
            self._words[name] = ("error", ["It was ended before it was done: nothing was written."])
        self._running = ""
        process.wait()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise CommandRefusedError(f"{self._folder} cannot be written: {error.strerror}") from error
