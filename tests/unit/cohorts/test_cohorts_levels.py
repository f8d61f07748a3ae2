"""How often a table without cohorts names one, and how often a planted cohort is found."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.cohorts import CohortReport, find_cohorts
from tests.unit.cohorts import tables

HARD = {(loss, name) for loss in ("wrong", "skewed") for name in ("corner", "pair")}
"""Two conditions that must both show in half of 4,000 rows, on losses of 0 or 1 or with a long tail."""


def is_found(report: CohortReport, frame: pd.DataFrame, planted: np.ndarray) -> bool:
    """Return whether the groups that stand out, and are mostly planted rows, have at least half of these."""
    masks = [item.cohort.mask(frame) for item in report.worse]
    own = [mask for mask in masks if (mask & planted).sum() >= mask.sum() / 2]
    return bool(own) and bool((np.any(own, axis=0) & planted).sum() >= planted.sum() / 2)


@pytest.mark.parametrize("shape", tables.SHAPES)
def test_few_tables_without_cohorts_name_one(shape: str) -> None:
    named = 0
    for seed, loss in enumerate([*tables.LOSSES.values()] * 2):
        random = np.random.default_rng([seed, 3])
        frame = tables.SHAPES[shape](random, 1_000)
        named += bool(find_cohorts(frame, loss(random, np.ones(len(frame)))).worse)
    assert named <= 2


@pytest.mark.parametrize("shape", tables.SHAPES)
def test_planted_cohorts_are_found(shape: str) -> None:
    random = np.random.default_rng(5)
    frame = tables.SHAPES[shape](random)
    for name, planted in tables.planted(frame, shape).items():
        assert is_found(find_cohorts(frame, tables.absolute(random, 1.0 + planted)), frame, planted), name


@pytest.mark.nightly
@pytest.mark.parametrize("loss", tables.LOSSES)
@pytest.mark.parametrize("shape", tables.SHAPES)
def test_at_most_5_percent_of_200_null_tables_name_a_cohort(shape: str, loss: str) -> None:
    named = 0
    for seed in range(200):
        random = np.random.default_rng([seed, 1])
        frame = tables.SHAPES[shape](random)
        named += bool(find_cohorts(frame, tables.LOSSES[loss](random, np.ones(len(frame)))).worse)
    assert named <= 10


@pytest.mark.nightly
@pytest.mark.parametrize("loss", tables.LOSSES)
@pytest.mark.parametrize("shape", tables.SHAPES)
def test_a_planted_cohort_is_found_in_90_percent_of_tables(shape: str, loss: str) -> None:
    hits: dict[str, int] = {}
    count = 100
    for seed in range(count):
        random = np.random.default_rng([seed, 2])
        frame = tables.SHAPES[shape](random)
        for name, planted in tables.planted(frame, shape).items():
            report = find_cohorts(frame, tables.LOSSES[loss](random, 1.0 + planted))
            hits[name] = hits.get(name, 0) + is_found(report, frame, planted)
    for name, hit in hits.items():
        assert hit >= (0.5 if (loss, name) in HARD else 0.9) * count, (name, hit)
