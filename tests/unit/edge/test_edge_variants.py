"""Variants of a table's model: those that help are compared on held-out rows, the others say why they are missing."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score

from core.automl import make_model
from core.datasets import load_sample
from core.edge import HeldOut, export_onnx, make_variants
from core.edge.variants.variants import scores
from core.errors import StoppedError
from core.features import TableEncoder


@pytest.fixture(scope="module")
def credit(tmp_path_factory):
    """A small linear model of the credit table, its rows, and the true codes of those held out."""
    frame = load_sample("german_credit").frame
    y = (frame["credit"] == "good").to_numpy().astype(int)
    train, held = frame.iloc[:700], frame.iloc[700:]
    encoder = TableEncoder().fit(train.drop(columns="credit"))
    fitted = LogisticRegression(max_iter=2_000).fit(encoder.transform(train), y[:700])
    model = make_model(encoder, fitted, ["bad", "good"])
    folder = tmp_path_factory.mktemp("variants")
    exported = export_onnx(model, folder / "model.onnx", train=train, held_out=held)
    return model, exported.path, train, held, y[700:]


def test_figures_are_those_of_the_held_out_rows(credit, tmp_path):
    model, path, train, held, y = credit
    events = []
    variants = make_variants(
        path, tmp_path, modes=("dynamic-int8",), train=train, held_out=HeldOut(held, y, "binary"), report=events.append
    )
    assert [item.name for item in variants] == ["fp32", "dynamic-int8"]
    first, second = variants
    assert first.metrics["accuracy"].value == accuracy_score(y, model.predict_proba(held).argmax(axis=1))
    assert first.file == "model.onnx"
    assert second.file is None
    assert "weights" in second.reason
    assert events
    assert np.allclose(scores(path, held, None), model.predict_proba(held), atol=1e-6)


def test_a_stop_is_heeded(credit, tmp_path):
    with pytest.raises(StoppedError):
        make_variants(credit[1], tmp_path, should_stop=lambda: True)
