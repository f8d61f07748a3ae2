"""The end of a search: the linear model beside it, and the winner fitted on all training rows, in time."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.automl._budget import Budget
from core.automl._processes import Helper
from core.automl._settings import AutoMLSettings
from core.datasets import Finding
from core.errors import SearchError

if TYPE_CHECKING:
    from core.automl._prepare import Prepared
    from core.automl._search import Search

__all__ = ["Final", "Finisher"]

EVALUATION_S = 1.0  # encoding, predicting and scoring the test rows
START_S = 5.0  # a new helper process with its libraries
SAFETY = 1.6  # a refit may take longer than the folds said
INSURE_FROM = 0.5  # of the budget: from here on the best so far is fitted on all rows beside the search
INSURE_SHARE = 0.1  # of the time so far, at most, goes into that
OVERRUN = 0.02
OVERRUN_S = 2.0


@dataclass(frozen=True)
class Final:
    """The winner, fitted on all training rows."""

    trial: dict[str, Any]
    estimator: Any
    refit_s: float


def _name(trial: dict[str, Any]) -> str:
    return f"fit{trial['trial']}"


class Finisher:
    """Fits the linear model beside the search, then the winner; a fit that takes too long is ended."""

    def __init__(self, folder: Path, settings: AutoMLSettings) -> None:
        self.folder = folder
        self.settings = settings
        self.helper = Helper("_finisher", folder)
        self.linear: dict[str, Any] | None = None
        self.findings: list[Finding] = []
        self.insured: tuple[dict[str, Any], float] | None = None  # a trial fitted on all rows, and its seconds
        self._insuring: dict[str, Any] | None = None
        self._insurance_s = 0.0
        self._slowness = 1.0  # measured seconds of a fit over the estimated ones
        self._asked_at = time.time()
        self._growth = 1.0
        self._test_rows = 0
        self.metric = ""

    def _ask(self, name: str, learner: str, config: dict[str, Any], *, score: bool) -> None:
        (self.folder / f"{name}.json").unlink(missing_ok=True)
        request = {
            "name": name,
            "learner": learner,
            "config": config,
            "score": score,
            "metric": self.metric,
            "jobs": os.cpu_count() or 1,
            "seed": self.settings.seed,
        }
        self.helper.send(json.dumps(request))

    def _answer(self, name: str) -> dict[str, Any] | None:
        try:
            return json.loads((self.folder / f"{name}.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None

    def plan(self, prepared: Prepared) -> None:
        """Start with the linear model, scored on the same folds."""
        data = prepared.data
        self.metric = prepared.metric
        self._growth = len(data.y) / len(data.folds[0][0])
        self._test_rows = len(prepared.y_test)
        self._asked_at = time.time()
        self._ask("linear", "linear", {}, score=True)

    def read(self) -> None:
        """Take in the linear model once it is there."""
        if self.linear is None and (answer := self._answer("linear")) is not None:
            self.linear = {
                "event": "trial",
                "trial": 0,
                "learner": "linear",
                "config": {},
                "at": time.time(),
                "seconds": time.time() - self._asked_at,
                "status": "failed" if "error" in answer else "finished",
                "message": answer.get("error"),
                **answer,
            }

    def estimate(self, trial: dict[str, Any]) -> float:
        """Return the seconds that fitting a trial's configuration on all training rows should take."""
        return float(trial["fold_fit_s"]) * self._growth

    def insure(self, best: dict[str, Any] | None, budget: Budget) -> None:
        """Fit the best so far on all rows beside the search, so that its end waits for nothing and cannot fail."""
        if self._insuring is not None:
            answer = self._answer(_name(self._insuring))
            if answer is None:
                return
            if "error" not in answer:
                self.insured = self._insuring, float(answer["refit_s"])
                self._insurance_s += float(answer["refit_s"])
                self._slowness = max(1.0, float(answer["refit_s"]) / max(self.estimate(self._insuring), 0.1))
            self._insuring = None
        known = self.insured is not None and best is not None and self.insured[0]["trial"] == best["trial"]
        if best is None or known or self.linear is None or (budget.fraction or 0.0) < INSURE_FROM:
            return
        seconds = self.estimate(best)
        if self._insurance_s + seconds < INSURE_SHARE * budget.elapsed() and budget.left() > 2 * self.reserve(best):
            self._insuring = best
            self._ask(_name(best), best["learner"], best["config"], score=False)

    def reserve(self, best: dict[str, Any] | None) -> float:
        """Return the seconds to keep for the refit and the test when `best` is the winner."""
        evaluation = EVALUATION_S + 20e-6 * self._test_rows
        if best is None:  # nothing to fit yet: any model that still comes is better than none
            return evaluation
        if self.insured is not None and self.insured[0]["trial"] == best["trial"]:
            refit = 0.1
        else:
            refit = 0.3 + SAFETY * self._slowness * self.estimate(best)
        waiting = START_S if self.linear is None else 0.0  # a busy helper has to be started anew
        return refit + waiting + evaluation

    def finish(self, run: Search, budget: Budget) -> Final:
        """Fit the winner on all training rows; when time is short, the best that can be fitted.

        Raises
        ------
        SearchError
            When neither a trial nor the linear model is there.
        """
        self._await_linear(run, budget)
        ranked = sorted((trial for trial in run.trials if trial["status"] == "finished"), key=run.rank)
        linear = self.linear if self.linear is not None and self.linear["status"] == "finished" else None
        if linear is not None:
            ranked = sorted([*ranked, linear], key=run.rank)
        if not ranked:
            raise SearchError(*self._nothing(run, budget))
        if self.linear is None or self.helper.ended:
            self.helper.kill()
            self.helper = Helper("_finisher", self.folder)
        wall = time.time() + budget.left() + OVERRUN * (budget.seconds or 0) + OVERRUN_S - EVALUATION_S
        self.insure(None, budget)
        for trial in ranked:
            if (ready := self._ready(trial)) is not None:
                return ready
            if self.estimate(trial) > wall - time.time():
                continue
            final = self._refit(trial, wall)
            if final is not None:
                return final
            break
        for trial in ranked:
            if (ready := self._ready(trial)) is not None:
                return ready
        raise SearchError(
            f"The best of {len(run.trials)} trials could not be fitted on all rows in the time that was left.",
            "Give the search more time, or use fewer rows.",
        )

    def _ready(self, trial: dict[str, Any]) -> Final | None:
        """Return the model of a trial that is fitted on all rows already."""
        if trial["learner"] == "linear":
            return Final(trial, self.load("linear"), float(trial["refit_s"]))
        if self.insured is not None and self.insured[0]["trial"] == trial["trial"]:
            return Final(trial, self.load(_name(trial)), self.insured[1])
        return None

    def _await_linear(self, run: Search, budget: Budget) -> None:
        """Give the linear model the time that is left over; one that is still at work blocks the refit."""
        self.read()
        while (
            self.linear is None and not self.helper.ended and not run.stopped and budget.left() > self.reserve(run.best)
        ):
            time.sleep(0.02)
            self.read()

    def _refit(self, trial: dict[str, Any], wall: float) -> Final | None:
        name = _name(trial)
        if self._insuring is None or self._insuring["trial"] != trial["trial"]:
            self._ask(name, trial["learner"], trial["config"], score=False)
        while time.time() < wall and not self.helper.ended:
            if (answer := self._answer(name)) is not None:
                if "error" not in answer:
                    return Final(trial, self.load(name), float(answer["refit_s"]))
                break
            time.sleep(0.02)
        self.helper.kill()
        self.findings.append(
            Finding(
                "refit",
                "alert",
                None,
                f"The best trial (number {trial['trial']}, {trial['learner']}) could not be fitted on all rows in the "
                "time that was left; the best model that was fitted already was kept instead.",
                "Give the search more time, or let less run beside it.",
            )
        )
        return None

    def load(self, name: str) -> Any:
        """Return a model that this search's helper has fitted."""
        import joblib

        return joblib.load(self.folder / f"{name}.joblib")  # written by our own helper a moment ago

    def _nothing(self, run: Search, budget: Budget) -> tuple[str, str]:
        failed = [trial for trial in run.trials if trial["status"] != "finished"]
        if failed:
            return (
                f"None of {len(failed)} trials gave a model; the last one: {failed[-1].get('message')}.",
                "Look at the target and the metric: a class that is missing from a fold is the usual cause.",
            )
        if run.stopped:
            return "It was stopped before the first model was finished.", "Start again and let it run a little longer."
        limit = "the time it had" if budget.seconds is None else f"{budget.seconds:,.0f} s"
        return (
            f"No model was finished within {limit}.",
            "Give it more time (a minute is a good start), or use fewer rows or columns.",
        )

    def close(self) -> None:
        """End the helper."""
        self.helper.kill()
