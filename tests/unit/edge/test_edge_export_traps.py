"""What silently goes wrong when tables' models become ONNX: exact, or refused by name."""

import numpy as np
import onnx
import pandas as pd
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    RandomForestRegressor,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import XGBClassifier

from core.automl import make_model
from core.edge import TableScorer, export_onnx
from core.errors import ExportError
from core.explain.encoded_columns import encoded_columns
from core.features import TableEncoder

ROWS = 400


def adjacent_floats(seed: int = 0) -> pd.DataFrame:
    """Return adjacent float32 numbers: a threshold between two of them is not a float32 itself."""
    random = np.random.default_rng(seed)
    start = np.float32(1.7e9).view(np.int32)
    near = (start + random.integers(0, 40, ROWS)).astype(np.int32).view(np.float32)
    small = (np.float32(0.1).view(np.int32) + random.integers(0, 40, ROWS)).astype(np.int32).view(np.float32)
    return pd.DataFrame({"near": near.astype(float), "small": small.astype(float)})


@pytest.fixture(scope="module")
def rows():
    frame = adjacent_floats()
    return frame, (frame["near"].rank(method="dense") * 7 + frame["small"].rank(method="dense") * 3) % 11 > 5


@pytest.mark.parametrize(
    "estimator",
    [
        LGBMClassifier(n_estimators=30, min_child_samples=1, n_jobs=1, verbose=-1),
        XGBClassifier(n_estimators=30, n_jobs=1, tree_method="exact"),
        ExtraTreesClassifier(30, random_state=0),
        RandomForestRegressor(30, random_state=0),
    ],
    ids=lambda item: type(item).__name__,
)
def test_1_values_on_a_threshold_fall_to_the_same_side(tmp_path, rows, estimator):
    frame, y = rows
    encoder = TableEncoder().fit(frame)
    estimator.fit(encoder.transform(frame), y.to_numpy().astype(int))
    model = make_model(encoder, estimator, ["no", "yes"] if hasattr(estimator, "classes_") else None)
    exported = export_onnx(model, tmp_path / "m.onnx", train=frame, held_out=adjacent_floats(1))
    assert exported.parity["edge_cases"]["rows"] > 100
    assert max(part["largest_difference"] for part in exported.parity.values()) < 1e-5
    assert "a threshold" in " ".join(hard_names(exported, frame))


def hard_names(result, frame):
    from core.edge.export.edge_cases import edge_cases, tree_thresholds

    names = [column.name for column in result.columns]
    made, text = edge_cases(frame, result.columns, tree_thresholds(onnx.load(result.path), names))
    assert len(made) == len(text) == result.parity["edge_cases"]["rows"]
    return text


def test_1_a_number_that_float32_rounds_is_rounded_in_training_too(tmp_path):
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"x": 16_777_216 + random.integers(0, 50, ROWS), "y": random.random(ROWS)})
    encoder = TableEncoder().fit(frame)
    estimator = LGBMRegressor(n_estimators=20, min_child_samples=1, n_jobs=1, verbose=-1)
    model = make_model(encoder, estimator.fit(encoder.transform(frame), frame["x"] % 2 + frame["y"]), None)
    exported = export_onnx(model, tmp_path / "m.onnx", train=frame, held_out=frame)
    assert max(part["rows_over"] for part in exported.parity.values()) == 0


def simple(estimator, y=None):
    frame = adjacent_floats()
    encoder = TableEncoder().fit(frame)
    codes = (frame["near"].rank(method="dense") % 2).to_numpy().astype(int) if y is None else y
    return frame, make_model(encoder, estimator.fit(encoder.transform(frame), codes), ["no", "yes"])


REFUSED = {
    "2 scaler before trees": (
        lambda: make_pipeline(StandardScaler(), LGBMClassifier(n_estimators=5, n_jobs=1, verbose=-1)),
        "StandardScaler with LGBMClassifier cannot be exported: a scaler before it moves values",
    ),
    "4 neighbors by distance": (lambda: KNeighborsClassifier(weights="distance"), "KNeighborsClassifier"),
    "4 neighbors": (
        KNeighborsClassifier,
        "KNeighborsClassifier cannot be exported: no converter is known to be right",
    ),
    "4 calibrated": (
        lambda: CalibratedClassifierCV(LGBMClassifier(n_estimators=5, n_jobs=1, verbose=-1), cv=2),
        "CalibratedClassifierCV",
    ),
    "4 isotonic": (
        lambda: CalibratedClassifierCV(LogisticRegression(), method="isotonic", cv=2),
        "CalibratedClassifierCV",
    ),
    "5 histogram boosting": (lambda: HistGradientBoostingClassifier(max_iter=5), "HistGradientBoostingClassifier"),
    "6 dart of XGBoost": (lambda: XGBClassifier(booster="dart", n_estimators=5, n_jobs=1), "its booster is dart"),
    "6 linear booster": (
        lambda: XGBClassifier(booster="gblinear", n_estimators=5, n_jobs=1),
        "its booster is gblinear",
    ),
    "6 dart of LightGBM": (
        lambda: LGBMClassifier(boosting_type="dart", n_estimators=5, n_jobs=1, verbose=-1),
        "its boosting is dart",
    ),
    "linear leaves": (
        lambda: LGBMClassifier(linear_tree=True, n_estimators=5, n_jobs=1, verbose=-1),
        "its leaves hold linear models",
    ),
    "8 a vote": (lambda: VotingClassifier([("a", LogisticRegression())], voting="soft"), "VotingClassifier"),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.filterwarnings("ignore:.*linear_tree.*", "ignore:.*gblinear.*", "ignore::UserWarning")  # libraries' own
def test_what_converts_wrongly_is_refused_by_name(tmp_path, case):
    make, text = REFUSED[case]
    frame, model = simple(make())
    with pytest.raises(ExportError) as caught:
        export_onnx(model, tmp_path / "m.onnx", train=frame, held_out=frame)
    assert text in caught.value.message
    assert caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_3_missing_words_are_a_word(tmp_path):
    random = np.random.default_rng(0)
    words = pd.Series(random.choice(["a", "b", None], ROWS), dtype="str")
    many = pd.Series(random.choice([*map(str, range(30)), None], ROWS), dtype="category")
    frame = pd.DataFrame({"few": words, "many": many, "number": random.random(ROWS)})
    encoder = TableEncoder().fit(frame)
    estimator = LGBMClassifier(n_estimators=10, n_jobs=1, verbose=-1)
    model = make_model(encoder, estimator.fit(encoder.transform(frame), words.isna().astype(int)), ["no", "yes"])
    exported = export_onnx(model, tmp_path / "m.onnx", train=frame, held_out=frame)
    other = pd.DataFrame(
        {"number": [0.5] * 4, "few": [None, "a", "never seen", np.nan], "many": [None, "7", "x", pd.NA]}
    )
    ours, theirs = TableScorer(exported.path).outputs(other), model.predict_proba(other)
    assert np.abs(ours - theirs).max() < 1e-6
    assert (ours[:, 1] > 0.5).tolist() == [True, False, False, True]


def test_6_xgboost_of_named_columns_is_refused(tmp_path):
    frame, _ = simple(LogisticRegression())
    named = pd.DataFrame(TableEncoder().fit_transform(frame), columns=["a", "b"])
    estimator = XGBClassifier(n_estimators=3, n_jobs=1).fit(named, np.arange(ROWS) % 2)
    with pytest.raises(ExportError, match="trained on named columns"):
        export_onnx(
            make_model(TableEncoder().fit(frame), estimator, [0, 1]), tmp_path / "m", train=frame, held_out=frame
        )


def test_7_categories_that_lightgbm_splits_itself_are_refused(tmp_path):
    frame = pd.DataFrame({"x": np.random.default_rng(0).integers(0, 9, ROWS).astype(float)})
    encoder = TableEncoder().fit(frame)
    estimator = LGBMClassifier(n_estimators=3, n_jobs=1, verbose=-1)
    estimator.fit(encoder.transform(frame), frame["x"].isin([1, 4, 6]).astype(int), categorical_feature=[0])
    with pytest.raises(ExportError, match="splits on categories by itself"):
        export_onnx(make_model(encoder, estimator, [0, 1]), tmp_path / "m", train=frame, held_out=frame)


def test_infinite_and_huge_numbers_are_missing_in_the_graph_too(tmp_path):
    frame, model = simple(LGBMClassifier(n_estimators=5, n_jobs=1, verbose=-1))
    exported = export_onnx(model, tmp_path / "m.onnx", train=frame, held_out=frame)
    scorer = TableScorer(exported.path)
    hard = pd.DataFrame({"near": [np.inf, -np.inf, 1e39, None], "small": [0.1] * 4})
    raw = {"near": np.array([[np.inf]], dtype=np.float32), "small": np.array([[0.1]], dtype=np.float32)}
    assert np.ptp(scorer.outputs(hard)[:, 0]) == 0
    assert scorer._session.run(["probabilities"], raw)[0][0, 0] == scorer.outputs(hard)[0, 0]


@pytest.mark.parametrize("kind", [LGBMClassifier, LGBMRegressor])
def test_zero_between_losses_and_gains_falls_to_the_same_side(tmp_path, kind):
    """LightGBM separates negative numbers from zero at -1e-35, and reads smaller magnitudes as zero."""
    random = np.random.default_rng(0)
    balance = np.where(random.random(ROWS) < 0.4, 0.0, random.normal(size=ROWS))
    frame = pd.DataFrame({"balance": balance, "age": random.normal(size=ROWS)})
    encoder = TableEncoder().fit(frame)
    estimator = kind(n_estimators=5, n_jobs=1, verbose=-1).fit(encoder.transform(frame), (balance < 0).astype(int))
    edge = np.float32(-1e-35)
    assert edge in estimator.booster_.trees_to_dataframe()["threshold"].astype(np.float32).to_numpy()
    model = make_model(encoder, estimator, ["no", "yes"] if kind is LGBMClassifier else None)
    exported = export_onnx(model, tmp_path / "m.onnx", train=frame, held_out=frame)
    assert exported.parity["edge_cases"]["largest_difference"] < 1e-5
    near = np.nextafter(edge, np.float32([-1, 1]))
    tiny = pd.DataFrame({"balance": np.array([edge, *near, 0, -edge], dtype=float), "age": 0.0})
    if kind is LGBMClassifier:
        expected, answers = model.predict_proba(tiny), TableScorer(exported.path).outputs(tiny)
    else:
        expected, answers = model.predict(tiny), TableScorer(exported.path).outputs(tiny)[:, 0]
    assert np.allclose(answers, expected, atol=1e-5)


def test_columns_called_as_their_features_would_be_are_exported(tmp_path):
    """A color "red" and a column "color_red", a date and its year: each keeps its own values."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "color": random.choice(["red", "blue"], ROWS),
            "color_red": random.normal(size=ROWS),
            "due": pd.date_range("2020-01-01", periods=ROWS),
            "due: year": random.normal(size=ROWS),
            "size": np.where(random.random(ROWS) < 0.2, np.nan, 1.0) * random.normal(size=ROWS),
            "missingindicator_size": random.normal(size=ROWS),
        }
    )
    encoder = TableEncoder().fit(frame)
    names = list(encoder.get_feature_names_out())
    features = pd.DataFrame(encoder.transform(frame), columns=names)
    assert len(set(names)) == len(names) == features.shape[1]
    for name in ("color_red", "due: year", "missingindicator_size"):
        assert np.allclose(features[name], frame[name])
    assert np.array_equal(features["color_red'"] == 1, frame["color"] == "red")
    assert np.array_equal(features["due: year'"], frame["due"].dt.year)
    assert np.array_equal(features["missingindicator_size'"] == 1, frame["size"].isna())
    y = (frame["color_red"] + (frame["color"] == "red") + frame["due: year"] > 0.5).astype(int)
    estimator = LGBMClassifier(n_estimators=5, n_jobs=1, verbose=-1).fit(features.to_numpy(), y)
    exported = export_onnx(make_model(encoder, estimator, [0, 1]), tmp_path / "m.onnx", train=frame, held_out=frame)
    assert max(part["largest_difference"] for part in exported.parity.values()) < 1e-5
    owners = [set(places) for places in encoded_columns(encoder, list(frame.columns))]
    assert owners[2] == {names.index(name) for name in names if name.startswith("due: ") and name.endswith("'")}
    assert owners[3] == {names.index("due: year")}


def test_a_target_with_infinite_cells_has_a_spread(tmp_path):
    """Far answers are judged by their distance, also where the spread of the target is that of its usable rows."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"x": random.normal(size=ROWS)})
    encoder = TableEncoder().fit(frame)
    model = make_model(encoder, Ridge().fit(encoder.transform(frame), frame["x"]), None)
    table = frame.assign(y=np.where(np.arange(ROWS) < 9, np.inf, frame["x"]))
    exported = export_onnx(model, tmp_path / "m.onnx", train=table, held_out=table, target="y")
    assert exported.parity["edge_cases"]["largest_difference"] < 1e-5
