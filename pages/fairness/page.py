"""The Fairness page: who is treated how, how sure that is, what a threshold does, what a fairer rule costs."""

from functools import partial

from pages._ui import header, tabs
from pages.fairness import lab, mitigation, overview, report, source

with header.lookup("Model or table", back="Choose another"):
    source.check_link()
header.show("Fairness", "See who is treated how and how sure that is, and find a rule that you can defend.")
evidence = source.choose()
if evidence is not None:
    metrics = overview.measure(evidence)
    definition = overview.head(evidence, metrics)
    tabs.show(
        {
            "Groups": partial(overview.show, evidence, metrics, definition),
            "Threshold lab": partial(lab.show, evidence),
            "Mitigations": partial(mitigation.show, evidence),
            "Report": partial(report.show, evidence, metrics, definition),
        },
        key="fairness-tabs",
    )
