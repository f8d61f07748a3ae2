"""The held-out test rows and the folds of the cross-validation, made once and shared by everything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import KFold, ShuffleSplit, StratifiedKFold, StratifiedShuffleSplit

from core.automl._settings import AutoMLSettings
from core.errors import InputError

__all__ = ["Folds", "make_folds", "split_test"]

Indices = NDArray[np.intp]

CROSS_VALIDATION_LIMIT = 100_000
HOLDOUT_FRACTION = 0.2


@dataclass(frozen=True)
class Folds:
    """Pairs of (training, validation) row positions, and in words how they were made."""

    pairs: list[tuple[Indices, Indices]]
    method: str

    @property
    def covered(self) -> Indices:
        """Rows that are in some validation part."""
        return np.unique(np.concatenate([validation for _, validation in self.pairs]))


def _strata(y: NDArray[Any], classification: bool) -> Indices:
    """Return the classes, or ten bands of a number, so that each part has the same mix."""
    if classification:
        return y.astype(np.intp)
    edges = np.quantile(y.astype(float), np.linspace(0, 1, 11)[1:-1])
    return np.searchsorted(edges, y.astype(float)).astype(np.intp)


def split_test(y: NDArray[Any], classification: bool, fraction: float, seed: int) -> tuple[Indices, Indices]:
    """Split row positions into training and test, stratified; a class of one row stays in training.

    Raises
    ------
    InputError
        When too few rows would be left on either side.
    """
    rows = np.arange(len(y))
    if fraction == 0:
        return rows, rows[:0]
    strata = _strata(y, classification)
    counts = np.bincount(strata)
    lonely = counts[strata] < 2
    free = rows[~lonely]
    test_rows = round(fraction * len(free))
    groups = len(np.unique(strata[~lonely]))
    if test_rows < 2 or len(free) - test_rows < 4:
        raise InputError(
            f"{len(y):,} usable rows are too few for a test share of {fraction:.0%}.",
            "Add rows, or set the test share to 0 and accept a result without a test.",
        )
    if min(test_rows, len(free) - test_rows) < groups:
        chosen = ShuffleSplit(1, test_size=test_rows, random_state=seed).split(free)
    else:
        chosen = StratifiedShuffleSplit(1, test_size=test_rows, random_state=seed).split(free, strata[~lonely])
    _, test = next(iter(chosen))
    held = np.zeros(len(y), dtype=bool)
    held[free[test]] = True
    return rows[~held], rows[held]


def make_folds(y: NDArray[Any], classification: bool, settings: AutoMLSettings) -> Folds:
    """Make the folds over the training rows.

    Raises
    ------
    InputError
        When there are too few rows to validate on.
    """
    n = len(y)
    if settings.folds == "auto":
        count = 10 if n < 1_000 else 3 if n <= CROSS_VALIDATION_LIMIT else 1
    else:
        count = settings.folds
    strata = _strata(y, classification)
    smallest = int(np.bincount(strata)[np.unique(strata)].min())
    if n < 6:
        raise InputError(f"{n} training rows are too few to search with.", "Add rows.")
    count = min(count, n // 2)
    if count == 1:
        splitter = StratifiedShuffleSplit(1, test_size=HOLDOUT_FRACTION, random_state=settings.seed)
        if smallest < 2:
            splitter = ShuffleSplit(1, test_size=HOLDOUT_FRACTION, random_state=settings.seed)
        pairs = [(train, validation) for train, validation in splitter.split(strata, strata)]
        return Folds(pairs, f"{HOLDOUT_FRACTION:.0%} holdout")
    pairs = []
    for repeat in range(settings.cv_repeats):
        # A class with fewer rows than folds cannot be in each: it is spread as far as it goes.
        kind = StratifiedKFold if smallest >= count else KFold
        folds = kind(count, shuffle=True, random_state=settings.seed + repeat)
        pairs += [(train, validation) for train, validation in folds.split(strata, strata)]
    repeated = f", repeated {settings.cv_repeats} times" if settings.cv_repeats > 1 else ""
    return Folds(pairs, f"{count}-fold cross-validation{repeated}")
