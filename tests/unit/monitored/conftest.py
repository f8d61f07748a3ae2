"""What the tests of watched models share: an installation of earlier code with a model and two batches."""

from __future__ import annotations

import io
import json
import tarfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core import models, monitored
from core.access import LOCAL
from core.catalog import ModelVersion, Run, RunState, runs
from core.errors import PlumblineError
from core.jobs import RunContext
from core.monitored import Batch
from core.tasks import monitor

DATA = Path(__file__).parents[2] / "data"


@dataclass(frozen=True)
class Watched:
    """A model that predicts who leaves, with the column of groups "group" and ids in "person"."""

    version: ModelVersion

    @property
    def run(self) -> Run:
        """The run that made it."""
        return runs.get(self.version.run_id, access=LOCAL)

    def people(self, count: int, seed: int, **values: Any) -> pd.DataFrame:
        """Return new people with their labels; the fee decides, and chance."""
        random = np.random.default_rng(seed)
        fees = random.gamma(3, 40, count).round(2)
        left = np.where(fees + random.normal(0, 40, count) > 120, "yes", "no")
        ids = [f"{seed}-{number}" for number in range(count)]
        frame = pd.DataFrame({"person": ids, "fee": fees, "group": random.choice(["a", "b"], count), "left": left})
        return frame.assign(**values)

    def scores(self, frame: pd.DataFrame) -> pd.Series:
        """Return the probability of "yes"."""
        return models.score(self.version.id, frame, policy="none", access=LOCAL)["p(yes)"].reset_index(drop=True)

    def bring(self, frame: pd.DataFrame, name: str) -> Batch:
        """Compare a batch, and return what it says."""
        run = self.work(frame, name)
        assert run.state is RunState.SUCCEEDED, run.error_message
        return self.batch(name)

    def join(self, frame: pd.DataFrame) -> Run:
        """Bring labels."""
        return self.work(frame, "labels.csv", labels={"row_id": "person", "label": "left"})

    def work(self, frame: pd.DataFrame, name: str, **more: Any) -> Run:
        """Run the task in this process, as a worker does."""
        source = monitor._kept_upload(self.version, content(frame), name, access=LOCAL)
        settings = {"version": self.version.id, "model": self.version.model_id, "at": time.time(), **source, **more}
        run = Run(workspace="local", task="monitor", settings=settings, state=RunState.RUNNING)
        runs.add(run, access=LOCAL)
        fields: dict[str, Any]
        try:
            fields = {"state": RunState.SUCCEEDED, "result": json.loads(json.dumps(monitor.run(RunContext(run))))}
        except PlumblineError as error:
            fields = {"state": RunState.FAILED, "error_message": error.message, "error_hint": error.hint}
        runs.set_fields(run.id, list(RunState), finished_at=time.time(), **fields, access=LOCAL)
        return runs.get(run.id, access=LOCAL)

    def batch(self, name: str) -> Batch:
        """Return a batch by its name."""
        return next(item for item in monitored.batches_of(self.version.model_id, access=LOCAL) if item.name == name)

    def rules(self, **values: Any) -> None:
        """Change some of the rules."""
        plan = monitored.plan_of(self.version.model_id, access=LOCAL)
        assert plan is not None
        monitored.change_plan(self.version.model_id, plan.model_copy(update=values), access=LOCAL)


def content(frame: pd.DataFrame) -> Any:
    """Return a table as an upload."""
    return io.BytesIO(frame.to_csv(index=False).encode())


@pytest.fixture
def watched(installation: Callable, tmp_path: Path) -> Iterator[Watched]:
    """A model that is watched, with two batches before: "before.csv" and, with larger fees, "moved.csv"."""
    with tarfile.open(DATA / "monitored-1.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    with installation(tmp_path / "home"):
        expected = json.loads((tmp_path / "home" / "expected.json").read_text(encoding="utf-8"))
        yield Watched(models.resolve(expected["model"], access=LOCAL))
