"""The searcher: ``python -m core.automl.tuning.worker_main FOLDER``, a process that may be killed at any moment.

It loads its libraries at once, waits for the plan, then tries configurations until it has done as many as it was
told to, or is killed. Each trial is two lines of ``events.jsonl``, flushed: when it starts, and how it ended.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from functools import partial
from pathlib import Path
from typing import Any

from core.automl.tuning.learners import preload
from core.automl.tuning.processes import end_with_parent

EVENTS = "events.jsonl"
PLAN = "plan.json"
OUT_OF_FOLD = "oof"


def append(path: Path, record: dict[str, Any]) -> None:
    """Add a line to the events; it is on its way to the disk when this returns."""
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")


def read_events(folder: Path, start: int = 0) -> tuple[list[dict[str, Any]], int]:
    """Return the events from a place in the file on, and the place where the next will begin.

    A line that is still being written is left for the next look.
    """
    try:
        with open(folder / EVENTS, "rb") as file:
            file.seek(start)
            complete, end, _ = file.read().rpartition(b"\n")
    except FileNotFoundError:
        return [], start
    return [json.loads(line) for line in complete.splitlines() if line], start + len(complete) + len(end)


def mend(folder: Path) -> None:
    """Take away a line that was cut off, once nobody writes any more, so that others can follow."""
    _, end = read_events(folder)
    if (folder / EVENTS).exists():
        os.truncate(folder / EVENTS, end)


def search(folder: Path) -> None:
    """Try configurations as ``plan.json`` in the folder says.

    Its keys: ``data`` (folder of the `TrainingData`), ``metric``, ``learners``, ``seed``, ``jobs`` (cores), ``timed``
    and ``seconds`` (of the budget), ``count`` (trials to do, None for as many as there is time for), ``configs`` (a
    fixed list, or None), ``earlier`` (trials of an earlier search, to go on from).
    """
    import numpy as np

    from core.automl.data.training_data import TrainingData
    from core.automl.tuning import learners as _learners
    from core.automl.tuning.pruning import Race
    from core.automl.tuning.trial import Pruned, run_trial, share_cores
    from core.evaluation import METRICS

    plan = json.loads((folder / PLAN).read_text(encoding="utf-8"))
    data = TrainingData.load(Path(plan["data"]))
    done = [event for event in read_events(folder)[0] if event["event"] == "trial"]
    proposals = _Fixed(plan["configs"]) if plan["configs"] is not None else _proposer(plan, data)
    larger = METRICS[plan["metric"]].larger_is_better
    race = Race(larger) if plan["timed"] and plan["configs"] is None else None
    for trial in [*plan["earlier"], *done]:
        proposals.replay(trial, _loss(trial, larger))
        if race is not None:
            race.note(trial)
    number = len(done)
    while plan["count"] is None or number < plan["count"]:
        number += 1
        learner, config = proposals.propose()
        head = {"trial": number, "learner": learner, "config": config}
        append(folder / EVENTS, {"event": "start", "at": time.time(), **head})
        at_a_time, threads = share_cores(learner, data, plan["jobs"])
        began = time.perf_counter()
        try:
            record, out_of_fold = run_trial(
                partial(_learners.build_estimator, learner, config, data.task, jobs=threads, seed=plan["seed"]),
                data,
                plan["metric"],
                at_a_time=at_a_time,
                worth_it=None if race is None else partial(race.worth_it, learner),
            )
            np.save(folder / OUT_OF_FOLD / f"{number}.npy", out_of_fold)
            outcome = {"status": "finished", **record, "threads": threads}
        except Pruned as pruned:
            outcome = {"status": "pruned", "fold_scores": pruned.scores, "message": pruned.message(len(data.folds))}
            if race is not None:
                outcome["expected"] = race.expected(learner, pruned.scores)
        except (ValueError, RuntimeError, FloatingPointError, ArithmeticError, MemoryError, TypeError) as error:
            outcome = {"status": "failed", "message": f"{type(error).__name__}: {error}"[:500]}
        except Exception as error:  # noqa: BLE001  (LightGBM's and XGBoost's own errors derive from Exception only)
            outcome = {"status": "failed", "message": f"{type(error).__name__}: {error}"[:500]}
        seconds = time.perf_counter() - began
        trial = {"event": "trial", "at": time.time(), "seconds": seconds, **head, **outcome}
        append(folder / EVENTS, trial)
        proposals.tell(learner, config, _loss(trial, larger), seconds)
        if race is not None:
            race.note(trial)


def _loss(trial: dict[str, Any], larger_is_better: bool) -> float:
    """Return what the search makes small; of a trial that was cut short, what it would have come to."""
    score = trial.get("expected", trial.get("score"))
    if score is None:
        return float("inf")
    return -score if larger_is_better else score


class _Fixed:
    """A fixed list of configurations, in its order."""

    def __init__(self, configs: list[list[Any]]) -> None:
        self._configs = iter(configs)

    def propose(self) -> tuple[str, dict[str, Any]]:
        learner, config = next(self._configs)
        return learner, config

    def replay(self, trial: dict[str, Any], loss: float) -> None:
        next(self._configs)

    def tell(self, learner: str, config: dict[str, Any], loss: float, seconds: float) -> None:
        return None


def _proposer(plan: dict[str, Any], data: Any) -> Any:
    from core.automl.tuning.proposer import Proposer

    return Proposer(plan["learners"], data, plan["seed"], plan["seconds"] if plan["timed"] else None)


def main(folder: Path) -> int:
    """Load what trials need, wait for the plan, search."""
    end_with_parent(os.getppid())
    warnings.simplefilter("ignore")  # of the libraries, about single configurations; failures are in the events
    preload()
    while not (folder / PLAN).exists():
        time.sleep(0.02)
    search(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
