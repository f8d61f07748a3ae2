"""Numbers and dates whose last digits float32 does not hold stay apart, or their columns are named."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lightgbm import LGBMRegressor
from skops import io as skops_io

from core.automl import make_model
from core.edge import TableScorer, export_onnx
from core.features import TableEncoder

ROWS = 300
random = np.random.default_rng(0)


def columns() -> pd.DataFrame:
    moments = 1_709_300_000 + np.sort(random.integers(0, 30_000_000, ROWS))
    return pd.DataFrame(
        {
            "day": 20240300 + random.integers(1, 29, ROWS),
            "seconds": moments,
            "date": pd.to_datetime(moments, unit="s"),
            "zoned": pd.to_datetime(moments, unit="s", utc=True),
            "phase": 1e6 + random.random(ROWS),
            "missing": pd.Series(moments, dtype="Int64").where(random.random(ROWS) > 0.2),
            "plain": random.normal(size=ROWS),
            "year": random.integers(1990, 2025, ROWS),
        }
    )


FRAME = columns()


def encoded(name: str) -> np.ndarray:
    encoder = TableEncoder().fit(FRAME[[name]])
    return encoder.transform(FRAME[[name]])[:, 0]


@pytest.mark.parametrize("name", ["day", "seconds", "date", "zoned", "phase"])
def test_distinct_values_stay_distinct(name):
    assert len(np.unique(encoded(name))) == FRAME[name].nunique()
    assert TableEncoder().fit(FRAME[[name]]).findings() == []


@pytest.mark.parametrize("name", ["day", "seconds"])
def test_differences_are_exact(name):
    values = FRAME[name].to_numpy()
    matrix = encoded(name).astype(float)
    assert np.array_equal(matrix - matrix[0], values - values[0])


@pytest.mark.parametrize("name", ["plain", "year"])
def test_others_are_as_they_are(name):
    assert np.array_equal(encoded(name), FRAME[name].to_numpy(np.float32))


def test_what_merges_all_the_same_is_counted():
    frame = pd.DataFrame(
        {"code": [1, *(10**9 + np.arange(200)), *(-(10**9) - np.arange(200))], "big": 2**60 + np.arange(401)}
    )
    encoder = TableEncoder(column_types={"big": "numeric"}).fit(frame)
    counts = {finding.column: finding.values for finding in encoder.findings()}
    matrix = encoder.transform(frame)
    assert counts == {
        name: {"distinct": 401, "kept": len(np.unique(matrix[:, index]))} for index, name in enumerate(frame.columns)
    }
    assert "401 distinct values" in encoder.findings()[0].message


def test_missing_numbers_that_become_zero_are_zero():
    frame = pd.DataFrame(
        {"missing": FRAME["missing"].where(FRAME["day"] % 5 > 0, FRAME["missing"].min() + FRAME["day"])}
    )
    encoder = TableEncoder(imputation="zero").fit(frame)
    gaps = frame["missing"].isna().to_numpy()
    assert (encoder.transform(frame)[gaps, 0] == 0).all()
    assert encoder.findings()[0].check == "merged_values"


@given(st.floats(1e5, 1e15), st.lists(st.integers(-10_000, 10_000), min_size=60, max_size=80, unique=True))
def test_integers_around_any_offset_keep_their_order(offset, steps):
    values = np.round(offset) + np.array(steps, dtype=float)
    matrix = TableEncoder(column_types={"x": "numeric"}).fit_transform(pd.DataFrame({"x": values}))
    assert np.array_equal(np.argsort(matrix[:, 0], kind="stable"), np.argsort(values, kind="stable"))
    assert len(np.unique(matrix[:, 0])) == len(np.unique(values))


def test_the_export_reads_them_exactly(tmp_path):
    y = FRAME["day"] % 2 + (FRAME["seconds"] % 64 < 32) + FRAME["missing"].fillna(0).astype(float) % 3
    encoder = TableEncoder().fit(FRAME)
    estimator = LGBMRegressor(n_estimators=30, min_child_samples=1, n_jobs=1, verbose=-1)
    model = make_model(encoder, estimator.fit(encoder.transform(FRAME), y), None)
    exported = export_onnx(model, tmp_path / "m.onnx", train=FRAME, held_out=FRAME)
    assert {column.name for column in exported.columns if column.center is not None} == {
        "day",
        "seconds",
        "date",
        "zoned",
        "phase",
        "missing",
    }
    assert np.abs(TableScorer(tmp_path / "m.onnx").outputs(FRAME)[:, 0] - model.predict(FRAME)).max() < 1e-5


def test_an_encoder_stored_before_there_were_centers_rounds_as_it_did():
    encoder = TableEncoder().fit(FRAME)
    del encoder.centers_, encoder.merged_
    old = skops_io.loads(skops_io.dumps(encoder), trusted=skops_io.get_untrusted_types(data=skops_io.dumps(encoder)))
    names = old.get_feature_names_out().tolist()
    assert np.array_equal(old._typed(FRAME)["day"], FRAME["day"].to_numpy(np.float32))
    assert names == encoder.get_feature_names_out().tolist()
