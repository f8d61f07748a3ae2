"""Rates by group are those of fairness, and the gaps between groups have states."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from core.fairness import group_metrics
from core.monitoring import (
    judge_gap,
)
from core.monitoring.group_rates import batch_group_rates
from tests.unit.monitoring.monitoring_tables import scored_batch

CURRENT = scored_batch(1)


def test_rates_by_group_are_those_of_fairness() -> None:
    decided, truth, groups = CURRENT["y_score"] >= 0.5, CURRENT["y_true"], CURRENT["city"]
    rates = batch_group_rates(decided, groups, truth)
    expected = group_metrics(truth, decided, groups).by_group
    table = rates.table.pivot(index="group", columns="rate", values="value")
    for name in ("selection_rate", "true_positive_rate", "false_positive_rate"):
        assert table[name].to_dict() == pytest.approx(expected[name].to_dict())
        gap = rates.gaps.loc[name]
        assert gap["gap"] == pytest.approx(expected[name].max() - expected[name].min())
        assert gap["low"] < gap["gap"] < gap["high"]
        assert (gap["high_group"], gap["low_group"]) == (expected[name].idxmax(), expected[name].idxmin())
    unlabeled = batch_group_rates(decided, groups)
    assert set(unlabeled.table["rate"]) == {"selection_rate"}
    assert not unlabeled.labeled
    json.dumps(rates.to_dict(), allow_nan=False)
    small = batch_group_rates(decided, groups.where(CURRENT.index > 9, "Rom"))
    assert small.small_groups == ("Rom",)
    pair = batch_group_rates(decided, pd.Series(np.where(CURRENT["age"] < 40, "young", "old"), name="age"))
    wide = pair.gaps.loc["selection_rate"]
    assert judge_gap("Selection rate", wide["gap"], wide["low"], wide["high"], bound=0.1, look=9).state == "fine"


def test_gaps_have_states() -> None:
    assert judge_gap("TPR", 0.3, 0.25, 0.35, bound=0.1, look=100).state == "alarm"
    assert judge_gap("TPR", 0.2, 0.1, 0.3, bound=0.1, look=100).state == "look"
    assert judge_gap("TPR", 0.05, 0.0, 0.1, bound=0.1, look=1).state == "fine"
    assert judge_gap("TPR", float("nan"), None, None, bound=0.1, look=1).state == "not enough data"
