"""A model of a prepared version scores rows of the file as it scored the training rows: the steps travel with it."""

from __future__ import annotations

import html
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from core import exports, jobs, models
from core.access import LOCAL
from core.automl import AutoMLSettings, bundle
from core.catalog import Dataset, ModelVersion, RunState, artifacts, datasets, runs, versions
from core.datasets import Recipe, Replay, load_frame
from core.datasets import prepare as preparation
from core.errors import ExportError, InputError
from core.models._mlflow_loader import _load_pyfunc
from core.storage import get_store
from core.tasks import automl, export, ingest, prepare, score

RANDOM = np.random.default_rng(0)
ROWS = 300
FEES = RANDOM.gamma(3, 400, ROWS).round(2)
FILE = pd.DataFrame(
    {
        "id": [f"C{number}" for number in range(ROWS)],
        "Plan": RANDOM.choice(["DSL", "dsl", "Fiber", "fiber"], ROWS),
        "fee": [f"${fee:,.2f}" if RANDOM.random() > 0.05 else "on request" for fee in FEES],
        "since": pd.date_range("2021-01-01", periods=ROWS, freq="3D").strftime("%d.%m.%Y"),
        "age": [str(age) if age else "" for age in RANDOM.integers(0, 60, ROWS)],
        "left": np.where(FEES + RANDOM.normal(0, 200, ROWS) > 1_200, "yes", "no"),
    }
)
STEPS = [
    {"step": "merge", "column": "Plan", "values": {"dsl": "DSL", "fiber": "Fiber"}},
    {"step": "change_type", "column": "fee", "type": "number"},
    {"step": "fill", "column": "fee", "how": "median"},
    {"step": "rename", "column": "Plan", "to": "plan"},
    {"step": "derive", "column": "yearly", "expression": "fee * 12"},
    {"step": "derive", "column": "quarter", "expression": "text(quarter(since))"},
    {"step": "filter", "condition": "length(id) > 2"},
    {"step": "drop", "columns": ["id"]},
]


@dataclass
class Trained:
    """A version of a dataset, and a model of it."""

    dataset: Dataset
    model: ModelVersion
    frame: pd.DataFrame


@pytest.fixture(scope="module")
def trained(installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trained]:
    with installation(tmp_path_factory.mktemp("prepared") / "home"):
        upload = io.BytesIO(FILE.to_csv(index=False).encode())
        run = jobs.wait(ingest.submit_upload(upload, "customers.csv", access=LOCAL), 60, access=LOCAL)
        raw = datasets.get((run.result or {})["dataset_id"], access=LOCAL)
        run = jobs.wait(prepare.submit(raw, Recipe(STEPS), "Prepare", access=LOCAL), 60, access=LOCAL)
        assert run.state is RunState.SUCCEEDED, run.error_message
        dataset = datasets.get((run.result or {})["dataset_id"], access=LOCAL)
        settings = AutoMLSettings(target="left", time_budget_s=None, max_trials=2, explain=False, folds=2)
        run = jobs.wait(automl.submit(dataset, settings, access=LOCAL), 120, access=LOCAL)
        assert run.state is RunState.SUCCEEDED, run.error_message
        model = models.register(run.id, name="Leavers", access=LOCAL)
        frame = load_frame(get_store().local_path(dataset.data_digest))
        yield Trained(dataset, models.resolve(model.id, access=LOCAL), frame)


def raw_rows() -> pd.DataFrame:
    """The rows of the file that the filter kept, with the types of its reading."""
    rows = FILE[FILE["id"].str.len() > 2].drop(columns="left").reset_index(drop=True)
    return rows.assign(since=pd.to_datetime(rows["since"], format="%d.%m.%Y"), age=pd.to_numeric(rows["age"]))


def test_rows_of_the_file_are_scored_as_those_of_the_version(trained: Trained) -> None:
    expected = models.score(trained.model.id, trained.frame, access=LOCAL)
    scored = models.score(trained.model.id, raw_rows(), access=LOCAL)
    assert scored["prediction"].tolist() == expected["prediction"].tolist()
    np.testing.assert_array_equal(scored["p(yes)"], expected["p(yes)"])
    ignored = [finding for finding in scored.attrs["findings"] if finding["check"] == "ignored"]
    assert not any("fee" in finding["message"] or "Plan" in finding["message"] for finding in ignored)


def test_one_row_at_a_time_and_in_any_order(trained: Trained) -> None:
    rows = raw_rows()
    expected = models.score(trained.model.id, rows, access=LOCAL)["p(yes)"]
    shuffled = rows.sample(frac=1, random_state=1)[list(rows.columns[::-1])]
    other = models.score(trained.model.id, shuffled, access=LOCAL)["p(yes)"]
    np.testing.assert_allclose(other.sort_index(), expected, rtol=0, atol=1e-6)
    for row in (0, 7, int(np.flatnonzero(rows["fee"] == "on request")[0]), int(np.flatnonzero(rows["age"].isna())[0])):
        single = models.score(trained.model.id, rows.iloc[[row]], access=LOCAL)["p(yes)"]
        assert single.iloc[0] == pytest.approx(expected[row], abs=1e-6)


def test_a_file_is_scored_with_its_own_columns(trained: Trained) -> None:
    content = FILE.drop(columns="left").iloc[20:30].to_csv(index=False).encode()
    run = jobs.wait(score.submit_upload(trained.model, io.BytesIO(content), "ten.csv", access=LOCAL), 60, access=LOCAL)
    assert run.state is RunState.SUCCEEDED, run.error_message
    table = pd.read_parquet(jobs.artifact_path(run.id, "scored.parquet", access=LOCAL))
    kept = raw_rows()
    expected = models.score(trained.model.id, kept[kept["id"].isin(table["id"])], access=LOCAL)
    np.testing.assert_allclose(table["p(yes)"], expected["p(yes)"], rtol=0, atol=1e-6)
    assert table["fee"].tolist() == FILE["fee"].iloc[20:30].tolist()


def test_columns_that_steps_need_are_named_when_they_are_absent(trained: Trained) -> None:
    with pytest.raises(InputError, match="no column 'fee', 'yearly'") as error:
        models.score(trained.model.id, raw_rows().drop(columns="fee").assign(plan="DSL"), access=LOCAL)
    assert "after this step" in error.value.hint


def test_the_card_lists_the_steps_and_the_version(trained: Trained) -> None:
    card = models.card(trained.model.id, access=LOCAL)
    facts, steps = card["data"].tables[:2]
    assert ("Version of the table", "2 (made by 8 steps from the table as it was read)") in facts.rows
    assert [row[0] for row in steps.rows] == list(range(1, 9))
    assert [row[1] for row in steps.rows] == [preparation.STEPS[step["step"]].title for step in STEPS]
    assert steps.rows[2][2] == "Fill missing cells of 'fee' with the median"
    assert steps.rows[2][4].startswith("'fee' was filled with ")
    assert steps.rows[6][3] == "removes 10 rows"
    assert card.to_dict()["sections"][2]["tables"][1]["rows"][3][2] == "Rename 'Plan' to 'plan'"
    for text in (card.to_markdown().replace("\\", ""), html.unescape(card.to_html(charts=False))):
        places = [text.index(row[2]) for row in steps.rows]
        assert places == sorted(places)
    assert models.resolve(trained.model.id, access=LOCAL).lineage["dataset"]["number"] == 2


def test_the_mlflow_model_has_the_steps(trained: Trained, tmp_path) -> None:
    models.save_mlflow(trained.model.id, tmp_path / "model", access=LOCAL)
    expected = models.score(trained.model.id, raw_rows(), access=LOCAL)
    served = _load_pyfunc(str(tmp_path / "model" / "data"))
    for rows in (raw_rows(), trained.frame):
        np.testing.assert_array_equal(served.predict(rows)["p(yes)"], expected["p(yes)"])
    assert "duckdb==" in (tmp_path / "model" / "requirements.txt").read_text()
    replay = Replay.from_dict(json.loads((tmp_path / "model" / "data" / "model.json").read_text())["steps"])
    assert [step.name for step in replay.recipe.steps] == [s["step"] for s in STEPS if s["step"] != "filter"]
    assert replay.inputs == {"Plan", "fee", "since"}


def test_the_bundle_has_the_steps_and_needs_no_database(trained: Trained, tmp_path) -> None:
    source = runs.get(trained.model.run_id, access=LOCAL)
    run = jobs.wait(export.submit(source, modes=[], access=LOCAL), 120, access=LOCAL)
    assert run.state is RunState.SUCCEEDED, run.error_message
    exports.bundle(run, "fp32", tmp_path / "bundle.zip", license="MIT", access=LOCAL)
    with zipfile.ZipFile(tmp_path / "bundle.zip") as archive:
        archive.extractall(tmp_path / "bundle")
    kept = FILE[FILE["id"].str.len() > 2].drop(columns="left")
    kept.to_csv(tmp_path / "raw.csv", index=False)
    code = "import sys; sys.modules['duckdb'] = sys.modules['pandas'] = None; sys.argv = sys.argv[1:]\n" + (
        "import runpy; runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "predict.py", str(tmp_path / "raw.csv"), str(tmp_path / "out.csv")],
        cwd=tmp_path / "bundle",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    expected = models.score(trained.model.id, raw_rows(), access=LOCAL)
    answers = pd.read_csv(tmp_path / "out.csv")
    np.testing.assert_allclose(answers["p(yes)"], expected["p(yes)"], rtol=0, atol=1e-5)
    assert (
        subprocess.run([sys.executable, "predict.py", "--check"], cwd=tmp_path / "bundle", check=False).returncode == 0
    )


@pytest.fixture(scope="module")
def download(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The download of the search, unpacked."""
    folder = tmp_path_factory.mktemp("download")
    items = artifacts.find(trained.model.run_id, access=LOCAL)
    bundle({item.name: get_store().local_path(item.digest) for item in items}, folder / "model.zip")
    with zipfile.ZipFile(folder / "model.zip") as archive:
        archive.extractall(folder)
    return folder / "model"


def test_the_download_of_a_search_has_the_steps(trained: Trained, download: Path, tmp_path: Path) -> None:
    kept = FILE[FILE["id"].str.len() > 2].drop(columns="left")
    expected = models.score(trained.model.id, raw_rows(), access=LOCAL)
    model = models.DownloadedModel(download)
    odd = [row for row, fee in enumerate(kept["fee"]) if fee == "on request"][:1]
    for rows in (list(range(len(kept))), odd):
        kept.iloc[rows, ::-1].to_csv(tmp_path / "rows.csv", index=False)
        scored = model.score(tmp_path / "rows.csv")
        np.testing.assert_array_equal(scored.table["p(yes)"], expected["p(yes)"].iloc[rows])
        assert scored.table["prediction"].tolist() == expected["prediction"].iloc[rows].tolist()
    trained.frame.to_parquet(tmp_path / "prepared.parquet")
    np.testing.assert_array_equal(model.score(tmp_path / "prepared.parquet").table["p(yes)"], expected["p(yes)"])
    scored.to_csv(tmp_path / "out.csv")
    assert pd.read_csv(tmp_path / "out.csv")["p(yes)"].tolist() == scored.table["p(yes)"].tolist()
    readme = (download / "README.md").read_text()
    assert "2. Read 'fee' as number, written as 1,234.5" in readme
    assert "`Plan`, `fee`, `since` are read" in readme


@pytest.mark.nightly
def test_the_script_of_the_download_repeats_the_steps_on_its_own(
    trained: Trained, download: Path, tmp_path: Path
) -> None:
    FILE.drop(columns="left").to_csv(tmp_path / "raw.csv", index=False)
    done = subprocess.run(
        [sys.executable, "predict.py", str(tmp_path / "raw.csv"), str(tmp_path / "out.csv")],
        cwd=download,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers = pd.read_csv(tmp_path / "out.csv")
    answers = answers[answers["id"].str.len() > 2]
    expected = models.score(trained.model.id, raw_rows(), access=LOCAL)
    np.testing.assert_allclose(answers["p(yes)"], expected["p(yes)"], rtol=0, atol=1e-9)


def test_a_step_whose_code_the_download_has_not_is_refused_by_name(download: Path, tmp_path: Path) -> None:
    class Shout(preparation.STEPS["rename"]):  # as a module of PLUMBLINE_EXTENSIONS adds one
        name: ClassVar[str] = "shout"

        def describe(self) -> str:
            return f"Shout '{self.column}'"

    preparation.STEPS.add(Shout)
    try:
        recipe = Replay(Recipe([{"step": "shout", "column": "fee", "to": "FEE"}]), {"fee": "DOUBLE"})
        (tmp_path / "recipe.json").write_text(json.dumps(recipe.to_dict()))
        files = {path.name: path for path in download.iterdir() if path.is_file()}
        with pytest.raises(ExportError, match=r"The step 'Shout 'fee'' belongs to the extension 'tests\."):
            bundle(files | {"recipe.json": tmp_path / "recipe.json"}, tmp_path / "model.zip")
    finally:
        preparation.STEPS.remove("shout")


def test_cells_that_a_step_cannot_read_are_missing_and_said_to_be(trained: Trained) -> None:
    rows = raw_rows().astype({"age": object})
    rows["since"] = rows["since"].dt.strftime("%d.%m.%Y")
    expected = models.score(trained.model.id, rows.assign(since=[None, *rows["since"][1:]]), access=LOCAL)
    scored = models.score(trained.model.id, rows.assign(since=["soon", *rows["since"][1:]]), access=LOCAL)
    np.testing.assert_array_equal(scored["p(yes)"], expected["p(yes)"])
    messages = [finding["message"] for finding in scored.attrs["findings"]]
    assert any(message.startswith("'since': 1 of 290 cells cannot be read as dates") for message in messages), messages


def test_the_model_keeps_its_version_after_an_undo(trained: Trained) -> None:
    expected = models.score(trained.model.id, raw_rows(), access=LOCAL)
    assert versions.undo(trained.dataset, access=LOCAL).number == 1
    try:
        run = runs.get(trained.model.run_id, access=LOCAL)
        assert datasets.get(str(run.dataset_id), access=LOCAL).number == 2
        pd.testing.assert_frame_equal(models.score(trained.model.id, raw_rows(), access=LOCAL), expected)
    finally:
        versions.redo(trained.dataset, access=LOCAL)
