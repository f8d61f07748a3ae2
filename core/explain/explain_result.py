"""An explanation within a budget: each part has a share of the time left, the most useful part first."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.evaluation import METRICS, weights_in
from core.explain.attribution import ROWS as SHAP_ROWS
from core.explain.attribution import attribute
from core.explain.deadline import Deadline
from core.explain.dependence import Dependence, dependence
from core.explain.explained_model import Array, ExplainedModel, Matrix, bare_estimator
from core.explain.explainers import Space
from core.explain.explanation import Explanation
from core.explain.grids import POINTS
from core.explain.interactions import interactions
from core.explain.permutation import permutation_importance
from core.explain.same_information import joined, same_information
from core.explain.sample import ExplanationSample, draw_sample
from core.explain.settings import ExplainSettings
from core.explain.shap_values import ShapValues, summarize
from core.explain.speed import Speed
from core.progress import Event, Report, silent

if TYPE_CHECKING:
    from core.automl import AutoMLResult
    from core.explain.explainers import Explainer

__all__ = ["explain"]

_PERMUTATION_SHARE, _SHAP_SHARE, _DEPENDENCE_SHARE = 0.35, 0.5, 0.6  # of the time left at the start of each part
_SAFE_SHARE = 0.8  # of the time of a part is planned for
_DEPENDENCE_ROWS = 300
_INTERACTION_ROWS = 100
_MIN_ROWS = 20  # below which curves and pairs are not worth drawing
_PAIRED_COLUMNS = 6
_MAX_GROUPS = 20
_TOGETHER_SHARE = 0.2
_MIN_TOGETHER_S = 0.3  # comparing 60 columns takes a third of it
_COMPARED_COLUMNS = 300
_MAX_TOGETHER = 10


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
        Result of a search.
    frame : DataFrame
        The table that was searched: the result's row ids are positions in it.
    settings : ExplainSettings, optional
        Budget and size of the explanation.
    report : callable, optional
        Takes an `Event` of the phase "explain" before each part.
    should_stop : callable, optional
        Ends early when it returns True; the parts that are done are kept.

    Returns
    -------
    Explanation
        The explanation; parts that there was no time for are listed in ``left_out``.

    Raises
    ------
    InputError
        When the frame is not the one that was searched.
    """
    settings = settings or ExplainSettings()
    began = time.monotonic()
    whole = Deadline(began + settings.budget_s, should_stop or (lambda: False))
    sample = draw_sample(result, frame, settings)
    speed = Speed.measure(sample.model.predict, sample.X)
    return _ExplanationRun(result, sample, settings, whole, speed, report or silent).run(began)


@dataclass
class _ExplanationRun:
    """An explanation in progress: model and rows, deadline, and what was left out so far."""

    result: AutoMLResult
    sample: ExplanationSample
    settings: ExplainSettings
    whole: Deadline
    speed: Speed
    report: Report
    left_out: list[dict[str, str]] = field(default_factory=list)

    def run(self, began: float) -> Explanation:
        sample, result = self.sample, self.result
        if sample.classes > len(sample.names) > 1:
            omitted = f"{sample.classes - len(sample.names):,} of {sample.classes:,}"
            self._leave_out("classes", omitted, "the most frequent are explained")
        permutation = self._permutation()
        together = self._together(permutation)
        shap, explainer = self._shap()
        ranked = _ranking(permutation, shap, sample.model.columns)
        summary = self._summary(shap)
        curves = self._dependence(ranked[: self.settings.top])
        pairs, space = self._interactions(ranked[:_PAIRED_COLUMNS], explainer)
        self.report(Event("explain", 1.0, "The model is explained"))
        return Explanation(
            settings=self.settings,
            task=result.task,
            metric=result.metric,
            target=result.settings.target,
            classes=sample.names,
            rows_from=sample.rows_from,
            rows=sample.available,
            permutation=permutation,
            shap=shap,
            summary=summary,
            dependence=curves,
            interactions=pairs,
            interaction_space=space,
            left_out=self.left_out,
            elapsed_s=time.monotonic() - began,
            together=together,
        )

    def _leave_out(self, part: str, what: str, why: str) -> None:
        self.left_out.append({"part": part, "what": what, "why": why})

    def _permutation(self) -> pd.DataFrame:
        self.report(Event("explain", 0.0, "Permuting columns"))
        X = self.sample.X
        part = self.whole.part(_PERMUTATION_SHARE)
        table, missing = self._permute(self.sample.model, part)
        if missing:
            self._leave_out("permutation", _listed(missing, len(self.sample.model.columns)), part.reason)
        if len(table):
            n, repeats = int(table["n"].iloc[0]), int(table["repeats"].min())
            if n < len(X):
                self._leave_out("permutation", f"{len(X) - n:,} of {len(X):,} rows", "time was short")
            if repeats < (wanted := self.settings.repeats):
                self._leave_out("permutation", f"{wanted - repeats} of {wanted} repeats", part.reason)
        if len(table) and table["importance"].isna().any():
            title = METRICS[self.result.metric].title
            self._leave_out("permutation", "the importances", f"{title} is undefined on these rows (one class only?)")
        return table

    def _permute(self, model: ExplainedModel, deadline: Deadline) -> tuple[pd.DataFrame, list[str]]:
        """Return the permutation importance of a model's columns on the sample, and the columns without one."""
        return permutation_importance(
            model,
            self.sample.X,
            self.sample.y,
            self.result.metric,
            repeats=self.settings.repeats,
            speed=self.speed,
            deadline=deadline,
            seed=self.settings.seed,
            sample_weight=weights_in(self.sample.rows, self.result.settings.target),
            nodes=self.settings.nodes,
        )

    def _together(self, permutation: pd.DataFrame) -> pd.DataFrame:
        """Shuffle the columns of each group with the same information together."""
        part, what = self.whole.part(_TOGETHER_SHARE), "columns with the same information, shuffled together"
        names = list(permutation["feature"])
        if len(names) < 2 or permutation["importance"].isna().all():
            return Explanation.no_table("together")
        if part.left() < _MIN_TOGETHER_S or part.over:
            self._leave_out("permutation", what, self._short(part))
            return Explanation.no_table("together")
        if len(names) > _COMPARED_COLUMNS:
            self._leave_out("permutation", what, f"only the {_COMPARED_COLUMNS} most important columns are compared")
        compared = [name for name in self.sample.model.columns if name in set(names[:_COMPARED_COLUMNS])]
        single = permutation.set_index("feature")["importance"]
        groups = same_information(self.sample.cells[compared])
        groups = [group for group in groups if single[list(group)].abs().max() > 0]
        groups = sorted(groups, key=lambda group: -float(single[list(group)].sum()))[:_MAX_TOGETHER]
        if not groups:
            return Explanation.no_table("together")
        table, missing = self._permute(joined(self.sample.model, groups), part)
        if missing:
            self._leave_out("permutation", what, self._short(part))
        table["feature"] = [list(groups[int(name)]) for name in table["feature"]]
        return table.rename(columns={"feature": "columns"})

    def _shap(self) -> tuple[ShapValues | None, Explainer | None]:
        self.report(Event("explain", 0.35, "Explaining single rows"))
        part = self.whole.part(_SHAP_SHARE)
        sample = self.sample
        rows = sample.X[:SHAP_ROWS]
        attribution = attribute(
            sample.model,
            rows,
            sample.cells,
            sample.row_id,
            sample.names,
            space="prediction" if self.result.labels is None else "probability",
            background=sample.X,
            deadline=part,
            estimator=bare_estimator(self.result.model) if sample.model.encoded else None,
            seed=self.settings.seed,
            speed=self.speed,
        )
        shap = attribution.shap
        if attribution.why_sampled and shap is not None:
            self._leave_out("shap", "the exact values; sampled ones are shown", attribution.why_sampled)
        if (done := 0 if shap is None else len(shap)) < len(rows):
            omitted = "all rows" if not done else f"{len(rows) - done:,} of {len(rows):,} rows"
            self._leave_out("shap", omitted, self._short(part))
        return shap, attribution.explainer

    def _summary(self, shap: ShapValues | None) -> pd.DataFrame:
        from core.fairness import as_groups

        if shap is None:
            return Explanation.no_table("summary")
        groups = {}
        for name in self.result.settings.sensitive_columns:
            column = as_groups(self.sample.rows[name]).iloc[: len(shap)].reset_index(drop=True)
            if (count := column.nunique()) > _MAX_GROUPS:
                self._leave_out("groups", name, f"it has {count:,} groups, more than {_MAX_GROUPS}")
            else:
                groups[name] = column
        return summarize(shap, groups, seed=self.settings.seed)

    def _dependence(self, names: list[str]) -> list[Dependence]:
        self.report(Event("explain", 0.7, "Changing single columns"))
        model, X, cells = self.sample.model, self.sample.X, self.sample.cells
        part = self.whole.part(_DEPENDENCE_SHARE)
        wanted = min(_DEPENDENCE_ROWS, len(X))
        n = min(wanted, self.speed.rows(calls=len(names), seconds=_SAFE_SHARE * part.left()) // (POINTS + 1))
        curves, missing = [], []
        for name in names:
            if part.over or n < min(_MIN_ROWS, len(X)):
                missing.append(name)
                continue
            curve = dependence(model, X[:n], cells[:n], name, self.sample.row_id[:n], spread=cells[name])
            if isinstance(curve, str):
                self._leave_out("dependence", name, curve)
            else:
                curves.append(curve)
        if missing:
            self._leave_out("dependence", _listed(missing, len(names)), self._short(part))
        elif n < wanted:
            self._leave_out("dependence", f"{wanted - n:,} of {wanted:,} rows", "time was short")
        return curves

    def _interactions(self, names: list[str], explainer: Explainer | None) -> tuple[pd.DataFrame, str]:
        self.report(Event("explain", 0.85, "Changing pairs of columns"))
        model, X = self.sample.model, self.sample.X
        space: Space = "prediction" if self.result.labels is None else "probability"
        outputs: Callable[[Matrix], Array] = model.outputs
        if explainer is not None:
            space, outputs = explainer.space, explainer.reference
        calls = len(names) * (len(names) + 1) // 2
        wanted = min(_INTERACTION_ROWS, len(X))
        n = min(wanted, math.isqrt(self.speed.rows(calls=calls, seconds=_SAFE_SHARE * self.whole.left())))
        if n < min(_MIN_ROWS, len(X)):
            self._leave_out("interactions", "all pairs", self._short(self.whole))
            return Explanation.no_table("interactions"), space
        table, missing = interactions(model, outputs, X[:n], names, deadline=self.whole, seed=self.settings.seed)
        if missing:
            self._leave_out("interactions", _listed(missing, calls - len(names)), self.whole.reason)
        elif n < wanted:
            self._leave_out("interactions", f"{wanted - n:,} of {wanted:,} rows", "time was short")
        return table, space

    @staticmethod
    def _short(part: Deadline) -> str:
        return part.reason if part.over else "time was short"


def _listed(names: list[str], total: int) -> str:
    if len(names) == total:
        return "all"
    return ", ".join(names[:5]) + (f" and {len(names) - 5:,} more" if len(names) > 5 else "")


def _ranking(permutation: pd.DataFrame, shap: ShapValues | None, columns: list[str]) -> list[str]:
    """Return columns, the most important first: by SHAP, else by permutation, else as they come."""
    if shap is not None:
        size = np.abs(shap.values).mean(axis=0).sum(axis=1)
        return [shap.features[i] for i in np.argsort(-size, kind="stable")]
    ranked = list(permutation["feature"])
    return ranked + [name for name in columns if name not in ranked]
