"""The tab Decide: a threshold with what it does and costs, the rows to take first, and the rule to keep."""

from __future__ import annotations

import json
import math

import streamlit as st

from core import policies
from core.catalog import Run
from core.decisions import DecisionCurve, Outcome
from pages._ui import address, downloads, frame, keys, numbers
from pages.decide import checked_rule, cost_chart, costs, kept_rules, top_numbers, top_rows
from pages.decide.count_input import count_input
from pages.decide.source import DecisionSource, choose_rows, curve_of, labels_of, source_of

__all__ = ["show", "show_rows"]

_WAYS = {"cost": "Best by value", "capacity": "Limited capacity", "hand": "By hand"}
_STEPS = 1_000


def show(run: Run) -> None:
    """Draw the tab for the model of a search or a training."""
    kept_rules.show_in_force(run)
    labels = labels_of(run)
    label = None if labels is None else _choose_label(run, labels)
    rows = choose_rows(run)
    if rows.enough:
        _show_source(label, source_of(run, label, rows.cohort))
    kept_rules.show(run)


def _show_source(label: str | None, source: DecisionSource | None) -> None:
    if source is None:
        st.info("This run stored no predictions that a threshold could be chosen on.", icon=":material/info:")
    elif label is None:
        chosen = top_numbers.choose_event(source)
        if chosen is not None:
            st.fragment(frame.guarded(show_rows))(chosen)
        top_numbers.show(source)
    else:
        st.fragment(frame.guarded(show_rows))(source)


def _choose_label(run: Run, labels: list[str]) -> str:
    rule = policies.in_force(run, access=frame.access()).policy
    positive = None if rule is None else rule.settings.get("positive")
    default = positive if positive in labels else labels[-1]
    key = keys.key("decide-label")
    shown = address.restore("outcome", labels, default, key)
    label = st.selectbox(
        "Look for",
        labels,
        width=320,
        key=key,
        on_change=costs.forget,
        help="The outcome that rows are selected for."
        + (" With several classes: this one against the rest." if len(labels) > 2 else ""),
    )
    address.keep("outcome", label, shown, key)
    return label


def show_rows(source: DecisionSource) -> None:
    """Draw the choice of a threshold, its effect, and what to do with it."""
    label = source.label or ""
    rows = source.calibration
    if not rows.truth.any() or rows.truth.all():
        share = "All" if rows.truth.all() else "None"
        text = f"{share} of the {len(rows):,} {source.origin} are '{frame.plain(label)}'"
        st.info(f"{text}, so every threshold is equally good.", icon=":material/info:")
        return
    left, right = st.columns([2, 3], gap="large")
    with left:
        chosen = costs.choose(label, source.key, _start(source))
    with frame.errors_shown():
        curve = curve_of(source, chosen)
        with left:
            threshold = _choose_threshold(source, curve)
        outcome = curve.at(threshold)
        with right:
            st.subheader(_sentence(outcome, label))
            _tiles(curve, outcome)
            cost_chart.show(curve, threshold)
        weighted = f" Rows count by their weight in {frame.plain(source.weight)}." if source.weight else ""
        st.caption(
            f"On {len(rows):,} {_origin(source)}, {int(rows.truth.sum()):,} of them '{frame.plain(label)}'; the test "
            f"rows are not read here.{weighted} {source.note}"
        )
        top_rows.show(source, curve)
        _actions(source, curve, threshold)


def _origin(source: DecisionSource) -> str:
    return source.origin if source.cohort is None else f"{source.origin} where {frame.plain(source.cohort.text)}"


def _start(source: DecisionSource) -> dict[str, float] | None:
    """Return the costs that the rule in force was chosen by, where it is about this label."""
    rule = None if source.run is None else policies.in_force(source.run, access=frame.access()).policy
    if rule is None or rule.settings.get("event" if source.of_number else "positive") != source.label:
        return None
    return rule.settings.get("costs")


def _choose_threshold(source: DecisionSource, curve: DecisionCurve) -> float:
    """Draw the choice; whoever moves the slider chooses by hand from then on."""
    way_key = keys.key(f"decide-way-{source.key}")
    way = st.radio("Threshold", list(_WAYS), format_func=_WAYS.__getitem__, horizontal=True, key=way_key)
    scores = source.calibration.score
    low, high = float(scores.min()), float(scores.max())
    step = (high - low) / _STEPS or 1.0
    key = keys.key(f"decide-threshold-{source.key}")
    if way != "hand" or key not in st.session_state:
        best = curve.best_within(_capacity(source)) if way == "capacity" else curve.best
        st.session_state[key] = min(max(best.threshold, low), high + step)

    def choose_by_hand() -> None:
        st.session_state[way_key] = "hand"

    value = st.slider(
        f"A row is selected from this {'prediction' if source.of_number else 'score'} on",
        low,
        high + step,
        step=step,
        format="%.4f",
        key=key,
        on_change=choose_by_hand,
    )
    return math.inf if value > high else float(value)


def _capacity(source: DecisionSource) -> float:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        among = count_input("Rows to decide on", f"decide-of-{source.key}", 1_000, 1, step=100)
        most = count_input("Select at most", f"decide-most-{source.key}", 100, 0, among)
    return most / among


def _sentence(outcome: Outcome, label: str) -> str:
    """Return what the threshold does, in natural frequencies."""
    text = frame.plain(label)
    selected = 1_000 * outcome.selected.value
    if math.isnan(outcome.precision.value):
        return f"Of 1,000 rows none is selected, and none of the '{text}' are found"
    false = 100 * (1 - outcome.precision.value)
    recall = 100 * outcome.recall.value
    return (
        f"Of 1,000 rows {selected:,.0f} are selected: {recall:.0f} of 100 '{text}' are found, "
        f"{false:.0f} of 100 alarms are false"
    )


def _tiles(curve: DecisionCurve, outcome: Outcome) -> None:
    cost = outcome.cost
    value, interval = costs.amount_text(cost.value, cost.low, cost.high, curve.costs)
    word = "Profit" if costs.is_profit(curve.costs) else "Cost"
    tiles = {f"{word} per 1,000 rows": (value, interval, cost.reason)}
    for title, item in (
        ("Selected", outcome.selected),
        ("Found (recall)", outcome.recall),
        ("Alarms right (precision)", outcome.precision),
    ):
        known = not math.isnan(item.value)
        ends = "no interval"
        if item.low is not None and item.high is not None:
            ends = f"[{numbers.percent(item.low)}, {numbers.percent(item.high)}]"
        tiles[title] = (numbers.percent(item.value) if known else "–", ends, item.reason)
    titles = list(tiles)
    for line in (titles[:2], titles[2:]):
        with st.container(horizontal=True):
            for title in line:
                text, ends, reason = tiles[title]
                st.metric(
                    title,
                    text,
                    ends,
                    delta_color="off",
                    delta_arrow="off",
                    border=True,
                    width="stretch",
                    help=frame.plain(reason) or None,
                )


def _actions(source: DecisionSource, curve: DecisionCurve, threshold: float) -> None:
    """Draw what to do with the threshold: check it on the test rows, keep it with the model, download it."""
    policy = source.policy(curve, threshold)
    name = f"threshold {curve.rule_at(threshold):.6g} for {source.label}"
    with st.container(horizontal=True):
        if (
            source.run is not None
            and source.cohort is None
            and st.button(
                "Keep as the decision rule",
                type="primary",
                icon=":material/rule:",
                key=keys.key("decide-keep"),
                help="The model then decides by it wherever it scores rows. It takes the place of the rule in force, "
                "which stays listed.",
            )
        ):
            policies.keep(source.run, name, policy, access=frame.access())
            st.rerun(scope="app")
        checked_rule.button(source, policy)
        downloads.button(
            "Rule (JSON)",
            json.dumps(policy.to_dict(), indent=2),
            file_name=downloads.file_name(name, ".json"),
            mime="application/json",
            icon=":material/download:",
            key=keys.key("decide-download"),
            on_click="ignore",
        )
    if source.cohort is not None:
        st.caption("A rule decides on all rows: choose all rows above to keep one.")
    checked_rule.show(source, curve, policy)
