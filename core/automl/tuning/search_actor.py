"""A searcher on another node of a cluster: what an actor of Ray does there, one trial per call.

Its process may be ended at any moment, by the search or with its node. What it has done is with the search by then, in
the folder of its worker; another one continues from there.
"""

from __future__ import annotations

import secrets
import warnings
from pathlib import Path
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from core.automl.tuning.event_file import StartEvent
from core.automl.tuning.processes import preload_helpers
from core.automl.tuning.searcher import Searcher
from core.automl.tuning.trials import Trial
from core.automl.tuning.worker import OUT_OF_FOLD
from core.automl.tuning.worker_plan import FAVORITE, WorkerPlan
from core.files import write_text
from core.node_folder import FileContents, claim_folder, write_files

__all__ = ["DoneTrial", "SearchActor"]


class DoneTrial(TypedDict):
    """A trial that has ended.

    Parameters
    ----------
    trial : Trial
        The trial.
    files : dict of str to array
        Its out-of-fold predictions, and the models of its folds where they are kept.
    """

    trial: Trial
    files: dict[str, NDArray[np.uint8]]


class SearchActor:
    """The searcher of one worker.

    It loads its libraries when `load` is called, gets its plan from `begin`, and does its trials in turns of `propose`
    and `run`.
    """

    def __init__(self) -> None:
        self._searcher: Searcher | None = None
        self._folder: Path | None = None

    def load(self) -> str:
        """Load what trials need, and return the id of the node."""
        import ray  # which is there where this is an actor

        warnings.simplefilter("ignore")  # of the libraries, about single configurations; failures are in the events
        preload_helpers()
        return str(ray.get_runtime_context().get_node_id())

    def begin(self, plan: str, digest: str, data: FileContents, done: list[Trial]) -> None:
        """Take over a plan.

        Parameters
        ----------
        plan : str
            The plan, as `WorkerPlan.to_message` writes it.
        digest : str
            Hash of the training data.
        data : mapping of str to array
            Files of the training data.
        done : list of Trial
            Trials of the plan that are done.
        """
        training_data = claim_folder(f"data-{digest}", lambda folder: write_files(data, folder))
        self._folder = claim_folder(f"searcher-{secrets.token_hex(8)}", lambda folder: (folder / OUT_OF_FOLD).mkdir())
        own_plan = WorkerPlan.from_message(plan, training_data, self._folder / FAVORITE)
        self._searcher = Searcher(own_plan, done, self._folder)

    def propose(self, favorite: str | None) -> StartEvent | None:
        """Return the trial that is next; None when the plan is done.

        Parameters
        ----------
        favorite : str or None
            Made features that paid in the worker that explores them; None while it is open.
        """
        searcher, folder = self._started()
        if favorite is not None:
            write_text(folder / FAVORITE, favorite)
        return searcher.propose()

    def run(self) -> DoneTrial | None:
        """Try what was proposed; None when that was nothing."""
        searcher, folder = self._started()
        if not searcher.has_proposal:
            return None
        trial = searcher.run()
        searcher.note(trial)
        files = {}
        for file in sorted((folder / OUT_OF_FOLD).iterdir()):
            files[file.name] = np.fromfile(file, dtype=np.uint8)
            file.unlink()
        return {"trial": trial, "files": files}

    def _started(self) -> tuple[Searcher, Path]:
        if self._searcher is None or self._folder is None:
            raise ValueError("the searcher has no plan: call begin first")
        return self._searcher, self._folder
