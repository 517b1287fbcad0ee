"""Gates rise and do not fall, and stand where the project wants them."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def gates() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gates", ROOT / "tools" / "gates.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "gates.json"
    path.write_text(json.dumps({"mutation": {"safety": 90, "motion": 92}}))
    return path


def test_a_figure_on_or_above_its_gate_passes(gates: ModuleType, file: Path) -> None:
    gates.check("mutation", {"safety": 90.0, "motion": 99.0}, file)
    gates.check("mutation", {"safety": 90.0}, file)


def test_every_figure_that_is_lower_or_has_no_gate_is_named(gates: ModuleType, file: Path) -> None:
    with pytest.raises(gates.GateError) as refused:
        gates.check("mutation", {"safety": 89.99, "motion": 80.0, "driver": 99.0}, file)
    assert str(refused.value).splitlines() == [
        "mutation of safety is 89.99 %, its gate is 90 %",
        "mutation of motion is 80.00 %, its gate is 92 %",
        "mutation of driver has no gate in gates.json",
    ]
    with pytest.raises(gates.GateError, match="coverage of safety has no gate"):
        gates.check("coverage", {"safety": 99.0}, file)


def test_lifting_raises_and_never_lowers_a_gate(gates: ModuleType, file: Path) -> None:
    gates.lift("mutation", {"safety": 95.9, "motion": 91.0, "driver": 90.2}, file)
    assert gates.load(file) == {"mutation": {"safety": 95, "motion": 92, "driver": 90}}
    gates.lift("coverage", {"safety.branches": 97.5}, file)
    assert gates.load(file)["coverage"] == {"safety.branches": 97}


def test_lifting_makes_the_first_file(gates: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "new.json"
    gates.lift("mutation", {"safety": 95.9}, path)
    assert gates.load(path) == {"mutation": {"safety": 95}}


def test_the_gates_stand_where_the_project_wants_them() -> None:
    gates = json.loads((ROOT / "test" / "gates.json").read_text())
    covered = {f"{p}.{kind}" for p in ("safety", "motion", "driver", "hardware") for kind in ("statements", "branches")}
    assert set(gates["coverage"]) == covered
    assert min(gates["coverage"].values()) >= 95
    for module, gate in gates.get("mutation", {}).items():
        package, name = module.split(".")
        assert package in ("safety", "motion", "driver")
        assert (ROOT / "dofbot_ros" / package / f"{name}.py").is_file()
        assert gate >= 90
