"""Decisions of a bundle against `ThresholdPolicy` itself."""

import json

import numpy as np
import pandas as pd
import pytest

from core.edge.portable.cells import CellError, groups
from core.edge.portable.rules import Rules
from core.fairness import ThresholdPolicy, label_text, optimize_thresholds


def rules_of(policy):
    return Rules(json.loads(json.dumps(policy.to_dict())))


@pytest.fixture(scope="module")
def rows():
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"sex": random.choice(["F", "M", None], 3000), "age": random.choice([20.0, 30.0, 40.5], 3000)})
    score = random.random(3000).astype(np.float32).astype(float)
    return frame, score, (random.random(3000) < score).astype(int)


@pytest.mark.parametrize("randomized", [True, False])
@pytest.mark.parametrize("constraint", ["demographic_parity", "equalized_odds"])
def test_decisions_are_the_policys(rows, randomized, constraint):
    frame, score, y = rows
    policy = optimize_thresholds(y, score, frame, constraint=constraint, randomized=randomized)
    ids = [f"id {index}" for index in range(len(frame))]
    texts = [
        ", ".join(pair)
        for pair in zip(
            groups(frame["sex"].fillna("").tolist()), groups(frame["age"].astype(str).tolist()), strict=True
        )
    ]
    expected = policy.predict(score, frame, row_ids=ids)
    assert rules_of(policy).decide(score, texts, ids).tolist() == expected.tolist()
    assert rules_of(policy).randomized == policy.randomized


def test_thresholds_without_a_bound():
    policy = ThresholdPolicy({"a": ((np.inf, 1.0),), "b": ((-np.inf, 1.0),), "c": ((0.5, 0.5), (np.inf, 0.5))}, ("g",))
    scores, names = np.tile([0.0, 0.5, 1.0], 3), list("aaabbbccc")
    expected = policy.predict(scores, names, row_ids=range(9))
    assert rules_of(policy).decide(scores, names, [str(index) for index in range(9)]).tolist() == expected.tolist()


def test_what_cannot_be_decided_is_named():
    policy = ThresholdPolicy({"a": ((0.5, 0.5), (0.6, 0.5))}, ("group",))
    scores = np.array([0.5, 0.7])
    with pytest.raises(CellError, match=r"no rule for the group 'b' of 'group'\. It knows a"):
        rules_of(policy).decide(scores, ["a", "b"], ["1", "2"])
    with pytest.raises(CellError, match="--id"):
        rules_of(policy).decide(scores, ["a", "a"])
    with pytest.raises(CellError, match="more than once"):
        rules_of(policy).decide(scores, ["a", "a"], ["1", "1"])


@pytest.mark.parametrize(
    "values",
    [
        [1, 2, None],
        [1.0, 2.5, -3.0],
        [True, False, None],
        ["a", "b c", None],
        [1e7, 12345678, 0.1],
        ["01", "02", "10"],
    ],
)
def test_groups_have_the_names_that_the_import_and_the_fairness_page_give_them(tmp_path, values):
    from core.datasets import read_table

    frame = pd.DataFrame({"g": values, "other": range(len(values))})
    frame.to_csv(tmp_path / "rows.csv", index=False)
    cells = pd.read_csv(tmp_path / "rows.csv", dtype=str, keep_default_na=False)["g"].tolist()
    read = read_table(tmp_path / "rows.csv").frame["g"]
    assert groups(cells) == [label_text(value) for value in read]
