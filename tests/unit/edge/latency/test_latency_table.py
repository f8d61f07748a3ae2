"""Models of tables: rows of raw columns, strings among them, to the file and to the native model alike."""

import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import TensorProto, helper
from sklearn.linear_model import LogisticRegression

from core.automl import make_model
from core.edge import Column, Metadata, export_onnx
from core.edge.latency import Cells, measure_latency, measure_native
from core.edge.latency.inputs import write_inputs
from core.errors import InputError
from core.features import TableEncoder
from tests.unit.edge.latency.conftest import children, info, model

FRAME = pd.DataFrame({"age": [20.0, None, 35.0, 60.0], "job": ["clerk", "nurse", None, "clerk"], "id": range(4)})


@pytest.fixture
def words_file(tmp_path):
    """A model of texts and a number, and rows of it."""
    frame = pd.DataFrame({"note": ["good value, good film", None, "bad value", "=not GOOD"] * 20, "n": range(80)})
    encoder = TableEncoder(column_types={"note": "text", "n": "numeric"}).fit(frame)
    codes = np.arange(80) % 2
    fitted = make_model(encoder, LogisticRegression().fit(encoder.transform(frame), codes), ["a", "b"])
    return export_onnx(fitted, tmp_path / "words.onnx", train=frame, held_out=frame).path, frame


@pytest.mark.nightly
def test_texts_are_counted_before_or_within_what_is_timed(words_file, quick):
    path, frame = words_file
    for inputs in (frame, Cells(frame)):
        for within in (False, True):
            report = measure_latency(path, quick(batch_size=3), inputs=inputs, include_preprocessing=within)
            assert report.requests > 0
            assert report.preprocessing == within
    assert measure_latency(path, quick(batch_size=3)).requests > 0
    folder = path.parent
    written = write_inputs(frame, path, folder, batch_size=3, preprocessing=False)
    with np.load(folder / "inputs.npz") as arrays:
        feeds = {name: arrays[str(index)] for index, name in enumerate(written.names)}
    assert feeds["note"].dtype == np.int32
    assert feeds["note"].shape == (80, len(Metadata.read(path).columns[0].vocabulary))
    assert feeds["note"].sum() > 80


@pytest.fixture
def table_file(tmp_path):
    """A graph of two columns that says so in its metadata."""
    nodes = [helper.make_node("Identity", [name], [f"{name}_out"]) for name in ("age", "job")]
    types = {"age": TensorProto.FLOAT, "job": TensorProto.STRING}
    made = onnx.load_from_string(
        model(
            nodes,
            [info(name, kind, ["n", 1]) for name, kind in types.items()],
            [info(f"{name}_out", kind, ["n", 1]) for name, kind in types.items()],
        )
    )
    Metadata("table", columns=(Column("age", "number", "age"), Column("job", "category", "job"))).write(made)
    path = tmp_path / "table.onnx"
    path.write_bytes(made.SerializeToString())
    return path


def test_rows_with_strings_are_cycled_and_batched(table_file, quick):
    report = measure_latency(table_file, quick(batch_size=3), inputs=FRAME)
    assert report.requests > 0
    assert not report.preprocessing


def test_building_the_inputs_can_be_part_of_what_is_timed(table_file, quick):
    without = measure_latency(table_file, quick(), inputs=FRAME)
    report = measure_latency(table_file, quick(), inputs=FRAME, include_preprocessing=True)
    assert report.preprocessing
    assert report.percentiles[50].value > 2 * without.percentiles[50].value


def test_cells_are_typed_by_the_code_of_an_edge_bundle(table_file, quick):
    loaded = []

    def look():
        for process in children():
            loaded.append({part.path.rsplit("/", 1)[-1] for part in process.memory_maps()})
        return False

    report = measure_latency(
        table_file, quick(batch_size=2), inputs=Cells(FRAME), include_preprocessing=True, should_stop=look
    )
    assert report.preprocessing
    assert report.requests > 0
    assert not any("pandas" in name for names in loaded for name in names)
    ready = measure_latency(table_file, quick(batch_size=2), inputs=Cells(FRAME))
    assert report.percentiles[50].value > ready.percentiles[50].value
    with pytest.raises(InputError, match="no column 'job'"):
        measure_latency(table_file, quick(), inputs=Cells(FRAME[["age"]]))


def test_a_file_without_columns_takes_no_rows(file, quick):
    with pytest.raises(InputError, match="does not say which columns it takes"):
        measure_latency(file("matmul"), quick(), inputs=FRAME)
    with pytest.raises(InputError, match="does not say which columns it takes"):
        measure_latency(file("matmul"), quick(), inputs=Cells(FRAME))
    with pytest.raises(InputError, match="no row"):
        measure_latency(file("matmul"), quick(), inputs=FRAME.head(0))


@pytest.fixture
def native(tmp_path):
    from skops import io

    random = np.random.default_rng(0)
    frame = pd.DataFrame({"age": random.integers(18, 70, 200).astype(float), "job": random.choice(["a", "b"], 200)})
    encoder = TableEncoder().fit(frame)
    estimator = LogisticRegression().fit(encoder.transform(frame), frame["age"] > 40)
    io.dump(make_model(encoder, estimator, ["no", "yes"]), tmp_path / "model.skops")
    return tmp_path, frame


@pytest.mark.nightly
def test_the_native_model_is_measured_the_same_way(native, quick):
    folder, frame = native
    report = measure_native(folder, quick(), inputs=frame)
    assert report.kind == "automl"
    assert report.preprocessing
    assert report.requests == len(report.samples_ms) > 0
    assert report.size_bytes == (folder / "model.skops").stat().st_size
    assert report.applied == {"threads": 1}
    assert report.machine.onnxruntime is None
    assert len(report.machine.pinned) <= 1


def test_what_is_no_model_is_refused(tmp_path, native, quick):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no model"):
        measure_native(tmp_path / "empty", quick(), inputs=FRAME)
    with pytest.raises(InputError, match="needs rows"):
        measure_native(native[0], quick(), inputs=None)
