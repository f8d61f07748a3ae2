"""Results that earlier code saved are read by today's, and their models predict, export and explain the same.

``tests/data/make_old_results.py`` makes them; it says what is in them.
"""

import json
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.automl import AutoMLResult, describe_calibration, winner_picture
from core.edge import export_onnx

DATA = Path(__file__).parents[2] / "data"
ARCHIVES = sorted(path.name.removesuffix(".tar.xz") for path in DATA.glob("results-*.tar.xz"))


@pytest.fixture(scope="module", params=ARCHIVES)
def old(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    with tarfile.open(DATA / f"{request.param}.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder / "results"


def test_old_models_predict_the_same(old):
    rows = pd.read_csv(old / "rows.csv").head(20)
    for name, expected in json.loads((old / "expected.json").read_text(encoding="utf-8")).items():
        result = AutoMLResult.load(old / name)
        model = result.model
        predicted = model.predict(rows) if result.task == "regression" else model.predict_proba(rows)[:, 1]
        np.testing.assert_allclose(predicted, expected, rtol=1e-5, err_msg=name)
        repr(model)
        again = AutoMLResult.load(old / name)
        assert again.to_dict() == result.to_dict()
        assert isinstance(describe_calibration(result.winner), str)
        assert winner_picture(result.to_dict()).members


def test_old_models_export(old, tmp_path):
    rows = pd.read_csv(old / "rows.csv")
    for name in json.loads((old / "expected.json").read_text(encoding="utf-8")):
        model = AutoMLResult.load(old / name).model
        exported = export_onnx(model, tmp_path / f"{name}.onnx", train=rows[:100], held_out=rows[100:])
        assert all(part["rows_over"] == 0 for part in exported.parity.values()), name
