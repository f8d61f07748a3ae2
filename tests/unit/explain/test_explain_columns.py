"""Which encoded columns belong to a raw one, and the exchange of columns between rows."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import OrdinalEncoder, PolynomialFeatures, StandardScaler

from core.explain.encoded_columns import encoded_columns
from core.explain.explained_model import class_names, explained_function, explained_model
from core.features import TableEncoder
from tests.unit.edge.edge_models import odd_table
from tests.unit.explain.explain_models import odd_result


def swapped(frame, name):
    """The table with one column in another order."""
    other = np.random.default_rng(0).permutation(len(frame))
    return frame.assign(**{name: frame[name].array.take(other)})


def test_a_raw_column_changes_its_own_places_and_no_other():
    frame = odd_table(300)
    encoder = TableEncoder().fit(frame)
    X = encoder.transform(frame)
    indices = encoded_columns(encoder, encoder.columns_)
    assert sorted(np.concatenate(indices)) == list(range(X.shape[1]))
    for name, own in zip(encoder.columns_, indices, strict=True):
        changed = np.flatnonzero((encoder.transform(swapped(frame, name)) != X).any(axis=0))
        assert len(changed) > 0
        assert set(changed) <= set(own), name


def test_names_that_look_like_parts_of_others_are_told_apart():
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "when": pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 10**8, 60), unit="s"),
            "when: mood": random.choice(["good", "bad"], 60),
            "a": random.random(60),
            "a_b": random.choice(["a", "b"], 60),
        }
    )
    frame.loc[3, "a"] = None
    encoder = TableEncoder().fit(frame)
    names = encoder.get_feature_names_out()
    indices = encoded_columns(encoder, ["when", "when: mood", "a", "a_b"])
    columns = [set(names[index]) for index in indices]
    assert len(columns[0]) == 6
    assert columns[1] == {"when: mood_good", "when: mood_bad"}
    assert columns[2] == {"a", "missingindicator_a"}
    assert columns[3] == {"a_b_a", "a_b_b"}


class Encoder:
    """As `TableEncoder`, of other transformers."""

    def __init__(self, *parts):
        self.encoder_ = ColumnTransformer(list(parts))

    def fit(self, frame):
        self.encoder_.fit(frame)
        return self


FRAME = pd.DataFrame({"t": ["a cat", "a dog", "the cat"], "x": [1.0, 2.0, 3.0], "y": [3.0, 1.0, 2.0], "c": list("uvu")})


def test_words_of_a_text_belong_to_its_column():
    encoder = Encoder(
        ("words", TfidfVectorizer(), "t"), ("n", StandardScaler(), ["x", "y"]), ("o", OrdinalEncoder(), ["c"])
    )
    indices = encoded_columns(encoder.fit(FRAME), ["c", "t", "x", "y"])
    assert [index.tolist() for index in indices] == [[5], [0, 1, 2], [3], [4]]


@pytest.mark.parametrize(
    "parts",
    [
        [("mixed", PolynomialFeatures(), ["x", "y"])],  # x times y belongs to neither
        [("unknown", StandardScaler(), ["x", "z"])],
    ],
)
def test_what_cannot_be_told_is_not_guessed(parts):
    frame = FRAME.assign(z=1.0)
    assert encoded_columns(Encoder(*parts).fit(frame), ["x", "y"]) is None
    assert encoded_columns(StandardScaler().fit(frame[["x"]]), ["x"]) is None


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_exchanged_encoded_columns_are_exchanged_raw_columns(task):
    """The short way over the encoded matrix gives what building tables would."""
    result, frame = odd_result("lgbm", task, rows=80)
    _, output_indices = class_names(result.labels)
    fast = explained_model(result.model, result.features, output_indices)
    slow = explained_function(
        result.model.predict if task == "regression" else result.model.predict_proba, result.features, output_indices
    )
    assert fast.encoded
    assert not slow.encoded
    order = np.random.default_rng(1).permutation(80)
    for column in range(len(result.features)):
        answers = []
        for model in (fast, slow):
            X = model.encode(frame)
            mixed = X.copy()
            mixed[:, model.indices[column]] = X[np.ix_(order, model.indices[column])]
            answers.append(model.outputs(mixed))
        assert answers[0] == pytest.approx(answers[1])


def test_a_table_may_have_its_columns_in_any_order_and_others():
    result, frame = odd_result("linear", "binary", rows=60)
    model = explained_model(result.model, result.features, [1])
    other = frame[frame.columns[::-1]].assign(more=1)
    assert model.outputs(model.encode(other)) == pytest.approx(model.outputs(model.encode(frame)))
