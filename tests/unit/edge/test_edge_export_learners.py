"""Every learner of a search exports, for each task and kind of label, and answers as the pipeline does."""

import numpy as np
import pytest

from core.automl import AutoMLSettings
from core.edge import TableScorer, export_onnx
from tests.unit.edge.edge_models import fitted, odd_table

LEARNERS = (*AutoMLSettings(target="y").chosen_learners, "linear")
TARGETS = {
    "binary of words": ("binary", ("no", "yes")),
    "binary of numbers": ("binary", (0, 1)),
    "booleans": ("binary", (False, True)),
    "classes of words": ("multiclass", ("ä", "b c", "=d")),
    "classes of numbers": ("multiclass", (-3, 0, 7)),
    "classes of fractions": ("multiclass", (0.5, 1.5, 2.5)),
    "a number": ("regression", None),
}


@pytest.fixture(scope="module")
def tables():
    return odd_table(), odd_table(300, seed=1)


@pytest.mark.parametrize("learner", LEARNERS)
@pytest.mark.parametrize("target", TARGETS)
def test_a_learner_exports(tables, tmp_path, learner, target):
    train, others = tables
    task, labels = TARGETS[target]
    model = fitted(learner, task, train, labels)
    exported = export_onnx(model, tmp_path / "m.onnx", train=train, held_out=others)

    assert set(exported.parity) == {"train", "held_out", "edge_cases"}
    for part in exported.parity.values():
        assert part["largest_difference"] < 1e-5
        assert (part["rows_over"], part["label_flips"]) == (0, 0)
    scorer = TableScorer(exported.path)
    table = scorer.predict(others)
    if labels is None:
        assert exported.labels is None
        assert table["label"].tolist() == pytest.approx(model.predict(others).tolist(), rel=1e-5)
    else:
        assert exported.labels == tuple(labels)
        assert table["label"].tolist() == model.predict(others).tolist()
        assert list(table.columns) == ["label", *(f"p({label})" for label in labels)]
        assert np.abs(table.iloc[:, 1:].to_numpy() - model.predict_proba(others)).max() < 2e-6
        # The graph itself answers with text, unless all labels are whole numbers.
        words = scorer.chosen(others).tolist()
        expected = model.predict(others).tolist()
        assert words == (expected if "numbers" in target else [str(label) for label in expected])
