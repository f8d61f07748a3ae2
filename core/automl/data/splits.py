"""The held-out test rows and the folds of the cross-validation, made once and shared by everything."""

from __future__ import annotations

import itertools
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    ShuffleSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    StratifiedShuffleSplit,
)

from core.automl._settings import AutoMLSettings
from core.automl._types import Target
from core.errors import InputError
from core.evaluation import split_test, stratify

__all__ = ["Folds", "Roles", "make_folds", "split_roles"]

Indices = NDArray[np.intp]

CROSS_VALIDATION_LIMIT = 100_000
SMALL_ROWS = 2_000  # below which the cross-validation is repeated
SMALL_REPEATS = 3
HOLDOUT_FRACTION = 0.2


@dataclass(frozen=True)
class Folds:
    """Folds of a cross-validation.

    Parameters
    ----------
    pairs : list of (training, validation)
        Row positions of each fold.
    method : str
        Description of how they were made.
    """

    pairs: list[tuple[Indices, Indices]]
    method: str

    @property
    def covered(self) -> Indices:
        """Positions of rows that are in some validation part."""
        return np.unique(np.concatenate([validation for _, validation in self.pairs]))


@dataclass(frozen=True)
class Roles:
    """Times or groups of the rows, which decide on the side of a split that a row may be on: at most one of both.

    Parameters
    ----------
    times : array of shape (n,), optional
        Time of each row; later rows are never learned from to predict earlier ones.
    groups : array of int of shape (n,), optional
        Group of each row; rows of a group are on the same side of every split.
    """

    times: NDArray[np.float64] | None = None
    groups: Indices | None = None

    def take(self, rows: Indices) -> Roles:
        """Return the roles of some rows."""
        return Roles(
            None if self.times is None else self.times[rows], None if self.groups is None else self.groups[rows]
        )


def split_roles(y: Target, classification: bool, fraction: float, seed: int, roles: Roles) -> tuple[Indices, Indices]:
    """Split row positions into training and test like `split_test`, by time or by group where there are such roles.

    Parameters
    ----------
    y : array of shape (n,)
        Class codes, or numbers.
    classification : bool
        Whether `y` has class codes.
    fraction : float
        Share of the test rows; 0 means no test.
    seed : int
        Seed of the random split.
    roles : Roles
        Times or groups.

    Raises
    ------
    InputError
        When there are too few rows, moments or groups.
    """
    rows = np.arange(len(y))
    if fraction == 0 or (roles.times is None and roles.groups is None):
        return split_test(y, classification, fraction, seed)
    if roles.times is not None:
        ordered = np.sort(roles.times)
        cut = ordered[len(y) - max(1, round(fraction * len(y)))] if len(y) > 5 else ordered[0]
        held = roles.times >= cut
        units = "moments"
    else:
        assert roles.groups is not None
        count = len(np.unique(roles.groups))
        held = np.zeros(len(y), dtype=bool)
        if count > 2:
            held[_test_groups(stratify(y, classification), classification, fraction, seed, roles.groups)] = True
        units = "groups"
    if held.sum() < 2 or (~held).sum() < 4:
        raise InputError(
            f"{len(y):,} usable rows have too few {units} for a test share of {fraction:.0%}.",
            "Choose another column, or set the test share to 0 and accept a result without a test.",
        )
    return rows[~held], rows[held]


def _test_groups(strata: Indices, classification: bool, fraction: float, seed: int, groups: Indices) -> Indices:
    count = round(1 / fraction)
    if not classification or len(np.unique(groups)) < count or np.bincount(strata).max() < count:
        splitter = GroupShuffleSplit(1, test_size=fraction, random_state=seed)
        return np.asarray(next(splitter.split(strata, strata, groups))[1])
    folds = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a class has fewer rows than folds
        parts = [part for _, part in folds.split(strata, strata, groups)]
    return min(parts, key=lambda part: abs(len(part) - fraction * len(strata)))


def make_folds(y: Target, classification: bool, settings: AutoMLSettings, roles: Roles | None = None) -> Folds:
    """Make the folds over the training rows.

    Parameters
    ----------
    y : array of shape (n,)
        Class codes, or numbers.
    classification : bool
        Whether `y` has class codes.
    settings : AutoMLSettings
        Settings of the search.
    roles : Roles, optional
        Times or groups of the rows.

    Raises
    ------
    InputError
        When there are too few rows, or groups, to validate on.
    """
    n = len(y)
    if n < 6:
        raise InputError(f"{n} training rows are too few to search with.", "Add rows.")
    count = min(_fold_count(n) if settings.folds == "auto" else settings.folds, n // 2)
    if roles is not None and roles.times is not None:
        return _forward(roles.times, max(count, 2))
    strata = stratify(y, classification)
    if roles is not None and roles.groups is not None:
        return _grouped(strata, roles.groups, classification, max(count, 2), settings)
    counts = np.bincount(strata)
    if count == 1:
        smallest = int(counts[counts > 0].min())
        splitter = StratifiedShuffleSplit(1, test_size=HOLDOUT_FRACTION, random_state=settings.seed)
        if smallest < 2:
            splitter = ShuffleSplit(1, test_size=HOLDOUT_FRACTION, random_state=settings.seed)
        pairs = [(train, validation) for train, validation in splitter.split(strata, strata)]
        return Folds(pairs, f"{HOLDOUT_FRACTION:.0%} holdout")
    pairs = []
    repeats = _repeats(n, settings)
    for repeat in range(repeats):
        splitter_type = StratifiedKFold if counts.max() >= count else KFold
        folds = splitter_type(count, shuffle=True, random_state=settings.seed + repeat)
        with warnings.catch_warnings():
            # A class with fewer rows than folds cannot be in each: it is spread as far as it goes.
            warnings.simplefilter("ignore", UserWarning)
            pairs += [(train, validation) for train, validation in folds.split(strata, strata)]
    return Folds(pairs, f"{count}-fold cross-validation{_repeated(repeats)}")


def _fold_count(n: int) -> int:
    return 5 if n <= 20_000 else 3 if n <= CROSS_VALIDATION_LIMIT else 1


def _repeats(n: int, settings: AutoMLSettings) -> int:
    """Return how often the folds are drawn anew: on a small table one draw is not enough."""
    if settings.cv_repeats != "auto":
        return settings.cv_repeats
    return SMALL_REPEATS if settings.folds == "auto" and n < SMALL_ROWS else 1


def _repeated(repeats: int) -> str:
    return f", repeated {repeats} times" if repeats > 1 else ""


def _grouped(strata: Indices, groups: Indices, classification: bool, count: int, settings: AutoMLSettings) -> Folds:
    """Make folds that keep the rows of a group together, and the mix of the classes as far as that allows."""
    distinct = len(np.unique(groups))
    if distinct < 2:
        raise InputError(
            "All training rows are of one group, so no model can be validated on another.",
            "Choose a group column with more values, or none.",
        )
    count = min(count, distinct)
    repeats = _repeats(len(strata), settings)
    pairs: list[tuple[Indices, Indices]] = []
    stratified = classification and np.bincount(strata).max() >= count
    for repeat in range(repeats):
        splitter_type = StratifiedGroupKFold if stratified else GroupKFold
        folds = splitter_type(count, shuffle=True, random_state=settings.seed + repeat)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a class has fewer rows than folds
            parts = list(folds.split(strata, strata, groups))
        pairs += [(train, validation) for train, validation in parts if len(train) and len(validation)]
    return Folds(pairs, f"{count}-fold cross-validation by group{_repeated(repeats)}")


def _forward(times: NDArray[np.float64], count: int) -> Folds:
    """Make folds that learn from the past and are validated on what comes next; no moment is on both sides."""
    order = np.argsort(times, kind="stable")
    ordered = times[order]
    targets = np.linspace(0, len(times), count + 2).round().astype(int)[1:-1]
    cuts = sorted({int(np.searchsorted(ordered, ordered[cut], side="left")) for cut in targets} - {0})
    if not cuts:
        raise InputError(
            "All training rows are of one moment, so there are no later rows to validate on.",
            "Choose a time column with more values, or none.",
        )
    pairs = [(order[:start], order[start:end]) for start, end in itertools.pairwise([*cuts, len(times)])]
    return Folds(pairs, f"{len(pairs)} folds forward in time")
