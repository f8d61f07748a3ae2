"""A table's model as ONNX: raw columns in, the target's labels out, equal to the pipeline or not there at all."""

import json

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
from lightgbm import LGBMClassifier
from sklearn.linear_model import LogisticRegression

from core.automl import make_model
from core.datasets import load_sample
from core.edge import Metadata, OnnxModel, TableScorer, export_onnx
from core.errors import ExportError
from core.features import TableEncoder
from tests.unit.edge.edge_models import fitted, odd_table


@pytest.fixture(scope="module")
def adult(tmp_path_factory):
    """Return a LightGBM of Adult: its pipeline, training rows, others, and what was exported."""
    frame = load_sample("adult").frame
    rows, y = frame.drop(columns="income"), frame["income"]
    train, others = rows.iloc[:2000], rows.iloc[2000:6000]
    encoder = TableEncoder().fit(train)
    labels = sorted(y.unique())
    estimator = LGBMClassifier(n_estimators=20, n_jobs=1, verbose=-1)
    estimator.fit(encoder.transform(train), pd.Categorical(y.iloc[:2000], categories=labels).codes)
    model = make_model(encoder, estimator, labels)
    path = tmp_path_factory.mktemp("adult") / "model.onnx"
    exported = export_onnx(model, path, train=train, held_out=others, fingerprint="abc", target="income")
    return model, train, others, exported


def test_adult_agrees_on_every_row(adult):
    model, _, others, result = adult
    assert [result.parity[part]["rows"] for part in ("train", "held_out")] == [2000, 4000]
    assert result.parity["edge_cases"]["rows"] > 300
    assert max(part["largest_difference"] for part in result.parity.values()) < 1e-6
    ours = TableScorer(result.path).predict(others)
    assert ours["label"].tolist() == model.predict(others).tolist()
    assert np.abs(ours[["p(<=50K)", "p(>50K)"]].to_numpy() - model.predict_proba(others)).max() < 1e-6


def test_the_graph_takes_one_typed_input_a_raw_column(adult):
    model, _, _, result = adult
    graph = onnx.load(result.path).graph
    assert [item.name for item in graph.input] == list(result.inputs)
    assert [column.name for column in result.columns] == model[0].columns_
    types = {column.input: column.kind for column in result.columns}
    for item in graph.input:
        expected = onnx.TensorProto.STRING if types[item.name] == "category" else onnx.TensorProto.FLOAT
        assert item.type.tensor_type.elem_type == expected
    assert [item.name for item in graph.output] == ["label", "probabilities"]
    onnx.checker.check_model(onnx.load(result.path), full_check=True)


def test_no_map_of_labels_comes_out(adult):
    # ZipMap makes a dictionary a row: 202 against 14.5 microseconds for 1,000 rows.
    assert "ZipMap" not in {node.op_type for node in onnx.load(adult[3].path).graph.node}


def test_the_file_and_its_description_tell_what_it_is(adult):
    _, _, _, result = adult
    assert Metadata.read(result.path) == Metadata(
        "table", "binary", ("<=50K", ">50K"), result.columns, None, "abc", None, "fp32", "income"
    )
    assert OnnxModel.from_dict(json.loads(json.dumps(result.to_dict())), result.path) == result
    assert (result.kind, result.variant, result.max_length) == ("table", "fp32", None)


def test_hard_names_make_safe_and_different_inputs(tmp_path):
    frame = odd_table()
    exported = export_onnx(fitted("linear", "regression", frame), tmp_path / "m.onnx", train=frame, held_out=frame)
    assert exported.inputs == (
        "gr_e_m",
        "a_b",
        "a_b_2",
        "column",
        "say_hi_drop",
        "column_2",
        "label_2",
        "when",
        "zoned",
    )


def test_dates_have_their_parts_on_any_day(tmp_path):
    seconds = np.r_[
        -62_135_596_800, 253_402_300_799, -1, 0, 951_782_400, np.arange(-(10**11), 2 * 10**11, 86_399 * 997)
    ]
    frame = pd.DataFrame({"when": seconds.astype("datetime64[s]"), "number": np.arange(len(seconds)) % 7.0})
    frame.loc[7, "when"] = pd.NaT
    encoder = TableEncoder().fit(frame)
    model = make_model(encoder, LogisticRegression().fit(encoder.transform(frame)[:50], np.arange(50) % 2), [0, 1])
    exported = export_onnx(model, tmp_path / "m.onnx", train=frame, held_out=frame)
    graph = onnx.load(exported.path)
    inner = next(node for node in graph.graph.node if node.op_type == "Identity" and "features" in node.output[0])
    graph.graph.output.append(onnx.helper.make_tensor_value_info(inner.input[0], 1, ["n", "m"]))
    session = onnxruntime.InferenceSession(graph.SerializeToString())
    from core.edge import table_feeds

    features = session.run([inner.input[0]], table_feeds(frame, exported.columns))[0]
    assert np.array_equal(features, encoder.transform(frame))


def test_a_class_without_training_rows_has_no_probability(tmp_path):
    frame = odd_table(200)
    encoder = TableEncoder().fit(frame)
    estimator = LGBMClassifier(n_estimators=5, n_jobs=1, verbose=-1)
    estimator.fit(encoder.transform(frame), np.where(frame["a b"] > 25, 3, 1))
    model = make_model(encoder, estimator, ["a", "b", "c", "d"])
    exported = export_onnx(model, tmp_path / "m.onnx", train=frame, held_out=frame)
    table = TableScorer(exported.path).predict(frame)
    assert set(table["label"]) == {"b", "d"}
    assert (table[["p(a)", "p(c)"]] == 0).all(axis=None)


def test_a_saved_result_exports_with_what_it_knows(tmp_path):
    from skops import io

    frame = odd_table(200)
    model = fitted("lgbm", "binary", frame, ("no", "yes"))
    io.dump(model, tmp_path / "model.skops")
    (tmp_path / "result.json").write_text(json.dumps({"fingerprint": "f00", "settings": {"target": "y"}}))
    exported = export_onnx(tmp_path, tmp_path / "m.onnx", train=frame, held_out=frame)
    read = Metadata.read(exported.path)
    assert (read.fingerprint, read.target) == ("f00", "y")
    assert np.abs(TableScorer(exported.path).outputs(frame) - model.predict_proba(frame)).max() < 1e-6


def test_a_file_that_differs_is_not_kept(tmp_path, monkeypatch):
    from core.edge.export import export_table as _export_table

    frame = odd_table(200)
    model = fitted("linear", "binary", frame, ("no", "yes"))
    true = _export_table.convert_estimator

    def wrong(estimator, width):
        result = true(estimator, width)
        node = next(node for node in result.graph.node if node.op_type == "LinearClassifier")
        values = next(item for item in node.attribute if item.name == "coefficients")
        values.floats[0] += 0.5
        return result

    monkeypatch.setattr(_export_table, "convert_estimator", wrong)
    with pytest.raises(ExportError, match=r"differently on [\d,]+ of 200 rows \(train\), by up to") as caught:
        export_onnx(model, tmp_path / "m.onnx", train=frame, held_out=frame)
    assert " against " in caught.value.message
    assert caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_what_no_search_made_is_refused(tmp_path):
    frame = odd_table(100)
    with pytest.raises(ExportError, match="not a pipeline that a search made"):
        export_onnx(LogisticRegression(), tmp_path / "m.onnx", train=frame, held_out=frame)
    with pytest.raises(ExportError, match="no held-out row"):
        export_onnx(fitted("linear", "regression", frame), tmp_path / "m.onnx", train=frame, held_out=frame[:0])
