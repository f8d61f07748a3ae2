"""The searcher: ``python -m core.automl._searcher FOLDER``, a process that may be killed at any moment.

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

from core.automl._learners import preload
from core.automl._processes import end_with_parent

EVENTS = "events.jsonl"
PLAN = "plan.json"
OUT_OF_FOLD = "oof"


def append(path: Path, record: dict[str, Any]) -> None:
    """Add a line to the events; it is on its way to the disk when this returns."""
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")


def read_events(folder: Path) -> list[dict[str, Any]]:
    """Return the events so far; a line that is still being written is left for the next look."""
    try:
        text = (folder / EVENTS).read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    complete = text.rpartition("\n")[0]
    return [json.loads(line) for line in complete.splitlines() if line]


def _tried(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for event in events if event["event"] == "trial"]


def search(folder: Path) -> None:
    """Try configurations as ``plan.json`` says."""
    import numpy as np

    from core.automl import _learners
    from core.automl._metrics import METRICS
    from core.automl._trial import TrainingData, run_trial, share_cores

    plan = json.loads((folder / PLAN).read_text(encoding="utf-8"))
    data = TrainingData.load(folder)
    earlier = _tried(read_events(folder))
    proposals = _Fixed(plan["configs"]) if plan["configs"] is not None else _proposer(plan, data)
    larger = METRICS[plan["metric"]].larger_is_better
    for trial in earlier:
        proposals.replay(trial["learner"], _loss(trial.get("score"), larger), trial["seconds"])
    number = max((trial["trial"] for trial in earlier), default=0)
    while plan["max_trials"] is None or number < plan["max_trials"]:
        number += 1
        learner, config = proposals.propose()
        head = {"trial": number, "learner": learner, "config": config}
        append(folder / EVENTS, {"event": "start", "at": time.time(), **head})
        at_a_time, threads = share_cores(learner, data, plan["jobs"])
        began = time.perf_counter()
        try:
            record, out_of_fold = run_trial(
                partial(_learners.build, learner, config, data.task, jobs=threads, seed=plan["seed"]),
                data,
                plan["metric"],
                at_a_time=at_a_time,
            )
            np.save(folder / OUT_OF_FOLD / f"{number}.npy", out_of_fold)
            outcome = {"status": "finished", **record, "threads": threads}
        except (ValueError, RuntimeError, FloatingPointError, ArithmeticError, MemoryError, TypeError) as error:
            outcome = {"status": "failed", "message": f"{type(error).__name__}: {error}"[:500]}
        except Exception as error:  # noqa: BLE001  (LightGBM's and XGBoost's own errors derive from Exception only)
            outcome = {"status": "failed", "message": f"{type(error).__name__}: {error}"[:500]}
        seconds = time.perf_counter() - began
        append(folder / EVENTS, {"event": "trial", "at": time.time(), "seconds": seconds, **head, **outcome})
        proposals.tell(learner, config, _loss(outcome.get("score"), larger), seconds)


def _loss(score: Any, larger_is_better: bool) -> float:
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

    def replay(self, learner: str, loss: float, seconds: float) -> None:
        next(self._configs)

    def tell(self, learner: str, config: dict[str, Any], loss: float, seconds: float) -> None:
        return None


def _proposer(plan: dict[str, Any], data: Any) -> Any:
    from core.automl._choice import Proposer

    return Proposer(plan["learners"], data.X.shape, data.task, plan["seed"], plan["timed"])


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
