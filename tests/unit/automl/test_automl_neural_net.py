"""The small neural net: NumPy answers as torch and as ONNX Runtime do, and what was trained can be repeated."""

import itertools
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime
import pytest
import torch
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.pipeline import make_pipeline

from core.automl import LEARNERS, build_estimator
from core.automl.data.training_data import TrainingData
from core.automl.learners.neural_net import NeuralNetClassifier, NeuralNetRegressor
from core.automl.results.model_file import load_model, save_model
from core.edge.export.estimators import FEATURES, convert_estimator

QUICK = {"epochs": 12}


def rows_of(seed=0, count=900):
    """Numbers of several sizes, a flag and a constant."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(count, 6)) * [1, 1e5, 1e-4, 1, 1, 1] + [0, 1e6, 0, 0, 0, 0]
    X[:, 4] = random.integers(0, 2, count)
    X[:, 5] = 3
    return X.astype(np.float32)


def product(X):
    """What no sum of curves can say."""
    return X[:, 0].astype(float) * (X[:, 1] - 1e6) / 1e5


TARGETS = {
    "two classes": lambda X: (product(X) > 0).astype(int),
    "three classes": lambda X: np.digitize(product(X), [-0.3, 0.3]) + 4,
    "a number": product,
}


def fitted(target, X, y=None, **parameters):
    kind = NeuralNetRegressor if target == "a number" else NeuralNetClassifier
    return kind(**QUICK | parameters).fit(X, TARGETS[target](X) if y is None else y)


def asked(model, X):
    return model.predict(X)[:, None] if isinstance(model, NeuralNetRegressor) else model.predict_proba(X)


@pytest.mark.parametrize("target", TARGETS)
def test_numpy_answers_as_torch_and_as_the_graph(target):
    X = rows_of()
    model = fitted(target, X)
    others = np.vstack([X, 30 * X, -X]).astype(np.float32)
    values = torch.from_numpy((others - model.center_) * model.scale_)
    values = values / torch.sqrt(1 + (values / 3) ** 2)
    activation = torch.nn.Mish() if target == "a number" else torch.nn.SELU()
    for number, (weights, biases) in enumerate(model.layers_):
        values = torch.addmm(torch.from_numpy(biases), values, torch.from_numpy(weights))
        if number < len(model.layers_) - 1:
            values = activation(values)
    expected = (values if target == "a number" else torch.softmax(values, dim=1)).numpy()
    np.testing.assert_allclose(asked(model, others), expected, atol=2e-6)
    session = onnxruntime.InferenceSession(convert_estimator(model, X.shape[1]).SerializeToString())
    np.testing.assert_allclose(session.run(None, {FEATURES: others})[-1], asked(model, others), atol=1e-5)


def test_products_are_learned():
    X, others = rows_of(), rows_of(1)
    number = fitted("a number", X, epochs=40)
    assert r2_score(product(others), number.predict(others)) > 0.85
    classes = fitted("two classes", X, epochs=40)
    assert roc_auc_score(product(others) > 0, classes.predict_proba(others)[:, 1]) > 0.97


def test_labels_are_those_that_were_seen():
    X = rows_of()
    model = fitted("three classes", X)
    assert model.classes_.tolist() == [4, 5, 6]
    assert set(model.predict(X)) <= {4, 5, 6}
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1)


def test_a_fit_repeats_itself_also_beside_others():
    X = rows_of()
    alone = fitted("two classes", X)
    with ThreadPoolExecutor(2) as pool:
        beside = list(pool.map(lambda seed: fitted("two classes", X, random_state=seed), [0, 1]))
    np.testing.assert_array_equal(asked(alone, X), asked(beside[0], X))
    assert not np.allclose(asked(alone, X), asked(beside[1], X))


def test_rows_without_weight_do_not_count():
    X, y = rows_of(), TARGETS["two classes"](rows_of())
    wrong = y.copy()
    wrong[450:] = 1 - wrong[450:]
    weights = np.repeat([1.0, 0.0], 450)
    weighed = NeuralNetClassifier(epochs=40).fit(X, wrong, sample_weight=weights)
    assert roc_auc_score(y[450:], weighed.predict_proba(X[450:])[:, 1]) > 0.9
    assert roc_auc_score(y[450:], fitted("two classes", X, wrong).predict_proba(X[450:])[:, 1]) < 0.8


def test_little_time_means_fewer_steps_of_the_same_schedule():
    X = rows_of()
    model = NeuralNetClassifier()
    seen, began = [], time.monotonic()
    model.train(X, TARGETS["two classes"](X), watch=lambda layers: bool(seen.append(layers)), until=0.0)
    assert len(seen) == 20
    assert time.monotonic() - began < 5
    changes = [np.abs(one[0][0] - other[0][0]).mean() for one, other in itertools.pairwise(seen)]
    assert changes[-1] < 0.3 * max(changes), "the learning rate has come down"


def test_a_saved_net_answers_without_torch(tmp_path):
    X = rows_of()
    model = make_pipeline(fitted("two classes", X))
    save_model(model, tmp_path / "model.skops")
    np.save(tmp_path / "X.npy", X)
    code = (
        "import sys, pathlib, numpy as np\n"
        "from core.automl.results.model_file import load_model\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "answers = load_model(folder / 'model.skops').predict_proba(np.load(folder / 'X.npy'))\n"
        "np.save(folder / 'answers.npy', answers)\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path], check=True)
    np.testing.assert_array_equal(np.load(tmp_path / "answers.npy"), model.predict_proba(X))
    np.testing.assert_array_equal(load_model(tmp_path / "model.skops").predict(X), model.predict(X))


def test_tables_on_which_a_net_does_not_pay_are_left_to_others():
    gate = LEARNERS["mlp"].why_left_out
    for rows, features, reason in (
        (150, 5, "it needs more than 150 training rows, 200 at least"),
        (2_000, 5, ""),
        (400_000, 5, "it is slow on 400,000 training rows, more than 300,000"),
        (2_000, 1_500, "it is slow on 1,500 features, more than 1,000"),
    ):
        X = np.broadcast_to(np.float32(0), (rows, features))
        assert gate(TrainingData(X, np.zeros(rows), 0, [])) == reason


def test_the_logarithm_of_a_target_may_be_learned():
    X = rows_of()
    y = np.exp(2 * product(X))
    scores = [
        build_estimator("mlp", {"log_target": log}, "regression", jobs=1, seed=0).fit(X, y).predict(X)
        for log in (False, True)
    ]
    errors = [np.abs(np.log(np.clip(predicted, 1e-3, None)) - np.log(y)).mean() for predicted in scores]
    assert errors[1] < 0.5 * errors[0]
