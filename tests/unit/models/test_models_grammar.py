"""Cells that are still text score as those of the training file: by registry, MLflow folder and bundle, row by row."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import models, policies
from core.access import LOCAL
from core.automl import AutoMLResult, AutoMLSettings, search
from core.catalog import Run
from core.datasets import Table, cell_format, read_table
from core.edge import OnnxModel, export_onnx, write_bundle
from core.edge.portable.cli import predict
from core.errors import ExportError
from core.fairness import ThresholdPolicy, as_groups, label_text, optimize_thresholds
from core.models._fields import Field, describe_fields
from core.models._intake import read_rows
from core.models._mlflow_loader import _load_pyfunc
from core.models.written_cells import read_frame
from core.readings import READING, Reading
from tests.unit.models.conftest import keep

ROWS = 240


def raw_table() -> pd.DataFrame:
    """Return a table as a file has it: every cell a text."""
    random = np.random.default_rng(0)

    def amounts(sign: str, low: float, high: float, decimals: int = 2) -> list[str]:
        return [f"{sign}{value:,.{decimals}f}" for value in random.uniform(low, high, ROWS)]

    days = pd.Timestamp("2023-01-01") + pd.to_timedelta(random.integers(0, 700, ROWS), unit="D")
    times = days + pd.to_timedelta(random.integers(0, 86_400, ROWS), unit="s")
    losses = amounts("", 1, 9_000)
    losses[::3] = [f"({text})" for text in losses[::3]]
    frame = pd.DataFrame(
        {
            "price": amounts("$", 10, 90_000),
            "loss": losses,
            "share": [f"{value:.1f}%" for value in random.uniform(0, 100, ROWS)],
            "flag": random.choice(["TRUE", "FALSE"], ROWS),
            "code": random.choice(["1.0", "2.0", "x"], ROWS),
            "state": random.choice(["TRUE", "FALSE", "unknown"], ROWS),
            "country": random.choice(["DE", "NA", "FR"], ROWS),
            "padded": random.choice([" a", "b", "None", "-"], ROWS),
            "day": [f"{day.month}/{day.day}/{day.year}" for day in days],
            "time": [time.strftime("%d-%b-%y %H:%M") for time in times],
            "iso": [time.isoformat(sep=" ") for time in times],
            "zip": [f"{value:05}" for value in random.integers(0, 40, ROWS)],
            "count": random.integers(0, 9, ROWS).astype(str),
            "plain": [f"{value:.3f}" for value in random.normal(size=ROWS)],
        }
    )
    frame.loc[random.choice(ROWS, 12, replace=False), "price"] = "n/a"
    frame.loc[random.choice(ROWS, 12, replace=False), "day"] = ""
    frame.loc[random.choice(ROWS, 12, replace=False), "plain"] = "-"
    value = frame["price"].str.lstrip("$").str.replace(",", "").replace("n/a", "0").astype(float)
    chance = 1 / (1 + np.exp(-(value / 45_000 - 1 + (frame["flag"] == "TRUE") - (frame["country"] == "NA"))))
    frame["bought"] = np.where(random.random(ROWS) < chance, "yes", "no")
    return frame


class Trained(NamedTuple):
    raw: pd.DataFrame
    table: Table
    result: AutoMLResult
    reading: Reading
    fields: list[Field]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder, raw = tmp_path_factory.mktemp("grammar"), raw_table()
    raw.to_csv(folder / "train.csv", index=False)
    table = read_table(folder / "train.csv", workdir=folder / "work")
    quick = {"time_budget_s": None, "max_trials": 2, "folds": 2, "cv_repeats": 1, "learners": ("lgbm",)}
    result = search(table.frame, AutoMLSettings(target="bought", explain=False, **quick))
    fields = describe_fields(table.path, result.features, target="bought")
    return Trained(raw, table, result, Reading.of(table.report), fields)


@pytest.fixture
def registered(finish, trained: Trained) -> Run:
    run = finish(trained.result, trained.table.frame, "bought from Shop")
    keep(run, READING, trained.reading.to_json().encode())
    return run


def test_the_table_has_what_the_grammar_is_about(trained: Trained) -> None:
    columns = trained.reading.columns
    assert columns["price"] == "number:1,234.5"
    assert columns["share"].startswith("number:")
    assert columns["day"] == "date:%m/%d/%Y"
    assert columns["time"].startswith("timestamp:%d-%b-%y")
    assert (columns["flag"], columns["state"], columns["code"], columns["zip"]) == ("boolean", "text", "text", "text")
    assert Reading.from_json(trained.reading.to_json()) == trained.reading
    assert {"price", "loss", "day", "time", "country", "padded"} <= set(trained.result.features)


@settings(max_examples=30, deadline=None)
@given(rows=st.lists(st.integers(0, ROWS - 1), min_size=1, max_size=4), order=st.permutations(range(14)))
def test_any_rows_in_any_order_are_encoded_the_same_to_the_bit(
    trained: Trained, rows: list[int], order: list[int]
) -> None:
    raw, table, result, reading, _ = trained
    cells = raw.iloc[rows, order]
    read, reports = read_rows(read_frame(cells, reading.formats()), trained.fields)
    encoder = result.model.steps[0][1]
    assert np.array_equal(encoder.transform(read), encoder.transform(table.frame.iloc[rows]))
    assert not any(report.unreadable or report.unseen or report.given for report in reports)


@pytest.mark.parametrize("rows", [[7], [3, 200, 11], list(range(ROWS))], ids=["one", "three", "all"])
def test_a_file_of_some_rows_is_scored_as_trained(trained: Trained, tmp_path: Path, rows: list[int]) -> None:
    trained.raw.iloc[rows, ::-1].to_csv(tmp_path / "rows.csv", index=False)
    part = read_table(tmp_path / "rows.csv", like=trained.reading.like())
    read, _ = read_rows(read_frame(part.frame, trained.reading.formats()), trained.fields)
    encoder = trained.result.model.steps[0][1]
    assert np.array_equal(encoder.transform(read), encoder.transform(trained.table.frame.iloc[rows]))


@pytest.mark.parametrize("beside", [["DE"], ["Germany"], ["null", "Germany"], []], ids=str)
@pytest.mark.parametrize("earlier", [False, True], ids=["now", "an earlier version"])
def test_a_code_that_looks_missing_is_scored_as_trained(
    trained: Trained, tmp_path: Path, beside: list[str], earlier: bool
) -> None:
    reading = trained.reading
    if earlier:  # its grammar did not say that NA is a value
        reading = replace(reading, columns={**reading.columns, "country": "text"})
    row = trained.raw.index[trained.raw["country"] == "NA"][0]
    rows = trained.raw.loc[[row] * (1 + len(beside))].assign(country=["NA", *beside])
    rows.to_csv(tmp_path / "rows.csv", index=False)
    part = read_table(tmp_path / "rows.csv", like=reading.like())
    read, _ = read_rows(read_frame(part.frame, reading.formats()), trained.fields)
    encoder = trained.result.model.steps[0][1]
    assert np.array_equal(encoder.transform(read)[:1], encoder.transform(trained.table.frame.loc[[row]]))


def test_the_registry_scores_text_cells_as_trained(trained: Trained, registered: Run) -> None:
    raw, table, result, *_ = trained
    version = models.register(registered.id, name="Shop", access=LOCAL)
    expected = result.model.predict_proba(table.frame)[:, 1]
    scored = models.score(version.id, raw[raw.columns[::-1]], access=LOCAL)
    assert np.abs(scored["p(yes)"] - expected).max() <= 1e-6
    alone = [models.score(version.id, raw.iloc[[row]], access=LOCAL)["p(yes)"].iloc[0] for row in range(0, 240, 40)]
    assert np.abs(np.array(alone) - expected[::40]).max() <= 1e-6
    typed = models.score(version.id, table.frame, access=LOCAL)
    assert np.abs(typed["p(yes)"] - expected).max() <= 1e-6
    odd = raw.head(3).assign(price=["$1,2,3", "9.999,5", "$7"])
    messages = [finding["message"] for finding in models.score(version.id, odd, access=LOCAL).attrs["findings"]]
    assert any("'price'" in message and "cannot be read as numbers" in message for message in messages)


def test_the_folder_of_mlflow_scores_text_cells_with_its_own_code(
    trained: Trained, registered: Run, tmp_path: Path
) -> None:
    raw, table, result, *_ = trained
    version = models.register(registered.id, name="Shop", access=LOCAL)
    folder = models.save_mlflow(version.id, tmp_path / "saved", access=LOCAL)
    raw.to_json(tmp_path / "rows.json", orient="split")
    code = (
        "import sys, json, pandas as pd\n"
        "folder, rows = sys.argv[1:]\n"
        "sys.path.insert(0, folder + '/code')\n"
        "from core.models._mlflow_loader import _load_pyfunc\n"
        "import core\n"
        "assert core.__file__.startswith(folder)\n"
        "frame = pd.DataFrame(**json.load(open(rows)))\n"
        "print(json.dumps(_load_pyfunc(folder + '/data').predict(frame)['p(yes)'].tolist()))\n"
        "assert not {'core.catalog', 'duckdb', 'onnxruntime', 'streamlit'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, str(folder), str(tmp_path / "rows.json")],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert np.abs(np.array(json.loads(done.stdout)) - result.model.predict_proba(table.frame)[:, 1]).max() <= 1e-6


@pytest.fixture(scope="module")
def exported(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> OnnxModel:
    frame, path = trained.table.frame, tmp_path_factory.mktemp("exported") / "m.onnx"
    return export_onnx(trained.result.model, path, train=frame[:200], held_out=frame[200:])


def unpacked(exported: OnnxModel, trained: Trained, folder: Path, **values: Any) -> Path:
    """Return the folder of an edge bundle."""
    options = {"sample": trained.table.frame.head(60), "formats": trained.reading.formats()}
    made = write_bundle(folder / "b.zip", exported, card="card", license="MIT", **options, **values)
    with zipfile.ZipFile(made) as archive:
        archive.extractall(folder / "unpacked")
    return folder / "unpacked"


@pytest.fixture(scope="module")
def bundle(exported: OnnxModel, trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpacked(exported, trained, tmp_path_factory.mktemp("bundle"))


@pytest.mark.parametrize("rows", [[7], [3, 200, 11], list(range(ROWS))], ids=["one", "three", "all"])
def test_the_bundle_scores_text_cells_as_trained(
    trained: Trained, bundle: Path, tmp_path: Path, rows: list[int]
) -> None:
    trained.raw.iloc[rows, ::-1].to_csv(tmp_path / "rows.csv", index=False)
    with (tmp_path / "out.csv").open("w", newline="") as target:
        predict(bundle, tmp_path / "rows.csv", target)
    expected = trained.result.model.predict_proba(trained.table.frame.iloc[rows])[:, 1]
    assert np.abs(pd.read_csv(tmp_path / "out.csv")["p(yes)"].to_numpy() - expected).max() < 1e-5


def test_the_bundle_says_how_cells_are_written_and_checks_itself(bundle: Path) -> None:
    text = (bundle / "README.md").read_text()
    assert "`1,234.5`, with or without its currency" in text
    assert "`%m/%d/%Y`" in text
    check = [sys.executable, "predict.py", "--check"]
    done = subprocess.run(check, cwd=bundle, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_a_bundle_cannot_read_is_refused_by_the_columns_name(
    trained: Trained, exported: OnnxModel, tmp_path: Path
) -> None:
    frame = trained.table.frame
    formats = trained.reading.formats() | {"country": cell_format("timestamp")}
    with pytest.raises(ExportError, match="'country' holds times"):
        write_bundle(tmp_path / "b.zip", exported, sample=frame.head(3), card="", license="", formats=formats)


def at_scores(scores: np.ndarray, groups: pd.DataFrame) -> ThresholdPolicy:
    """Return a policy as earlier versions made them: each group's threshold is the score of one of its rows."""
    names = [", ".join(map(label_text, row)) for row in groups.itertuples(index=False)]
    thresholds = pd.Series(scores).groupby(names).quantile(0.5, interpolation="nearest")
    return ThresholdPolicy({name: ((float(at), 1.0),) for name, at in thresholds.items()}, tuple(groups.columns))


def between_scores(scores: np.ndarray, groups: pd.DataFrame) -> ThresholdPolicy:
    """Return a policy that is fitted on the scores."""
    y = np.random.default_rng(0).random(len(scores)) < scores
    return optimize_thresholds(y, scores, groups, tolerance=0.2, randomized=False, min_group_size=0)


@pytest.mark.parametrize(
    ("columns", "policy_of"),
    [
        (("padded", "code", "flag"), at_scores),
        (("price",), between_scores),
        pytest.param(("price", "country"), at_scores, marks=pytest.mark.nightly),
        pytest.param(("padded", "code", "flag"), between_scores, marks=pytest.mark.nightly),
    ],
)
def test_groups_decide_the_same_wherever_rows_are_scored(
    trained: Trained,
    exported: OnnxModel,
    registered: Run,
    tmp_path: Path,
    columns: tuple[str, ...],
    policy_of: Callable[[np.ndarray, pd.DataFrame], ThresholdPolicy],
) -> None:
    """The reference is the policy itself on the groups that the Fairness page makes of the training table."""
    raw, table, result, reading, _ = trained
    groups = pd.DataFrame({name: as_groups(table.frame[name]) for name in columns})
    scores = result.model.predict_proba(table.frame)[:, 1]
    policy = policy_of(scores, groups)
    expected = policy.predict(scores, groups).tolist()
    assert 0 < sum(expected) < ROWS
    kept = policies.keep(registered, "groups", policy, access=LOCAL)

    version = models.resolve(models.register(registered.id, access=LOCAL).id, access=LOCAL)
    assert models.score(version.id, raw, access=LOCAL)["decision"].tolist() == expected
    assert models.score(version.id, table.frame, access=LOCAL)["decision"].tolist() == expected
    served = _load_pyfunc(str(models.save_mlflow(version.id, tmp_path / "mlflow", access=LOCAL) / "data"))
    result.save(tmp_path / "search")
    (tmp_path / "search" / READING).write_text(reading.to_json())
    (tmp_path / "search" / kept).write_text(json.dumps(policy.to_dict()))
    downloaded = models.DownloadedModel(tmp_path / "search")
    edge = unpacked(exported, trained, tmp_path, policy=policy)
    cases = [list(range(ROWS)), *([row] for row in first_of_each(raw, columns))]
    for rows in cases:
        part = raw.iloc[rows, ::-1]
        own = [expected[row] for row in rows]
        assert models.score(version.id, part, access=LOCAL)["decision"].tolist() == own
        assert served.predict(part)["decision"].tolist() == own
        part.to_csv(tmp_path / "rows.csv", index=False, encoding="utf-8-sig")
        if rows in cases[:2]:
            assert downloaded.score(tmp_path / "rows.csv").table["decision"].tolist() == own
        with (tmp_path / "out.csv").open("w", newline="") as target:
            predict(edge, tmp_path / "rows.csv", target)
        assert pd.read_csv(tmp_path / "out.csv")["decision"].tolist() == own


def first_of_each(raw: pd.DataFrame, columns: tuple[str, ...]) -> list[int]:
    """Return the first row of each spelling of a group, of a few."""
    return sorted({raw.index.get_loc(rows[0]) for name in columns for rows in raw.groupby(name).groups.values()})[:3]
