"""Models fitted on all training rows by a helper beside the search, and what a fit will cost."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.automl.tuning.budget import Budget
from core.automl.tuning.processes import Helper, cores
from core.datasets import Finding

if TYPE_CHECKING:
    from core.automl.data.training_data import TrainingData

__all__ = ["Final", "Refits"]

SAFETY = 1.6  # a refit may take longer than the folds said
INSURE_FROM = 0.5  # of the budget: from here on the best so far is fitted on all rows beside the search
INSURE_SHARE = 0.1  # of the time so far, at most, goes into that


@dataclass(frozen=True)
class Final:
    """The winner, fitted on all training rows."""

    trial: dict[str, Any]
    estimator: Any
    refit_s: float


def _name(trial: dict[str, Any]) -> str:
    return "linear" if trial["learner"] == "linear" else f"fit{trial['trial']}"


class Refits:
    """The helper, what it was asked for, and what it has done."""

    data: TrainingData

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.helper = Helper("core.automl.refit.worker_main", folder)
        self.findings: list[Finding] = []
        self.metric = ""
        self._seed = seed
        self._cores = cores()
        self._growth = 1.0  # all training rows over those of a fold
        self._slowness = 1.0  # measured seconds of a fit over the estimated ones
        self._insured: dict[str, Any] | None = None
        self._insuring: dict[str, Any] | None = None
        self._insurance_s = 0.0

    def _ask(self, trials: Sequence[dict[str, Any]], *, score: bool = False) -> None:
        models = [{"name": _name(trial), "learner": trial["learner"], "config": trial["config"]} for trial in trials]
        for model in models:
            (self.folder / f"{model['name']}.json").unlink(missing_ok=True)
        request = {
            "models": models,
            "score": score,
            "metric": self.metric,
            "jobs": self._cores,
            "seed": self._seed,
        }
        self.helper.send(json.dumps(request))

    def _answer(self, name: str) -> dict[str, Any] | None:
        try:
            return json.loads((self.folder / f"{name}.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None

    def estimate(self, trial: dict[str, Any]) -> float:
        """Return the seconds that fitting a trial's configuration on all training rows, with a core, should take."""
        return float(trial["fold_fit_s"]) * self._growth * float(trial.get("threads") or 1)

    def cost(self, trial: dict[str, Any]) -> float:
        """Return the seconds to allow for that."""
        return 0.0 if self._ready(trial, load=False) else 0.1 + SAFETY * self._slowness * self.estimate(trial)

    def insure(self, best: dict[str, Any] | None, budget: Budget) -> None:
        """Fit the best so far on all rows beside the search, so that its end waits for nothing and cannot fail."""
        if self._insuring is not None:
            answer = self._answer(_name(self._insuring))
            if answer is None:
                return
            if "error" not in answer:
                self._insured = self._insuring
                self._insurance_s += float(answer["refit_s"])
                own = float(answer["refit_s"]) * answer["threads"]
                self._slowness = max(1.0, own / max(self.estimate(self._insuring), 0.1))
            self._insuring = None
        known = self._insured is not None and best is not None and self._insured["trial"] == best["trial"]
        if best is None or known or self._answer("linear") is None or (budget.fraction or 0.0) < INSURE_FROM:
            return
        seconds = self.estimate(best)
        if self._insurance_s + seconds < INSURE_SHARE * budget.elapsed() and budget.left() > 2 * self.cost(best):
            self._insuring = best
            self._ask([best])

    def _ready(self, trial: dict[str, Any], *, load: bool = True) -> Final | None:
        """Return the model of a trial that is fitted on all rows already."""
        answer = self._answer(_name(trial))
        if answer is None or "error" in answer:
            return None
        return Final(trial, self.load(_name(trial)) if load else None, float(answer["refit_s"]))

    def _fit(self, trials: list[dict[str, Any]], wall: float) -> bool:
        """Fit trials on all rows, side by side; tell whether all are there in time."""
        asked = [trial for trial in trials if self._insuring is None or self._insuring["trial"] != trial["trial"]]
        if asked:  # the quickest first, so that there is a model whatever happens to the others
            self._ask(sorted(asked, key=self.estimate))
        while any(self._answer(_name(trial)) is None for trial in trials):
            if time.time() >= wall or self.helper.ended:
                self.helper.kill()
                break
            time.sleep(0.02)
        lost = [trial for trial in trials if self._ready(trial, load=False) is None]
        if lost:
            told = ", ".join(f"number {trial['trial']}, {trial['learner']}" for trial in lost)
            why, advice = self.why_lost(lost)
            self.findings.append(
                Finding(
                    "refit",
                    "alert",
                    None,
                    f"{len(lost)} of {len(trials)} models that were chosen ({told}) could not be fitted on all rows "
                    f"{why}; the best model that was fitted was kept instead.",
                    advice,
                )
            )
        return not lost

    def why_lost(self, trials: Sequence[dict[str, Any]]) -> tuple[str, str]:
        """Return why trials could not be fitted on all rows, and what to do."""
        answers = [self._answer(_name(trial)) for trial in trials]
        error = next((answer["error"] for answer in answers if answer and "error" in answer), None)
        if error is not None:
            return f"({error})", "Block this learner, and look for extreme values in the table."
        return "in the time that was left", "Give the search more time, or let less run beside it."

    def load(self, name: str) -> Any:
        """Return a model that this search's helper has fitted."""
        import joblib

        return joblib.load(self.folder / f"{name}.joblib")  # written by our own helper a moment ago

    def close(self) -> None:
        """End the helper."""
        self.helper.kill()
