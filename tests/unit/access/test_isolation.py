"""Every public function that takes an access, with each id and row of another workspace: as if there were none.

Functions are found, not listed: one that is added later is called as well, or the test names what it does not know.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import io
import pkgutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

import core.catalog
import core.catalog.models as rows_of_models
import core.tasks
from core import alerts, exports, housekeeping, jobs, known_columns, models, policies, readings, saved_cohorts, summary
from core.access import LOCAL, Role
from core.automl import AutoMLSettings
from core.catalog import (
    AlertChannel,
    Dataset,
    PipelineStep,
    Promotion,
    Run,
    RunState,
    SavedPipeline,
    alert_channels,
    components,
    datasets,
    invitations,
    promotions,
    runs,
    saved_pipelines,
    schedules,
    steps,
    workspaces,
)
from core.catalog.engine import get_engine
from core.cohorts import Cohort, NumberCondition
from core.datasets import ReadOptions, Recipe
from core.edge.latency import LatencySuiteSettings
from core.errors import InputError, NotFoundError
from core.fairness import MitigationSettings, ThresholdPolicy
from core.federated import FederatedSettings, FederatedTextSettings
from core.finetune import FineTuneSettings
from core.jobs import Timing, scheduler
from core.pipelines import StepCall
from core.progress import Event
from core.summary import SummaryNotes
from tests.golden import Golden

OTHER = replace(LOCAL, workspace="other")
MISSING = "0" * 16

Function = Callable[..., Any]


def modules() -> Iterator[Any]:
    for package in (core.catalog, core.tasks):
        for module in pkgutil.iter_modules(package.__path__):
            if not module.name.startswith("_") and module.name != "migrations":
                yield importlib.import_module(f"{package.__name__}.{module.name}")
    own = (alerts, exports, housekeeping, jobs, known_columns, models, policies, readings, saved_cohorts, summary)
    yield from own


def functions() -> dict[str, Function]:
    """All public functions that take an access, by name; one that several packages export counts once."""
    matches = {}
    for module in modules():
        for name in getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]:
            function = getattr(module, name)
            if inspect.isfunction(function) and "access" in inspect.signature(function).parameters:
                matches[f"{function.__module__.removeprefix('core.')}.{function.__name__}"] = function
    return matches


FUNCTIONS = functions()

IDS = {
    "run_id": "run", "pipeline_run": "run", "pipeline_run_id": "run", "parent": "run", "continue_from": "run",
    "rerun_from": "run", "audited": "run", "before_run": "run", "dataset_id": "dataset", "like": "dataset",
    "dataset": "dataset", "model_id": "model", "model": "model", "first": "model", "second": "model",
    "version_id": "version", "component_id": "component", "pipeline_id": "pipeline", "saved": "pipeline",
    "schedule_id": "schedule", "step_id": "step", "invitation_id": "invitation", "promotion_id": "promotion",
    "alert_id": "alert", "channel_id": "channel",
}  # fmt: skip
"""Kind of row that an argument is the id of."""

ROWS = {
    "Run": "run", "Run | Dataset": "run", "ModelVersion | Run": "version", "Dataset": "dataset",
    "ModelVersion": "version", "SavedPipeline": "pipeline", "Schedule": "schedule", "PipelineStep": "step",
    "PipelineComponent": "component", "Alert": "alert", "AlertChannel": "channel",
}  # fmt: skip
"""Kind of row that an argument is, by its annotation."""

OWN_RUN = Run(id="1" * 16, workspace="other", task="check", state=RunState.SUCCEEDED)
OWN_DATASET = Dataset(
    id="2" * 16, workspace="other", name="own", fingerprint="e" * 64, data_digest="a" * 64, profile_digest="b" * 64,
    rows=1, columns=1, size_bytes=1,
)  # fmt: skip

CHANNEL = {"workspace": "local", "kind": "webhook", "name": "Chat", "target": "http://127.0.0.1:1"}

CALL = StepCall("train", "x", "echo", {}, None, "folder", {}, {}, False)

NOT_OWN = {"before_run", "audited"}
"""Arguments whose row is only left out, or only a key in the caller's own row."""

OTHERS: dict[str, Any] = {
    "alias": "night", "answer": None, "check": {"rule": "x"}, "column": "status", "columns": ("status",),
    "digest": "d" * 64, "digests": ["d" * 64], "draft": {}, "event": Event("said"), "expected": list(RunState),
    "file": "cohort-x.json", "filename": "x.csv", "files": {}, "fingerprint": "f" * 64, "key": "risks",
    "known": "yes", "label": "x", "license": "MIT", "name": "x", "notes": "x", "number": 1, "options": ReadOptions(),
    "output": "model", "outputs": {"model": "name=x"}, "path": "prep", "pipeline": "x", "recipe": Recipe(),
    "revision": 0, "roles": {}, "rule": "none", "source": "type: command", "state": RunState.CANCELLED,
    "step": "train", "target": None, "task": "check", "text": "x", "tokens": None, "timing": Timing(interval_s=3_600),
    "action": "sign out", "within_s": 60.0, "model_id": "3" * 16, "kind": "webhook", "until": None, "why": "x",
    "problem": "x",
    "audited": "", "parent": OWN_DATASET, "dataset": OWN_DATASET, "run_id": OWN_RUN.id, "dataset_id": OWN_DATASET.id,
    "first": "3" * 16, "second": "3" * 16, "cohort": Cohort((NumberCondition(column="age", high=25.0),)),
    "record": None, "row_id": "person", "changes": [],
    "contents": SimpleNamespace(to_dict=dict, title="x"), "call": CALL, "title": "x",
    "tracking_uri": "http://127.0.0.1:1", "values": {},
    "variant": "fp32", "version": "1", "settings": {},
}  # fmt: skip
"""What stands for arguments that are neither."""


@pytest.fixture(scope="module")
def known(stocked: Golden) -> dict[str, Any]:
    """One row of each kind of the first workspace; the other one has a run and a dataset of its own."""
    version = models.resolve(stocked.model, access=LOCAL)
    step = steps.add(PipelineStep(workspace="local", pipeline_run_id=stocked.binary, path="prep"), access=LOCAL)
    saved = saved_pipelines.add(SavedPipeline(workspace="local", name="x", text="jobs:"), access=LOCAL)
    component, _ = components.add("x", "type: command\nname: x\ncommand: echo", access=LOCAL)
    timing = Timing(interval_s=3_600)
    schedule = jobs.add_schedule("pipeline", {"saved": saved.id}, timing, title="x", access=LOCAL)
    shared = workspaces.add("Sales", person="ada")
    invitations.add(Role.VIEWER, access=shared)
    look = Run(workspace="local", task="preview", settings={"folder": "f" * 32, "filename": "x.csv"})
    look.state = RunState.SUCCEEDED
    datasets.add(OWN_DATASET.model_copy(), access=OTHER)
    runs.add(OWN_RUN.model_copy(), access=OTHER)
    return {
        "run": runs.get(stocked.binary, access=LOCAL),
        "export": runs.get(stocked.exported, access=LOCAL),
        "look": runs.add(look, access=LOCAL),
        "dataset": datasets.get(stocked.credit, access=LOCAL),
        "model": models.get(stocked.model, access=LOCAL),
        "version": version,
        "component": component,
        "pipeline": saved,
        "schedule": schedules.get(schedule.id, access=LOCAL),
        "step": step,
        "alert": alerts.raise_alert(stocked.model, "drift", "Drift", access=LOCAL)[0],
        "channel": alert_channels.add(AlertChannel(**CHANNEL), access=LOCAL),
        "invitation": invitations.find(access=shared)[0],
        "promotion": _promotion(stocked.model),
    }


def _promotion(model_id: str) -> Promotion:
    champion = rows_of_models.aliases(model_id, access=LOCAL).get("champion")
    number = next(version.number for version in models.versions(model_id, access=LOCAL) if version.number != champion)
    return promotions.request(model_id, number, access=LOCAL)


@pytest.fixture
def rows(known: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows; afterwards the catalog is as it was."""
    with (
        contextlib.closing(sqlite3.connect(":memory:")) as kept,
        contextlib.closing(sqlite3.connect(str(get_engine().url.database), timeout=30)) as catalog,
    ):
        catalog.backup(kept)
        yield known | {"changes": lambda: catalog.execute("PRAGMA data_version").fetchone()}
        kept.backup(catalog)


NEEDED = {"tracking_uri"}

OPTIONS: dict[str, dict[str, Any]] = {
    "alerts.actions.raise_alert": {"event": "x"},
    "alerts.channel_actions.add_channel": {"target": "http://127.0.0.1:1"},
    "catalog.alert_channels.change": {"name": "x"},
    "catalog.alerts.decide": {"state": "resolved"},
    "catalog.runs.set_fields": {"title": "x"},
    "catalog.versions.add": {"version": OWN_DATASET},
    "catalog.versions.restore": {"version": OWN_DATASET},
    "catalog.runs.change_state": {"title": "x"},
    "catalog.schedules.update": {"title": "x"},
    "catalog.steps.update": {"reason": "x"},
    "policies.choose": {"name": "none"},
    "exports.variant_path": {"name": "fp32"},
}
"""Arguments of single functions."""

RUNS_OF = {
    "export": ("exports.", "tasks.latency."),
    "look": ("tasks.preview.", "tasks.ingest.submit_previewed"),
}
"""Functions whose runs are of one kind."""

NOTHING_TO_DO = {"catalog.versions.undo", "catalog.versions.redo"}
"""Functions that a dataset without changes gives nothing to do, be it another workspace's or none."""


def others(function: Function, name: str, annotation: str, folder: Path) -> Any:
    if annotation in ("IO[bytes]",):
        return io.BytesIO(b"a,b\n1,2\n")
    special = {
        "AutoMLSettings": AutoMLSettings(target="credit"),
        "FederatedSettings": FederatedSettings(target="credit", site_column="purpose"),
        "FederatedTextSettings": FederatedTextSettings(text_column="text", target="sentiment", site_column="rating"),
        "FineTuneSettings": FineTuneSettings(text_column="text", label_column="sentiment"),
        "LatencySuiteSettings": LatencySuiteSettings(variants=("fp32",)),
        "MitigationSettings": MitigationSettings(sensitive_columns=("sex",)),
        "ThresholdPolicy": ThresholdPolicy.for_all(0.5),
        "SummaryNotes": SummaryNotes(),
        "Path": folder / "target",
        "str | Path": folder / "target",
        "pd.DataFrame": pd.DataFrame({"status": ["x"]}),
    }
    return special[annotation] if annotation in special else OTHERS[name]


CALLS = [
    (key, name)
    for key, function in sorted(FUNCTIONS.items())
    if not key.endswith((".add", ".add_version"))
    for name, parameter in inspect.signature(function).parameters.items()
    if (name in IDS and str(parameter.annotation).startswith("str")) or parameter.annotation in ROWS
    if name not in NOT_OWN
]


def outcome(call: Callable[[], Any], own: str) -> tuple[str, str, int]:
    """What a call does: its answer or error, without the id that it is about, and how many statements it takes."""
    count = 0

    def executed(*_: Any) -> None:
        nonlocal count
        count += 1

    sa.event.listen(get_engine(), "before_cursor_execute", executed)
    try:
        answer = ("answer", repr(call()))
    except (NotFoundError, InputError) as error:
        answer = ("not found" if isinstance(error, NotFoundError) else "refused", f"{error.message} {error.hint}")
    finally:
        sa.event.remove(get_engine(), "before_cursor_execute", executed)
    return answer[0], answer[1].replace(own, "ID"), count


@pytest.mark.parametrize(("key", "subject"), CALLS, ids=[f"{key}-{name}" for key, name in CALLS])
def test_rows_of_another_workspace_are_as_if_there_were_none(
    rows: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, key: str, subject: str
) -> None:
    monkeypatch.setattr(scheduler, "_start", lambda run: pytest.fail(f"{run.task} was started"))
    function = FUNCTIONS[key]
    parameters = inspect.signature(function).parameters
    annotation = str(parameters[subject].annotation)
    kind = ROWS[annotation] if annotation in ROWS else IDS[subject]
    if kind == "run":
        kind = next((name for name, keys in RUNS_OF.items() if key.startswith(keys)), kind)
    row = rows[kind]
    if "record" in parameters:
        monkeypatch.setitem(OTHERS, "record", exports.read(row, access=LOCAL))

    def call(value: Any) -> Callable[[], Any]:
        arguments = {
            name: others(function, name, str(parameter.annotation), tmp_path)
            for name, parameter in parameters.items()
            if (parameter.default is inspect.Parameter.empty or name in NEEDED)
            and parameter.kind is not inspect.Parameter.VAR_KEYWORD
            and name not in ("access", subject)
        }
        return lambda: function(**arguments | OPTIONS.get(key, {}) | {subject: value}, access=OTHER)

    if annotation in ROWS:
        unknown = type(row)(**row.model_dump() | {"id": MISSING, "workspace": "other"})
        foreign, missing = call(row), call(unknown)
    else:
        foreign, missing = call(row.id), call(MISSING)
    changes = rows["changes"]
    before = changes()
    answer = outcome(foreign, row.id)
    assert answer[0] != "refused" or key in NOTHING_TO_DO, "an argument is not right"
    assert changes() == before, "a row was changed"
    as_missing = outcome(missing, MISSING)
    if changes() != before:  # the row was the caller's own, and the function adds to it what it is given
        assert answer[0] == "not found"
    else:
        assert answer == as_missing
