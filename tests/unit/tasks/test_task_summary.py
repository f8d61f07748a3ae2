"""Summaries as runs: their files say what is stored, and the same result gives the same files."""

from __future__ import annotations

import io
import json
import re

import numpy as np
import pandas as pd
import pytest
from pypdf import PdfReader
from sklearn.metrics import recall_score

from core import jobs
from core.access import LOCAL
from core.catalog import Run, RunState, artifacts, datasets, runs
from core.charts import svg_of
from core.errors import InputError, NotFoundError
from core.fairness import FairnessReport, group_metrics
from core.storage import get_store
from core.summary import ResultSummary, SummaryNotes, render_html, render_pdf, summarize_fairness
from core.tasks import summary
from tests.golden import Golden

NAMES = ["Ηλικία", "Возраст", "עיר", "عمر", "<script>alert(1)</script>", "a\\#b $c$ *d* @e"]


def files(run_id: str) -> dict[str, bytes]:
    run = jobs.wait(run_id, 240, access=LOCAL)
    assert run.state is RunState.SUCCEEDED, run.error_message
    return {item.name: get_store().read_bytes(item.digest) for item in artifacts.find(run.id, access=LOCAL)}


def pdf_text(content: bytes) -> str:
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages))


def test_a_search_has_a_page_that_says_what_its_predictions_say(stocked: Golden) -> None:
    source = runs.get(stocked.binary, access=LOCAL)
    assert summary.latest(source, access=LOCAL) is None
    notes = SummaryNotes(author="Δήμητρα", out_of_scope=NAMES[4])
    first = summary.submit(source, notes, access=LOCAL)
    made = files(first)
    assert summary.latest(source, access=LOCAL).id == first
    test = pd.read_parquet(jobs.artifact_path(stocked.binary, "test.parquet", access=LOCAL))
    recall = recall_score(test["credit"] == "good", test["prediction"] == "good")
    answer = f"Finds {100 * recall:.0f} of 100 rows of 'good'"
    page, text = made["summary.html"].decode(), pdf_text(made["summary.pdf"])
    assert answer in page.replace("&#39;", "'")
    assert answer in text.replace("’", "'").replace("‘", "'")
    assert json.loads(made["summary.json"])["answer"].startswith(answer)
    for name in ("Δήμητρα", datasets.get(stocked.credit, access=LOCAL).fingerprint[:20]):
        assert name in page
        assert name in text
    assert page.count("<svg") == 5
    assert "<script" not in page
    assert NAMES[4] in text
    assert len(PdfReader(io.BytesIO(made["summary.pdf"])).pages) <= 3
    contents = ResultSummary.from_dict(json.loads(made["summary.json"]))
    drawings = svg_of(contents.charts)
    assert render_html(contents, drawings).encode() == made["summary.html"]
    assert render_pdf(contents, drawings) == made["summary.pdf"]


def test_groups_with_any_name_have_a_page(stocked: Golden) -> None:
    random = np.random.default_rng(0)
    groups = random.choice(NAMES, 900)
    selected = random.random(900) < np.where(groups == NAMES[0], 0.2, 0.5)
    metrics = group_metrics(random.random(900) < 0.5, selected, groups)
    report = FairnessReport("Fairness of 年齢 表", {"Table": "表"}, metrics)
    contents = summarize_fairness(report, SummaryNotes(), date="2026-01-31")
    dataset = datasets.get(stocked.credit, access=LOCAL)
    run_id = summary.submit_comparison(contents, "key", dataset, access=LOCAL)
    made = files(run_id)
    assert summary.latest_comparison("key", dataset, access=LOCAL).id == run_id
    assert summary.latest_comparison("another", dataset, access=LOCAL) is None
    page, text = made["summary.html"].decode(), pdf_text(made["summary.pdf"])
    share = selected[groups == NAMES[0]].mean()
    assert f"{100 * share:.0f} of 100 selected" in page
    for name in (*NAMES[:2], *NAMES[4:]):
        assert name in text
    assert "年齢" in page
    assert "年" in text or "U+5E74" in text


def test_what_has_no_result_is_refused(stocked: Golden) -> None:
    for run_id in (stocked.failed, stocked.checked):
        with pytest.raises(InputError, match="no result to summarize"):
            summary.submit(runs.get(run_id, access=LOCAL), SummaryNotes(), access=LOCAL)


def test_a_summary_of_a_deleted_run_says_so(stocked: Golden) -> None:
    source = runs.get(stocked.binary, access=LOCAL)
    gone = Run(**source.model_dump() | {"id": "0123456789abcdef"})
    with pytest.raises(NotFoundError, match="There is no run '0123456789abcdef'"):
        summary.submit(gone, SummaryNotes(), access=LOCAL)
