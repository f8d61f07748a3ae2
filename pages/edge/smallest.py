"""The tab Find the smallest: an objective, one press, and earlier searches of this model."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.catalog import Run, runs
from core.edge import VARIANT_FORMS, ExportRecord
from core.edge.latency import PERCENTS
from core.edge.smallest import SmallestSettings
from core.evaluation import METRICS
from core.tasks import smallest
from pages._ui import address, badges, frame, listing, model_fields, numbers
from pages.edge import smallest_options
from pages.edge.smallest_options import Values
from pages.edge.smallest_words import objective_text

__all__ = ["TAB", "show"]

TAB = "Find the smallest"
"""Label of the tab, in the address of a link to it."""

_PERCENT = 100  # points of accuracy per unit
_OVERHEAD_S = 1.5  # a process and a session for each measurement
_MINIMIZE = {"size": "File size", "latency": "Latency"}
_DEFAULT_LOSS = {"accuracy": 1.0, "roc_auc": 0.01, "r2": 0.01}


def show(run: Run, record: ExportRecord) -> None:
    """Draw the form; the button queues the search and opens it.

    Parameters
    ----------
    run : Run
        The export.
    record : ExportRecord
        Its record.
    """
    st.markdown("**Smallest that is good enough**")
    st.caption(
        "Makes every variant, measures all of them on this machine in one run, and names the smallest one that keeps "
        "the limits. An empty limit does not count."
    )
    values = _objective(record)
    values |= smallest_options.show(record)
    settings = SmallestSettings(**values)
    st.caption(_expectation(record, settings))
    if st.button("Find the smallest", type="primary", icon=":material/search_check:", key="edge-smallest-start"):
        address.go(run=smallest.submit(run, settings, access=frame.access()))
    _earlier(run)


def _objective(record: ExportRecord) -> Values:
    """Draw the limits."""
    names = list(record.variants[0].metrics)
    values: Values = {}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        values["latency_ms"] = st.number_input(
            "Latency within (ms)",
            0.001,
            3.6e6,
            _from_address("within"),
            format="%g",
            key="edge-smallest-latency",
            placeholder="No limit",
            width=170,
            help="Of one request. The whole 95% interval of the percentile must lie within it.",
        )
        percents = [f"{percent:g}" for percent in PERCENTS]
        default = model_fields.default(SmallestSettings, "percentile")
        address.restore("percentile", percents, f"{default:g}", "edge-smallest-percentile")
        percent = st.selectbox(
            "Percentile", percents, key="edge-smallest-percentile", format_func=lambda text: f"p{text}", width=120
        )
        values["percentile"] = float(percent)
        values["size_mb"] = st.number_input(
            "File at most (MB)",
            0.001,
            1e6,
            None,
            format="%g",
            key="edge-smallest-size",
            placeholder="No limit",
            width=160,
        )
        if names:
            values |= _loss(record, names)
        values["minimize"] = st.selectbox(
            "Minimize",
            list(_MINIMIZE),
            format_func=_MINIMIZE.__getitem__,
            key="edge-smallest-minimize",
            width=150,
            help="What is to be smallest among all that keep the limits. Of the same file, the fewest threads.",
        )
    if not names:
        st.caption("No rows with true values were held out, so the loss of quality cannot be limited.")
    return values


def _loss(record: ExportRecord, names: list[str]) -> Values:
    metric = names[0]
    if len(names) > 1:
        metric = st.selectbox(
            "Quality", names, format_func=lambda name: METRICS[name].title, key="edge-smallest-metric", width=150
        )
    points = metric == "accuracy"
    title = METRICS[metric].title
    given = st.number_input(
        "Loss at most (points)" if points else f"Loss at most ({title})",
        0.0,
        None,
        _DEFAULT_LOSS.get(metric, round(0.01 * record.variants[0].metrics[metric].value, 6)),
        format="%g",
        key=f"edge-smallest-loss-{metric}",
        placeholder="No limit",
        width=180,
        help=f"Loss of {title} against fp32 on held-out rows. The whole 95% interval must lie within it.",
    )
    return {"metric": metric, "max_loss": given if given is None or not points else given / _PERCENT}


def _from_address(name: str) -> float | None:
    try:
        value = float(st.query_params.get(name, ""))
    except ValueError:
        return None
    return value if 0.001 <= value <= 3.6e6 else None


def _expectation(record: ExportRecord, settings: SmallestSettings) -> str:
    """Return how much is tried, and how long that takes at least."""
    is_text = record.kind == "text"
    names = [
        name
        for name, form in VARIANT_FORMS.items()
        if (settings.forms is None or name in settings.forms) and (is_text or not form.prunes_vocabulary)
    ]
    count = len(names) * len(settings.threads) * len(settings.batch_sizes) * (1 + len(settings.lengths))
    measured_s = count * (settings.short_s + _OVERHEAD_S) + settings.contenders * (
        settings.long_s + settings.rounds * _OVERHEAD_S
    )
    return (
        f"{len(names):,} variants, {count:,} candidates: about {numbers.duration(measured_s)} of measuring once the "
        "variants are made. Leave the machine to it meanwhile."
    )


def _earlier(run: Run) -> None:
    searches = [item for item in runs.find(task="smallest", access=frame.access()) if item.settings["export"] == run.id]
    if not searches:
        return
    st.markdown("**Earlier searches**")
    listing.show(
        pd.DataFrame(
            {
                "State": [badges.of_run(item).label for item in searches],
                "Objective": [objective_text(item.settings["search"]) for item in searches],
                "Answer": [(item.result or {}).get("answer", "") for item in searches],
                "Started": [numbers.when(item.created_at) for item in searches],
            }
        ),
        [item.id for item in searches],
        key="edge-smallest-earlier",
        parameter="run",
        height="auto",
        column_config={
            "Answer": st.column_config.TextColumn(width="large"),
            "Started": st.column_config.DatetimeColumn(format="D MMM, HH:mm"),
        },
        alt="Searches for the smallest variant of this model, newest first",
    )
