"""Pairs of texts with any number of labels: from the form to a result, a rule, scores, a card and a bundle."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import exports, jobs, models
from core.access import LOCAL
from core.catalog import Dataset, RunState, runs
from core.finetune import FineTuneSettings
from core.summary import SummaryNotes
from core.tasks import export, finetune, summary
from tests.golden import tiny_base
from tests.pages.conftest import World, query, texts, visit
from tests.pages.test_data_prepare import imported

LABELS = ["battery", "price", "screen"]


def conversations(rows: int = 240) -> pd.DataFrame:
    """Return questions, answers, and the parts of a product that both are about."""
    random = np.random.default_rng(0)
    lines = []
    for _ in range(rows):
        parts = [label for label in LABELS if random.random() < 0.4]
        answer = " and ".join(f"the {part} is fine" for part in parts) or "nothing to say"
        lines.append({"question": "what about it", "answer": answer, "topics": "|".join(parts) or "|"})
    frame = pd.DataFrame(lines)
    for label in LABELS:
        frame[f"is_{label}"] = frame["topics"].str.contains(label).astype(int)
    return frame.assign(team=["a", "b"] * (rows // 2))


@pytest.fixture
def table(world: World) -> Dataset:
    return imported(conversations(), "conversations")


@pytest.fixture
def run_id(table: Dataset, tmp_path: Path) -> str:
    """A training of a thin model, finished."""
    base = tiny_base(tmp_path / "base", [*conversations()["answer"], "what about it"])
    settings = FineTuneSettings(
        text_column="question",
        second_text_column="answer",
        label_column="topics",
        task="multilabel",
        base_model=str(base),
        epochs=10,
        learning_rate=3e-3,
        max_length=48,
        sensitive_columns=("team",),
    )
    run = jobs.wait(finetune.submit(table, settings, access=LOCAL), 300, access=LOCAL)
    assert run.state is RunState.SUCCEEDED, run.error_message
    return run.id


def form(dataset: Dataset, label: str):
    test = visit("finetune", dataset=dataset.id)
    test.selectbox(key=f"finetune-text-{dataset.id}").set_value("question").run()
    return test.selectbox(key=f"finetune-label-{dataset.id}").set_value(label).run()


def started(test) -> dict:
    test.button(key="finetune-start").click().run()
    assert not test.exception
    run_id = query(test, "run")
    jobs.cancel(run_id, access=LOCAL)
    return dict(jobs.wait(run_id, 60, access=LOCAL).settings)


def test_cells_with_several_labels_are_noticed_and_can_be_read_otherwise(table: Dataset) -> None:
    test = form(table, "topics")
    kind = test.segmented_control(key=f"finetune-task-{table.id}-topics")
    assert kind.value == "multilabel"
    assert test.selectbox(key=f"finetune-separator-{table.id}-topics").value == "|"
    assert "3 labels, " in texts(test)
    test.selectbox(key=f"finetune-second-{table.id}").set_value("answer").run()
    assert not test.exception
    settings = started(test)
    assert settings["task"] == "multilabel"
    assert settings["label_separator"] == "|"
    assert (settings["text_column"], settings["second_text_column"]) == ("question", "answer")
    test = form(table, "topics")
    test.segmented_control(key=f"finetune-task-{table.id}-topics").set_value("classification").run()
    assert not test.exception
    assert started(test)["task"] == "classification"


def test_labels_may_be_in_columns_of_yes_and_no(table: Dataset) -> None:
    test = form(table, "is_price")
    test.segmented_control(key=f"finetune-task-{table.id}-is_price").set_value("multilabel").run()
    assert "Choose the column of each label, at least two" in texts(test)
    columns = [f"is_{label}" for label in LABELS]
    test.multiselect(key=f"finetune-columns-{table.id}-is_price").set_value(columns).run()
    assert not test.exception
    assert "3 labels, " in texts(test)
    settings = started(test)
    assert (settings["task"], settings["label_columns"]) == ("multilabel", columns)


@pytest.mark.nightly
def test_the_result_is_shown_decided_scored_described_and_bundled(run_id: str, table: Dataset, tmp_path: Path) -> None:
    frame = conversations()
    test = visit("finetune", run=run_id)
    assert not test.exception
    assert {"F1, micro", "Exact match", "Hamming loss"} <= {item.label for item in test.metric}
    for name in ("Mistakes", "Test texts", "Learning", "Decide", "Try it", "Score", "Checks"):
        test.session_state["finetune-tabs"] = name
        test.run()
        assert not test.exception, name
        assert not test.error, name
        if name == "Try it":
            test.text_area(key="finetune-play").set_value("what about it").run()
            assert "The prediction appears here" in texts(test)
            test.text_area(key="finetune-play-second").set_value("the price is fine and the screen is fine").run()
            assert not test.exception
            shown = pd.concat([item.value for item in test.dataframe if "Probability" in item.value.columns])
            assert shown["Probability"].between(0, 100).all()
            assert shown["Probability"].sum() > 100  # they are no shares of one
        if name == "Decide":
            assert test.selectbox[0].options == LABELS
    test = visit("finetune", run=run_id)
    test.button(key="finetune-change").click().run()
    assert not test.exception
    assert test.selectbox(key=f"finetune-second-{table.id}").value == "answer"
    fairness = visit("fairness", run=run_id)
    assert not fairness.exception
    model = models.register(run_id, name="Topics", access=LOCAL)
    (version,) = models.versions(model.id, access=LOCAL)
    said = "any number of 3 labels, from the text in 'question' and 'answer'"
    assert said in models.card(version.id, access=LOCAL).to_markdown()
    scored = models.score_rows(version.id, frame.head(20), access=LOCAL).table
    own = pd.read_parquet(jobs.artifact_path(run_id, "test.parquet", access=LOCAL)).set_index("row_id")
    both = [row for row in own.index if row < 20]
    assert scored.loc[both, "prediction"].tolist() == own.loc[both, "prediction"].tolist()
    page = visit("models", model=model.id)
    assert not page.exception
    exported = jobs.wait(
        export.submit(runs.get(run_id, access=LOCAL), modes=["dynamic-int8"], access=LOCAL), 300, access=LOCAL
    )
    assert exported.state is RunState.SUCCEEDED, exported.error_message
    edge = visit("edge", run=exported.id)
    assert not edge.exception
    exports.bundle(exported, "fp32", tmp_path / "b.zip", license="MIT", access=LOCAL)
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        sample = pd.read_csv(io.BytesIO(archive.read("sample_input.csv")))
        assert list(sample)[-2:] == ["text", "second_text"]
    done = jobs.wait(summary.submit(runs.get(run_id, access=LOCAL), SummaryNotes(), access=LOCAL), 120, access=LOCAL)
    assert done.state is RunState.SUCCEEDED, done.error_message
