"""A federated study as a run: its model is one like any other, in the registry, on cards, as ONNX, watched by site."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core import jobs, models, monitored
from core.access import LOCAL
from core.automl import bundle
from core.catalog import Run, RunState, artifacts, datasets
from core.errors import InputError
from core.federated import FederatedResult, FederatedSettings
from core.storage import get_store
from core.summary import SummaryNotes
from core.tasks import export, federated, ingest, monitor, summary
from tests.unit.federated.test_federated_simulation import sites_table

TABLE = sites_table(900)


def _import(frame: pd.DataFrame, name: str) -> Any:
    run_id = ingest.submit_upload(io.BytesIO(frame.to_csv(index=False).encode()), name, access=LOCAL)
    run = jobs.wait(run_id, 120, access=LOCAL)
    assert run.result is not None, run.error_message
    return datasets.get(run.result["dataset_id"], access=LOCAL)


def _ended(run_id: str) -> Run:
    run = jobs.wait(run_id, 240, access=LOCAL)
    assert run.state is RunState.SUCCEEDED, (run.error_message, jobs.log(run_id, access=LOCAL)[-3_000:])
    return run


@pytest.fixture(scope="module")
def study(installation: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A study of trees of three hospitals."""
    with installation(tmp_path_factory.mktemp("federated") / "home", MAX_RUNNING="2"):
        settings = FederatedSettings(target="ill", site_column="hospital", rounds=15, folds=3)
        yield _ended(federated.submit(_import(TABLE, "patients.csv"), settings, access=LOCAL))


def test_it_is_exported_and_explained_like_a_search(study: Run) -> None:
    assert study.result is not None
    assert study.result["export_error"] is None
    assert study.result["explain_error"] is None
    names = {item.name for item in artifacts.find(study.id, access=LOCAL)}
    assert {"model.skops", "model.onnx", "federated.json", "messages.parquet", "explain.json"} <= names


def test_its_card_names_sites_rounds_and_privacy(study: Run) -> None:
    text = models.card_of_run(study.id, access=LOCAL).to_markdown()
    assert "Boosted trees, trained in 15 rounds by 3 sites whose rows stayed apart" in text
    assert "No row left a site" in text
    assert "north" in text
    assert "kB left the sites" in text


def test_a_registered_version_scores_and_is_watched_by_site(study: Run) -> None:
    registered = models.register(study.id, name="Hospitals", access=LOCAL)
    version = models.versions(registered.id, access=LOCAL)[0]
    rows = TABLE.head(50)
    scored = models.score(version.id, rows.drop(columns=["ill", "hospital"]), access=LOCAL)
    assert len(scored) == 50
    assert scored["p(yes)"].between(0, 1).all()
    batch = TABLE.sample(300, random_state=1).drop(columns="ill")
    file = io.BytesIO(batch.to_csv(index=False).encode())
    _ended(monitor.submit_upload(version, file, "march.csv", access=LOCAL))
    (watched,) = monitored.batches_of(version.model_id, access=LOCAL)
    watched_groups = json.dumps(watched.subgroups.to_dict())
    assert "hospital" in watched_groups
    assert "north" in watched_groups


def test_its_bundle_predicts_without_the_project(study: Run, tmp_path: Path) -> None:
    files = {item.name: get_store().local_path(item.digest) for item in artifacts.find(study.id, access=LOCAL)}
    bundle(files, tmp_path / "model.zip")
    with zipfile.ZipFile(tmp_path / "model.zip") as archive:
        archive.extractall(tmp_path)
    folder = tmp_path / "model"
    assert not (folder / "core" / "federated").exists()
    TABLE.head(20).to_csv(folder / "rows.csv", index=False)
    command = [sys.executable, "predict.py", "rows.csv", "out.csv"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    result = FederatedResult.load(folder)
    assert pd.read_csv(folder / "out.csv")["prediction"].tolist() == result.model.predict(TABLE.head(20)).tolist()


def test_the_exported_file_answers_as_the_model_does(study: Run) -> None:
    exported = _ended(export.submit(study, access=LOCAL))
    assert exported.result is not None
    assert "fp32" in exported.result["variants"]


def test_its_summary_can_be_handed_on(study: Run) -> None:
    _ended(summary.submit(study, SummaryNotes(), access=LOCAL))


def test_a_table_per_site_becomes_one_dataset(study: Run) -> None:
    sites = {
        str(name): _import(part.drop(columns="hospital"), f"{name}.csv") for name, part in TABLE.groupby("hospital")
    }
    settings = FederatedSettings(target="ill", algorithm="linear", folds=0)
    run = _ended(federated.submit_tables(sites, settings, access=LOCAL))
    assert run.result["export_error"] is None, "without out-of-fold rows, the file is compared on the test rows"
    joined = datasets.get(run.dataset_id or "", access=LOCAL)
    assert joined.rows == len(TABLE)
    assert joined.name == "3 sites: north, south, west"
    record = json.loads(jobs.artifact_path(run.id, "federated.json", access=LOCAL).read_text())
    assert [item["site"] for item in record["sites"]] == ["north", "south", "west"]
    predictions = pd.read_parquet(jobs.artifact_path(run.id, "test.parquet", access=LOCAL))
    assert set(predictions["site"]) == {"north", "south", "west"}
    assert np.isfinite(predictions["p(yes)"]).all()


def test_what_cannot_be_a_study_is_refused_at_once(study: Run) -> None:
    dataset = datasets.get(study.dataset_id or "", access=LOCAL)
    with pytest.raises(InputError, match="no column of sites"):
        federated.submit(dataset, FederatedSettings(target="ill"), access=LOCAL)
    with pytest.raises(InputError, match="1 tables were chosen"):
        federated.submit_tables({"a": dataset}, FederatedSettings(target="ill"), access=LOCAL)
