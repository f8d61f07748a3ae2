"""Rows that were held out before a search test its result as the rows that a search holds out itself."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.automl import add_test
from core.datasets import fingerprint
from core.errors import InputError


def without_test(searched):
    """Return a search's result as if it had held out no rows, its training rows, and the rows that it held out."""
    result, frame = searched.result, searched.frame
    training, held_out = (frame.iloc[table["row_id"]].reset_index(drop=True) for table in (result.oof, result.test))
    blank = replace(
        result,
        rows={"all": len(training), "train": len(training), "test": 0},
        test_metrics={},
        baseline_metrics={},
        differences={},
        verdict="",
        test=result.test[:0],
        curves={},
        confusion=None,
        decision=None,
        oof=result.oof.assign(row_id=np.arange(len(training))),
    )
    return blank, training, held_out


@pytest.mark.parametrize("name", [pytest.param("credit", marks=pytest.mark.nightly), "wine", "diabetes"])
def test_the_evidence_is_that_of_the_search(name, request):
    searched = request.getfixturevalue(name)
    own = searched.result
    blank, training, held_out = without_test(searched)
    target = own.settings.target
    unknown = held_out.head(2).assign(**{target: None})
    tested, table = add_test(blank, training, pd.concat([held_out, unknown], ignore_index=True))
    assert tested.test_metrics == own.test_metrics
    assert tested.baseline_metrics["prior"] == own.baseline_metrics["prior"]
    assert tested.differences["prior"] == own.differences["prior"]
    assert (tested.curves, tested.confusion, tested.decision) == (own.curves, own.confusion, own.decision)
    pd.testing.assert_frame_equal(
        tested.test.drop(columns="row_id"), own.test.drop(columns="row_id"), check_dtype=False
    )
    assert tested.test["row_id"].tolist() == list(range(len(training), len(table)))
    assert tested.rows == {"all": len(table), "train": len(training), "test": len(held_out)}
    assert tested.fingerprint == fingerprint(table)
    assert f"{len(held_out)} rows it never saw" in tested.verdict


def test_rows_that_cannot_test_are_refused(wine):
    blank, training, held_out = without_test(wine)
    with pytest.raises(InputError, match="No row has a 'cultivar' that the model knows"):
        add_test(blank, training, held_out.assign(cultivar=7))
    with pytest.raises(InputError, match="'alcohol'"):
        add_test(blank, training, held_out.drop(columns="alcohol"))
    with pytest.raises(InputError, match="test rows of its own"):
        add_test(wine.result, training, held_out)
