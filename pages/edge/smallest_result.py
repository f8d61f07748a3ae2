"""The result of a search for the smallest variant: the answer, its bundle or the next step, and all candidates."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.catalog import Run
from core.edge import VARIANT_FORMS
from core.edge.latency import SCENARIOS
from core.edge.smallest import LIMITS, CandidateReport, SmallestReport, loss_text
from core.evaluation import METRICS
from core.units import latency_text, latency_with_interval
from pages._ui import address, badges, frame, numbers
from pages.edge import download, smallest_chart, stored
from pages.edge.smallest import TAB
from pages.edge.smallest_words import VERDICTS, objective_text

__all__ = ["show"]

_UNSTABLE = 1.10
_WORDS = {"met": "meets it", "unsure": "not sure", "missed": "misses it"}


def show(run: Run) -> None:
    """Draw a finished search."""
    report = stored.smallest_report(run)
    st.subheader(frame.plain(report.answer.sentence))
    st.caption(_conditions(report))
    _limitations(report)
    _judgments(report)
    if report.chosen is not None:
        download.show_candidate(run, report, report.chosen)
        for step in report.answer.next_steps:
            st.caption(frame.plain(step))
    else:
        _next_steps(run, report)
    if report.candidates:
        smallest_chart.show(report)
        st.markdown(f"**{len(report.candidates):,} candidates, the cheapest first**")
        _table(report)
    _refused(report)


def _conditions(report: SmallestReport) -> str:
    settings, machine = report.settings, report.machine
    objective = objective_text(settings.model_dump() | {"metric": report.metric})
    parts = [f"Objective: {objective}", SCENARIOS[settings.scenario].title]
    if settings.target_qps is not None:
        parts[-1] += f" at {settings.target_qps:g} requests per second"
    if machine is not None:
        parts += [f"{machine.cores} cores", machine.cpu, f"ONNX Runtime {machine.onnxruntime}"]
    return frame.plain(" · ".join(parts))


def _limitations(report: SmallestReport) -> None:
    """Draw what limits the trust in the answer."""
    sentences = ["It was stopped before everything was measured."] if report.stopped else []
    others = 0.0 if report.machine is None else report.machine.others_cpu or 0.0
    if report.machine is not None and report.machine.busy:
        sentences.append(f"Other processes used up to {others:.1f} cores at the same time.")
    changed = [
        item for item in report.candidates if item.contender and max(item.rounds_ms) > _UNSTABLE * min(item.rounds_ms)
    ]
    if changed:
        widest = max(max(item.rounds_ms) / min(item.rounds_ms) for item in changed)
        sentences.append(f"The medians of the rounds differ by up to {numbers.percent(widest - 1, 0)}.")
    if sentences:
        st.warning(
            frame.plain(" ".join([*sentences, "Repeat it when the machine is quiet."])),
            title="Limitations",
            icon=":material/warning:",
        )


def _judgments(report: SmallestReport) -> None:
    """Draw whether the answer, or what comes closest, keeps each limit."""
    index = report.closest if report.chosen is None else report.chosen
    if index is None or not report.candidates[index].judgments:
        return
    with st.container(border=True, gap="small"):
        for name, judgment in report.candidates[index].judgments.items():
            with st.container(horizontal=True, vertical_alignment="center"):
                badges.show(VERDICTS[judgment.verdict])
                st.markdown(f"**{LIMITS[name]}** {frame.plain(judgment.reason)}", width="content")


def _next_steps(run: Run, report: SmallestReport) -> None:
    steps = report.answer.next_steps
    if steps:
        st.markdown("**What to do next**")
        st.markdown("\n".join(f"* {frame.plain(step)}" for step in steps))
    if st.button("Change the objective", type="primary", icon=":material/tune:", key="edge-smallest-again"):
        settings = report.settings
        parameters = {"run": run.settings["export"], "tab": TAB, "percentile": f"{settings.percentile:g}"}
        if settings.latency_ms is not None:
            parameters["within"] = f"{settings.latency_ms:g}"
        if settings.target_qps is not None:
            parameters |= {"scenario": settings.scenario, "rate": f"{settings.target_qps:g}"}
        address.go(**parameters)


def _table(report: SmallestReport) -> None:
    percentile = f"p{report.settings.percentile:g}"
    rows = []
    for index, item in enumerate(report.candidates):
        candidate = item.candidate
        form = VARIANT_FORMS.get(candidate.variant)
        rows.append(
            {
                "Variant": candidate.variant if form is None else form.title,
                "Threads": candidate.threads,
                "Batch size": candidate.batch_size,
                "Tokens": candidate.length or report.max_length,
                "Objective": "is the answer" if index == report.chosen else _WORDS[item.verdict],
                "Size": item.size_bytes / 1e6,
                percentile: _latency(item),
                "Median": latency_text(item.median_ms),
                "Loss": _loss(item, report.metric),
                "Why": " ".join(judgment.reason for judgment in item.judgments.values() if judgment.verdict != "met"),
                "Pareto-optimal": item.pareto,
                "Samples": item.requests,
            }
        )
    table = pd.DataFrame(rows)
    single = [name for name in ("Threads", "Batch size", "Tokens") if table[name].nunique() < 2]
    empty = [name for name in ("Why", "Loss") if not table[name].astype(bool).any()]
    title = "" if report.metric is None else METRICS[report.metric].title
    st.dataframe(
        table.drop(columns=[*single, *empty]),
        hide_index=True,
        placeholder="–",
        column_config={
            "Size": st.column_config.NumberColumn("Size (MB)", format="%.2f"),
            "Loss": st.column_config.TextColumn(f"Loss of {title}" if title.isupper() else f"Loss of {title.lower()}"),
            "Samples": st.column_config.NumberColumn(format="localized"),
            "Why": st.column_config.TextColumn(width="medium"),
        },
        alt="Candidates with size, latency, loss and whether they meet the objective",
    )
    st.caption(
        "Latency of one request, with 95% intervals; candidates that could not be the answer were measured briefly. "
        "Each interval is one of its own: with many candidates, one in forty or so is beyond its bad end by chance."
    )


def _latency(item: CandidateReport) -> str:
    latency = item.latency
    if latency.value is None:
        return f"needs {latency.needed:,} samples"
    return latency_with_interval(latency.value, latency.low, latency.high)


def _loss(item: CandidateReport, metric: str | None) -> str:
    loss = item.loss
    if loss is None or metric is None:
        return ""
    text = loss_text(loss.value, metric)
    if loss.low is None or loss.high is None:
        return text
    return f"{text} [{loss_text(loss.low, metric).removesuffix(' points')}, {loss_text(loss.high, metric)}]".replace(
        " points]", "]"
    )


def _refused(report: SmallestReport) -> None:
    names_by_reason: dict[str, list[str]] = {}
    for item in report.refused:
        form = VARIANT_FORMS.get(item.variant)
        names_by_reason.setdefault(item.reason, []).append(item.variant if form is None else form.title)
    for reason, names in names_by_reason.items():
        title = f"Not tried: {', '.join(dict.fromkeys(names))}"
        st.info(frame.plain(reason), title=frame.plain(title), icon=":material/info:")
