"""A bundle's own reading of CSV files: cell by cell as the product reads them, proven before a bundle is written."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from core.automl import build_estimator, make_model
from core.datasets import read_table
from core.edge import OnnxModel, export_onnx, prove_bundle, write_bundle
from core.edge.bundle.csv_rows import csv_of, written_rows
from core.edge.bundle.written_cells import with_formats
from core.edge.portable import cells as portable_cells
from core.edge.portable import cli
from core.edge.portable.cells import CellError, feed, read_csv
from core.edge.scoring.feeds import table_feeds
from core.errors import ExportError
from core.fairness import ThresholdPolicy, optimize_thresholds
from core.features import TableEncoder
from core.grammar import Reading
from core.models._fields import describe_fields
from core.models.row_preparer import RowPreparer
from tests.unit.edge.nasty_cells import NASTY_CELLS

ROWS = 500


def raw_table() -> pd.DataFrame:
    """Return a table as a European file has it, every cell a text, and each column in another format."""
    random = np.random.default_rng(0)
    days = pd.Timestamp("2023-01-13") + pd.to_timedelta(random.integers(0, 700, ROWS), unit="D")
    times = days + pd.to_timedelta(random.integers(0, 86_400, ROWS), unit="s")

    def amounts(low: float, high: float, marks: str) -> list[str]:
        table = str.maketrans(",.", marks)
        return [f"{value:,.2f}".translate(table) for value in random.uniform(low, high, ROWS)]

    frame = pd.DataFrame(
        {
            "euros": [f"{text} €" for text in amounts(-900, 90_000, ".,")],
            "dollars": [f"${text}" for text in amounts(10, 90_000, ",.")],
            "francs": amounts(1_000, 90_000, "'."),
            "plain": [f"{value:.4f}" for value in random.normal(0, 100, ROWS)],
            "whole": random.integers(-50, 5_000, ROWS).astype(str),
            "flag": random.choice(["TRUE", "FALSE"], ROWS),
            "day": [f"{day.day}/{day.month}/{day.year}" for day in days],
            "iso day": [f"{day:%Y-%m-%d}" for day in days],
            "iso time": [time.isoformat(sep=" ") for time in times],
            "time": [time.strftime("%d.%m.%Y %H:%M") for time in times],
            "word": random.choice(["a", "b", "None", "NA", "x;y", 'say "hi"', "two\r\nlines"], ROWS),
            "padded": random.choice([" a", "b", "-"], ROWS),
            "code": [f"{value:03}" for value in random.integers(0, 30, ROWS)],
        }
    )
    for name in ("euros", "plain", "day", "iso time"):
        frame.loc[random.choice(ROWS, 25, replace=False), name] = random.choice(["", "n/a", "?"], 25)
    return frame


class Trained(NamedTuple):
    raw: pd.DataFrame
    frame: pd.DataFrame
    model: object
    exported: OnnxModel
    reading: Reading
    preparer: RowPreparer
    y: np.ndarray


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder, raw = tmp_path_factory.mktemp("reading"), raw_table()
    raw.to_csv(folder / "train.csv", index=False, sep=";")
    table = read_table(folder / "train.csv", workdir=folder / "work")
    frame = table.frame
    random = np.random.default_rng(1)
    chance = 1 / (1 + np.exp(-(frame["euros"].fillna(0) / 20_000 - 2 + 2 * frame["flag"] - (frame["word"] == "NA"))))
    y = (random.random(ROWS) < chance).astype(int).to_numpy()
    encoder = TableEncoder().fit(frame)
    estimator = build_estimator("lgbm", {"n_estimators": 20}, "binary", jobs=1, seed=0)
    model = make_model(encoder, estimator.fit(encoder.transform(frame), y), ["no", "yes"])
    exported = export_onnx(model, folder / "m.onnx", train=frame.head(200), held_out=frame[200:])
    reading = Reading.of(table.report)
    fields = describe_fields(table.path, list(frame.columns))
    return Trained(raw, frame, model, exported, reading, RowPreparer(fields, reading.formats()), y)


def test_the_table_has_what_the_grammar_is_about(trained: Trained) -> None:
    assert {name: spec for name, spec in trained.reading.columns.items() if not spec.startswith("text")} == {
        "euros": "number:1.234,5",
        "dollars": "number:1,234.5",
        "francs": "number:1'234.5",
        "plain": "number",
        "whole": "number",
        "flag": "boolean",
        "day": "date:%d/%m/%Y",
        "iso day": "date",
        "iso time": "timestamp",
        "time": trained.reading.columns["time"],
    }
    assert trained.reading.columns["time"].startswith("timestamp:%d.%m.%Y")


def answers_of(trained: Trained, name: str, cells: list[str], folder: Path) -> np.ndarray:
    """Return what the product makes of cells of a column, read from a file by the grammar of training."""
    rows = trained.raw.iloc[[0] * len(cells)].assign(**{name: cells})
    rows.to_csv(folder / "rows.csv", index=False, sep=";", quoting=csv.QUOTE_ALL)
    read = read_table(folder / "rows.csv", like=trained.reading.like(), workdir=folder / "work").frame
    assert len(read) == len(cells)
    column = next(column for column in trained.exported.columns if column.name == name)
    return table_feeds(trained.preparer.prepare(read).cells, [column])[column.input][:, 0]


def bundle_cells(trained: Trained, name: str, cells: list[str], folder: Path) -> list[object]:
    """Return what the code of a bundle makes of cells of a column of the same file; None where it refuses one."""
    (column,) = with_formats(
        [column for column in trained.exported.columns if column.name == name], trained.reading.formats()
    )
    result: list[object] = []
    for cell in read_csv(folder / "rows.csv", [name])[name]:
        try:
            result.append(feed(column.to_dict(), [cell])[0, 0])
        except CellError as error:
            assert f"the column '{name}' holds {cell!r}" in str(error)  # noqa: PT017
            result.append(None)
    assert len(result) == len(cells)
    return result


@pytest.mark.parametrize("name", raw_table().columns)
def test_a_cell_is_read_as_the_product_reads_it_or_refused(trained: Trained, tmp_path: Path, name: str) -> None:
    expected = answers_of(trained, name, NASTY_CELLS, tmp_path)
    own = bundle_cells(trained, name, NASTY_CELLS, tmp_path)
    (kind,) = [column.kind for column in trained.exported.columns if column.name == name]
    words = {"(missing)", *trained.frame[name].dropna()} if kind == "category" else set()
    for cell, value, answer in zip(NASTY_CELLS, expected, own, strict=True):
        if answer is None:
            continue
        if kind == "category" and value not in words:
            assert answer not in words, f"{cell!r} is {answer!r}, and a new word in the product"
        else:
            assert answer == value or (answer != answer and value != value), f"{cell!r}: {answer!r} against {value!r}"
    assert (None in own) is (kind != "category")
    trained_cells = list(dict.fromkeys(trained.raw[name]))
    expected = answers_of(trained, name, trained_cells, tmp_path)
    own = bundle_cells(trained, name, trained_cells, tmp_path)
    assert [str(answer) for answer in own] == [str(value) for value in expected]


def test_files_written_for_the_proof_are_what_training_would_have_read(trained: Trained, tmp_path: Path) -> None:
    lines, held = written_rows(trained.frame, trained.reading.formats(), varied=list(trained.frame.columns))
    assert held.all()
    (tmp_path / "rows.csv").write_text(csv_of(list(trained.frame.columns), lines), "utf-8", newline="")
    read = read_table(tmp_path / "rows.csv", like=trained.reading.like(), workdir=tmp_path / "work").frame
    read = trained.preparer.prepare(read).cells
    for column in trained.exported.columns:
        own, expected = (table_feeds(frame, [column])[column.input] for frame in (read, trained.frame))
        assert ((own == expected) | ((own != own) & (expected != expected))).all(), column.name
    texts = {name: {line[index] for line in lines} for index, name in enumerate(trained.frame.columns)}
    assert {"true", "True", "TRUE", "false"} <= texts["flag"]
    assert len({"", "?", "N/A", "null", "-", "None"} & texts["plain"]) > 2
    assert any("." in text and "," in text for text in texts["euros"])
    assert any("." not in text and "," in text for text in texts["euros"])
    assert any("T" in text for text in texts["iso time"])
    assert {"two\nlines", "two\r\nlines"} <= texts["word"]


def drawn_policy(trained: Trained) -> ThresholdPolicy:
    score = trained.model.predict_proba(trained.frame)[:, 1]
    policy = optimize_thresholds(trained.y, score, trained.frame["padded"], constraint="equalized_odds")
    assert policy.randomized
    return policy


def one_threshold(trained: Trained) -> ThresholdPolicy:
    return ThresholdPolicy({"all rows": ((0.3, 1.0),)}, ())


@pytest.mark.parametrize("policy_of", [drawn_policy, one_threshold])
def test_all_rows_prove_the_bundle_and_a_few_are_shipped(
    trained: Trained, tmp_path: Path, policy_of: Callable[[Trained], ThresholdPolicy]
) -> None:
    policy, formats = policy_of(trained), trained.reading.formats()
    sample = trained.frame.assign(row_id=[f"r{row}" for row in range(ROWS)])
    proof = prove_bundle(trained.exported, sample=sample, formats=formats, policy=policy)
    assert (proof.rows, proof.rows_given, proof.decisions) == (ROWS, ROWS, ROWS)
    assert proof.equal
    assert proof.largest_difference < 1e-6
    path = write_bundle(
        tmp_path / "b.zip",
        trained.exported,
        sample=sample,
        card="",
        license="",
        formats=formats,
        policy=policy,
        sample_rows=20,
    )
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "b")
    expected = list(csv.DictReader(io.StringIO((tmp_path / "b" / "expected_output.csv").read_text())))
    assert len(expected) == 20
    text = (tmp_path / "b" / "README.md").read_text()
    assert f"{ROWS} rows were written as a CSV file" in text
    assert f"0 of {ROWS} are decided differently" in text
    # The reference: the policy itself on the model's own scores, for the raw rows of the training file.
    raw = trained.raw.assign(row_id=sample["row_id"])
    raw.to_csv(tmp_path / "raw.csv", index=False, sep=";")
    target = io.StringIO(newline="")
    cli.predict(tmp_path / "b", tmp_path / "raw.csv", target)
    rows = pd.read_csv(io.StringIO(target.getvalue()))
    scores = trained.model.predict_proba(trained.frame)
    assert rows["label"].tolist() == trained.model.predict(trained.frame).tolist()
    assert np.abs(rows[["p(no)", "p(yes)"]].to_numpy() - scores).max() < 1e-6
    groups = trained.frame["padded"] if policy.columns else None
    decisions = policy.predict(scores[:, 1], groups, row_ids=sample["row_id"])
    assert rows["decision"].tolist() == decisions.tolist()


def swap_marks(read_cell: Callable) -> Callable:
    """Return a reader that takes a decimal comma for a mark of thousands."""

    def read(written: dict, cell: str) -> object:
        value = read_cell(written, cell)
        return value * 100 if written.get("decimal") == "," and isinstance(value, float) else value

    return read


def test_a_bundle_that_reads_a_column_differently_is_refused_by_its_name(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portable_cells, "read_cell", swap_marks(portable_cells.read_cell))
    with pytest.raises(ExportError, match=r"reads 4\d\d of 500 cells of 'euros' unlike training. The first is '.*,.*"):
        write_bundle(
            tmp_path / "b.zip",
            trained.exported,
            sample=trained.frame,
            card="",
            license="",
            formats=trained.reading.formats(),
        )
    assert not (tmp_path / "b.zip").exists()


def test_a_bundle_that_answers_differently_is_refused_with_its_rows(trained: Trained, tmp_path: Path) -> None:
    outputs = trained.model.predict_proba(trained.frame)
    outputs[[7, 300]] = outputs[[7, 300], ::-1]
    with pytest.raises(
        ExportError, match=r"of 500 rows, 2 differ by more than 0.001 .*, 2 have another label"
    ) as error:
        write_bundle(
            tmp_path / "b.zip",
            trained.exported,
            sample=trained.frame,
            card="",
            license="",
            original=outputs,
            formats=trained.reading.formats(),
            sample_rows=5,
        )
    assert "7: '" in str(error.value)
    assert "300: '" in str(error.value)
    assert not (tmp_path / "b.zip").exists()


def test_drawn_decisions_depend_on_the_ids_of_the_file(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = trained.frame.assign(row_id=[f"r{row}" for row in range(ROWS)])
    own = cli.EdgeModel.id_texts
    monkeypatch.setattr(cli.EdgeModel, "id_texts", lambda *values: [f"{text}." for text in own(*values)])
    proof = prove_bundle(
        trained.exported, sample=sample, formats=trained.reading.formats(), policy=drawn_policy(trained)
    )
    assert proof.decision_flips > 0
    assert not proof.equal


def test_rows_that_no_file_holds_are_left_out_and_counted(trained: Trained) -> None:
    sample = trained.frame.head(50).copy()
    sample.loc[3, "word"] = "a\0b"
    proof = prove_bundle(trained.exported, sample=sample, formats=trained.reading.formats())
    assert (proof.rows, proof.rows_given) == (49, 50)
