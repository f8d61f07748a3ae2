"""The Fairness page: how each group is treated, what thresholds do, and what a fairer rule costs."""

from collections.abc import Callable
from functools import partial

from core.fairness import conclude
from pages._ui import header, tabs
from pages.fairness import (
    bias_audit,
    conclusion,
    criterion,
    decide,
    groups,
    mitigations,
    model_comparison,
    report,
    source,
    threshold_lab,
)

with header.lookup("Model or table", back="Choose another"):
    source.check_link()
header.show("Fairness", "Compare how groups are treated, see how certain it is, and find a rule that you can defend.")
analysis = source.choose()
contents: dict[str, Callable[[], None]] = {}
if analysis is not None:
    metrics, others = groups.measure(analysis), groups.measure_others(analysis)
    definition = "demographic_parity" if analysis.positive is None else criterion.choose(groups.definitions_of(metrics))
    concluded = conclude(metrics, definition)
    conclusion.show(analysis, metrics, concluded, others)
    evidence = conclusion.further_evidence(analysis, concluded, others)
    contents = {
        "Groups": partial(groups.show, analysis, metrics, definition),
        "Compare": partial(model_comparison.show, analysis, definition),
    }
    if analysis.cohort is None:  # rules and models are for all rows
        contents |= {
            "Threshold lab": partial(threshold_lab.show, analysis),
            "Mitigations": partial(mitigations.show, analysis),
        }
    contents |= {
        "Report": partial(report.show, analysis, metrics, definition, evidence),
    }
    if decide.applies(analysis):
        contents["Decide"] = partial(decide.show, analysis)
chosen = source.chosen()
if chosen is not None:  # an audit needs neither true labels nor sensitive columns
    contents["Bias audit"] = partial(bias_audit.show, *chosen)
if contents:
    tabs.show(contents, key="fairness-tabs")
