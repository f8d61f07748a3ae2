"""Columns that carry a large share of the gain: whether they are known in time, and a training without them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core import known_columns
from core.automl import METRICS
from core.catalog import Run, RunState
from core.explain import Carrier
from core.tasks import automl, federated
from pages._ui import address, artifacts, badges, frame, lookups, numbers
from pages.automl import explain

__all__ = ["origin", "show"]


def show(run: Run, record: Mapping[str, Any]) -> None:
    """Draw the question about each column that carries much of the gain, and links to the searches without them."""
    origin(run, record)
    explained = explain.explanation(run)
    carriers = [] if explained is None else known_columns.carriers_in(explained, record["differences"])
    if carriers:
        _questions(run, record, carriers[: known_columns.MAX_ASKED])
    _derived(run, record)


def _questions(run: Run, record: Mapping[str, Any], carriers: Sequence[Carrier]) -> None:
    answers = known_columns.answers(run, access=frame.access())
    open_count = sum(any(answers.get(name) != "yes" for name in carrier.columns) for carrier in carriers)
    caveat = known_columns.caveat(run, unanswered=False, access=frame.access())
    if caveat:
        st.warning(frame.plain(caveat), icon=":material/event_busy:")
    title = "Known when a prediction is made: " + known_columns.listed(
        [name for carrier in carriers for name in carrier.columns]
    )
    if open_count:
        title = "Is everything that the model relies on known when a prediction is made?"
    with st.expander(frame.plain(title), expanded=open_count > 0, icon=":material/event_available:"):
        for carrier in carriers:
            _question(run, record, carrier, answers)
        together = " together" if any(len(carrier.columns) > 1 for carrier in carriers) else ""
        st.caption(
            f"The part of the gain is what the model loses on {carriers[0].rows:,} test rows when the values are "
            f"shuffled{together}. A column that is filled in only afterwards, or because of what is predicted, makes a "
            "model look better than it will be in use."
        )


def _question(
    run: Run, record: Mapping[str, Any], carrier: Carrier, answers: Mapping[str, known_columns.Answer]
) -> None:
    st.markdown(f"**{frame.plain(known_columns.describe_carrier(carrier, record['metric']))}**")
    key = f"automl-known-{run.id}-{'-'.join(carrier.columns)}"
    stored = {answers.get(name) for name in carrier.columns}
    answer = address.follow(stored.pop() if len(stored) == 1 else None, key)
    several = len(carrier.columns) > 1
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.radio(
            f"{'Are they' if several else 'Is it'} known when a prediction is made?",
            list(known_columns.ANSWERS),
            index=None,
            format_func=known_columns.ANSWERS.__getitem__,
            horizontal=True,
            key=key,
            on_change=_keep,
            args=(run, carrier.columns, key),
        )
        only = len(record["features"]) <= len(carrier.columns)
        gone = lookups.existing_dataset(run.dataset_id) is None
        if st.button(
            f"{'Train' if _is_study(run) else 'Search'} again without {'them' if several else 'it'}",
            icon=":material/restart_alt:",
            type="primary" if answer == "no" else "secondary",
            disabled=only or gone,
            help="The table was deleted."
            if gone
            else "No other column is left."
            if only
            else "The same settings, on the same split of the rows.",
            key=f"{key}-without",
        ):
            again = federated.train_without if _is_study(run) else automl.search_without
            address.go(run=again(run, carrier.columns, access=frame.access()))


def _is_study(run: Run) -> bool:
    return run.task == "federated"


def _keep(run: Run, columns: Sequence[str], key: str) -> None:
    chosen = st.session_state[key]
    if chosen is not None:
        for column in columns:
            known_columns.answer(run, column, chosen, access=frame.access())


def _derived(run: Run, record: Mapping[str, Any]) -> None:
    """Draw the searches that left columns out of this one."""
    derived, verb = (federated.derived, "Trained") if _is_study(run) else (automl.derived, "Searched")
    for later in derived(run, access=frame.access()):
        _link(later, f"{verb} again without {_difference(run, later)}{_compared(run, later, record)}.")


def origin(run: Run, record: Mapping[str, Any] | None = None) -> None:
    """Draw the search that this one leaves columns out of, and both metrics where this one has a result."""
    source = lookups.existing_run(run.settings.get("derived_from"))
    if source is not None:
        compared = "" if record is None else _compared(run, source, record)
        what = "study" if _is_study(run) else "search"
        _link(source, f"This {what} leaves out {_difference(source, run)}{compared}.")


def _difference(before: Run, after: Run) -> str:
    """Return the columns that a search leaves out and the other does not."""
    names = [name for name in after.settings["drop_columns"] if name not in before.settings["drop_columns"]]
    return known_columns.listed(names) if names else "other settings"


def _compared(run: Run, other: Run, record: Mapping[str, Any]) -> str:
    """Return the metric of both searches, in words; nothing while the other has none."""
    if other.state is not RunState.SUCCEEDED:
        return ""
    theirs, name = artifacts.json_of(other, "result.json"), record["metric"]
    estimates = [item["test_metrics"].get(name) for item in (record, theirs)]
    if None in estimates:
        return ""
    own, others = (numbers.estimate(item["value"], item["low"], item["high"]) for item in estimates)
    first, second = ("with it", "without") if other.settings.get("derived_from") == run.id else ("here", "with it")
    return f": {METRICS[name].title} {own} {first}, {others} {second}"


def _link(search: Run, text: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        badges.show(badges.of_run(search))
        st.markdown(frame.plain(text), width="content")
        if st.button("Open", icon=":material/open_in_new:", key=f"automl-derived-{search.id}"):
            address.go(run=search.id)
