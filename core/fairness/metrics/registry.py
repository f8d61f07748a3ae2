"""The metrics by group: one record per rate, per metric of scores and per metric of predicted numbers.

To add a rate, add a `Rate` to `RATES` (from an extension: ``core.fairness.RATES.add(...)``). Its values, intervals,
tests, tables, the Fairness page and the report follow from the record.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from core.registry import Registry

__all__ = ["NUMBER_METRICS", "RATES", "SCORE_METRICS", "CountWeights", "GroupMetric", "Rate", "metric_record"]

CountWeights: TypeAlias = tuple[int, int, int, int]
"""How often each count enters a sum: true negatives, false positives, false negatives, true positives."""

ALL: CountWeights = (1, 1, 1, 1)
POSITIVES: CountWeights = (0, 0, 1, 1)
NEGATIVES: CountWeights = (1, 1, 0, 0)
SELECTED: CountWeights = (0, 1, 0, 1)


@dataclass(frozen=True)
class GroupMetric:
    """A metric that is computed for each group.

    Parameters
    ----------
    name : str
        Name of the column in the tables of `GroupMetrics`.
    title : str
        Name on pages, in reports and on cards.
    help : str
        Meaning of the metric, in one sentence.
    unit : {"share", "number"}, default="share"
        "share" is shown in percent, "number" as it is.
    larger_is_better : bool, optional
        Direction of the metric; None where neither direction is better.
    comparison : str, default=""
        Sentence that compares two groups, with the fields ``{high}``, ``{low}`` and ``{gap}``; a general one by
        default.
    people : str, default=""
        Words for what is true of the people whom a share counts, with the fields of `PositiveLabel` (``{selected}``,
        ``{truth}`` ...). The share is then given in natural frequencies: "20 of 100 invited".
    people_among : str, default=""
        Words for the people whom a share is of, with the same fields; empty for all people.
    """

    name: str
    title: str
    help: str
    unit: Literal["share", "number"] = "share"
    larger_is_better: bool | None = None
    comparison: str = ""
    people: str = ""
    people_among: str = ""

    @property
    def phrase(self) -> str:
        """The title within a sentence: a capital only where an abbreviation begins."""
        return self.title if self.title[:2].isupper() else self.title[0].lower() + self.title[1:]

    def compare_groups(self, *, high: str, low: str, gap: str) -> str:
        """Return the sentence that compares two groups, without a period.

        Examples
        --------
        >>> RATES["base_rate"].compare_groups(high="'a'", low="'b'", gap="3.0 points")
        "The base rate of 'a' is 3.0 points higher than that of 'b'"
        """
        sentence = self.comparison or f"The {self.phrase} of {{high}} is {{gap}} higher than that of {{low}}"
        return sentence.format(high=high, low=low, gap=gap)


@dataclass(frozen=True)
class Rate(GroupMetric):
    """A rate of decisions: a ratio of two sums of the four counts, or the mean of two other rates.

    Parameters
    ----------
    hits, among : tuple of int, optional
        Numerator and denominator as weights of the four counts.
    rows : tuple of int, optional
        Counts that make up the number of rows behind the rate; `among` by default.
    mean_of : tuple of str, optional
        Two rates whose mean this one is, in place of `hits` and `among`. Its interval is MOVER's.
    interval : {"wilson", "dice"}, default="wilson"
        "dice" is for rates of the form 2J / (1 + J), such as F1, where J is a share of `rows`: Wilson's interval of J,
        mapped.

    Examples
    --------
    >>> Rate("false_discovery_rate", "False discovery rate", "Share of the selected rows that are negative.",
    ...      hits=(0, 1, 0, 0), among=(0, 1, 0, 1)).rows_behind
    (0, 1, 0, 1)
    """

    hits: CountWeights | None = None
    among: CountWeights | None = None
    rows: CountWeights | None = None
    mean_of: tuple[str, str] | None = None
    interval: Literal["wilson", "dice"] = "wilson"

    def __post_init__(self) -> None:
        if (self.hits is None) != (self.among is None) or (self.hits is None) == (self.mean_of is None):
            raise ValueError(f"The rate '{self.name}' needs either hits and among, or mean_of.")

    @property
    def ratio(self) -> tuple[CountWeights, CountWeights]:
        """Numerator and denominator of a rate that is not a mean of two others."""
        if self.hits is None or self.among is None:
            raise ValueError(f"The rate '{self.name}' is a mean of two rates.")
        return self.hits, self.among

    @property
    def rows_behind(self) -> CountWeights:
        """Counts that make up the number of rows behind a rate that is not a mean of two others."""
        return self.rows or self.ratio[1]

    @property
    def method(self) -> str:
        """Name of the interval."""
        if self.mean_of is not None:
            return "MOVER of Wilson"
        return "Wilson of Jaccard" if self.interval == "dice" else "Wilson"

    @property
    def permuted_by_label(self) -> bool:
        """Whether its test permutes predictions among rows of one label, rather than hits among its denominator."""
        if self.mean_of is not None:
            return True
        hits, among = self.ratio
        plain = all(hit in (0, 1) and hit <= of <= 1 for hit, of in zip(hits, among, strict=True))
        return not plain or among in (POSITIVES, NEGATIVES)


RATES: Registry[Rate] = Registry(
    "rate",
    [
        Rate(
            "base_rate",
            "Base rate",
            "Share of the rows that have the positive label.",
            people="have {truth}",
            hits=POSITIVES,
            among=ALL,
        ),
        Rate(
            "selection_rate",
            "Selection rate",
            "Share of the rows that are selected.",
            comparison="{high} is selected {gap} more often than {low}",
            people="{selected}",
            hits=SELECTED,
            among=ALL,
        ),
        Rate(
            "accuracy",
            "Accuracy",
            "Share of the rows with the right decision.",
            larger_is_better=True,
            comparison="The model is right {gap} more often for {high} than for {low}",
            people="decided rightly",
            hits=(1, 0, 0, 1),
            among=ALL,
        ),
        Rate(
            "balanced_accuracy",
            "Balanced accuracy",
            "Mean of the true positive rate and the true negative rate.",
            larger_is_better=True,
            mean_of=("true_positive_rate", "true_negative_rate"),
        ),
        Rate(
            "precision",
            "Precision",
            "Share of the selected rows that have the positive label.",
            larger_is_better=True,
            comparison="Being selected is right {gap} more often in {high} than in {low}",
            people="rightly so",
            people_among="those {those_selected}",
            hits=(0, 0, 0, 1),
            among=SELECTED,
        ),
        Rate(
            "true_positive_rate",
            "True positive rate",
            "Share of the rows with the positive label that are selected.",
            larger_is_better=True,
            comparison="Among those with the positive label, {high} is selected {gap} more often than {low}",
            people="{selected}",
            people_among="those with {truth}",
            hits=(0, 0, 0, 1),
            among=POSITIVES,
        ),
        Rate(
            "false_positive_rate",
            "False positive rate",
            "Share of the rows without the positive label that are selected.",
            larger_is_better=False,
            comparison="Among those without the positive label, {high} is selected {gap} more often than {low}",
            people="{selected}",
            people_among="those without {truth}",
            hits=(0, 1, 0, 0),
            among=NEGATIVES,
        ),
        Rate(
            "true_negative_rate",
            "True negative rate",
            "Share of the rows without the positive label that are not selected.",
            larger_is_better=True,
            people="{not_selected}",
            people_among="those without {truth}",
            hits=(1, 0, 0, 0),
            among=NEGATIVES,
        ),
        Rate(
            "false_negative_rate",
            "False negative rate",
            "Share of the rows with the positive label that are not selected.",
            larger_is_better=False,
            people="{not_selected}",
            people_among="those with {truth}",
            hits=(0, 0, 1, 0),
            among=POSITIVES,
        ),
        Rate(
            "f1",
            "F1",
            "Harmonic mean of precision and true positive rate.",
            larger_is_better=True,
            hits=(0, 0, 0, 2),
            among=(0, 1, 1, 2),
            rows=(0, 1, 1, 1),
            interval="dice",
        ),
    ],
)
"""Rates of decisions, in the order of the tables."""

SCORE_METRICS: Registry[GroupMetric] = Registry(
    "metric of scores",
    [
        GroupMetric(
            "roc_auc",
            "ROC AUC",
            "How often a row with the positive label has a higher score than one without it.",
            larger_is_better=True,
        ),
        GroupMetric(
            "log_loss",
            "Log loss",
            "Mean negative logarithm of the probability given to the true label.",
            unit="number",
            larger_is_better=False,
        ),
        GroupMetric(
            "brier_score",
            "Brier score",
            "Mean squared distance of the probability from the outcome.",
            unit="number",
            larger_is_better=False,
        ),
        GroupMetric(
            "calibration_error",
            "Calibration error",
            "Mean distance of predicted and observed shares over ten bins of the score.",
            larger_is_better=False,
        ),
    ],
)
"""Metrics of scores; all but the first need probabilities."""

NUMBER_METRICS: Registry[GroupMetric] = Registry(
    "metric of predicted numbers",
    [
        GroupMetric("mean_prediction", "Mean prediction", "Mean of the predicted numbers.", unit="number"),
        GroupMetric(
            "mean_error",
            "Mean error",
            "Mean of predicted minus true number: above 0 is too high.",
            unit="number",
            comparison="Predictions for {high} are higher, compared with the truth, by {gap} than those for {low}",
        ),
        GroupMetric("mae", "MAE", "Mean absolute error.", unit="number", larger_is_better=False),
        GroupMetric("rmse", "RMSE", "Root mean squared error.", unit="number", larger_is_better=False),
        GroupMetric(
            "r2",
            "R²",
            "Share of the variance of the true numbers that the predictions explain.",
            unit="number",
            larger_is_better=True,
        ),
    ],
)
"""Metrics of predicted numbers."""


def metric_record(name: str) -> GroupMetric:
    """Return the record of a metric by group: title, help text, unit, direction.

    Raises
    ------
    KeyError
        When there is no such metric.

    Examples
    --------
    >>> metric_record("mae").title, metric_record("f1").unit
    ('MAE', 'share')
    """
    for registry in (RATES, SCORE_METRICS, NUMBER_METRICS):
        if name in registry:
            return registry[name]
    raise KeyError(name)
