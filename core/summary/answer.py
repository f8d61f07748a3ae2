"""The answer: how often the model is right, in natural frequencies, at the decision that it makes."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import numpy as np

from core import known_columns
from core.automl import natural_frequency
from core.charts import Figure, StaticChart, confusion_chart
from core.evaluation import METRICS
from core.label_cells import has_label
from core.models import ModelCard, RunEvidence, StoredEstimate
from core.summary.decision import Decision, decision_of
from core.summary.document import SummarySection, SummaryTable
from core.summary.frequencies import ClassFrequencies, Predictions, class_frequencies, share_right
from core.summary.wording import format_estimate, format_interval, share_detail

__all__ = ["answer_section"]

_TITLE = "The answer, in numbers of cases"
_MAX_CLASSES = 10
_MAX_DRAWN_CLASSES = 12
_LIKELIER = "The decision: the class with the higher probability is named, that is from 0.5 on."
_GUESSING = ("prior", "majority")


def answer_section(evidence: RunEvidence, card: ModelCard, test: Predictions | None) -> tuple[str, SummarySection]:
    """Return the answer in a sentence, and the section with its details."""
    if test is None:
        reason = "No rows were held out for a test, so how good the model is on other rows is not known."
        return reason, SummarySection("answer", _TITLE, missing=reason)
    decision, unclear = decision_of(evidence, test)
    if evidence.labels is None:
        sentence, section = _number(evidence, test)
    elif decision is not None:
        sentence, section = _one_class(evidence, decision.rows, decision.label, decision.text)
    elif len(evidence.labels) == 2 and not evidence.several:
        sentence, section = _one_class(evidence, test, evidence.labels[-1], _LIKELIER)
    else:
        sentence, section = _many_classes(evidence, test, evidence.labels)
    if unclear:
        section = replace(section, text=(*section.text, unclear))
    figures = [figure for figure in card["evaluation"].figures if figure.key in ("confusion", "residuals")]
    if decision is not None:
        figures = [_decided(decision, evidence)]
    section = replace(section, charts=tuple(StaticChart.of(figure) for figure in figures))
    return f"{_caution(evidence)}{sentence}", section


def _caution(evidence: RunEvidence) -> str:
    """Return what must come before any number: columns that are not known in time, no gain over guessing.

    A question that nobody has answered yet stands with how sure the answer is.
    """
    caveat = known_columns.caveat(evidence.run, unanswered=False, access=evidence.access)
    return f"{caveat} {_without_gain(evidence)}".lstrip()


def _without_gain(evidence: RunEvidence) -> str:
    """Return that the model is not shown to be better than guessing, where it is not."""
    gains = [evidence.result.differences[name] for name in _GUESSING if name in evidence.result.differences]
    if not gains or (gains[0].low is not None and gains[0].low > 0):
        return ""
    if gains[0].low is None:
        return "Whether it is better than guessing is not known. "
    worse = gains[0].high is not None and gains[0].high < 0
    return "It is worse than guessing. " if worse else "It is not shown to be better than guessing. "


def _one_class(evidence: RunEvidence, rows: Predictions, label: str, decided: str) -> tuple[str, SummarySection]:
    """Return how often one class is found and how often an alarm is false; `decided` says how a row is named."""
    counted = class_frequencies(label, rows)
    name = f"'{label}'"
    caught, alarms = counted.caught, counted.false_alarms
    noun = _rows(evidence)
    text = [*_sentences(counted, noun), decided, *_weighted(evidence, rows)]
    section = SummarySection("answer", _TITLE, tuple(text))
    if math.isnan(caught.value):
        return f"The test has no row with {name}, so it does not show whether the model finds them.", section
    sentence = f"Finds {natural_frequency(caught.value)} {noun} of {name}"
    if math.isnan(alarms.value):
        return f"{sentence}; it raised no alarm.", section
    return f"{sentence}; {natural_frequency(alarms.value)} alarms are false.", section


def _weighted(evidence: RunEvidence, rows: Predictions) -> list[str]:
    if rows.weights is None:
        return []
    return [f"Rows count by their weight in '{evidence.result.settings.get('weight_column')}'."]


def _decided(decision: Decision, evidence: RunEvidence) -> Figure:
    """Return the chart of actual and named rows by a rule."""
    rows, label = decision.rows, decision.label
    actual, named = (has_label(cells, label, several=rows.several) for cells in (rows.actual, rows.predicted))
    others = [name for name in evidence.labels or [] if name != label]
    other = others[0] if len(others) == 1 else f"not {label}"
    counts = [[int((~actual & ~named).sum()), int((~actual & named).sum())]]
    counts += [[int((actual & ~named).sum()), int((actual & named).sum())]]
    title = f"{(actual == named).mean():.1%} of {len(rows):,} test {_rows(evidence)} are decided correctly"
    return Figure("decided", partial(confusion_chart, [other, label], counts, title))


def _many_classes(evidence: RunEvidence, test: Predictions, labels: list[str]) -> tuple[str, SummarySection]:
    counted = sorted(
        (class_frequencies(label, test) for label in labels),
        key=lambda item: -(0.0 if math.isnan(item.present.value) else item.present.value),
    )
    right = share_right(test)
    sentence = f"Names the right class for {natural_frequency(right.value)} {_rows(evidence)}{_guessed(evidence)}."
    if evidence.several:
        sentence = f"Names all labels rightly for {natural_frequency(right.value)} {_rows(evidence)}."
    return sentence, _classes_section(evidence, test, counted, labels)


def _guessed(evidence: RunEvidence) -> str:
    baselines = evidence.result.baseline_metrics
    accuracy = next(
        (baselines[name]["accuracy"].value for name in _GUESSING if "accuracy" in baselines.get(name, {})), None
    )
    return "" if accuracy is None else f" (always the most frequent class: {natural_frequency(accuracy)})"


def _rows(evidence: RunEvidence) -> str:
    return "texts" if evidence.reads_text else "rows"


def _classes_section(
    evidence: RunEvidence, test: Predictions, counted: list[ClassFrequencies], labels: list[str]
) -> SummarySection:
    noun = _rows(evidence)
    text = []
    if len(counted) > _MAX_CLASSES:
        text.append(f"The {_MAX_CLASSES} most frequent of {len(counted):,} classes are listed.")
    decided = "The decision: the class with the highest probability is named."
    if evidence.several:
        decided = "The decision: every label with a probability of at least a half is named."
    text += [decided, *_weighted(evidence, test)]
    missing = ""
    if not evidence.several and len(labels) > _MAX_DRAWN_CLASSES:
        missing = f"The chart of actual and predicted classes is left out: {len(labels):,} classes do not fit."
    return SummarySection("answer", _TITLE, tuple(text), (_class_table(counted, noun),), missing=missing)


def _sentences(counted: ClassFrequencies, noun: str) -> list[str]:
    name = f"'{counted.label}'"
    beginnings = (
        (f"Of 100 {noun} with {name}, it finds", counted.caught),
        (f"Of 100 alarms (it names {name}), this many are false:", counted.false_alarms),
        (f"Of 100 other {noun}, it names this many {name} by mistake:", counted.false_positives),
        (f"Of 100 {noun}, this many have {name}, with or without a model:", counted.present),
    )
    sentences = []
    for beginning, share in beginnings:
        if math.isnan(share.value):
            reason = share.reason.removeprefix("no interval: ")
            sentences.append(f"{reason[0].upper()}{reason[1:]}.")
        else:
            hundred = natural_frequency(share.value).removesuffix(" of 100")
            sentences.append(f"{beginning} {hundred} ({share_detail(share, f'test {noun}')}).")
    return sentences


def _class_table(counted: list[ClassFrequencies], noun: str) -> SummaryTable:
    rows = []
    for item in counted[:_MAX_CLASSES]:
        cells = []
        for share in (item.caught, item.false_alarms):
            if math.isnan(share.value):
                cells.append(share.reason.removeprefix("no interval: "))
                continue
            interval = ""
            if share.low is not None and share.high is not None:
                interval = f" [{100 * share.low:.0f}, {100 * share.high:.0f}]"
            cells.append(natural_frequency(share.value).removesuffix(" of 100") + interval)
        rows.append((item.label, f"{item.caught.n:,}", *cells))
    titles = ("Class", f"Test {noun}", "Found, of 100", "Wrong, of 100 that it names so")
    return SummaryTable(titles, tuple(rows), numeric=(1, 2, 3))


def _number(evidence: RunEvidence, test: Predictions) -> tuple[str, SummarySection]:
    errors = np.abs(test.predicted.astype(np.float64) - test.actual.astype(np.float64))
    mean = evidence.result.test_metrics.get("mae")
    noun = _rows(evidence)
    value = float(np.average(errors, weights=test.weights))
    typical = format_estimate(value, *_bounds(mean))
    half, most = (_quantile(errors, test.weights, share) for share in (0.5, 0.9))
    text = [
        f"Off by {typical} on average ({_mean_detail(mean)}).",
        f"Off by at most {format_estimate(half, *_bounds(mean))} for 50 of 100 {noun}, and by at most "
        f"{format_estimate(most, *_bounds(mean))} for 90 of 100.",
    ]
    baselines = evidence.result.baseline_metrics
    guess = next((baselines[name]["mae"] for name in _GUESSING if "mae" in baselines.get(name, {})), None)
    guessed = ""
    if guess is not None and guess.value is not None:
        guessed = f" (always guessing the mean: {format_estimate(guess.value, guess.low, guess.high)})"
    text += _weighted(evidence, test)
    sentence = f"Predictions of '{evidence.target}' are off by {typical} on average{guessed}."
    return sentence, SummarySection("answer", _TITLE, tuple(text))


def _bounds(estimate: StoredEstimate | None) -> tuple[float | None, float | None]:
    return (None, None) if estimate is None else (estimate.low, estimate.high)


def _mean_detail(estimate: StoredEstimate | None) -> str:
    if estimate is None:
        return "no interval was stored"
    if estimate.low is None:
        return estimate.reason or "no interval"
    return (
        f"{METRICS['mae'].title}, 95% interval {format_interval(estimate.low, estimate.high)}; {estimate.n:,} test rows"
    )


def _quantile(values: np.ndarray, weights: np.ndarray | None, share: float) -> float:
    """Return the smallest value that at least this share of the weight does not exceed."""
    order = np.argsort(values)
    total = np.cumsum(np.ones(len(values)) if weights is None else weights[order])
    return float(values[order][np.searchsorted(total, share * total[-1] * (1 - 1e-12))])
