"""An export: the model's variants, their graph and parity, and the way to measurements."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core import export_rules, policies
from core.catalog import Run
from core.edge import FULL_PRECISION, ExportRecord, Variant
from core.evaluation import METRICS
from core.tasks import export
from pages._ui import address, frame, lookups, numbers, tabs
from pages.edge import charts, graph, measure, measurements, parity, smallest, stored

__all__ = ["show"]


def show(run: Run) -> None:
    """Draw a finished export."""
    record = stored.export_record(run)
    st.subheader(frame.plain(_finding(record)))
    st.caption(_proof(record))
    _rule_in_force(run, record)
    tabs.show(
        {
            "Variants": lambda: _variants(record),
            smallest.TAB: lambda: smallest.show(run, record),
            "Parity": lambda: parity.show(record),
            "Graph": lambda: graph.show(record),
            "Measure": lambda: measure.show(run, record),
            "Measurements": lambda: measurements.show(run),
        },
        key="edge-tabs",
    )


def _rule_in_force(run: Run, record: ExportRecord) -> None:
    """Say when the file decides by another rule than the model does now, with the way to a file that decides by it."""
    difference = export_rules.rule_difference(run, record, access=frame.access())
    if difference is None:
        return
    st.warning(frame.plain(difference), icon=":material/rule:")
    source = lookups.existing_run(record.source.run)
    if source is None or policies.in_force(source, access=frame.access()).unclear:
        return
    if st.button("Export with the rule in force", icon=":material/output:", key="edge-export-again"):
        address.go(run=export.submit(source, modes=run.settings["modes"], access=frame.access()))


def _finding(record: ExportRecord) -> str:
    first, *others = record.variants
    size = first.size_bytes or 0
    made = [variant for variant in others if variant.file is not None]
    if not made:
        text = f"The model is one file of {numbers.size(size)}."
        return f"{text} No smaller variant was made: {_reason(first, others)}" if others else text
    smallest = min(made, key=lambda variant: variant.size_bytes or 0)
    text = f"{smallest.name} is {size / (smallest.size_bytes or 1):.1f} times smaller than {FULL_PRECISION}"
    comparison, metric = smallest.comparison, record.metric
    if comparison is None or metric is None:
        return f"{text}; its cost in quality is unknown without rows to compare on."
    gain, title = comparison.gains[metric], METRICS[metric].title
    change = f"{gain.value:+.3f} {numbers.interval(gain.low, gain.high)}".replace("-", "−")
    name = title if title.isupper() else title.lower()
    if gain.value == 0 and gain.low is not None and gain.high is not None and gain.low <= 0 <= gain.high:
        within = numbers.estimate(max(gain.high, -gain.low), 0.0, gain.high)
        return f"{text}; on {comparison.n:,} held-out rows its {name} is the same, to within {within}."
    if gain.low is None or gain.high is None or gain.low <= 0 <= gain.high:
        return f"{text}; {comparison.n:,} held-out rows show no certain change of {name} ({change})."
    return f"{text}, and changes {title.lower()} by {change}."


def _reason(first: Variant, others: list[Variant]) -> str:
    if first.graph is not None and first.graph.trees:
        return f"its {first.graph.trees:,} trees have no weights to quantize."
    reason = others[0].reason
    return reason[:1].lower() + reason[1:]


def _proof(record: ExportRecord) -> str:
    source = record.source
    if record.model is None:
        filename, sha256 = frame.plain(source.filename or ""), source.sha256 or ""
        return f"{filename}, inspected before anything ran it · SHA-256 `{sha256[:16]}`"
    parts = [part for name, part in record.model.parity.items() if name != "bundle_rows"]
    rows = sum(part["rows"] for part in parts)
    worst = max(part["largest_difference"] for part in parts)
    return (
        f"On {rows:,} rows, the file answers as the model does: at most {worst:.1g} apart, and with the same label · "
        f"opset {record.model.opset}"
    )


def _variants(record: ExportRecord) -> None:
    first = record.variants[0]
    names = list(first.metrics)
    titles = {name: METRICS[name].title for name in names}
    table = pd.DataFrame(
        [
            {
                "Variant": variant.name,
                "Size": (variant.size_bytes or 0) / 1e6,
                "Times smaller": (first.size_bytes or 0) / (variant.size_bytes or 1),
                **{titles[name]: variant.metrics[name].value for name in names},
                "Same labels": _same_labels(variant),
                "Largest difference": None if variant.comparison is None else variant.comparison.largest_difference,
            }
            for variant in record.made
        ]
    )
    st.dataframe(
        table.dropna(axis="columns", how="all"),
        hide_index=True,
        placeholder="–",
        column_config={
            "Size": st.column_config.NumberColumn("Size (MB)", format="%.2f"),
            "Times smaller": st.column_config.NumberColumn(format="%.1f"),
            "Same labels": st.column_config.NumberColumn("Same labels as fp32 (%)", format="%.1f"),
            "Largest difference": st.column_config.NumberColumn(
                format="%.3f", help="Largest difference of a probability, or of a predicted number, from fp32."
            ),
        }
        | {title: st.column_config.NumberColumn(format="%.3f") for title in titles.values()},
        alt="Variants with their size and quality",
    )
    if record.metric is not None and record.metric in first.metrics and len(record.made) > 1:
        n = first.metrics[record.metric].n
        st.markdown(f"**Gain over {FULL_PRECISION} on {n:,} held-out rows, with 95% intervals**")
        percent = record.metric == "accuracy"
        charts.gains(record.variants, record.metric, titles[record.metric], percent=percent)
    names_by_reason: dict[str, list[str]] = {}
    for variant in record.variants:
        if variant.file is None:
            names_by_reason.setdefault(variant.reason, []).append(variant.name)
    for reason, refused in names_by_reason.items():
        st.info(frame.plain(reason), title=f"Not made: {frame.plain(', '.join(refused))}", icon=":material/info:")


def _same_labels(variant: Variant) -> float | None:
    if variant.comparison is None or variant.comparison.equal_labels is None:
        return None
    return 100 * variant.comparison.equal_labels.value
