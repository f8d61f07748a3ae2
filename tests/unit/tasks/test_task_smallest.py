"""The search for the smallest variant as a run: its files, its bundle, its stop, what it refuses."""

import json
import subprocess
import sys
import time
import zipfile

import pytest

from core import exports, jobs, smallest_variants
from core.access import LOCAL
from core.catalog import RunState, artifacts
from core.edge.smallest import SmallestSettings
from core.errors import InputError, SettingsError
from core.tasks import smallest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def searched(stocked):
    run = jobs.get(stocked.smallest, access=LOCAL)
    return run, smallest_variants.read(run, access=LOCAL)


def test_all_is_stored_with_the_run(searched, stocked):
    run, report = searched
    assert run.state is RunState.SUCCEEDED
    assert run.result["export"] == report.export == stocked.text_export
    assert run.result["answer"] == report.answer.sentence
    assert run.result["chosen"] == report.choice.candidate.variant
    assert run.result["variants"] == ["fp32", "dynamic-int8", "int4", "pruned"]
    names = {artifact.name for artifact in artifacts.find(run.id, access=LOCAL)}
    assert names >= {"smallest.json", "model.dynamic-int8.onnx", "model.pruned.onnx", "tokenizer.pruned.json"}
    assert "model.onnx" not in names  # the export has it
    assert {item.candidate.length for item in report.candidates} == {None, 8}
    assert report.metric == "accuracy"
    assert all(item.loss.n > 0 for item in report.candidates)
    vocabulary = report.variant("pruned").vocabulary
    assert vocabulary.kept < vocabulary.before
    assert report.refused == []


def test_progress_was_reported(searched):
    run, _ = searched
    events = jobs.events(run.id, access=LOCAL)
    assert {"make", "screen", "contend", "conclude"} <= {event.phase for event in events}


@pytest.mark.parametrize("which", ["chosen", "pruned to 8 tokens"])
def test_the_bundle_of_a_candidate_predicts_on_its_own(searched, tmp_path, which):
    run, report = searched
    tried = [(item.candidate.variant, item.candidate.length) for item in report.candidates]
    index = report.chosen if which == "chosen" else tried.index(("pruned", 8))
    candidate = report.candidates[index].candidate
    target = smallest_variants.bundle(run, index, tmp_path / "bundle.zip", license="None.", access=LOCAL)
    with zipfile.ZipFile(target) as archive:
        archive.extractall(tmp_path / "bundle")
    card = (tmp_path / "bundle" / "model_card.md").read_text(encoding="utf-8")
    assert f"Variant: {candidate.variant}" in card
    readme = (tmp_path / "bundle" / "README.md").read_text(encoding="utf-8")
    assert f"The model reads the first {candidate.length or report.max_length} tokens of each." in readme
    done = subprocess.run(
        [sys.executable, "predict.py", "--check"], cwd=tmp_path / "bundle", capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_a_table_is_searched_and_stopped(stocked):
    exported = jobs.get(stocked.exported, access=LOCAL)
    asked = SmallestSettings(size_mb=5, threads=(1, 2), batch_sizes=tuple(range(1, 17)), short_s=0.5)
    run_id = smallest.submit(exported, asked, access=LOCAL)
    deadline = time.monotonic() + 60
    while not any("3 of 32" in event.message for event in jobs.events(run_id, access=LOCAL)):
        assert time.monotonic() < deadline, jobs.log(run_id, access=LOCAL)
        time.sleep(0.1)
    jobs.stop(run_id, access=LOCAL)
    run = jobs.wait(run_id, 30, access=LOCAL)
    assert run.state is RunState.SUCCEEDED, run.error_message
    report = smallest_variants.read(run, access=LOCAL)
    assert report.stopped
    assert 2 <= len(report.candidates) < 32
    assert report.answer.sentence.startswith("fp32 (1 thread")
    assert "no matrix products" in report.refused[0].reason


def test_what_cannot_be_searched_is_refused_before_it_is_queued(stocked):
    with pytest.raises(InputError, match="has no exported model"):
        smallest.submit(jobs.get(stocked.binary, access=LOCAL), SmallestSettings(), access=LOCAL)


def test_a_loss_needs_held_out_rows(stocked, monkeypatch):
    from dataclasses import replace

    exported = jobs.get(stocked.exported, access=LOCAL)
    record = exports.read(exported, access=LOCAL)
    plain = replace(record, rows=replace(record.rows, held_out=0))
    monkeypatch.setattr(exports, "read", lambda run, access: plain)
    with pytest.raises(SettingsError, match="no rows with true values"):
        smallest.submit(exported, SmallestSettings(max_loss=0.1), access=LOCAL)


def test_reports_are_json(searched):
    _, report = searched
    assert json.loads(json.dumps(report.to_dict()))["export"] == report.export
