"""A model that earlier code watched: its batches, labels, rules, alerts and schedules are there, and it is watched on.

``tests/data/make_old_monitored.py`` makes such an installation.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from core import alerts, jobs, models, monitored
from core.access import LOCAL
from core.catalog import RunState
from core.monitored import SELECTION_RATE
from core.tasks import monitor, monitor_schedules

DATA = Path(__file__).parents[1] / "data"
HOMES = sorted(path.name.removesuffix(".tar.xz") for path in DATA.glob("monitored-*.tar.xz"))


@pytest.fixture(scope="module", params=HOMES)
def old(
    request: pytest.FixtureRequest, installation: Callable, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Any]]:
    """Unpack one of the installations and use it."""
    folder = tmp_path_factory.mktemp("monitored")
    with tarfile.open(DATA / f"{request.param}.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    with installation(folder / "home"):
        yield json.loads((folder / "home" / "expected.json").read_text(encoding="utf-8"))


def test_batches_labels_rules_alerts_and_schedules_are_there(old: dict[str, Any]) -> None:
    batches = monitored.batches_of(old["model"], access=LOCAL)
    assert [batch.name for batch in batches] == ["before.csv", "moved.csv"]
    assert [batch.state.state for batch in batches] == old["states"]
    estimates = [batch.performance.value for batch in batches if batch.performance is not None]
    assert estimates == [value for value in old["estimates"] if value is not None]
    first, moved = batches
    assert first.labels is not None
    assert (first.labels.known, first.labels.measured.measured.value) == (200, old["measured"])
    gap, low, high = first.subgroups.gaps[SELECTION_RATE]["group"]
    assert low is not None
    assert high is not None
    assert low <= gap <= high
    assert moved.drifted == ("fee",)
    assert monitored.report_of(moved, access=LOCAL)["fee"].drifted
    plan = monitored.plan_of(old["model"], access=LOCAL)
    assert plan is not None
    assert (plan.row_id, plan.largest_gap, plan.reference, plan.keep_days) == ("person", 0.9, None, 365)
    (alert,) = alerts.alerts_of(old["model"], access=LOCAL)
    assert (alert.title, alert.state, alert.decided_why) == (old["alert"], "acknowledged", "I look at the fees.")
    (schedule,) = monitor_schedules.schedules_of(old["model"], access=LOCAL)
    assert schedule.settings["values"]["url"] == old["url"]


def test_later_labels_and_another_batch_join_what_was_there(old: dict[str, Any]) -> None:
    version = models.resolve(old["model"], access=LOCAL)
    labels = io.BytesIO(pd.DataFrame(old["labels"]).to_csv(index=False).encode())
    run_id = monitor.submit_labels(version, labels, "more.csv", row_id="person", label="left", access=LOCAL)
    run = jobs.wait(run_id, 120, access=LOCAL)
    assert run.state is RunState.SUCCEEDED, run.error_message
    first = monitored.batches_of(old["model"], access=LOCAL)[0]
    assert first.labels is not None
    assert first.labels.known == 300
    assert not first.labels.subgroups, "memberships of its rows were not kept then"
    rows = pd.DataFrame({"person": ["q1", "q2"] * 40, "fee": [80.0, 160.0] * 40, "group": ["a", "b"] * 40})
    content = io.BytesIO(rows.to_csv(index=False).encode())
    run = jobs.wait(monitor.submit_upload(version, content, "new.csv", access=LOCAL), 120, access=LOCAL)
    assert run.state is RunState.SUCCEEDED, run.error_message
    newest = monitored.batches_of(old["model"], access=LOCAL)[-1]
    assert (newest.name, newest.look) == ("new.csv", 3)
    assert {rate.group for rate in newest.subgroups.rates} == {"a", "b"}
