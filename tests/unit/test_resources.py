"""Cores and memory of a container are those that its control groups allow."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from core import resources


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(resources, "_GROUPS", tmp_path / "sys")
    monkeypatch.setattr(resources, "_OWN", tmp_path / "own")
    monkeypatch.setattr(resources.os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    return tmp_path


def write(groups: Path, own: str, files: dict[str, str]) -> None:
    (groups / "own").write_text(own)
    for name, text in files.items():
        path = groups / "sys" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")


@pytest.mark.parametrize(
    ("own", "files", "cores"),
    [
        ("0::/\n", {"cpu.max": "max 100000"}, 8),
        ("0::/\n", {"cpu.max": "200000 100000"}, 2),
        ("0::/\n", {"cpu.max": "150000 100000"}, 2),
        ("0::/\n", {"cpu.max": "20000 100000"}, 1),
        ("0::/slurm/job7/step\n", {"slurm/job7/cpu.max": "300000 100000", "slurm/cpu.max": "max 100000"}, 3),
        ("0::/../other\n", {"cpu.max": "400000 100000"}, 4),
        (
            "4:cpu,cpuacct:/docker/a\n3:memory:/docker/a\n",
            {"cpu,cpuacct/docker/a/cpu.cfs_quota_us": "250000", "cpu,cpuacct/docker/a/cpu.cfs_period_us": "100000"},
            3,
        ),
        ("4:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 8),
        ("", {}, 8),
        ("nonsense\n", {"cpu.max": "x y"}, 8),
    ],
)
def test_cores_are_those_of_the_quota(groups: Path, own: str, files: dict[str, str], cores: int) -> None:
    write(groups, own, files)
    assert resources.usable_cores() == cores


def test_cores_are_at_most_those_that_the_process_may_run_on(groups: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(groups, "0::/\n", {"cpu.max": "600000 100000"})
    monkeypatch.setattr(resources.os, "sched_getaffinity", lambda _: {3, 5}, raising=False)
    assert resources.usable_cores() == 2


@pytest.mark.parametrize(
    ("own", "files", "limit"),
    [
        ("0::/a/b\n", {"a/b/memory.max": "max", "a/memory.max": str(3 << 20)}, 3 << 20),
        ("5:memory:/x\n", {"memory/x/memory.limit_in_bytes": str(5 << 20)}, 5 << 20),
        ("5:memory:/\n", {"memory/memory.limit_in_bytes": "9223372036854771712"}, None),
        ("0::/\n", {}, None),
    ],
)
def test_memory_is_that_of_the_container(groups: Path, own: str, files: dict[str, str], limit: int | None) -> None:
    write(groups, own, files)
    assert resources.usable_memory() == (psutil.virtual_memory().total if limit is None else limit)


def test_nobody_counts_the_cores_of_the_machine() -> None:
    """But where the machine itself is described."""
    own = ("core/resources.py", "core/edge/latency/", "core/smallest_variants.py")
    root = Path(__file__).parents[2]
    counting = [
        path.relative_to(root).as_posix()
        for path in (root / "core").rglob("*.py")
        if "cpu_count" in (text := path.read_text(encoding="utf-8")) or "sched_getaffinity" in text
    ]
    assert [name for name in counting if not name.startswith(own)] == []
    assert os.cpu_count()
