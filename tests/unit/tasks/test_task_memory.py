"""Tables that are large for the memory there is: checks look at a sample and say so, a search says what to do."""

from __future__ import annotations

import io

import pytest

from core import jobs
from core.access import LOCAL
from core.automl import AutoMLSettings
from core.catalog import Dataset, RunState, datasets
from core.tasks import automl, check, ingest
from tests.pages.conftest import labels, texts, visit

ROWS = 30_000


@pytest.fixture
def large(home, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """A table of 30,000 rows on a machine with a megabyte."""
    lines = "\n".join(f"{number},{number % 7},{number % 2}" for number in range(ROWS))
    run_id = ingest.submit_upload(io.BytesIO(f"id,day,label\n{lines}\n".encode()), "large.csv", access=LOCAL)
    run = jobs.wait(run_id, 60, access=LOCAL)
    assert run.result is not None, run.error_message
    monkeypatch.setenv("PLUMBLINE_RUN_MEMORY_MB", "1")
    return datasets.get(run.result["dataset_id"], access=LOCAL)


def test_checks_look_at_a_sample_and_say_so(large: Dataset) -> None:
    run = jobs.wait(check.submit(large, "label", access=LOCAL), 60, access=LOCAL)
    assert run.result is not None, run.error_message
    first = run.result["findings"][0]
    assert (first["check"], first["level"]) == ("sample", "notice")
    part = "a random sample of 2,184 of the 30,000 rows"
    assert first["message"] == f"The checks looked at {part}: the whole table needs more memory than there is."
    assert first["values"] == {"rows": 2_184, "all_rows": ROWS}


def test_a_search_that_would_run_out_of_memory_says_what_to_do(large: Dataset) -> None:
    settings = AutoMLSettings(target="label", time_budget_s=20)
    run = jobs.wait(automl.submit(large, settings, access=LOCAL), 60, access=LOCAL)
    assert run.state is RunState.FAILED
    assert run.error_message == "A search of this table takes about 3.6 MB of memory, and 1.0 MB are there."
    assert run.error_hint == "Keep a random sample of 2,184 rows (Data, Prepare); its model scores the whole table."


def test_the_form_says_so_before(large: Dataset) -> None:
    test = visit("automl", dataset=large.id, target="label")
    assert not test.exception
    assert "takes about 3.6 MB of memory, and this machine has 1.0 MB" in texts(test)
    assert "Prepare a sample" in labels(test)
