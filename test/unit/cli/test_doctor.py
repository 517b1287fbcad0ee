"""`dofbot doctor` on machines that are ill in one way each: it is found, and the remedy is named."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from command_line import CliRunner

from dofbot_ros.cli.main import app
from dofbot_ros.cli.setup.findings import BAD, GOOD, WARNING, Finding, Machine, look


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Of a machine that is well."""
    for name in ("dev/shm", "usr/lib/udev/rules.d"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("ttyUSB0", "video0", "nvidia0"):
        (tmp_path / "dev" / name).touch()
    (tmp_path / "usr/lib/udev/rules.d/90-brltty.rules").write_text('# ENV{PRODUCT}=="1a86/7523/*"\n')
    return tmp_path


def found(root: Path, topic: str, **changes: object) -> list[Finding]:
    machine = Machine(root, **{"environment": {}, "installed": lambda name: "1.0", **changes})
    return [finding for finding in look(machine) if finding.topic == topic]


def only(findings: list[Finding], level: str) -> Finding:
    (finding,) = [each for each in findings if each.level == level]
    return finding


def test_a_machine_that_is_well_has_no_remedy_for_its_port(root: Path) -> None:
    assert [f.level for f in found(root, "ports")] == [GOOD]
    assert [f.level for f in found(root, "camera")] == [GOOD]
    assert "nvidia0" in found(root, "gpu")[0].what


def test_brltty_that_takes_the_adapter_is_found(root: Path) -> None:
    rules = root / "usr/lib/udev/rules.d/90-brltty.rules"
    rules.write_text('ENV{PRODUCT}=="1a86/7523/*", ENV{BRLTTY_BRAILLE_DRIVER}="bm"\n')
    finding = only(found(root, "ports"), BAD)
    assert "brltty" in finding.what
    assert "apt remove brltty" in finding.remedy


def test_what_may_not_be_opened_is_named_with_its_group(root: Path) -> None:
    machine = {"readable": lambda path: False}
    assert "dialout" in only(found(root, "ports", **machine), BAD).remedy
    assert "usermod -aG video" in only(found(root, "camera", **machine), BAD).remedy


def test_nothing_plugged_in_is_a_warning(root: Path) -> None:
    (root / "dev/ttyUSB0").unlink()
    (root / "dev/video0").unlink()
    assert "dmesg" in only(found(root, "ports"), WARNING).remedy
    assert only(found(root, "camera"), WARNING).remedy


def test_an_open_network_and_an_impossible_domain_are_told(root: Path) -> None:
    environment = {"DOFBOT_NETWORK": "open", "ROS_DOMAIN_ID": "120"}
    findings = found(root, "domain", environment=environment)
    assert "ROS_DOMAIN_ID=120" in only(findings, BAD).what
    assert any("every machine" in finding.what for finding in findings)


def test_what_is_not_installed_is_told_with_what_it_is_for(root: Path) -> None:
    findings = found(root, "packages", installed=lambda name: None if name == "torch" else "0.10.21")
    assert "needed for training" in only(findings, WARNING).remedy


def test_a_mediapipe_without_models_is_told_with_what_to_download(root: Path, tmp_path: Path) -> None:
    look = {"installed": lambda name: "1.2.3", "environment": {"XDG_DATA_HOME": str(tmp_path)}}
    hands, bodies = [finding for finding in found(root, "packages", **look) if finding.level == WARNING]
    assert f"-o {tmp_path}/dofbot_ros/mediapipe/hand_landmarker.task https://" in hands.remedy
    assert "pose_landmarker_full.task" in bodies.what
    for bundled in ("0.10.18", "0.10.21"):
        assert not [each for each in found(root, "packages", installed=lambda name: bundled) if each.level == WARNING]  # noqa: B023


def test_a_machine_without_shared_memory_is_bad(root: Path) -> None:
    (root / "dev/shm").rmdir()
    assert "mount" in only(found(root, "shared memory"), BAD).remedy


def test_what_killed_programs_left_in_shared_memory_is_told(root: Path) -> None:
    files = [root / f"dev/shm/{name}" for name in ("fastrtps_0123", "fastdds_4567", "others")]
    for file in files:
        file.touch()
        os.truncate(file, 600 << 20)  # of which nothing is stored
    told = only(found(root, "shared memory"), WARNING)
    assert "1200 MiB in 2 files of Fast DDS" in told.what
    assert "rm -f /dev/shm/fastrtps_* /dev/shm/fastdds_*" in told.remedy
    files[0].unlink()
    assert "600 MiB in 1 files" in only(found(root, "shared memory"), GOOD).what


def test_the_command_says_the_same_to_people_and_to_machines() -> None:
    result = CliRunner().invoke(app, ["doctor", "--json"])
    findings = json.loads(result.stdout)["findings"]
    assert result.exit_code == int(any(finding["level"] == BAD for finding in findings))
    assert {finding["topic"] for finding in findings} >= {"python", "packages", "ros", "shared memory", "gpu"}
