"""Regressions of several sites against scikit-learn's on the rows of all sites in one place."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from core.federated import FederatedSettings
from core.federated.algorithms import linear
from tests.unit.federated.parts import cancer_sites, channel_of, train_on, training_rows


def _sites(task: str) -> dict[str, pd.DataFrame]:
    frames = {}
    for name, frame in cancer_sites().items():
        frame = frame.copy()
        if task == "multiclass":
            frame["target"] = np.digitize(frame.pop("mean area"), [450, 600, 800]).astype(str)
        elif task == "regression":
            frame["target"] = frame.pop("mean area")
        frames[name] = frame
    return frames


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_coefficients_are_those_of_all_rows(task: str) -> None:
    channel = channel_of(_sites(task))
    fitted = train_on(channel, FederatedSettings(target="target", algorithm="linear", l2=2.0, rounds=60))
    X, y = training_rows(channel)
    last = Ridge(2.0) if task == "regression" else LogisticRegression(C=0.5, tol=1e-12, max_iter=5_000)
    reference = make_pipeline(StandardScaler(), last).fit(X.astype(np.float64), y)
    rows = pd.concat([site.frame for site in channel.by_name.values()])
    if task == "regression":
        np.testing.assert_allclose(fitted.state["coefficients"][0, :-1], last.coef_, rtol=1e-8, atol=1e-8)
        np.testing.assert_allclose(
            fitted.model.predict(rows), reference.predict(fitted.features.encoder.transform(rows)), rtol=1e-6
        )
        return
    expected = reference.predict_proba(fitted.features.encoder.transform(rows).astype(np.float64))
    np.testing.assert_allclose(fitted.model.predict_proba(rows), expected, atol=2e-6)


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_without_the_hessian_it_comes_to_the_same(task: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = FederatedSettings(target="target", algorithm="linear", rounds=400)
    newton = train_on(channel_of(_sites(task)), settings)
    monkeypatch.setattr(linear, "NEWTON_COEFFICIENTS", 0)
    other = train_on(channel_of(_sites(task)), settings)
    rows = pd.concat(_sites(task).values())
    np.testing.assert_allclose(other.model.predict_proba(rows), newton.model.predict_proba(rows), atol=2e-4)


def test_classes_that_a_plane_divides_do_not_diverge() -> None:
    random = np.random.default_rng(0)
    frames = {
        name: pd.DataFrame({"x": random.normal(size=60)}).assign(y=lambda table: np.where(table["x"] > 0, "b", "a"))
        for name in ("one", "two")
    }
    fitted = train_on(channel_of(frames), FederatedSettings(target="y", algorithm="linear", l2=0.0))
    chances = fitted.model.predict_proba(frames["one"])
    assert np.isfinite(chances).all()
    assert (fitted.model.predict(frames["one"]) == frames["one"]["y"]).all()


def test_a_constant_column_and_two_equal_ones_do_no_harm() -> None:
    frames = {name: frame.assign(constant=5.0, copy=frame["mean radius"]) for name, frame in cancer_sites().items()}
    plain = train_on(channel_of(cancer_sites()), FederatedSettings(target="target", algorithm="linear"))
    fitted = train_on(channel_of(frames), FederatedSettings(target="target", algorithm="linear"))
    rows = pd.concat(frames.values())
    np.testing.assert_allclose(fitted.model.predict_proba(rows), plain.model.predict_proba(rows), atol=0.05)
