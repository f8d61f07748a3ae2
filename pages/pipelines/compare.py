"""A run beside another run of the same pipeline: what differs, and where the difference begins."""

from __future__ import annotations

import difflib
import json

import pandas as pd
import streamlit as st

from core.catalog import PipelineStep, Run, runs
from core.catalog import steps as step_rows
from core.pipelines import ComparedStep, Difference, RunComparison, StepComparison, compare_runs, metrics_of
from core.storage import get_store
from pages._ui import address, badges, frame, numbers
from pages.pipelines import states, step_list

__all__ = ["show"]

_METRICS = "metrics.json"
_METRICS_BYTES = 1_000_000
_TITLES = {
    "code": "code",
    "command": "command",
    "parameters": "parameter",
    "inputs": "input",
    "outputs": "output's type",
    "variables": "environment variable",
    "settings": "setting",
    "packages": "package",
}
_SHOWN = 3


def show(run: Run) -> None:
    """Draw the comparison."""
    others = {other.id: other for other in _others(run)}
    if not others:
        st.caption("There is no other run of this pipeline yet.")
        return
    key = "pipelines-compare-with"
    shown = address.restore("with", list(others), _default(run, list(others.values())), key)
    chosen = st.selectbox("Compare with", list(others), format_func=lambda item: _title(others[item]), key=key)
    address.keep("with", chosen, shown, key)
    first, second = sorted((others[chosen], run), key=lambda item: item.created_at)
    compared = compare_runs(_steps(first), _steps(second))
    st.subheader(frame.plain(finding(compared)))
    earlier, later = _short_title(first), _short_title(second)
    st.caption(f"From the run of {earlier} to that of {later}.")
    _metrics(compared, earlier, later)
    _table(compared, earlier, later)
    _differences(compared, earlier, later)
    _file(first, second)


def _others(run: Run) -> list[Run]:
    """Return the other runs of the same pipeline, the newest first."""
    saved = run.settings["saved"]
    listed = [other for other in runs.find(task="pipeline", limit=1_000, access=frame.access()) if other.id != run.id]
    return [other for other in listed if (other.settings["saved"] == saved if saved else other.title == run.title)][
        :200
    ]


def _default(run: Run, others: list[Run]) -> str:
    """Return the run before this one, or else the next one."""
    before = [other for other in others if other.created_at < run.created_at]
    return (before[0] if before else others[-1]).id


def _title(run: Run) -> str:
    return f"{numbers.when(run.created_at):%d %b %Y, %H:%M:%S} · {badges.of_run(run).label}"


def _short_title(run: Run) -> str:
    return f"{numbers.when(run.created_at):%d %b, %H:%M:%S}"


def _steps(run: Run) -> list[ComparedStep]:
    plan = step_list.plan_of_run(run) or {"steps": []}
    sources = {
        step["path"]: {name: source["step"] for name, source in step["inputs"].items() if "step" in source}
        for step in plan["steps"]
    }
    return [_step(row, sources.get(row.path, {})) for row in step_rows.of_run(run.id, access=frame.access())]


def _step(row: PipelineStep, sources: dict[str, str]) -> ComparedStep:
    kept = states.badge_of(row) == states.KEPT
    ended = row.started_at is not None and row.finished_at is not None
    return ComparedStep(
        row.path,
        row.state,
        row.parts,
        row.outputs,
        sources,
        row.finished_at - row.started_at if ended and not kept else None,  # type: ignore[operator]
        kept,
        _metrics_of(row),
    )


def _metrics_of(row: PipelineStep) -> dict[str, float]:
    files = {name: digest for files in row.outputs.values() for name, digest in files.items()}
    digest = next((files[name] for name in files if name.rpartition("/")[2] == _METRICS), None)
    return {} if digest is None else _read_metrics(digest)


@st.cache_data(max_entries=200, show_spinner=False)
def _read_metrics(digest: str) -> dict[str, float]:
    store = get_store()
    if not store.exists(digest) or store.local_path(digest).stat().st_size > _METRICS_BYTES:
        return {}
    try:
        return metrics_of(json.loads(store.read_bytes(digest)))
    except ValueError:  # a file of this name need not be JSON
        return {}


def finding(compared: RunComparison) -> str:
    """Return where the difference begins, as a sentence."""
    if all(step.incomplete for step in compared.steps):
        return "Nothing can be compared: no step has outputs in both runs"
    both = " where both runs have them" if any(step.incomplete for step in compared.steps) else ""
    if not compared.origins:
        return f"Nothing differs: the same code, parameters, inputs and packages, and the same outputs{both}"
    decisive = compared.decisive
    if decisive is None:
        first = compared.origins[0]
        return f"All outputs are the same{both}, although {first.path} differs: {_said(first)}"
    return f"{decisive.path} made the difference: {_said(decisive)}"


def _said(step: StepComparison) -> str:
    if step.first is None or step.second is None:
        return "only one of the runs has this step"
    if not step.own:
        return "other outputs from the same code, parameters, inputs and packages"
    lines = [_line(difference) for difference in step.own[:_SHOWN]]
    more = len(step.own) - _SHOWN
    return ", ".join(lines) + (f" and {more} more" if more > 0 else "")


def _line(difference: Difference) -> str:
    named = f"{_TITLES[difference.part]} {difference.name}".strip()
    if difference.first is None:
        return f"{named} is new"
    if difference.second is None:
        return f"{named} is gone"
    if difference.part in ("code", "command", "inputs"):
        return f"{named} changed"
    return f"{named} changed from {difference.first} to {difference.second}"


def _metrics(compared: RunComparison, earlier: str, later: str) -> None:
    rows = [
        {
            "Step": step,
            "Metric": name,
            earlier: one,
            later: two,
            "Change": None if one is None or two is None else two - one,
        }
        for (step, name), (one, two) in compared.metrics.items()
    ]
    if rows:
        st.dataframe(
            pd.DataFrame(rows),
            hide_index=True,
            height="auto",
            placeholder="–",
            column_config={
                earlier: st.column_config.NumberColumn(format="%.4f"),
                later: st.column_config.NumberColumn(format="%.4f"),
                "Change": st.column_config.NumberColumn(format="%+.4f"),
            },
            alt="Metrics of both runs",
        )


def _table(compared: RunComparison, earlier: str, later: str) -> None:
    st.dataframe(
        pd.DataFrame(
            {
                "Step": [step.path for step in compared.steps],
                earlier: [_state(step.first) for step in compared.steps],
                later: [_state(step.second) for step in compared.steps],
                "Differs in": [_part_names(step) for step in compared.steps],
                "Outputs": [_outputs(step) for step in compared.steps],
            }
        ),
        hide_index=True,
        height="content",
        placeholder="–",
        column_config={"Differs in": st.column_config.ListColumn(width="medium")},
        alt="Steps of both runs",
    )


def _outputs(step: StepComparison) -> str:
    return "in one run" if step.incomplete else "same" if step.same_outputs else "differ"


def _state(step: ComparedStep | None) -> str | None:
    if step is None:
        return None
    if step.kept:
        return states.KEPT.label
    word = states.word_of(step.state)
    return word if step.seconds is None else f"{word}, {numbers.duration(step.seconds)}"


def _part_names(step: StepComparison) -> list[str]:
    return list(dict.fromkeys(_TITLES[difference.part] for difference in step.differences))


def _differences(compared: RunComparison, earlier: str, later: str) -> None:
    rows = [
        {
            "Step": step.path,
            "Part": _TITLES[difference.part],
            "Name": difference.name,
            earlier: _value(difference.first, difference.part),
            later: _value(difference.second, difference.part),
            "Cause": "an earlier step" if difference.inherited else "here",
        }
        for step in compared.steps
        for difference in step.differences
    ]
    if not rows:
        return
    with st.expander(
        f"All {len(rows)} differences" if len(rows) > 1 else "The difference", icon=":material/difference:"
    ):
        st.dataframe(pd.DataFrame(rows), hide_index=True, height="auto", placeholder="–", alt="Differences of the runs")


def _value(value: object, part: str) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return f"{text[:12]}…" if part in ("code", "inputs") and len(text) == 64 else text


def _file(first: Run, second: Run) -> None:
    before, after = (run.settings["text"].splitlines() for run in (first, second))
    changed = "\n".join(list(difflib.unified_diff(before, after, lineterm="", n=2))[2:])
    if changed:
        with st.expander("Changes of the file", icon=":material/description:"):
            st.code(changed, language="diff")
