"""A search's model as an export: files, proof, policy, bundle, and what is refused."""

import json
import subprocess
import sys
import zipfile
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core import exports, jobs
from core.access import LOCAL
from core.catalog import Run, RunState, artifacts, datasets, runs
from core.datasets import load_frame
from core.demo import POLICY
from core.edge import Metadata, TableScorer, license_text
from core.errors import ExportError, InputError, SettingsError
from core.housekeeping import delete_dataset
from core.storage import get_store
from core.tasks import export


@pytest.fixture(scope="module")
def world(stocked):
    """A table and a search of it."""
    return datasets.get(stocked.credit, access=LOCAL), jobs.get(stocked.rival, access=LOCAL)


@pytest.fixture(scope="module")
def exported(stocked):
    """The export of the search, with a policy."""
    return jobs.get(stocked.rival_export, access=LOCAL)


def test_the_file_gives_the_predictions_that_the_search_stored(world, exported):
    dataset, search = world
    scorer = TableScorer(exports.variant_path(exported, exports.read(exported, access=LOCAL), "fp32", access=LOCAL))
    frame = load_frame(get_store().local_path(dataset.data_digest))
    stored = pd.read_parquet(jobs.artifact_path(search.id, "test.parquet", access=LOCAL))
    ours = scorer.outputs(frame.iloc[stored["row_id"]])
    np.testing.assert_allclose(ours[:, 1], stored["p(good)"], atol=1e-5)


def test_the_proof_is_over_all_rows_with_the_test_rows_apart(world, exported):
    dataset, search = world
    record = exports.read(exported, access=LOCAL)
    test = pd.read_parquet(jobs.artifact_path(search.id, "test.parquet", access=LOCAL))
    parity = record.model.parity
    assert parity["held_out"]["rows"] == len(test) == record.rows.held_out
    assert parity["train"]["rows"] == dataset.rows - len(test) == record.rows.train
    assert parity["edge_cases"]["rows"] > 0
    assert all(part["rows_over"] == part["label_flips"] == 0 for part in parity.values())
    assert parity["bundle_rows"]["rows"] == parity["bundle_rows"]["decisions"] == len(test)
    assert parity["bundle_rows"]["decision_flips"] == 0
    # The metric of the file is that of the model, which the search computed by itself.
    known = json.loads(jobs.artifact_path(search.id, "result.json", access=LOCAL).read_text())["test_metrics"]
    assert record.variants[0].metrics["accuracy"].value == pytest.approx(known["accuracy"]["value"])


def test_a_variant_that_cannot_be_made_is_listed_with_its_reason(exported):
    record = exports.read(exported, access=LOCAL)
    assert [variant.name for variant in record.variants] == ["fp32", "dynamic-int8"]
    assert record.variants[1].file is None
    assert "It is small and fast as it is." in record.variants[1].reason
    with pytest.raises(InputError, match="Choose one of: fp32"):
        exports.variant_path(exported, record, "dynamic-int8", access=LOCAL)


def test_the_policy_travels_in_the_file(exported):
    metadata = Metadata.read(exports.variant_path(exported, exports.read(exported, access=LOCAL), "fp32", access=LOCAL))
    assert metadata.policy == POLICY.to_dict()
    assert metadata.target == "credit"
    assert metadata.fingerprint == exports.read(exported, access=LOCAL).fingerprint


def test_the_bundle_decides_by_the_policy(exported, tmp_path):
    exports.bundle(exported, "fp32", tmp_path / "bundle.zip", license=license_text("MIT"), access=LOCAL)
    with zipfile.ZipFile(tmp_path / "bundle.zip") as archive:
        archive.extractall(tmp_path / "bundle")
    folder = tmp_path / "bundle"
    assert "SPDX-License-Identifier: MIT" in (folder / "LICENSE").read_text()
    card = (folder / "model_card.md").read_text()
    assert "`credit`" in card
    assert "by a threshold policy in the file" in card
    assert "Not answered yet" in card
    rows = exports.read(exported, access=LOCAL).rows.held_out
    assert f"{rows:,} rows were written as a CSV file" in (folder / "README.md").read_text()
    assert f"| bundle rows | {rows:,} |" in card
    done = subprocess.run([sys.executable, "predict.py", "--check"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    sample, expected = pd.read_csv(folder / "sample_input.csv"), pd.read_csv(folder / "expected_output.csv")
    thresholds = sample["sex"].map({sex: rule[0][0] for sex, rule in POLICY.rules.items()})
    assert (expected["decision"].eq(1) == (expected["p(good)"] >= thresholds)).all()


def test_nothing_is_queued_for_what_cannot_be_exported(world, exported):
    _, search = world
    with pytest.raises(SettingsError, match="Unknown quantization mode 'int3'"):
        export.submit(search, modes=("int3",), access=LOCAL)
    with pytest.raises(SettingsError, match="No policy 'policy-other"):
        export.submit(search, policy="policy-other.json", access=LOCAL)
    with pytest.raises(InputError, match="no model to export"):
        export.submit(exported, access=LOCAL)
    with pytest.raises(InputError, match="no exported model"):
        exports.require(search)


def test_a_bundle_needs_a_model_of_ours(exported, monkeypatch, tmp_path):
    record = replace(exports.read(exported, access=LOCAL), model=None)  # as for an upload
    monkeypatch.setattr(exports, "read", lambda run, access: record)
    with pytest.raises(ExportError, match="a model that Plumbline exported"):
        exports.bundle(exported, "fp32", tmp_path / "bundle.zip", license="", access=LOCAL)


def test_a_model_whose_table_is_gone_says_so(world):
    dataset, search = world
    content = get_store().read_bytes(dataset.data_digest)
    delete_dataset(dataset.id, access=LOCAL)
    settings = {"source": search.id, "policy": None, "modes": []}
    run = runs.add(Run(workspace="local", task="export", settings=settings, state=RunState.SUCCEEDED), access=LOCAL)
    with pytest.raises(InputError, match="table that this model was trained on was deleted"):
        export.run(jobs.RunContext(run))
    assert not artifacts.find(run.id, access=LOCAL)
    get_store().put_bytes(content)
