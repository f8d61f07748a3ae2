"""The figures of a parity check, and when it refuses."""

import numpy as np
import pytest

from core.edge.export.parity import Answers, compare, regression_units, require_parity, sample
from core.errors import ExportError


def shares(*rows):
    outputs = np.array(rows, dtype=float)
    return Answers(outputs, outputs.argmax(axis=1))


def test_equal_answers_have_nothing_to_show():
    parity = compare(shares([0.2, 0.8], [0.6, 0.4]), shares([0.2, 0.8], [0.6004, 0.3996]))
    assert (parity.rows, parity.rows_given, parity.rows_over, parity.label_flips, parity.ties) == (2, 2, 0, 0, 0)
    assert parity.largest_difference == pytest.approx(4e-4)
    assert parity.equal
    assert parity.to_dict()["shown"] == []
    require_parity({"train": parity})


def test_rows_over_and_flips_are_counted_and_shown_worst_first():
    model = shares([0.51, 0.49], [0.9, 0.1], [0.5005, 0.4995])
    file = shares([0.1, 0.9], [0.897, 0.103], [0.4999, 0.5001])
    parity = compare(model, file, labels=["no", "yes"], rows=[10, 20, 30])
    assert (parity.rows_over, parity.label_flips, parity.ties) == (2, 2, 0)
    assert [item["row"] for item in parity.shown] == [10, 20, 30]
    assert parity.shown[0] == {
        "row": 10,
        "model": {"outputs": [0.51, 0.49], "label": "no"},
        "file": {"outputs": [0.1, 0.9], "label": "yes"},
    }
    with pytest.raises(ExportError) as caught:
        require_parity({"train": compare(model, model), "held_out": parity})
    for text in ("2 of 3 rows (held out)", "another label on 2", "10: 'no' (0.51, 0.49) against 'yes' (0.1, 0.9)"):
        assert text in caught.value.message


def test_ties_are_counted_apart():
    parity = compare(shares([0.5, 0.5], [0.4, 0.6]), shares([0.4999999, 0.5000001], [0.4, 0.6]))
    assert (parity.label_flips, parity.ties, parity.rows_over) == (0, 1, 0)
    assert parity.equal


def test_a_tie_does_not_excuse_a_difference():
    parity = compare(shares([0.5, 0.5]), shares([0.4, 0.6]))
    assert (parity.label_flips, parity.ties, parity.rows_over) == (1, 0, 1)


@pytest.mark.parametrize(
    ("mine", "theirs", "over"),
    [(np.nan, np.nan, 0), (np.inf, np.inf, 0), (np.nan, 1.0, 1), (1.0, np.nan, 1), (np.inf, -np.inf, 1)],
)
def test_what_is_no_number_is_equal_only_to_itself(mine, theirs, over):
    assert compare(Answers(np.array([[mine]])), Answers(np.array([[theirs]]))).rows_over == over


def test_numbers_count_in_units_of_the_spread_and_far_ones_of_their_distance():
    model = np.array([[100.0], [101.0], [102.0], [1e30]])
    unit = regression_units(model, 1.0)
    assert unit[:3, 0].tolist() == pytest.approx([1.5, 1.0, 1.0])
    assert unit[3, 0] == pytest.approx(1e30)
    file = model * [[1 + 1e-6], [1], [1 + 5e-5], [1 + 1e-6]]
    assert compare(Answers(model), Answers(file), unit=unit).rows_over == 1
    assert regression_units(np.full((3, 1), 5.0), 0.0).tolist() == [[1.0]] * 3  # a model that always says the same


def test_no_more_than_twenty_rows_are_shown():
    model, file = shares(*[[0.0, 1.0]] * 100), shares(*[[0.5, 0.5]] * 100)
    parity = compare(model, file)
    assert (parity.rows_over, len(parity.shown)) == (100, 20)


def test_a_sample_is_even_and_has_both_ends():
    assert sample(5, 10).tolist() == [0, 1, 2, 3, 4]
    places = sample(1_000_000)
    assert (len(places), places[0], places[-1]) == (20_000, 0, 999_999)
    assert np.ptp(np.diff(places)) <= 1
    assert sample(0).tolist() == []
