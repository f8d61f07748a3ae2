"""Pages show every entry of a registry: its title is offered where people choose, and leads to where it belongs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import jobs
from core.access import LOCAL
from core.automl import LEARNERS, METRICS, learner_title, metric_choices
from core.catalog import Run, RunState, runs
from core.datasets import FILE_FORMATS, GUARDRAILS
from core.edge import QUANTIZATION_MODES
from core.edge.latency import SCENARIOS
from core.fairness import DEFINITIONS, RATES, SCORE_METRICS
from tests.golden import Golden, copy_home
from tests.pages.conftest import World, labels, query, texts, visit

DOUBLE = """
from core.jobs import TaskSpec

SPEC = TaskSpec(name="double", title="Doubling", help="Doubles a number.", lane="short", page="data")


def run(context):
    return {"doubled": 2 * context.settings["number"]}
"""

NEIGHBORS = """
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from core.automl import LEARNERS, Hyperparameter, Learner


def build(config, task, *, jobs, seed):
    return (KNeighborsRegressor if task == "regression" else KNeighborsClassifier)(**config)


def space(rows, columns, task):
    return {"n_neighbors": Hyperparameter.integer(1, 20, initial=5, low_cost=5)}


LEARNERS.add(Learner("neighbors", "Nearest neighbors", build=build, space=space))
"""


def _finished(task: str) -> Run:
    """Put a finished run of a kind into the catalog."""
    spec = jobs.task_spec(task)
    settings = {} if spec.subject is None else {spec.subject: "0123456789abcdef"}
    run = Run(workspace="local", task=task, title=f"A run of {task}", state=RunState.SUCCEEDED, settings=settings)
    runs.add(run, access=LOCAL)
    return run


def _types(test: AppTest) -> list[str]:
    return list(test.dataframe[0].value["Type"])


def test_every_kind_of_run_is_listed_filtered_and_opened(home: Path) -> None:
    by_task = {task: _finished(task) for task in jobs.TASKS}
    test = visit("runs")
    assert sorted(_types(test)) == sorted(spec.title for spec in jobs.TASKS.values())
    for task, run in by_task.items():
        spec = jobs.TASKS[task]
        test.selectbox(key="runs-task").set_value(task).run()
        assert _types(test) == [spec.title]
        opened = visit("runs", run=run.id)
        assert not opened.exception
        assert not opened.error
        assert opened.title[0].value.replace("\\", "") == spec.title
        assert ("Open the result" in labels(opened)) == (spec.page is not None)


def test_a_kind_of_run_from_outside_is_listed_filtered_and_linked(
    installation: Callable[..., AbstractContextManager[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "outside_tasks"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "double.py").write_text(DOUBLE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    try:
        with installation(tmp_path / "home", TASK_PACKAGES='["core.tasks", "outside_tasks"]'):
            run = jobs.wait(jobs.submit("double", {"number": 21}, access=LOCAL), 30, access=LOCAL)
            assert run.state is RunState.SUCCEEDED, run.error_message
            _finished("check")
            test = visit("runs")
            assert "Doubling" in test.selectbox(key="runs-task").options
            test.selectbox(key="runs-task").set_value("double").run()
            assert _types(test) == ["Doubling"]
            opened = visit("runs", run=run.id)
            assert opened.title[0].value == "Doubling"
            assert "Open the result" in labels(opened)
            assert "Repeat" in labels(opened)
    finally:
        sys.modules.pop("outside_tasks.double", None)


def test_every_file_format_is_named_at_the_upload(home: Path) -> None:
    named = visit("data").file_uploader[0].help.lower()
    for file_format in FILE_FORMATS.values():
        assert file_format.title.lower() in named
        assert file_format.extensions[0] in named


def test_every_metric_and_learner_can_be_chosen(world: World) -> None:
    test = visit("automl", dataset=world.credit.id)
    test.selectbox(key=f"automl-target-{world.credit.id}").set_value("credit").run()
    offered = set()
    for task in ("binary", "multiclass", "regression"):
        test.selectbox(key=f"automl-task-{world.credit.id}-credit").set_value(task).run()
        assert not test.exception
        titles = test.selectbox(key=f"automl-metric-{task}").options
        assert titles == [METRICS[name].title for name in metric_choices(task)]
        offered |= set(titles)
    of_texts = metric_choices("multilabel")  # searches of tables predict one label
    assert offered == {metric.title for name, metric in METRICS.items() if name not in of_texts}
    assert test.multiselect(key="automl-learners").options == [learner_title(name) for name in LEARNERS]


def test_every_definition_of_fairness_is_explained(world: World) -> None:
    test = visit("fairness", run=world.binary)
    test.multiselect(key=f"fairness-columns-{world.binary}").set_value(["sex"]).run()
    for name, definition in DEFINITIONS.items():
        test.selectbox(key="fairness-definition").set_value(name).run()
        assert not test.exception
        assert definition.question.replace("\\", "") in texts(test)


def test_every_variant_can_be_made(world: World) -> None:
    test = visit("edge", model=world.binary)
    assert len(test.multiselect(key="edge-modes").options) == len(QUANTIZATION_MODES)


def test_every_rate_of_a_model_is_in_the_table_of_groups(world: World) -> None:
    test = visit("fairness", run=world.binary)
    columns = set(test.dataframe[0].value.columns)
    for record in [*RATES.values(), *SCORE_METRICS.values()]:
        assert {record.title, f"{record.title} (%)"} & columns, record.name


def test_every_scenario_can_be_measured(world: World) -> None:
    test = visit("edge", run=world.exported, tab="Measure")
    for name, scenario in SCENARIOS.items():
        test.radio(key="edge-lab-scenario").set_value(name).run()
        assert not test.exception
        assert not test.error
        assert scenario.help in texts(test)
        assert "Measure" in labels(test)


def test_every_check_of_a_table_is_explained(world: World) -> None:
    said = texts(visit("data", dataset=world.credit.id, tab="Checks"))
    for guardrail in GUARDRAILS.values():
        assert f"**{guardrail.title}.** {guardrail.help}" in said


@pytest.mark.nightly
def test_a_learner_from_outside_is_chosen_searched_and_listed(
    golden: tuple[Path, Golden],
    installation: Callable[..., AbstractContextManager[Path]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    copy_home(golden[0], tmp_path / "home")
    (tmp_path / "outside_learner.py").write_text(NEIGHBORS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    try:
        with installation(tmp_path / "home", EXTENSIONS='["outside_learner"]'):
            test = visit("automl", dataset=golden[1].diabetes)
            test.selectbox(key=f"automl-target-{golden[1].diabetes}").set_value("progression")
            test.session_state["automl-preset"] = "trials"
            test.run()
            test.number_input(key="automl-trials").set_value(2)
            test.toggle(key="automl-explain").set_value(False)
            test.multiselect(key="automl-learners").set_value(["neighbors"]).run()
            assert "Nearest neighbors" in test.multiselect(key="automl-learners").options
            test.button(key="automl-start").click().run()
            assert not test.exception
            run = jobs.wait(query(test, "run"), 120, access=LOCAL)
            assert run.state is RunState.SUCCEEDED, run.error_message
            board = visit("automl", run=run.id, tab="Leaderboard").dataframe[0].value
            assert sum("Nearest neighbors" in name for name in board["Model"]) == 2
    finally:
        LEARNERS.remove("neighbors")
        sys.modules.pop("outside_learner", None)
