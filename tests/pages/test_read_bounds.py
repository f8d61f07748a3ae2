"""A page reads so many rows of a table and no more, and says so where its figures rest on a sample."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core import policies
from core.access import LOCAL
from core.catalog import Dataset, runs
from core.datasets import StoredRows
from pages._ui import artifacts
from pages._ui.byte_cache import ByteCache
from pages.fairness.audited_rows import AuditColumns
from tests.golden import Golden
from tests.pages.conftest import World, texts, visit

ROWS = 60
"""Rows that a page may read here; the test rows of the golden search are 200."""


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let pages read few rows at once; the rows of each of their reads."""
    counted: list[int] = []

    def counting(name: str) -> None:
        read = getattr(artifacts, name)

        def counted_read(*args: Any, **kwargs: Any) -> StoredRows | pd.DataFrame:
            rows = read(*args, **kwargs)
            counted.append(len(rows.positions if isinstance(rows, StoredRows) else rows))
            return rows

        monkeypatch.setattr(artifacts, name, counted_read)

    for name in ("read_sample", "read_rows_at", "read_first_rows"):
        counting(name)
    monkeypatch.setattr(artifacts, "MAX_READ_ROWS", ROWS)
    monkeypatch.setattr(artifacts, "_tables", ByteCache(2**20))
    return counted


@pytest.mark.parametrize(
    ("page", "query", "what"),
    [
        ("fairness", {"run": "binary", "tab": "Threshold lab"}, f"a random sample of {ROWS} of 200 test rows"),
        pytest.param(
            "automl",
            {"run": "binary", "tab": "Decide"},
            f"a random sample of {ROWS} of 800 out-of-fold predictions",
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            "fairness",
            {
                "dataset": "decisions",
                "prediction": "decision",
                "label": "truth",
                "score": "score",
                "groups": "group",
            },
            f"a random sample of {ROWS} of 1,500 rows",
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            "finetune",
            {"dataset": "reviews", "text": "text", "label": "sentiment"},
            f"a random sample of {ROWS} of 240 rows",
            marks=pytest.mark.nightly,
        ),
    ],
)
def test_figures_of_a_sample_say_so(
    world: World,
    golden: tuple[Path, Golden],
    reads: list[int],
    monkeypatch: pytest.MonkeyPatch,
    page: str,
    query: dict[str, str],
    what: str,
) -> None:
    monkeypatch.setattr("pages.finetune.preview._COUNTED", ROWS)
    known = vars(golden[1])
    test = visit(page, **{name: known.get(value, value) for name, value in query.items()})
    assert not test.exception
    assert not test.error
    assert what in texts(test)
    assert reads
    assert max(reads) <= 2 * ROWS  # the groups of test and out-of-fold rows are read together


def test_a_bias_audit_of_a_sample_says_so_on_the_printed_page(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pd.DataFrame({"hired": [1, 0], "sex": ["Male", "Female"]})
    monkeypatch.setattr(artifacts, "sample", lambda *_, **__: StoredRows(frame, np.arange(2), 500))
    columns = AuditColumns("a table", "its digest", None, "hired", "1", "sex", None, (("Male", "Male"),))
    facts = columns.facts(Dataset(fingerprint="0"))
    assert facts["Rows"] == "a random sample of 2 of 500 rows of the table"
    assert columns.outcomes(columns.rows.frame).tolist() == [1.0, 0.0]


@pytest.mark.nightly
def test_a_rule_that_is_kept_says_of_how_many_rows_it_saw_a_sample(world: World, reads: list[int]) -> None:
    test = visit("automl", run=world.binary, tab="Decide", outcome="bad")
    test.button(key="automl-decide-keep").click().run()
    assert not test.exception
    rule = policies.in_force(runs.get(world.binary, access=LOCAL), access=LOCAL).policy
    assert rule is not None
    assert (rule.settings["sampled_rows"], rule.settings["all_rows"]) == (ROWS, 800)
    assert f"chosen on a sample of {ROWS} of 800 rows" in texts(test)
