"""One catalog with real tables and runs in every state that pages have to show."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core import jobs, models, policies
from core.automl import AutoMLSettings
from core.catalog import Dataset, Model, Run, RunArtifact, RunState, artifacts, datasets, runs
from core.edge.latency import LatencySettings, LatencySuiteSettings, Slo
from core.fairness import ThresholdPolicy
from core.tasks import automl, check, export, ingest, latency

MEASURED = LatencySuiteSettings(
    variants=("fp32",),
    latency=LatencySettings(warmup_s=0.1, duration_s=0.5),
    native=True,
    slo=Slo(bound_ms=1_000, qps=50, percentile=90),
    sweep={"batch_size": [1, 4]},
)
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class World:
    """What the catalog holds."""

    credit: Dataset
    diabetes: Dataset
    found: str  # a search that succeeded, two classes
    number: str  # a search that succeeded, regression
    failed: str
    cancelled: str
    exported: str  # of the search that succeeded
    measured: str


def _loaded(name: str) -> Dataset:
    run = jobs.wait(ingest.submit_sample(name, workspace="local"), 120, workspace="local")
    assert run.state is RunState.SUCCEEDED, run.error_message
    assert run.result is not None
    return datasets.get(run.result["dataset_id"], "local")


def _ended(run_id: str, state: RunState) -> str:
    run = jobs.wait(run_id, 120, workspace="local")
    assert run.state is state, (run.state, run.error_message)
    return run_id


@pytest.fixture(scope="session")
def _filled(installation: Callable, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, World]:
    home = tmp_path_factory.mktemp("world")
    with installation(home, MAX_RUNNING="2"):
        credit, diabetes = _loaded("german_credit"), _loaded("diabetes")
        quick = {"time_budget_s": None, "max_trials": 6, "folds": 2}
        sensitive = ("sex", "age")
        found = automl.submit(credit, AutoMLSettings(target="credit", sensitive_columns=sensitive, **quick))
        number = automl.submit(diabetes, AutoMLSettings(target="progression", **quick))
        checked = check.submit(credit, "credit", ["age", "sex"])
        failed = automl.submit(credit, AutoMLSettings(target="no such column", **quick))
        cancelled = automl.submit(credit, AutoMLSettings(target="credit", time_budget_s=600))
        jobs.cancel(cancelled, workspace="local")
        _ended(checked, RunState.SUCCEEDED)
        exported = export.submit(
            jobs.get(_ended(found, RunState.SUCCEEDED), workspace="local"), modes=("dynamic-int8",)
        )
        measured = latency.submit(jobs.get(_ended(exported, RunState.SUCCEEDED), workspace="local"), MEASURED)
        return home, World(
            credit,
            diabetes,
            _ended(found, RunState.SUCCEEDED),
            _ended(number, RunState.SUCCEEDED),
            _ended(failed, RunState.FAILED),
            _ended(cancelled, RunState.CANCELLED),
            exported,
            _ended(measured, RunState.SUCCEEDED),
        )


@pytest.fixture
def world(_filled: tuple[Path, World], installation: Callable) -> Iterator[World]:
    """Use the filled installation."""
    home, found = _filled
    with installation(home, MAX_RUNNING="2"):
        yield found


@pytest.fixture(scope="session")
def _rival(_filled: tuple[Path, World], installation: Callable) -> str:
    """A further search of the same table, exported, with a policy: other features, the same test rows."""
    home, world = _filled
    with installation(home, MAX_RUNNING="2"):
        settings = AutoMLSettings(target="credit", time_budget_s=None, max_trials=2, folds=2, drop_columns=("status",))
        run = jobs.get(_ended(automl.submit(world.credit, settings), RunState.SUCCEEDED), workspace="local")
        policy = ThresholdPolicy({"female": ((0.0, 1.0),), "male": ((1.1, 1.0),)}, ("sex",))
        assert policies.keep(run, "by sex", policy) == "policy-by-sex.json"
        _ended(export.submit(run, modes=()), RunState.SUCCEEDED)
        return run.id


@pytest.fixture
def credit_model(world: World, _rival: str, request: pytest.FixtureRequest) -> Model:
    """A model of its own for each test: version 1 is champion and has no policy, version 2 has one."""
    name = request.node.name[:100]
    # Tests of the Fairness page may have kept a policy with the search by now.
    models.register(repeated(world.found, leave_out="policy-"), name=name, notes="The first.", workspace="local")
    model = models.register(_rival, name=name, workspace="local")
    models.promote(model.id, 1, who="ann", why="It is all there is.", workspace="local")
    return model


def repeated(run_id: str, *, leave_out: str = "") -> str:
    """Put a run into the catalog once more, with the same files but those whose name begins with `leave_out`."""
    run = runs.get(run_id, "local")
    again = Run(**run.model_dump(exclude={"id", "created_at"}))
    runs.add(again)
    for item in artifacts.find(run.id, "local"):
        if leave_out and item.name.startswith(leave_out):
            continue
        artifacts.add(RunArtifact(**item.model_dump(exclude={"run_id"}), run_id=again.id))
    return again.id


def visit(page: str, **query: str) -> AppTest:
    """Open a page of the app as a browser would, with its frame."""
    test = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    for name, value in query.items():
        test.query_params[name] = value
    test.run()
    if page != "home":
        test.switch_page(f"pages/{page}/page.py")
        for name, value in query.items():
            test.query_params[name] = value
        test.run()
    return test


def query(test: AppTest, name: str) -> str:
    """Return a parameter of the page's address."""
    value = test.query_params[name]
    return value if isinstance(value, str) else value[-1]


def texts(test: AppTest) -> str:
    """Return all that a page says."""
    found = [element.value for kind in ("title", "subheader", "markdown", "caption") for element in test.get(kind)]
    # An alert's title is not among what AppTest tells by name.
    found += [
        f"{element.proto.title} {element.value}"
        for kind in ("error", "info", "warning", "success")
        for element in test.get(kind)
    ]
    return "\n".join(str(text) for text in found).replace("\\", "")


def table_with(test: AppTest, column: str) -> pd.DataFrame:
    """Return the first table of a page that has this column."""
    return next(found.value for found in test.dataframe if column in found.value.columns)


def labels(test: AppTest) -> list[str]:
    """Return the labels of a page's buttons."""
    return [button.label for button in test.button]
