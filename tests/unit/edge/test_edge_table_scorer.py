"""Rows scored with ONNX Runtime in a light process."""

import subprocess
import sys

import onnx
import pandas as pd
import pytest

from core.edge import Metadata, TableScorer, export_onnx
from core.errors import InputError
from tests.unit.edge.edge_models import fitted, odd_table


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    frame = odd_table(300)
    model = fitted("lgbm", "binary", frame, (False, True))
    path = tmp_path_factory.mktemp("scorer") / "m.onnx"
    export_onnx(model, path, train=frame, held_out=frame)
    return model, frame, path


def test_order_of_columns_others_and_the_index_do_not_matter(exported):
    model, frame, path = exported
    shuffled = frame[frame.columns[::-1]].assign(extra="x").sample(frac=1, random_state=0)
    table = TableScorer(path).predict(shuffled)
    assert table.index.equals(shuffled.index)
    assert table["label"].dtype == bool
    assert table["label"].tolist() == model.predict(shuffled).tolist()


def test_one_row_and_many_agree(exported):
    _, frame, path = exported
    scorer = TableScorer(path)
    together = scorer.outputs(frame)[:20]
    assert (together == [scorer.outputs(frame.iloc[[row]])[0] for row in range(20)]).all()


def test_what_cannot_be_scored_is_named(exported):
    _, frame, path = exported
    scorer = TableScorer(path)
    with pytest.raises(InputError, match="no row"):
        scorer.predict(frame[:0])
    with pytest.raises(InputError, match="no column 'a b'"):
        scorer.predict(frame.drop(columns="a b"))
    with pytest.raises(InputError, match="'a b' was numeric in training"):
        scorer.predict(frame.assign(**{"a b": "many"}))


def test_a_model_of_something_else_is_refused(exported, tmp_path):
    model = onnx.load(exported[2])
    Metadata("text", max_length=8).write(model)
    onnx.save(model, tmp_path / "other.onnx")
    with pytest.raises(InputError, match=r"'other\.onnx' is not a model of a table"):
        TableScorer(tmp_path / "other.onnx")


def test_what_is_no_model_is_refused(exported, tmp_path):
    with pytest.raises(InputError, match=r"no file 'absent\.onnx'"):
        TableScorer(tmp_path / "absent.onnx")
    (tmp_path / "cut.onnx").write_bytes(exported[2].read_bytes()[:-500])
    with pytest.raises(InputError, match=r"'cut\.onnx' cannot be loaded"):
        TableScorer(tmp_path / "cut.onnx")


def test_rows_of_another_form_are_named(exported):
    _, frame, path = exported
    scorer = TableScorer(path)
    with pytest.raises(InputError, match="Rows are given as list"):
        scorer.predict(frame.head(2).to_dict("records"))
    with pytest.raises(InputError, match="Rows are given as Series"):
        scorer.predict(frame.iloc[0])
    with pytest.raises(InputError, match="has the column 'a b' 2 times"):
        scorer.predict(pd.concat([frame, frame[["a b"]]], axis=1))
    with pytest.raises(InputError, match="'when' was a date in training and now holds 'soon'"):
        scorer.predict(frame.assign(when="soon"))


def test_scoring_loads_neither_scikit_learn_nor_a_converter(exported):
    _, frame, path = exported
    frame.to_parquet(path.with_suffix(".parquet"))
    code = (
        "import sys, pandas\nfrom core.edge import TableScorer\n"
        f"rows = pandas.read_parquet({str(path.with_suffix('.parquet'))!r})\n"
        f"print(TableScorer({str(path)!r}).predict(rows)['label'].sum())\n"
        "heavy = {'torch', 'transformers', 'sklearn', 'scipy', 'lightgbm', 'catboost', 'xgboost', 'skl2onnx'}\n"
        "heavy |= {'onnxmltools'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    expected = TableScorer(path).predict(pd.read_parquet(path.with_suffix(".parquet")))["label"].sum()
    assert int(done.stdout) == expected
