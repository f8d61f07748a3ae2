"""Files that are small and hostile end in a message that names the damage or the limit, within memory and time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from core.bounded import run_bounded
from core.datasets import Limits, profile, read_table
from core.errors import InputError, LimitError, UnexpectedError
from tests.unit.datasets.hostile.corpus import CORPUS

ROOT = Path(__file__).parents[3]
FAMILIES: dict[str, list[str]] = defaultdict(list)
for name in CORPUS:
    FAMILIES[name.partition("/")[0]].append(name)
HARD = [name for name, file in CORPUS.items() if file.hard]


def outcomes(names: list[str], *, memory_mb: int, cpu_s: int) -> list[dict[str, Any]]:
    """Read files one after the other in a process, and return what became of each."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PLUMBLINE_READ")}
    run = [sys.executable, "-m", "tests.unit.datasets.hostile.run"]
    with tempfile.TemporaryDirectory(prefix="hostile-") as folder:
        subprocess.run([*run, "write", folder, *names], cwd=ROOT, check=True, env=environment)
        command = [*run, "read", folder, str(memory_mb), str(cpu_s), *names]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=environment)
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [result["name"] for result in results] == names, f"ended with {done.returncode}: {done.stderr[-2_000:]}"
    return results


def expect_bounded(results: list[dict[str, Any]], *, memory_mb: int, cpu_s: float) -> None:
    for result in results:
        assert result["kind"] in ("", "InputError", "LimitError"), result
        assert result["rows"] or result["said"], result
        assert "defect" not in result["said"], result
        assert not result["left"], result
        assert result["cpu_s"] <= cpu_s, result
        assert result["peak_mb"] <= memory_mb, result


def test_the_corpus_is_large_and_its_files_are_small() -> None:
    assert len(CORPUS) >= 400
    assert sum(len(HARD[part::5]) for part in range(2)) >= 30, "in the default tier"


@pytest.mark.parametrize("part", [0, 1, *(pytest.param(part, marks=pytest.mark.nightly) for part in (2, 3, 4))])
def test_the_hardest_end_in_time_and_memory(part: int) -> None:
    results = outcomes(HARD[part::5], memory_mb=600, cpu_s=1)
    expect_bounded(results, memory_mb=700, cpu_s=8)


@pytest.mark.nightly
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("family", FAMILIES)
def test_all_end_in_time_and_memory(family: str) -> None:
    expect_bounded(outcomes(FAMILIES[family], memory_mb=1_500, cpu_s=12), memory_mb=1_500, cpu_s=20)


def bounded(name: str, **job: Any) -> dict[str, Any]:
    function = f"tests.unit.datasets.hostile.jobs:{name}"
    return run_bounded(function, job, subject="The file", memory_mb=300, cpu_s=2)


def test_a_process_with_limits_says_which_was_exceeded() -> None:
    assert bounded("take_memory", mb=10) == {"parts": 10}
    with pytest.raises(LimitError, match="The file needs more than 300 MB of memory"):
        bounded("take_memory", mb=2_000)
    with pytest.raises(LimitError, match="The file needs more than 2 s of processor time"):
        bounded("take_time")
    with pytest.raises(InputError, match="The file is damaged: reading it crashed"):
        bounded("crash", signal=11)
    with pytest.raises(UnexpectedError, match="of our own"):
        bounded("fail")


def test_limits_of_the_installation_hold_in_every_format(tmp_path: Path, installation: Any) -> None:
    CORPUS["excel/1,000,000 shared strings"].write(tmp_path / "t.xlsx")
    with installation(tmp_path / "home", READ_MEMORY_MB="100"), pytest.raises(LimitError, match="more than 100 MB"):
        read_table(tmp_path / "t.xlsx", workdir=tmp_path / "work")
    assert not list((tmp_path / "work").iterdir())


def test_a_profile_is_bounded_too(tmp_path: Path) -> None:
    CORPUS["parquet/a structure of 300 fields in 100,000 rows"].write(tmp_path / "t.parquet")
    with pytest.raises(LimitError, match="unpacks to more than"):
        profile(tmp_path / "t.parquet", limits=Limits())
    with pytest.raises(InputError, match="does not exist"):
        profile(tmp_path / "u.parquet")
    (tmp_path / "v.parquet").write_bytes(b"PAR1" * 100)
    with pytest.raises(InputError, match="damaged"):
        profile(tmp_path / "v.parquet", limits=Limits())


@pytest.mark.parametrize("name", ["excel", "parquet", "json"])
def test_a_process_of_its_own_reads_as_this_one_does(tmp_path: Path, name: str) -> None:
    path = tmp_path / "people"
    if name == "json":
        path.write_text('{"a": 1, "b": "é"}\n{"a": null, "b": "NA"}\n', encoding="utf-8")
    else:
        CORPUS["excel/a dimension of A1" if name == "excel" else "parquet/wide decimals"].write(path)
    events: list[str] = []
    here = read_table(path, workdir=tmp_path / "here", limits=Limits(memory_mb=0))
    there = read_table(
        path, workdir=tmp_path / "there", report=lambda event: events.append(event.message), limits=Limits()
    )
    assert (there.report, there.fingerprint) == (here.report, here.fingerprint)
    assert [item.name for item in (tmp_path / "there").iterdir()] == ["table.parquet"]
    assert "Computing the fingerprint" in events
