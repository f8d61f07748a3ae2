"""The Fairness page: how each group is treated, what thresholds do, and what a fairer rule costs."""

from functools import partial

from pages._ui import header, tabs
from pages.fairness import groups, mitigations, report, source, threshold_lab

with header.lookup("Model or table", back="Choose another"):
    source.check_link()
header.show("Fairness", "Compare how groups are treated, see how certain it is, and find a rule that you can defend.")
analysis = source.choose()
if analysis is not None:
    metrics = groups.measure(analysis)
    definition = groups.show_verdict(analysis, metrics)
    tabs.show(
        {
            "Groups": partial(groups.show, analysis, metrics, definition),
            "Threshold lab": partial(threshold_lab.show, analysis),
            "Mitigations": partial(mitigations.show, analysis),
            "Report": partial(report.show, analysis, metrics, definition),
        },
        key="fairness-tabs",
    )
