"""An explanation, made within a budget: each part has a share of the time that is left, in the order of use."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.evaluation import METRICS
from core.explain._attribute import ROWS as SHAP_ROWS
from core.explain._attribute import attribute
from core.explain._deadline import Deadline
from core.explain._dependence import Dependence, dependence
from core.explain._evidence import Evidence, gather
from core.explain._explanation import Explanation
from core.explain._grids import POINTS
from core.explain._interactions import interactions
from core.explain._permutation import permutation_importance
from core.explain._settings import ExplainSettings
from core.explain._shap import ShapValues, summarise
from core.explain._speed import Speed
from core.explain._subject import Array, bare_estimator
from core.progress import Event, Report, silent

if TYPE_CHECKING:
    from core.automl import AutoMLResult
    from core.explain._contributions import Contributor

__all__ = ["explain"]

PERMUTATION_SHARE, SHAP_SHARE, DEPENDENCE_SHARE = 0.35, 0.5, 0.6  # of what is left, each
DEPENDENCE_ROWS = 300
INTERACTION_ROWS = 100
FEWEST_ROWS = 20  # below which curves and pairs are not worth drawing
PAIRED = 6
GROUPS = 20


def explain(
    result: AutoMLResult,
    frame: pd.DataFrame,
    settings: ExplainSettings | None = None,
    *,
    report: Report | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Explanation:
    """Explain a search's model on rows it has not seen.

    Parameters
    ----------
    result : AutoMLResult
        What a search found.
    frame : DataFrame
        The table that was searched: the result's row ids are positions in it.
    settings : ExplainSettings, optional
        The budget, and how much is looked at.
    report : callable, optional
        Takes an `Event` of the phase "explain" before each part.
    should_stop : callable, optional
        Ends early when it returns True; what is there is kept.

    Returns
    -------
    Explanation
        Without an error for lack of time: ``left_out`` names what is missing.

    Raises
    ------
    InputError
        When the frame is not the one that was searched.
    """
    settings = settings or ExplainSettings()
    began = time.monotonic()
    whole = Deadline(began + settings.budget_s, should_stop or (lambda: False))
    evidence = gather(result, frame, settings)
    speed = Speed.measure(evidence.subject.predict, evidence.X)
    return _Work(result, evidence, settings, whole, speed, report or silent).run(began)


@dataclass
class _Work:
    """An explanation under way: what it works on, until when, and what was left out so far."""

    result: AutoMLResult
    evidence: Evidence
    settings: ExplainSettings
    whole: Deadline
    speed: Speed
    report: Report
    left_out: list[dict[str, str]] = field(default_factory=list)

    def run(self, began: float) -> Explanation:
        evidence, result = self.evidence, self.result
        if evidence.classes > len(evidence.names) > 1:
            left = f"{evidence.classes - len(evidence.names):,} of {evidence.classes:,}"
            self._miss("classes", left, "the most frequent are explained")
        permutation = self._permutation()
        shap, contributor = self._shap()
        ranked = _ranking(permutation, shap, evidence.subject.columns)
        summary = self._summary(shap)
        curves = self._dependence(ranked[: self.settings.top])
        pairs, space = self._interactions(ranked[:PAIRED], contributor)
        self.report(Event("explain", 1.0, "The model is explained"))
        return Explanation(
            settings=self.settings,
            task=result.task,
            metric=result.metric,
            target=result.settings.target,
            classes=evidence.names,
            rows_from=evidence.rows_from,
            rows=evidence.known,
            permutation=permutation,
            shap=shap,
            summary=summary,
            dependence=curves,
            interactions=pairs,
            interaction_space=space,
            left_out=self.left_out,
            elapsed_s=time.monotonic() - began,
        )

    def _miss(self, part: str, what: str, why: str) -> None:
        self.left_out.append({"part": part, "what": what, "why": why})

    def _permutation(self) -> pd.DataFrame:
        self.report(Event("explain", 0.0, "Permuting columns"))
        X = self.evidence.X
        part = self.whole.part(PERMUTATION_SHARE)
        table, missing = permutation_importance(
            self.evidence.subject,
            X,
            self.evidence.y,
            self.result.metric,
            repeats=self.settings.repeats,
            speed=self.speed,
            deadline=part,
            seed=self.settings.seed,
        )
        if missing:
            self._miss("permutation", _listed(missing, len(self.evidence.subject.columns)), part.reason)
        if len(table):
            n, repeats = int(table["n"].iloc[0]), int(table["repeats"].min())
            if n < len(X):
                self._miss("permutation", f"{len(X) - n:,} of {len(X):,} rows", "time was short")
            if repeats < (wanted := self.settings.repeats):
                self._miss("permutation", f"{wanted - repeats} of {wanted} repeats", part.reason)
        if len(table) and table["importance"].isna().any():
            title = METRICS[self.result.metric].title
            self._miss("permutation", "the importances", f"{title} is undefined on these rows (one class only?)")
        return table

    def _shap(self) -> tuple[ShapValues | None, Contributor | None]:
        self.report(Event("explain", 0.35, "Explaining single rows"))
        part = self.whole.part(SHAP_SHARE)
        evidence = self.evidence
        wanted = evidence.X[:SHAP_ROWS]
        shap, contributor, why = attribute(
            evidence.subject,
            wanted,
            evidence.cells,
            evidence.row_id,
            evidence.names,
            space="prediction" if self.result.labels is None else "probability",
            background=evidence.X,
            deadline=part,
            estimator=bare_estimator(self.result.model) if evidence.subject.encoded else None,
            seed=self.settings.seed,
            speed=self.speed,
        )
        if why and shap is not None:
            self._miss("shap", "the exact values; sampled ones are shown", why)
        if (done := 0 if shap is None else len(shap)) < len(wanted):
            what = "all rows" if not done else f"{len(wanted) - done:,} of {len(wanted):,} rows"
            self._miss("shap", what, self._short(part))
        return shap, contributor

    def _summary(self, shap: ShapValues | None) -> pd.DataFrame:
        from core.fairness import as_groups

        if shap is None:
            return Explanation.no_table("summary")
        groups = {}
        for name in self.result.settings.sensitive_columns:
            found = as_groups(self.evidence.rows[name]).iloc[: len(shap)].reset_index(drop=True)
            if (count := found.nunique()) > GROUPS:
                self._miss("groups", name, f"it has {count:,} groups, and {GROUPS} is the most")
            else:
                groups[name] = found
        return summarise(shap, groups, seed=self.settings.seed)

    def _dependence(self, names: list[str]) -> list[Dependence]:
        self.report(Event("explain", 0.7, "Moving single columns"))
        subject, X, cells = self.evidence.subject, self.evidence.X, self.evidence.cells
        part = self.whole.part(DEPENDENCE_SHARE)
        wanted = min(DEPENDENCE_ROWS, len(X))
        n = min(wanted, self.speed.rows(calls=len(names), seconds=0.8 * part.left()) // (POINTS + 1))
        found, missing = [], []
        for name in names:
            if part.over or n < min(FEWEST_ROWS, len(X)):
                missing.append(name)
                continue
            curve = dependence(subject, X[:n], cells[:n], name, self.evidence.row_id[:n], spread=cells[name])
            if isinstance(curve, str):
                self._miss("dependence", name, curve)
            else:
                found.append(curve)
        if missing:
            self._miss("dependence", _listed(missing, len(names)), self._short(part))
        elif n < wanted:
            self._miss("dependence", f"{wanted - n:,} of {wanted:,} rows", "time was short")
        return found

    def _interactions(self, names: list[str], contributor: Contributor | None) -> tuple[pd.DataFrame, str]:
        self.report(Event("explain", 0.85, "Moving pairs of columns"))
        subject, X = self.evidence.subject, self.evidence.X
        space = "prediction" if self.result.labels is None else "probability"
        outputs: Callable[[NDArray[Any]], Array] = subject.outputs
        if contributor is not None:
            space, outputs = contributor.space, contributor.reference
        calls = len(names) * (len(names) + 1) // 2
        wanted = min(INTERACTION_ROWS, len(X))
        n = min(wanted, math.isqrt(self.speed.rows(calls=calls, seconds=0.8 * self.whole.left())))
        if n < min(FEWEST_ROWS, len(X)):
            self._miss("interactions", "all pairs", self._short(self.whole))
            return Explanation.no_table("interactions"), space
        table, missing = interactions(subject, outputs, X[:n], names, deadline=self.whole, seed=self.settings.seed)
        if missing:
            self._miss("interactions", _listed(missing, calls - len(names)), self.whole.reason)
        elif n < wanted:
            self._miss("interactions", f"{wanted - n:,} of {wanted:,} rows", "time was short")
        return table, space

    @staticmethod
    def _short(part: Deadline) -> str:
        return part.reason if part.over else "time was short"


def _listed(names: list[str], of: int) -> str:
    if len(names) == of:
        return "all"
    return ", ".join(names[:5]) + (f" and {len(names) - 5:,} more" if len(names) > 5 else "")


def _ranking(permutation: pd.DataFrame, shap: ShapValues | None, columns: list[str]) -> list[str]:
    """Return columns, the most important first: by SHAP, else by permutation, else as they come."""
    if shap is not None:
        size = np.abs(shap.values).mean(axis=0).sum(axis=1)
        return [shap.features[place] for place in np.argsort(-size, kind="stable")]
    ranked = list(permutation["feature"])
    return ranked + [name for name in columns if name not in ranked]
