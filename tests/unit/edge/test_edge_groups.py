"""Groups of a policy, from values and from the cells of files: those that training saw, row by row; ties."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.datasets import cell_format
from core.edge.portable.cells import CellError
from core.edge.portable.groups import GroupNames
from core.edge.portable.rules import Rules
from core.edge.portable.ties import largest, reaches
from core.fairness import ThresholdPolicy, as_groups, label_text


def names_of(column: pd.Series) -> list[str]:
    """Return the groups of a column as the Fairness page names them."""
    return [label_text(value) for value in as_groups(column)]


NUMBERS = st.one_of(st.none(), st.integers(-5, 40), st.floats(-1e6, 1e6, allow_subnormal=False))


@settings(max_examples=60, deadline=None)
@given(numbers=st.lists(NUMBERS, min_size=1, max_size=60), words=st.lists(st.sampled_from(["a", " b", "1.0", None])))
def test_values_have_the_groups_of_the_fairness_page(numbers: list, words: list) -> None:
    rows = min(len(numbers), len(words)) or 1
    frame = pd.DataFrame(
        {"x": pd.Series(numbers[:rows], dtype=float), "w": pd.Series((words or ["a"])[:rows], dtype=object)}
    )
    expected = [", ".join(pair) for pair in zip(names_of(frame["x"]), names_of(frame["w"]), strict=True)]
    names = GroupNames(["x", "w"], expected)
    values = [[None if pd.isna(value) else value for value in frame[name]] for name in ("x", "w")]
    assert names.of_values(values) == expected
    for row, group in enumerate(expected):
        assert names.of_values([[column[row]] for column in values]) == [group]


def test_the_name_of_a_bin_says_which_numbers_are_in_it() -> None:
    amounts = pd.Series(np.random.default_rng(0).uniform(1e5, 1e7, 400))  # edges with more digits than are shown
    groups = names_of(amounts)
    assert GroupNames(["x"], groups).of_values([amounts.tolist()]) == groups


@pytest.mark.parametrize(
    ("spec", "known", "cells", "expected"),
    [
        ("text", [" Woman", "Man"], [" Woman", "Man", "Woman", "?", " ", "Man "], None),
        ("text", ["NA", "DE"], ["NA", "DE", "FR", "n/a"], ["NA", "DE", "FR", "(missing)"]),
        ("text", ["a"], [" a", "NA", "-"], ["a", "(missing)", "-"]),
        ("text", ["1.0", "x"], ["1.0", "x", "1"], ["1.0", "x", "1"]),
        ("text", ["TRUE", "unknown"], ["TRUE"], ["TRUE"]),
        ("boolean", ["True", "False"], ["TRUE", "false", "-"], ["True", "False", "(missing)"]),
        ("number", ["1", "2.5"], ["1.0", " 1", "2.50", "?"], ["1", "1", "2.5", "(missing)"]),
        ("number:1.234,5", ["1", "1200"], ["1,0", "1.200 €", "-"], ["1", "1200", "(missing)"]),
        (
            "number:1,234.5",
            ["below 1,000", "1,000 and above"],
            ["$1,000.00", "(5)"],
            ["1,000 and above", "below 1,000"],
        ),
        ("date:%d/%m/%Y", ["2024-10-03 00:00:00"], ["3/10/2024"], ["2024-10-03 00:00:00"]),
    ],
)
def test_cells_have_the_groups_of_the_training_file(spec: str, known: list, cells: list, expected: list | None) -> None:
    names = GroupNames(["g"], known)
    expected = expected or [" Woman", "Man", "Woman", "(missing)", "(missing)", "Man "]
    formats = {"g": cell_format(spec)}
    assert names.of_cells({"g": cells}, formats) == expected
    assert [names.of_cells({"g": [cell]}, formats)[0] for cell in cells] == expected


def test_markers_that_were_chosen_are_the_ones() -> None:
    formats = {"g": cell_format("text", ["unknown"])}
    assert GroupNames(["g"], ["a"]).of_cells({"g": ["unknown", "?", "a"]}, formats) == ["(missing)", "?", "a"]


def test_a_cell_that_is_written_in_another_way_is_named() -> None:
    with pytest.raises(CellError, match="Row 2: the column 'g' holds 'old'"):
        GroupNames(["g"], ["1"]).of_cells({"g": ["1", "old"]}, {"g": cell_format("number")})


@pytest.mark.parametrize(
    ("known", "cells", "expected"),
    [
        (["1.0", "x"], ["1.0"], ["1.0"]),
        (["1", "2"], ["1.0", "2", "?"], ["1", "2", "(missing)"]),
        (["True", "False"], ["TRUE"], ["True"]),
        (["TRUE", "no"], ["TRUE"], ["TRUE"]),
        ([" a", "b"], [" a"], [" a"]),
        (["-", "a"], ["-"], ["-"]),
        (["1", "(missing)"], ["-"], ["(missing)"]),
        (["below 30", "30 and above"], ["29.5", "30"], ["below 30", "30 and above"]),
    ],
)
def test_cells_of_unknown_format_are_named_as_the_policy_names_groups(known: list, cells: list, expected: list) -> None:
    assert GroupNames(["g"], known).of_cells({"g": cells}) == expected


def test_scores_that_equal_a_threshold_reach_it_in_every_precision() -> None:
    scores = np.array([1 / 3, 0.1 + 0.2, 0.5, 1e-4, 1.0])
    for score in scores:
        noisy = np.array([score, np.float32(score), score * (1 - 2e-6), score * (1 + 2e-6), score * (1 - 2e-5)])
        assert reaches(noisy, float(score)).tolist() == [True, True, True, True, False]
    assert reaches(np.array([0.5]), np.inf).tolist() == [False]
    assert reaches(np.array([0.5]), -np.inf).tolist() == [True]


def test_of_classes_that_are_equally_likely_the_first_is_chosen_in_every_precision() -> None:
    pairs = np.array([[0.5, 0.5], [0.5 - 1e-8, 0.5 + 1e-8], [0.4, 0.6], [0.6, 0.4]])
    assert largest(pairs).tolist() == largest(pairs.astype(np.float32)).tolist() == [0, 0, 1, 0]
    thirds = np.full((1, 3), 1 / 3)
    thirds[0, 2] += 1e-8
    assert largest(thirds).tolist() == [0]


def test_whole_numbers_in_a_rule_draw_as_after_it_was_stored() -> None:
    policy = ThresholdPolicy({"a": ((1, 0.5), (0.2, 0.5)), "b": ((0, 1),)}, ("g",))
    stored = ThresholdPolicy.from_dict(policy.to_dict())
    scores, groups, ids = np.full(50, 0.6), ["a"] * 50, range(50)
    decisions = policy.predict(scores, groups, row_ids=ids).tolist()
    assert 0 < sum(decisions) < 50
    assert stored.predict(scores, groups, row_ids=ids).tolist() == decisions
    assert Rules(policy.to_dict()).decide(scores, groups, [str(row) for row in ids]).tolist() == decisions
