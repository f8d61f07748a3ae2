"""Whether the columns that carry a search's gain are known when a prediction is made: what people answered."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Literal, get_args

from core.access import Access, Role
from core.catalog import Run, artifacts, events, runs
from core.errors import InputError
from core.evaluation import METRICS
from core.explain import SUMMARY_FILE, Carrier, Explanation
from core.progress import Event
from core.storage import get_store

__all__ = [
    "ANSWERS",
    "MAX_ASKED",
    "Answer",
    "answer",
    "answers",
    "carriers",
    "carriers_in",
    "caveat",
    "describe_carrier",
    "listed",
    "newest_explanation",
    "qualified_verdict",
]

Answer = Literal["yes", "no", "unknown"]

ANSWERS: Mapping[Answer, str] = {"yes": "Yes", "no": "No", "unknown": "I do not know"}
"""The possible answers in words."""

MAX_ASKED = 3
"""Carriers that people are asked about, those with the largest shares."""

_PHASE = "known_column"


def carriers(run: Run, *, access: Access) -> list[Carrier]:
    """Return the columns that carry a large share of a search's gain over guessing, the largest share first.

    The newest explanation of the search tells, its own or that of a later run. None are named where there is no
    explanation, no test, or no gain that is certain.

    Parameters
    ----------
    run : Run
        A search that succeeded.
    access : Access
        The workspace, and who acts in it.
    """
    files = {item.name: item.digest for item in artifacts.find(run.id, access=access)}
    explanation = newest_explanation(run, access=access)
    if explanation is None or "result.json" not in files:
        return []
    differences = json.loads(get_store().read_bytes(files["result.json"]))["differences"]
    return carriers_in(explanation, differences)


def carriers_in(explanation: Explanation, differences: Mapping[str, Mapping[str, Any]]) -> list[Carrier]:
    """Return what `carriers` does, of an explanation and of the gains that ``result.json`` holds."""
    gain = differences.get("prior")
    if gain is None or gain["low"] is None or not gain["low"] > 0:
        return []
    return explanation.carriers(gain["value"])


def newest_explanation(run: Run, *, access: Access) -> Explanation | None:
    """Return the newest explanation of a search, its own or that of a later run; None where there is none.

    Parameters
    ----------
    run : Run
        A search that succeeded.
    access : Access
        The workspace, and who acts in it.
    """
    later = runs.find(task="explain", dataset_id=run.dataset_id, access=access)
    for explained in [*(item for item in later if item.settings["source"] == run.id), run]:
        for item in artifacts.find(explained.id, access=access):
            if item.name == SUMMARY_FILE:
                return Explanation.read(get_store().local_path(item.digest))
    return None


def answer(run: Run, column: str, known: Answer, *, access: Access) -> None:
    """Keep an answer with a search; a later one replaces it, and all of them stay among the run's events.

    Parameters
    ----------
    run : Run
        A search.
    column : str
        Name of the column.
    known : {"yes", "no", "unknown"}
        Whether the column's values are known when a prediction is made.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    InputError
        When the answer is not one of these.
    """
    access.require(Role.EDITOR)
    if known not in get_args(Answer):
        raise InputError(f"'{known}' is not an answer.", f"Choose one of {', '.join(get_args(Answer))}.")
    if answers(run, access=access).get(column) != known:
        message = f"Whether '{column}' is known when a prediction is made: {ANSWERS[known].lower()}"
        events.append(run.id, Event(_PHASE, None, message, {"column": column, "known": known}), access=access)


def answers(run: Run, *, access: Access) -> dict[str, Answer]:
    """Return the newest answer about each column of a search."""
    return {event.values["column"]: event.values["known"] for event in events.read(run.id, phase=_PHASE, access=access)}


def caveat(run: Run, *, unanswered: bool = True, access: Access) -> str:
    """Return the sentence that belongs to a search's verdict; empty where nothing is in doubt.

    Parameters
    ----------
    run : Run
        A run that succeeded.
    unanswered : bool, default=True
        Whether columns that nobody has answered the question about are in doubt; False where the question stands beside
        the verdict.
    access : Access
        The workspace, and who acts in it.
    """
    known = answers(run, access=access)
    later = [column for column, value in known.items() if value == "no"]
    if later:
        verb = "is" if len(later) == 1 else "are"
        return (
            f"{listed(later)} {verb} not known when a prediction is made, so the model will be worse in use than these "
            "metrics say."
        )
    unsure = [column for column, value in known.items() if value == "unknown"]
    if unanswered:
        asked = [column for carrier in carriers(run, access=access)[:MAX_ASKED] for column in carrier.columns]
        unsure += [column for column in asked if column not in known]
    if unsure:
        one = len(unsure) == 1
        return (
            f"It is open whether {listed(unsure)} {'is' if one else 'are'} known when a prediction is made; if "
            f"{'it is' if one else 'they are'} not, the model will be worse in use than these metrics say."
        )
    return ""


def qualified_verdict(run: Run, *, access: Access) -> str:
    """Return a run's verdict with its caveat; empty where the run has no verdict.

    Parameters
    ----------
    run : Run
        A search or a training.
    access : Access
        The workspace, and who acts in it.
    """
    verdict = str((run.result or {}).get("verdict") or "")
    return f"{verdict} {caveat(run, access=access)}".strip() if verdict else ""


def describe_carrier(carrier: Carrier, metric: str) -> str:
    """Return a sentence on what a carrier is worth.

    Parameters
    ----------
    carrier : Carrier
        Columns that carry a large share of the gain.
    metric : str
        Key of `METRICS` of the gain.

    Examples
    --------
    >>> describe_carrier(Carrier(("offer",), 0.27, 0.24, 0.3, 0.45, 900), "roc_auc")
    "'offer' carries 0.27 [0.24, 0.30] of the gain of 0.45 ROC AUC over guessing."
    >>> describe_carrier(Carrier(("offer", "code"), 0.5, 0.46, 0.53, 0.45, 900), "roc_auc")
    "'offer' and 'code' hold the same information and together carry all of the gain of 0.45 ROC AUC over guessing."
    """
    digits = max(0, 1 - math.floor(math.log10(carrier.gain)))
    gain = f"the gain of {carrier.gain:,.{digits}f} {METRICS[metric].title} over guessing"
    part = f"{carrier.loss:,.{digits}f} [{carrier.low:,.{digits}f}, {carrier.high:,.{digits}f}] of {gain}"
    if carrier.loss >= carrier.gain:
        part = f"all of {gain}"
    names = listed(carrier.columns)
    if len(carrier.columns) == 1:
        return f"{names} carries {part}."
    return f"{names} hold the same information and together carry {part}."


def listed(columns: list[str] | tuple[str, ...]) -> str:
    """Return names of columns in quotes, joined by commas and "and".

    Examples
    --------
    >>> listed(["a", "b", "c"]), listed(["a"])
    ("'a', 'b' and 'c'", "'a'")
    """
    *others, last = (f"'{column}'" for column in columns)
    return f"{', '.join(others)} and {last}" if others else last
