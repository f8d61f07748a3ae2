"""Columns that carry much of the gain: asked about, answered for every browser, and left out with one press."""

from __future__ import annotations

import json

from core import jobs, known_columns, models
from core.access import LOCAL
from core.catalog import RunArtifact, artifacts, runs
from core.storage import get_store
from core.summary import summarize_model
from tests.pages.conftest import World, labels, query, repeated, texts, visit


def carried_by_status(world: World) -> str:
    """Put the search into the catalog once more, as if one column carried most of its gain."""
    run_id = repeated(world.binary, leave_out="explain")
    record = json.loads(jobs.artifact_path(world.binary, "explain.json", access=LOCAL).read_text())
    gain = json.loads(jobs.artifact_path(world.binary, "result.json", access=LOCAL).read_text())["differences"]
    for row in record["permutation"]:
        loss = 0.7 * gain["prior"]["value"] * (row["feature"] == "status")
        row |= {"importance": loss, "low": loss * 0.9, "high": loss * 1.1}
    digest = get_store().put_bytes(json.dumps(record | {"together": []}).encode())
    artifacts.add(
        RunArtifact(workspace="local", run_id=run_id, name="explain.json", digest=digest, size_bytes=1), access=LOCAL
    )
    return run_id


def test_a_column_that_carries_the_gain_is_asked_about_and_left_out(world: World) -> None:
    run_id = carried_by_status(world)
    test = visit("automl", run=run_id)
    assert not test.exception
    assert "'status' carries" in texts(test).replace("\\", "")
    assert not test.warning
    key = f"automl-known-{run_id}-status"
    assert test.radio(key=key).value is None
    test.radio(key=key).set_value("no").run()
    assert not test.exception
    caveat = known_columns.caveat(runs.get(run_id, access=LOCAL), access=LOCAL)
    assert caveat.startswith("'status' is not known when a prediction is made")
    assert caveat in test.warning[0].value.replace("\\", "")
    assert caveat in models.card_of_run(run_id, access=LOCAL).to_markdown()
    assert summarize_model(run_id, access=LOCAL).answer.startswith(caveat)
    assert caveat in texts(visit("home")).replace("\\", ""), "where recent searches are listed"

    other_browser = visit("automl", run=run_id)
    assert other_browser.radio(key=key).value == "no"
    other_browser.button(key=f"{key}-without").click().run()
    assert not other_browser.exception
    derived = query(other_browser, "run")
    assert "This search leaves out 'status'." in texts(other_browser).replace("\\", "")
    jobs.cancel(derived, access=LOCAL)
    before, after = (
        runs.get(item, access=LOCAL).settings for item in (run_id, jobs.wait(derived, 30, access=LOCAL).id)
    )
    assert after == before | {"drop_columns": [*before["drop_columns"], "status"], "derived_from": run_id}

    test = visit("automl", run=run_id)
    assert "Searched again without 'status'." in texts(test).replace("\\", "")
    test.button(key=f"automl-derived-{derived}").click().run()
    assert query(test, "run") == derived


def test_a_result_without_an_explanation_asks_nothing(world: World) -> None:
    test = visit("automl", run=repeated(world.binary, leave_out="explain"))
    assert not test.exception
    assert not any("Search again without" in label for label in labels(test))
