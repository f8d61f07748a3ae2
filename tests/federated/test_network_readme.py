"""The commands of deploy/federated/README.md, each on the machine that it is for, here all on this one."""

from __future__ import annotations

import importlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from core.federated import FederatedResult
from tests.federated.network_processes import DEADLINE_S, free_port

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "deploy" / "federated"
PYTHON = {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "default", "OMP_NUM_THREADS": "1"}


def scripts() -> dict[str, str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return dict(project["scripts"])


def commands() -> list[tuple[str, str]]:
    """Return the commands of the README with the machine that each is for."""
    blocks = re.findall(r"^```sh (\w+)\n(.*?)^```", (EXAMPLE / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    return [(machine, line) for machine, text in blocks for line in text.splitlines()]


def test_each_command_is_a_function() -> None:
    assert set(scripts()) == {"plumbline-site", "plumbline-study"}
    for target in scripts().values():
        module, function = target.split(":")
        assert callable(getattr(importlib.import_module(module), function))


def test_the_readme_has_a_command_for_each_machine() -> None:
    assert [machine for machine, _ in commands()] == [
        "coordinator",
        "coordinator",
        "north",
        "south",
        "west",
        "coordinator",
    ]
    assert {shlex.split(line)[0] for _, line in commands()} == set(scripts())


def environment(folder: Path) -> dict[str, str]:
    """Return an environment in which both commands are there, as `pip install` makes them."""
    folder.mkdir()
    for name, target in scripts().items():
        module, function = target.split(":")
        path = folder / name
        path.write_text(f"#!{sys.executable}\nimport sys\nfrom {module} import {function}\nsys.exit({function}())\n")
        path.chmod(0o755)
    return {**os.environ, **PYTHON, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


def write_tables(folder: Path) -> None:
    subprocess.run(
        [sys.executable, EXAMPLE / "tables.py", folder], env={**os.environ, **PYTHON}, check=True, timeout=DEADLINE_S
    )


@pytest.mark.nightly
def test_the_commands_of_the_readme_make_a_result(tmp_path: Path) -> None:
    env = environment(tmp_path / "bin")
    write_tables(tmp_path / "tables")
    address = f"127.0.0.1:{free_port()}"
    folders = {machine: tmp_path / machine for machine, _ in commands()}
    for machine, folder in folders.items():
        folder.mkdir()
        if machine != "coordinator":
            shutil.copy(tmp_path / "tables" / f"{machine}.csv", folder)
    shutil.copy(EXAMPLE / "settings.json", folders["coordinator"])

    (_, create), (_, run), *joins, (_, show) = commands()
    subprocess.run(
        shlex.split(create.replace("coordinator.example.org:8470", address)),
        cwd=folders["coordinator"],
        env=env,
        check=True,
        timeout=DEADLINE_S,
    )
    for machine, _ in joins:
        shutil.move(folders["coordinator"] / "study" / f"{machine}.token", folders[machine])
    with subprocess.Popen(shlex.split(run), cwd=folders["coordinator"], env=env) as coordinator:
        sites = [
            subprocess.Popen(shlex.split(line), cwd=folders[machine], env=env, stdin=subprocess.PIPE)
            for machine, line in joins
        ]
        for site in sites:
            site.communicate(b"yes\n", timeout=DEADLINE_S)
        assert coordinator.wait(DEADLINE_S) == 0
    assert [site.returncode for site in sites] == [0, 0, 0]
    shown = subprocess.run(
        shlex.split(show),
        cwd=folders["coordinator"],
        env=env,
        check=True,
        timeout=DEADLINE_S,
        capture_output=True,
        text=True,
    ).stdout
    assert "finished" in shown
    assert shown.count("has finished the study") == 3
    result = FederatedResult.load(folders["coordinator"] / "study" / "result")
    assert list(result.by_site.index) == ["north", "south", "west"]


@pytest.mark.nightly
def test_three_sites_on_one_machine(tmp_path: Path) -> None:
    env = environment(tmp_path / "bin")
    write_tables(tmp_path / "tables")
    subprocess.run(
        ["sh", EXAMPLE / "three_sites.sh", tmp_path / "tables", str(free_port())],
        cwd=tmp_path,
        env=env,
        check=True,
        timeout=2 * DEADLINE_S,
    )
    assert FederatedResult.load(tmp_path / "study" / "result").verdict
