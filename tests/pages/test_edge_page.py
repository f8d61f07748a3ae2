"""The Edge page: choosing, the export, the form of a measurement, its result."""

from __future__ import annotations

from core import jobs, policies
from core.access import LOCAL
from core.catalog import runs
from core.fairness import ThresholdPolicy
from tests.pages.conftest import World, labels, query, texts, visit


def test_a_model_is_chosen_and_exported(world: World) -> None:
    test = visit("edge", model=world.number)
    assert test.selectbox(key="edge-model").value == world.number
    test.multiselect(key="edge-modes").set_value(["fp16"])
    test.button(key="edge-export").click().run()
    assert not test.exception
    run = jobs.get(query(test, "run"), access=LOCAL)
    assert run.task == "export"
    assert run.settings == {"source": world.number, "modes": ["fp16"], "policy": None}
    jobs.wait(run.id, 60, access=LOCAL)


def test_a_file_that_is_no_onnx_is_refused_on_its_page(world: World) -> None:
    test = visit("edge")
    test.file_uploader[0].upload("model.onnx", b"\x80\x04K\x01.").run()
    run = jobs.wait(query(test, "run"), 60, access=LOCAL)
    test = visit("edge", run=run.id)
    assert not test.exception
    assert "This is a Python pickle, not an ONNX file" in texts(test)


def test_an_export_leads_with_its_finding_and_its_proof(world: World) -> None:
    test = visit("edge", run=world.exported)
    assert not test.exception
    assert not test.error
    said = texts(test)
    assert "The model is one file of" in said
    assert "the file answers as the model does" in said
    assert "Not made: dynamic-int8" in said
    assert {"Repeat", "Its run", "Log"} <= set(labels(test))
    assert "rule in force" not in said
    name = policies.keep(runs.get(world.binary, access=LOCAL), "cheap", ThresholdPolicy.for_all(0.4), access=LOCAL)
    test = visit("edge", run=world.exported)
    assert f"decides by the model's own labels; the model's rule in force is now '{name}'" in texts(test)
    test.button(key="edge-export-again").click().run()
    assert not test.exception
    again = jobs.get(query(test, "run"), access=LOCAL)
    assert (again.task, again.settings["policy"]) == ("export", name)
    jobs.cancel(again.id, access=LOCAL)
    jobs.wait(again.id, 30, access=LOCAL)


def test_a_measurement_is_set_up_and_queued(world: World) -> None:
    test = visit("edge", run=world.exported, tab="Measure")
    test.radio(key="edge-lab-scenario").set_value("server").run()
    test.number_input(key="edge-lab-qps").set_value(20.0)
    test.number_input(key="edge-lab-seconds").set_value(1.0)
    test.toggle(key="edge-lab-slo").set_value(True).run()
    test.selectbox(key="edge-slo-percentile").set_value(90).run()
    assert "measurements, one after the other, about" in texts(test)
    test.button(key="edge-lab-start").click().run()
    assert not test.exception
    run = jobs.get(query(test, "run"), access=LOCAL)
    assert run.settings["export"] == world.exported
    asked = run.settings["lab"]
    assert (asked["latency"]["scenario"], asked["latency"]["target_qps"]) == ("server", 20.0)
    assert asked["slo"] == {"bound_ms": 50.0, "qps": 20.0, "percentile": 90, "threads": 1}
    jobs.cancel(run.id, access=LOCAL)
    jobs.wait(run.id, 30, access=LOCAL)


def test_no_variant_no_start(world: World) -> None:
    test = visit("edge", run=world.exported, tab="Measure")
    test.multiselect(key="edge-lab-variants").set_value([]).run()
    assert "Choose at least one variant." in texts(test)
    assert "Measure" not in labels(test)


def test_a_measurement_says_what_was_found_and_what_to_doubt(world: World) -> None:
    test = visit("edge", run=world.measured)
    assert not test.exception
    assert not test.error
    said = texts(test)
    assert "from raw input, ONNX is" in said
    assert "Shortened run" in said
    assert "Objective: p90 within 1,000 ms at 50 requests per second, on 1 thread" in said
    for tab in ("Sweep", "Operators", "Roofline", "Method"):
        test.session_state["edge-latency-tabs"] = tab
        test.run()
        assert not test.exception, tab
        assert not test.error, tab


def test_measurements_are_listed_with_their_model(world: World) -> None:
    test = visit("edge", run=world.exported, tab="Measurements")
    listed = test.dataframe[0].value
    mine = [run for run in runs.find(task="latency", access=LOCAL) if run.settings["export"] == world.exported]
    assert len(listed) == len(mine) >= 1


def test_a_run_of_another_kind_is_refused(world: World) -> None:
    test = visit("edge", run=world.binary)
    assert not test.exception
    assert f"Run '{world.binary}' is neither an export nor a latency measurement." in texts(test)
