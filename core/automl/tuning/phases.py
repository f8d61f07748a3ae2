"""The phases of a search with their seconds and scores, from the events that it has reported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from core.automl.learners.registry import learner_title

__all__ = ["PhaseState", "ReportedEvent", "SearchPhase", "search_phases"]

PhaseState = Literal["done", "active", "pending", "failed", "missed"]


class ReportedEvent(Protocol):
    """An `Event`, or the row that keeps it."""

    @property
    def phase(self) -> str:
        """Stage of the work."""
        ...

    @property
    def values(self) -> Mapping[str, Any]:
        """Facts of the step."""
        ...


@dataclass(frozen=True)
class SearchPhase:
    """One phase of a search.

    Parameters
    ----------
    key : str
        reading, features, guessing, linear, first_model, search, final_fit, test or explanation (with the export).
    title : str
        Name that pages show.
    state : {"done", "active", "pending", "failed", "missed"}
        Whether it is done, at work or still to come; failed, or missed when the search ended before.
    seconds : float or None
        Duration so far; of guessing, the linear model and the first model, from the end of the features to its score.
    score : float or None
        Score of the search's metric: by cross-validation, of the search its best so far; of the test on its rows.
    note : str
        Further facts, such as the number of trials.
    """

    key: str
    title: str
    state: PhaseState
    seconds: float | None = None
    score: float | None = None
    note: str = ""


_STAGES = (
    # key, title, the event that begins it, the event that ends it
    ("reading", "Reading", "read", "features"),
    ("features", "Features", "features", "search"),
    ("search", "Search", "search", "finish"),
    ("final_fit", "Final fit", "finish", "evaluate"),
    ("test", "Test", "evaluate", "tested"),
    ("explanation", "Explanation", "tested", ""),
)
_SCORED = (("guessing", "Guessing"), ("linear", "Linear model"), ("first_model", "First model"))


def search_phases(
    events: Iterable[ReportedEvent],
    *,
    elapsed_s: float | None = None,
    ended: bool = False,
    succeeded: bool = False,
) -> list[SearchPhase]:
    """Return all phases in order, those to come as well.

    Parameters
    ----------
    events : iterable of Event
        Events that the search has reported, in order. Of one that was interrupted and resumed, the last attempt counts.
    elapsed_s : float, optional
        Seconds since the start of the search, for the duration of what is at work.
    ended : bool, default=False
        Whether the search is over, so that nothing comes any more.
    succeeded : bool, default=False
        Whether it is over with a result, so that its last phase is done.

    Examples
    --------
    >>> from core.progress import Event
    >>> begun = [("read", 0.5), ("features", 2.5)]
    >>> events = [Event("prepare", values={"step": step, "elapsed_s": seconds}) for step, seconds in begun]
    >>> [(phase.title, phase.state, phase.seconds) for phase in search_phases(events)[:3]]
    [('Reading', 'done', 2.0), ('Features', 'active', None), ('Guessing', 'pending', None)]
    """
    attempt = _last_attempt(events)
    marks = _marks(attempt)
    stages = {key: _stage(key, title, marks, first, last, elapsed_s) for key, title, first, last in _STAGES}
    scores = _scores(attempt)
    scored = [_scored(key, title, scores.get(key), marks) for key, title in _SCORED]
    trials = [event.values for event in attempt if event.values.get("trial") is not None]
    if trials:
        best = trials[-1].get("best_score")
        stages["search"] = replace(stages["search"], score=best, note=_count(len(trials), "trial"))
    if made := marks.get("search"):
        stages["features"] = replace(stages["features"], note=_features_note(made))
    if tested := marks.get("tested"):
        stages["test"] = replace(stages["test"], score=tested.get("score"))
    phases = [stages.pop("reading"), stages.pop("features"), *scored, *stages.values()]
    if succeeded and phases[-1].state == "active":
        phases[-1] = replace(phases[-1], state="done")
    if not (ended or succeeded):
        return phases
    over: dict[PhaseState, PhaseState] = {"active": "missed", "pending": "missed"}
    return [replace(phase, state=over.get(phase.state, phase.state)) for phase in phases]


def _last_attempt(events: Iterable[ReportedEvent]) -> list[ReportedEvent]:
    """Return the events from the last beginning on."""
    attempt: list[ReportedEvent] = []
    for event in events:
        if event.phase == "prepare" and attempt and attempt[-1].phase != "prepare":
            attempt = []
        attempt.append(event)
    return attempt


def _marks(attempt: Sequence[ReportedEvent]) -> dict[str, Mapping[str, Any]]:
    """Return the values of the first event of each stage, by the name of the stage."""
    marks: dict[str, Mapping[str, Any]] = {}
    for event in attempt:
        name = "features" if event.values.get("step") == "features" else event.phase
        if event.values.get("trial") is None:
            marks.setdefault({"prepare": "read"}.get(name, name), event.values)
    return marks


def _stage(
    key: str, title: str, marks: Mapping[str, Mapping[str, Any]], first: str, last: str, elapsed_s: float | None
) -> SearchPhase:
    began, end = marks.get(first), marks.get(last)
    if end is not None:
        return SearchPhase(key, title, "done", _between(began or {"elapsed_s": 0.0}, end.get("elapsed_s")))
    if began is None:
        return SearchPhase(key, title, "pending")
    return SearchPhase(key, title, "active", _between(began, elapsed_s))


def _between(began: Mapping[str, Any], end: float | None) -> float | None:
    begin = began.get("elapsed_s", 0.0 if began.get("step") == "read" else None)
    return None if begin is None or end is None else max(0.0, float(end) - float(begin))


def _scores(attempt: Sequence[ReportedEvent]) -> dict[str, Mapping[str, Any]]:
    """Return the values of the events that brought the baselines and the first model."""
    scores: dict[str, Mapping[str, Any]] = {}
    for event in attempt:
        if event.phase == "baseline":
            scores.setdefault({"prior": "guessing"}.get(event.values["learner"], event.values["learner"]), event.values)
        elif event.values.get("trial") is not None and event.values.get("status") == "finished":
            scores.setdefault("first_model", event.values)
    return scores


def _scored(
    key: str, title: str, values: Mapping[str, Any] | None, marks: Mapping[str, Mapping[str, Any]]
) -> SearchPhase:
    if values is None:
        over = "evaluate" in marks  # from then on nothing comes
        return SearchPhase(key, title, "missed" if over else "active" if "search" in marks else "pending")
    seconds = _between(marks.get("search", {}), values.get("elapsed_s"))
    state: PhaseState = "done" if values.get("status") == "finished" else "failed"
    note = learner_title(str(values["learner"])) if key == "first_model" else ""
    return SearchPhase(key, title, state, seconds, values.get("score"), note)


def _features_note(values: Mapping[str, Any]) -> str:
    if "features" not in values or "columns" not in values:
        return ""
    return f"{_count(values['features'], 'feature')} of {_count(values['columns'], 'column')}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
