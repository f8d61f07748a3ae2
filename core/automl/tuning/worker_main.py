"""The search worker: ``python -m core.automl.tuning.worker_main FOLDER``, a process that may be killed at any moment.

It loads its libraries at once, waits for the plan, then tries configurations until it has done as many as planned, or
is killed. Each trial is two lines of ``events.jsonl``, flushed: when it starts, and how it ended.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from pathlib import Path

from core.automl.learners.build import preload_learners
from core.automl.tuning.event_file import EVENTS, append_event, append_trial, read_trials
from core.automl.tuning.processes import end_with_parent, errors_recorded
from core.automl.tuning.searcher import Searcher
from core.automl.tuning.worker_plan import PLAN, WorkerPlan

__all__ = ["main", "search"]


def search(folder: Path) -> None:
    """Try configurations as the plan in the folder says."""
    searcher = Searcher(WorkerPlan.load(folder), read_trials(folder), folder)
    while (start := searcher.propose()) is not None:
        append_event(folder / EVENTS, start)
        trial = searcher.run()
        append_trial(folder / EVENTS, trial)
        searcher.note(trial)


def main(folder: Path) -> int:
    """Load what trials need, wait for the plan, search."""
    end_with_parent(os.getppid())
    warnings.simplefilter("ignore")  # of the libraries, about single configurations; failures are in the events
    with errors_recorded(folder):
        preload_learners()
        while not (folder / PLAN).exists():
            time.sleep(0.02)
        search(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
