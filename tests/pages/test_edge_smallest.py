"""The search for the smallest variant on the Edge page: its form, its result, its next steps."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from core import jobs, smallest_variants
from core.access import LOCAL
from core.edge import VARIANT_FORMS
from tests.pages.conftest import World, labels, query, repeated, texts, visit

TAB = "Find the smallest"


def downloads(test: AppTest) -> set[str]:
    return {button.label for button in test.get("download_button")}


def test_one_press_starts_a_search_with_the_objective_of_the_form(world: World) -> None:
    test = visit("edge", run=world.text_export, tab=TAB)
    assert not test.exception
    assert test.multiselect(key="edge-smallest-forms").options == [form.title for form in VARIANT_FORMS.values()]
    assert "candidates: about" in texts(test)
    test.number_input(key="edge-smallest-latency").set_value(12.5)
    test.selectbox(key="edge-smallest-percentile").set_value("95")
    test.number_input(key="edge-smallest-loss-accuracy").set_value(2.0)
    test.multiselect(key="edge-smallest-threads").set_value([1])
    test.multiselect(key="edge-smallest-lengths").set_value([16])
    test.button(key="edge-smallest-start").click().run()
    assert not test.exception
    run = jobs.get(query(test, "run"), access=LOCAL)
    asked = run.settings["search"]
    assert (run.task, run.settings["export"]) == ("smallest", world.text_export)
    assert (asked["latency_ms"], asked["percentile"], asked["size_mb"]) == (12.5, 95, None)
    assert (asked["metric"], asked["max_loss"], asked["minimize"]) == ("accuracy", 0.02, "size")
    assert (asked["threads"], asked["lengths"], asked["scenario"]) == ([1], [16], "single_stream")
    assert "Stop and keep what is measured" in labels(test) or "Waiting" in texts(test) or run.state.terminal
    jobs.cancel(run.id, access=LOCAL)
    jobs.wait(run.id, 30, access=LOCAL)


def test_the_answer_comes_first_and_its_bundle_is_one_press_away(world: World) -> None:
    test = visit("edge", run=world.smallest)
    assert not test.exception
    assert not test.error
    report = smallest_variants.read(jobs.get(world.smallest, access=LOCAL), access=LOCAL)
    said = texts(test)
    assert test.subheader[0].value.replace("\\", "") == report.answer.sentence
    assert "Objective: p50 within 1,000 ms, loss of accuracy at most 50.0 points" in said.replace("\\", "")
    assert "Bundle (zip)" in downloads(test)
    table = test.dataframe[0].value
    assert len(table) == len(report.candidates)
    assert list(table["Objective"]).count("is the answer") == 1
    assert {"Variant", "Size", "p50", "Loss", "Tokens"} <= set(table.columns)


def test_earlier_searches_are_listed_with_their_answers(world: World) -> None:
    test = visit("edge", run=world.text_export, tab=TAB)
    listed = test.dataframe[-1].value
    assert len(listed) == 1
    assert "good enough" in listed["Answer"].iloc[0]
    assert listed["Objective"].iloc[0].startswith("p50 within")


def _without_answer(content: dict) -> None:
    content["chosen"], content["closest"] = None, 0
    content["candidates"][0]["judgments"]["latency"] = {
        "verdict": "missed",
        "reason": "p50 is at least 5 ms.",
        "excess": 0.2,
        "allowed": 6.0,
    }
    content["refused"] = [{"variant": "int4", "reason": "It has no large matrix.", "candidate": None}]
    content["answer"] = {"sentence": "No variant meets the objective.", "next_steps": ["Allow 6 ms."]}


def test_where_nothing_is_good_enough_the_page_leads_on(world: World) -> None:
    test = visit("edge", run=repeated(world.smallest, edit=_without_answer, edited=smallest_variants.REPORT))
    assert not test.exception
    said = texts(test)
    assert "No variant meets the objective." in said
    assert "What to do next" in said
    assert "Allow 6 ms." in said
    assert "Not tried: int4 weights" in said
    assert "It has no large matrix." in said
    test.button(key="edge-smallest-again").click().run()
    assert query(test, "run") == world.text_export
    assert query(test, "tab") == TAB
    assert test.number_input(key="edge-smallest-latency").value == 1_000
    assert test.selectbox(key="edge-smallest-percentile").value == "50"


def test_a_met_objective_of_a_measurement_ends_in_its_bundle(world: World) -> None:
    test = visit("edge", run=world.measured)
    assert "Take fp32 along: it is the smallest of those that meet the objective." in texts(test)
    assert "Bundle (zip)" in downloads(test)


def test_a_model_of_a_table_has_no_vocabulary_to_prune(world: World) -> None:
    test = visit("edge", run=world.exported, tab=TAB)
    options = test.multiselect(key="edge-smallest-forms").options
    assert options == [form.title for form in VARIANT_FORMS.values() if not form.prunes_vocabulary]
