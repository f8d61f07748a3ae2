"""A visit to the lab: what was asked is measured, and what fails for one part does not take the others along."""

import json

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from core.automl._model import make_model
from core.datasets import load_sample
from core.edge import Graph, describe_graph, export_onnx
from core.edge.latency import LatencySettings, LatencySuiteSettings, LatencySuiteTarget, Texts, run_latency_suite
from core.edge.latency.analyses.graph_work import describe_run
from core.errors import InputError, SettingsError
from core.features import TableEncoder
from tests.unit.edge.edge_models import word_tokenizer

QUICK = LatencySettings(warmup_s=0.05, duration_s=0.2)


@pytest.fixture(scope="module")
def credit(tmp_path_factory):
    """A small linear model of the credit table, and rows that it did not learn from."""
    frame = load_sample("german_credit").frame
    y = (frame["credit"] == "good").to_numpy().astype(int)
    rows = frame.drop(columns="credit")
    encoder = TableEncoder().fit(rows.head(700))
    fitted = LogisticRegression(max_iter=2_000).fit(encoder.transform(rows.head(700)), y[:700])
    path = tmp_path_factory.mktemp("lab") / "model.onnx"
    model = make_model(encoder, fitted, ["bad", "good"])
    return export_onnx(model, path, train=rows.head(700), held_out=rows.tail(300)).path, rows.tail(300)


def test_a_visit_measures_what_was_asked_and_no_more(credit):
    path, rows = credit
    settings = LatencySuiteSettings(variants=("fp32",), latency=QUICK, sweep={"batch_size": [1, 4]}, roof=False)
    found = run_latency_suite(LatencySuiteTarget({"fp32": path}, rows, accuracy={"fp32": 0.7}), settings)
    assert found["errors"] == []
    assert len(found["samples_ms"]["fp32"]) == found["reports"]["fp32"]["requests"]
    assert sum(row["share"] for row in found["profiles"]["fp32"]) == pytest.approx(1.0)
    assert [row["batch_size"] for row in found["sweep"]] == [1, 4]
    assert any(row["pareto"] for row in found["sweep"])
    assert found["native"] is None
    assert (found["roof"], found["rooflines"]) == (None, {})
    assert json.loads(json.dumps(found)) == found


def test_what_is_not_there_is_refused(credit):
    path, _ = credit
    with pytest.raises(InputError, match="no variant 'int3'"):
        run_latency_suite(LatencySuiteTarget({"fp32": path}), LatencySuiteSettings(variants=("int3",), inputs="random"))
    with pytest.raises(InputError, match="no rows"):
        run_latency_suite(LatencySuiteTarget({"fp32": path}), LatencySuiteSettings(variants=("fp32",)))
    with pytest.raises(SettingsError, match="'colour' is no axis"):
        LatencySuiteSettings(variants=("fp32",), sweep={"colour": [1]})


def test_what_fails_is_noted_and_the_rest_goes_on(file):
    variants = {"broken": file("endless"), "sound": file("matmul")}
    variants["broken"].write_bytes(b"\x08\x08nothing")
    settings = LatencySuiteSettings(
        variants=("broken", "sound"),
        latency=QUICK,
        inputs="random",
        native=True,
        profile=False,
        slo={"bound_ms": 2_000, "qps": 200},  # met on a machine that others slow down, too
    )
    told = []
    found = run_latency_suite(LatencySuiteTarget(variants), settings, report=told.append)
    assert [(each["of"], each["doing"].split()[0]) for each in found["errors"]] == [
        ("broken", "Measuring"),
        ("native", "Measuring"),
    ]
    assert "as it was trained is not there" in found["errors"][1]["message"]
    assert set(found["reports"]) == set(found["rooflines"]) == set(found["slo"]) == {"sound"}
    assert found["rooflines"]["sound"]["flop"] == 2 * 64 * 64 + 64
    assert found["slo"]["sound"]["verdict"]["verdict"] == "met"
    assert told[-1].fraction <= 1


def test_a_roof_that_fails_takes_no_report_along(file, monkeypatch):
    from core.edge.latency.analyses import suite as _lab

    def fail(*values, **options):
        raise InputError("The graph cannot be described.", "Export it again.")

    monkeypatch.setattr(_lab, "describe_run", fail)
    settings = LatencySuiteSettings(variants=("only",), latency=QUICK, inputs="random", profile=False)
    found = run_latency_suite(LatencySuiteTarget({"only": file("matmul")}), settings)
    assert [each["message"] for each in found["errors"]] == ["The graph cannot be described."]
    assert found["reports"]["only"]["requests"] == len(found["samples_ms"]["only"])
    assert found["roof"]["gflops"] > 0


def test_the_work_is_that_of_the_median_request(file, tmp_path):
    word_tokenizer().save(str(tmp_path / "tokenizer.json"))
    texts = Texts(["film", "good " * 9, "bad " * 4], tmp_path / "tokenizer.json", 16)
    for batch, length, shape in ((1, None, (1, 6)), (2, None, (2, 11)), (3, 8, (3, 8))):
        asked = LatencySettings(batch_size=batch, sequence_length=length, duration_s=0.1)
        assert describe_run(file("tokens"), asked, texts).work.shapes["input_ids"] == shape
    fixed = describe_run(file("tokens"), LatencySettings(sequence_length=5, duration_s=0.1)).work
    assert fixed.shapes == {"input_ids": (1, 5), "attention_mask": (1, 5)}


def test_it_is_the_same_work_as_in_this_process(credit):
    path, rows = credit
    from core.edge import Metadata, table_feeds

    found = describe_run(path, LatencySettings(batch_size=4, duration_s=0.1), rows)
    assert found == describe_graph(path, table_feeds(rows.head(4), Metadata.read(path).columns))
    assert Graph.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    assert found.work.flop > 0
    assert np.prod(found.work.shapes["age"]) == 4
