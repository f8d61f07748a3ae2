"""Installations that earlier code made open with today's: nothing in them is lost, and their models predict the same.

``tests/data/make_old_home.py`` makes one; it says what is in it.
"""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from core import exports, jobs, models, policies
from core.access import INSTALLATION, LOCAL
from core.automl import AutoMLResult, AutoMLSettings, load_predictions
from core.catalog import RunState, artifacts, datasets, runs
from core.catalog.engine import writing
from core.catalog.tables import Run
from core.datasets import Profile, load_frame
from core.edge import TableScorer, TextScorer
from core.explain import Explanation
from core.finetune import FineTuneResult
from core.storage import get_store
from core.tasks import automl, export, mitigate, score

HOMES = sorted(path.name.removesuffix(".tar.xz") for path in (Path(__file__).parents[1] / "data").glob("home-*.tar.xz"))


@dataclass(frozen=True)
class OldHome:
    """An unpacked installation, and what was written down when it was made."""

    folder: Path
    runs: dict[str, str]
    datasets: dict[str, str]
    policy: str
    scores: dict[str, dict[str, Any]]

    def files(self, name: str, target: Path) -> Path:
        """Write all files of a run into a folder and return it."""
        for item in artifacts.find(self.runs[name], access=LOCAL):
            path = target / item.name
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(get_store().local_path(item.digest), path)
        return target


@pytest.fixture(scope="module", params=HOMES)
def old(request: pytest.FixtureRequest, installation: Callable, tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    """Unpack one of the old homes and use it."""
    folder = tmp_path_factory.mktemp("old")
    with tarfile.open(Path(__file__).parents[1] / "data" / f"{request.param}.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    notes = json.loads((folder / "home" / "expected.json").read_text(encoding="utf-8"))
    with installation(folder / "home", MAX_RUNNING="2"):
        yield OldHome(folder / "home", **notes)


def test_runs_have_their_states_and_events(old):
    ended = {"failed": RunState.FAILED, "cancelled": RunState.CANCELLED, "stopped": RunState.CANCELLED}
    for name, run_id in old.runs.items():
        run = jobs.get(run_id, access=LOCAL)
        assert run.state is ended.get(name, RunState.SUCCEEDED), name
        assert name == "cancelled" or jobs.events(run_id, access=LOCAL), name
        assert isinstance(jobs.log(run_id, access=LOCAL), str)
    assert "no such column" in jobs.get(old.runs["failed"], access=LOCAL).error_message


def test_datasets_load_with_their_profiles(old):
    for dataset_id in old.datasets.values():
        dataset = datasets.get(dataset_id, access=LOCAL)
        frame = load_frame(get_store().local_path(dataset.data_digest))
        assert frame.shape == (dataset.rows, dataset.columns)
        profile = Profile.from_dict(json.loads(get_store().read_bytes(dataset.profile_digest)))
        assert [column.name for column in profile.columns] == frame.columns.tolist()


@pytest.mark.parametrize("name", ["binary", "number", "forest", "continued"])
def test_search_results_load_and_their_models_predict_the_stored_test_rows(old, name, tmp_path):
    result = AutoMLResult.load(old.files(name, tmp_path))
    run = jobs.get(old.runs[name], access=LOCAL)
    frame = load_frame(get_store().local_path(datasets.get(run.dataset_id, access=LOCAL).data_digest))
    rows = frame.loc[result.test["row_id"]]
    predicted = pd.Series(result.model.predict(rows))
    stored = result.test["prediction"].reset_index(drop=True)
    if result.task == "regression":
        assert predicted.tolist() == pytest.approx(stored.tolist(), rel=1e-6)
    else:
        assert predicted.astype(str).tolist() == stored.astype(str).tolist()
    assert result.verdict == run.result["verdict"]
    assert len(result.leaderboard) >= 2
    assert result.trials[0]["learner"]
    assert load_predictions(tmp_path / "trials.npz")


@pytest.mark.parametrize("name", ["credit", "progression", "sentiment"])
def test_registered_models_score_as_they_did(old, name):
    expected = old.scores[name]
    rows = pd.DataFrame(expected["rows"])
    ids = {"row_id": "key"} if name == "credit" else {}
    answers = models.RowScorer(models.resolve(expected["model"], access=LOCAL), **ids, access=LOCAL).score(rows)
    before = pd.DataFrame(expected["predictions"])
    assert answers.columns.tolist() == before.columns.tolist()
    for column in before.columns:
        if pd.api.types.is_numeric_dtype(before[column]):
            assert answers[column].tolist() == pytest.approx(before[column].tolist(), rel=1e-5, abs=1e-6), column
        else:
            assert answers[column].astype(str).tolist() == before[column].astype(str).tolist(), column


def test_trainings_load(old, tmp_path):
    result = FineTuneResult.load(old.files("trained", tmp_path))
    rows = old.scores["sentiment"]["rows"]
    predicted = result.predict([row["text"] for row in rows])
    stored = [row["prediction"] for row in old.scores["sentiment"]["predictions"]]
    assert predicted["label"].astype(str).tolist() == stored


def test_explanations_load(old, tmp_path):
    for name in ("binary", "explained"):
        folder = old.files(name, tmp_path / name)
        explanation = Explanation.load(folder)
        assert len(explanation.permutation) > 1
        assert explanation.shap is not None
        assert len(explanation.shap) > 1


def test_exports_answer_as_their_models(old, tmp_path):
    table = TableScorer(old.files("exported", tmp_path / "table") / "model.onnx")
    expected = pd.DataFrame(old.scores["credit"]["predictions"])
    answers = table.predict(pd.DataFrame(old.scores["credit"]["rows"]))
    assert answers["p(good)"].tolist() == pytest.approx(expected["p(good)"].tolist(), abs=1e-4)
    folder = old.files("text_export", tmp_path / "text")
    trained = FineTuneResult.load(old.files("trained", tmp_path / "trained"))
    texts = [row["text"] for row in old.scores["sentiment"]["rows"]]
    tokenizer = tmp_path / "trained" / "model" / "tokenizer.json"
    scorer = TextScorer(folder / "model.onnx", tokenizer, trained.labels, trained.settings.max_length)
    stored = pd.DataFrame(old.scores["sentiment"]["predictions"])
    assert scorer.predict(texts)["p(positive)"].tolist() == pytest.approx(stored["p(positive)"].tolist(), abs=1e-4)
    assert exports.read(runs.get(old.runs["exported"], access=LOCAL), access=LOCAL).variants


def test_policies_cards_and_history(old):
    run = jobs.get(old.runs["binary"], access=LOCAL)
    assert list(policies.kept(run, access=LOCAL)) == [old.policy]
    assert policies.reads(run, access=LOCAL) == 2
    model = models.get(old.scores["credit"]["model"], access=LOCAL)
    version = models.resolve(model.id, access=LOCAL)
    assert (model.name, version.number, models.aliases(version, access=LOCAL)) == ("credit", 1, ["champion"])
    assert len(models.versions(model.id, access=LOCAL)) == 2
    assert {event.who for event in models.history(model.id, access=LOCAL)} == {"ann"}
    card = models.card(version.id, access=LOCAL)
    assert "To test." in card.to_markdown()
    assert "To test." in card.to_html(charts=False)
    for name in ("progression", "sentiment"):
        assert models.card(old.scores[name]["model"], access=LOCAL).to_json()


def test_measurements_and_mitigations_are_read(old, tmp_path):
    for name in ("measured", "mitigated", "scored", "uploaded"):
        files = old.files(name, tmp_path / name)
        for path in files.rglob("*.json"):
            assert json.loads(path.read_text(encoding="utf-8"))
    latest = mitigate.latest(jobs.get(old.runs["binary"], access=LOCAL), access=LOCAL)
    assert latest is not None
    assert latest.id == old.runs["mitigated"]


@pytest.mark.nightly
def test_a_search_goes_on_from_an_old_one(old):
    run = jobs.get(old.runs["binary"], access=LOCAL)
    settings = AutoMLSettings.model_validate(run.settings | {"max_trials": 7, "explain": False})
    dataset = datasets.get(run.dataset_id, access=LOCAL)
    ended = jobs.wait(automl.submit(dataset, settings, continue_from=run.id, access=LOCAL), 120, access=LOCAL)
    assert ended.state is RunState.SUCCEEDED, ended.error_message
    assert ended.result["trials"] == 7


@pytest.mark.nightly
def test_an_old_model_is_exported_and_scores_a_file(old):
    ended = jobs.wait(
        export.submit(jobs.get(old.runs["number"], access=LOCAL), modes=(), access=LOCAL), 120, access=LOCAL
    )
    assert ended.state is RunState.SUCCEEDED, ended.error_message
    rows = pd.DataFrame(old.scores["credit"]["rows"]).to_csv(index=False).encode()
    version = models.resolve(old.scores["credit"]["model"], access=LOCAL)
    ended = jobs.wait(
        score.submit_upload(version, io.BytesIO(rows), "rows.csv", row_id="key", access=LOCAL), 120, access=LOCAL
    )
    assert ended.state is RunState.SUCCEEDED, ended.error_message
    assert ended.result["rows"] == len(old.scores["credit"]["rows"])


@pytest.mark.nightly
def test_a_stopped_training_is_resumed(old):
    run = jobs.get(old.runs["stopped"], access=LOCAL)
    settings = run.settings | {"base_model": str(old.folder / "base")}  # the base model moved with the home
    with writing(INSTALLATION) as session:
        session.merge(Run(**run.model_dump(exclude={"settings"}), settings=settings))
    asked = old.folder / "runs" / run.id / "work" / "finetune" / "asked.json"
    asked.write_text(asked.read_text().replace(run.settings["base_model"], settings["base_model"]))
    events = len(jobs.events(old.runs["stopped"], access=LOCAL))
    jobs.resume(old.runs["stopped"], access=LOCAL)
    while (
        len(jobs.events(old.runs["stopped"], access=LOCAL)) < events + 3
        and not jobs.get(old.runs["stopped"], access=LOCAL).state.terminal
    ):
        jobs.tick()
    assert jobs.get(old.runs["stopped"], access=LOCAL).state is not RunState.FAILED, jobs.get(
        old.runs["stopped"], access=LOCAL
    ).error_message
    jobs.stop(old.runs["stopped"], access=LOCAL)
    ended = jobs.wait(old.runs["stopped"], 120, access=LOCAL)
    assert ended.state is RunState.CANCELLED, ended.error_message
