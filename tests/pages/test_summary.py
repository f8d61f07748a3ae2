"""The button Summary on the result of a search, on that of a training, and on a comparison of groups."""

from __future__ import annotations

import pytest

from core import jobs
from core.access import LOCAL
from core.catalog import Run, RunArtifact, RunState, artifacts, datasets, runs
from core.demo import ANSWERS
from core.storage import get_store
from core.tasks import summary
from tests.pages.conftest import World, labels, texts, visit


def test_a_search_is_summarized_from_its_page(world: World) -> None:
    test = visit("automl", run=world.binary)
    test.text_input(key="automl-summary-author").set_value("Ann").run()
    test.text_area(key=f"automl-summary-out_of_scope-{world.binary}").set_value("To refuse a loan.").run()
    test.button(key="automl-summary-make").click().run()
    assert not test.exception
    made = summary.latest(runs.get(world.binary, access=LOCAL), access=LOCAL)
    answered = ANSWERS["intended_use"]  # on the model's card
    assert made.settings["notes"] == {"author": "Ann", "intended_use": answered, "out_of_scope": "To refuse a loan."}
    jobs.cancel(made.id, access=LOCAL)
    finished = Run(
        **made.model_dump(exclude={"id", "state", "result", "created_at"}),
        state=RunState.SUCCEEDED,
        result={"answer": "Finds 7."},
    )
    runs.add(finished, access=LOCAL)
    digest = get_store().put_bytes(b"the page")
    for name in ("summary.html", "summary.pdf"):
        artifacts.add(
            RunArtifact(workspace="local", run_id=finished.id, name=name, digest=digest, size_bytes=8), access=LOCAL
        )
    test = visit("automl", run=world.binary)
    assert not test.exception
    assert "Make it again" in labels(test)
    assert "Finds 7" in texts(test)
    assert {button.label for button in test.get("download_button")} >= {"PDF", "HTML"}


@pytest.mark.nightly
def test_a_training_and_a_comparison_are_too(world: World) -> None:
    test = visit("finetune", run=world.text)
    test.button(key="finetune-summary-make").click().run()
    assert not test.exception
    test = visit("fairness", run=world.binary, groups="sex", tab="Report")
    test.button(key="fairness-summary-make").click().run()
    assert not test.exception
    made = runs.find(task="summary", access=LOCAL)
    assert {run.title for run in made} == {
        f"Summary of {runs.get(world.text, access=LOCAL).title}",
        f"Summary of Fairness of {runs.get(world.binary, access=LOCAL).title}",
    }
    for run in made:
        assert jobs.wait(run.id, 240, access=LOCAL).state is RunState.SUCCEEDED
    assert datasets.get(world.credit.id, access=LOCAL)
