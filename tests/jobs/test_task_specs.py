"""Kinds of run: each is one record, and one that an extension adds can be submitted like any other."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from core import jobs
from core.access import LOCAL
from core.catalog import RunState
from core.errors import JobError

ROOT = Path(__file__).resolve().parents[2]

MODULE = """
from core.jobs import TASKS, TaskSpec

{declaration}


def run(context):
    return {{"doubled": 2 * context.settings["number"]}}
"""
SPEC = 'TaskSpec(name="double", title="Doubling", help="Doubles a number.", lane="short", page="data"{more})'


@pytest.mark.parametrize("name", list(jobs.TASKS))
def test_each_kind_of_run_is_described(name):
    spec = jobs.task_spec(name)
    assert spec.name == name
    assert spec.title
    assert spec.lane in ("long", "short", "pipeline")
    if name in {path.stem for path in (ROOT / "core" / "tasks").glob("*.py")}:
        assert spec.help.endswith(".")
        assert spec.page is None or (ROOT / "pages" / spec.page / "page.py").is_file()


def test_the_kinds_of_run_of_the_product():
    assert set(jobs.TASKS) >= {"ingest", "check", "automl", "finetune", "export", "latency", "score"}
    assert jobs.task_spec("automl").resumable
    assert not jobs.task_spec("ingest").repeatable


@pytest.mark.parametrize("way", ["task package", "extension"])
def test_a_kind_of_run_from_outside_works(installation, tmp_path, monkeypatch, way):
    package = tmp_path / f"outside_{way.replace(' ', '_')}"
    package.mkdir()
    (package / "__init__.py").write_text("")
    if way == "extension":
        declaration = f"TASKS.add({SPEC.format(more=', module=__name__')})"
        settings = {"EXTENSIONS": f'["{package.name}.double"]'}
    else:
        declaration = f"SPEC = {SPEC.format(more='')}"
        settings = {"TASK_PACKAGES": f'["core.tasks", "{package.name}"]'}
    (package / "double.py").write_text(MODULE.format(declaration=declaration))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    try:
        with installation(tmp_path / "home", **settings):
            assert jobs.TASKS["double"].title == "Doubling"
            assert "double" in list(jobs.TASKS)
            run_id = jobs.submit("double", {"number": 21}, access=LOCAL)
            run = jobs.wait(run_id, 30, access=LOCAL)
            assert run.state is RunState.SUCCEEDED, run.error_message
            assert (run.result, run.lane) == ({"doubled": 42}, "short")
            assert jobs.task_spec("double").result_run_id(run) == run_id
    finally:
        if way == "extension" and "double" in jobs.TASKS:
            jobs.TASKS.remove("double")
        sys.modules.pop(f"{package.name}.double", None)


def test_an_unknown_task_is_named_with_the_nearest(home):
    with pytest.raises(JobError, match="Unknown task 'imgest'") as caught:
        jobs.submit("imgest", {}, access=LOCAL)
    assert caught.value.hint.startswith("Did you mean 'ingest'?")


def test_a_task_that_is_gone_is_known_by_its_name():
    spec = jobs.task_spec("no_longer_there")
    assert spec.title == "no_longer_there"
    assert (spec.resumable, spec.stoppable, spec.repeatable) == (False, False, False)
