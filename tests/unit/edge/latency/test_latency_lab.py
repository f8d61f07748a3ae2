"""The latency suite: it measures what it should, and a part that fails does not end the others."""

import json

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from core.automl import make_model
from core.datasets import load_sample
from core.edge import Graph, describe_graph, export_onnx
from core.edge.latency import (
    LatencySettings,
    LatencySuiteReport,
    LatencySuiteSettings,
    LatencySuiteTarget,
    Texts,
    run_latency_suite,
)
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


def test_a_suite_measures_what_it_should_and_no_more(credit):
    path, rows = credit
    settings = LatencySuiteSettings(variants=("fp32",), latency=QUICK, sweep={"batch_size": [1, 4]}, roof=False)
    report = run_latency_suite(LatencySuiteTarget({"fp32": path}, rows, accuracy={"fp32": 0.7}), settings)
    assert report.errors == []
    samples = report.samples()
    assert samples["variant"].unique().tolist() == ["fp32"]
    assert len(samples) == report.reports["fp32"].requests
    assert sum(row.share for row in report.profiles["fp32"]) == pytest.approx(1.0)
    assert [row["batch_size"] for row in report.sweep] == [1, 4]
    assert any(row["pareto"] for row in report.sweep)
    assert report.native is None
    assert (report.roof, report.rooflines) == (None, {})
    written = json.loads(json.dumps(report.to_dict()))
    assert written == report.to_dict()
    assert LatencySuiteReport.from_dict(written) == report
    elsewhere = written["settings"]["latency"] | {"provider": "CUDAExecutionProvider"}  # of another machine
    written["settings"]["latency"] = written["reports"]["fp32"]["settings"] = elsewhere
    assert LatencySuiteReport.from_dict(written).reports["fp32"].settings.provider == "CUDAExecutionProvider"


def test_a_suite_that_is_stopped_keeps_what_it_has(file):
    events = []
    report = run_latency_suite(
        LatencySuiteTarget({"only": file("matmul")}),
        LatencySuiteSettings(
            variants=("only",), latency=QUICK, inputs="random", sweep={"batch_size": [*range(1, 90)]}, roof=False
        ),
        report=events.append,
        should_stop=lambda: any("of 89" in event.message for event in events),
    )
    assert report.stopped
    assert list(report.reports) == ["only"]


def test_what_does_not_exist_is_refused(credit):
    path, _ = credit
    with pytest.raises(InputError, match="no variant 'int3'"):
        run_latency_suite(LatencySuiteTarget({"fp32": path}), LatencySuiteSettings(variants=("int3",), inputs="random"))
    with pytest.raises(InputError, match="no rows"):
        run_latency_suite(LatencySuiteTarget({"fp32": path}), LatencySuiteSettings(variants=("fp32",)))
    with pytest.raises(SettingsError, match="'color' is not an axis"):
        LatencySuiteSettings(variants=("fp32",), sweep={"color": [1]})


@pytest.mark.nightly
def test_what_fails_is_listed_and_the_rest_continues(file):
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
    events = []
    report = run_latency_suite(LatencySuiteTarget(variants), settings, report=events.append)
    assert [(error.of, error.doing.split()[0]) for error in report.errors] == [
        ("broken", "Measuring"),
        ("native", "Measuring"),
    ]
    assert "as it was trained is not there" in report.errors[1].message
    assert set(report.reports) == set(report.rooflines) == set(report.slo) == {"sound"}
    assert report.rooflines["sound"].flop == 2 * 64 * 64 + 64
    assert report.slo["sound"].verdict.verdict == "met"
    assert events[-1].fraction <= 1


def test_a_roofline_that_fails_keeps_the_report(file, monkeypatch):
    from core.edge.latency.analyses import suite

    def fail(*values, **options):
        raise InputError("The graph cannot be described.", "Export it again.")

    monkeypatch.setattr(suite, "describe_run", fail)
    settings = LatencySuiteSettings(variants=("only",), latency=QUICK, inputs="random", profile=False)
    report = run_latency_suite(LatencySuiteTarget({"only": file("matmul")}), settings)
    assert [error.message for error in report.errors] == ["The graph cannot be described."]
    assert report.reports["only"].requests == len(report.samples())
    assert report.roof.gflops > 0


def test_the_work_is_that_of_the_median_request(file, tmp_path):
    word_tokenizer().save(str(tmp_path / "tokenizer.json"))
    texts = Texts(["film", "good " * 9, "bad " * 4], tmp_path / "tokenizer.json", 16)
    for batch_size, length, shape in ((1, None, (1, 6)), (2, None, (2, 11)), (3, 8, (3, 8))):
        settings = LatencySettings(batch_size=batch_size, sequence_length=length, duration_s=0.1)
        assert describe_run(file("tokens"), settings, texts).work.shapes["input_ids"] == shape
    fixed = describe_run(file("tokens"), LatencySettings(sequence_length=5, duration_s=0.1)).work
    assert fixed.shapes == {"input_ids": (1, 5), "attention_mask": (1, 5)}


def test_it_is_the_same_work_as_in_this_process(credit):
    path, rows = credit
    from core.edge import Metadata, table_feeds

    graph = describe_run(path, LatencySettings(batch_size=4, duration_s=0.1), rows)
    assert graph == describe_graph(path, table_feeds(rows.head(4), Metadata.read(path).columns))
    assert Graph.from_dict(json.loads(json.dumps(graph.to_dict()))) == graph
    assert graph.work.flop > 0
    assert np.prod(graph.work.shapes["age"]) == 4
