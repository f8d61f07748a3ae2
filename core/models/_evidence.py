"""What a run left behind: its result, its files and its table, read without loading what trained it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from core.access import Access
from core.catalog import Dataset, Run, RunArtifact, RunState, artifacts, datasets, runs
from core.errors import NotFoundError, RegistryError
from core.favorable import FavorableOutcome, favorable_outcome
from core.label_cells import MULTILABEL
from core.models._model_kinds import ModelKind, kind_of_task
from core.models._run_result import RunResult
from core.storage import get_store

if TYPE_CHECKING:
    import pandas as pd

    from core.datasets import Replay

__all__ = ["REPLAY", "RunEvidence"]

REPLAY = "recipe.json"
"""Name of the file with the row-wise steps between a model's file and its training table."""


@dataclass(frozen=True)
class RunEvidence:
    """A finished run with its files.

    Parameters
    ----------
    run : Run
        A search or a fine-tuning that succeeded.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    RegistryError
        When the run is of another kind, or has not succeeded.
    """

    run: Run
    access: Access

    def __post_init__(self) -> None:
        if kind_of_task(self.run.task) is None:
            raise RegistryError(
                f"Run '{self.run.id}' ({self.run.task}) does not make a model.", "Choose a search or a fine-tuning."
            )
        if self.run.state is not RunState.SUCCEEDED:
            raise RegistryError(
                f"Run '{self.run.id}' has not succeeded ({self.run.state.lower()}).", "Choose one that succeeded."
            )

    @classmethod
    def of(cls, run_id: str, *, access: Access) -> RunEvidence:
        """Return the evidence of a run.

        Raises
        ------
        NotFoundError
            When this workspace has no such run.
        """
        return cls(runs.get(run_id, access=access), access)

    @cached_property
    def kind(self) -> ModelKind:
        """The kind of model that the run made."""
        kind = kind_of_task(self.run.task)
        assert kind is not None  # checked when the evidence was made
        return kind

    @property
    def reads_text(self) -> bool:
        """Whether the model reads texts, not tables."""
        return self.kind.name == "text"

    @cached_property
    def artifacts(self) -> dict[str, RunArtifact]:
        """The run's files by name."""
        return {item.name: item for item in artifacts.find(self.run.id, access=self.access)}

    @cached_property
    def result(self) -> RunResult:
        """What ``result.json`` holds."""
        return RunResult.from_json(get_store().read_bytes(self._artifact("result.json").digest))

    def path(self, name: str) -> Path:
        """Return a local file with the content of one of the run's.

        Raises
        ------
        NotFoundError
            When the run has no file of this name.
        """
        return get_store().local_path(self._artifact(name).digest)

    def _artifact(self, name: str) -> RunArtifact:
        return artifacts.get(self.run.id, name, access=self.access)

    @cached_property
    def replay(self) -> Replay | None:
        """The row-wise steps between the file and the table that the model was trained on; None without any."""
        from core.datasets import Replay

        if REPLAY not in self.artifacts:
            return None
        return Replay.from_dict(json.loads(get_store().read_bytes(self._artifact(REPLAY).digest)))

    @property
    def target(self) -> str:
        """The column that is predicted."""
        return str(self.result.settings[self.kind.target_setting])

    @property
    def features(self) -> list[str]:
        """The columns that the model reads."""
        if not self.reads_text:
            return self.result.features
        settings = self.result.settings
        return [str(settings[name]) for name in ("text_column", "second_text_column") if settings.get(name)]

    @property
    def labels(self) -> list[str] | None:
        """The classes or labels as text, in the order of the probabilities; None for a number."""
        labels = self.result.labels
        return None if labels is None else [str(label) for label in labels]

    @property
    def several(self) -> bool:
        """Whether a row has any number of labels."""
        return self.result.task == MULTILABEL

    @property
    def favorable(self) -> str | None:
        """The outcome of two that rates by group are about: the one chosen, the favorable one by words, or the last."""
        return None if self._favorable is None else str(self._favorable.label)

    @property
    def favorable_reason(self) -> str:
        """Why rates by group are about this outcome, as a sentence; empty where there are not two outcomes."""
        return "" if self._favorable is None else self._favorable.reason

    @cached_property
    def _favorable(self) -> FavorableOutcome | None:
        labels = self.labels
        if labels is None or len(labels) != 2 or self.several:
            return None
        last = labels[-1]
        if self.result.settings.get("positive_label") is not None:
            return FavorableOutcome(last, f"'{last}' was chosen in the settings.")
        by_order = f"'{last}' is the last class in order: nobody chose one, and no word tells which outcome is good."
        return favorable_outcome(labels) or FavorableOutcome(last, by_order, certain=False)

    @property
    def fingerprint(self) -> str | None:
        """Fingerprint of the whole table that the run worked on."""
        return (self.run.result or {}).get("dataset_fingerprint")

    @cached_property
    def dataset(self) -> Dataset | None:
        """The table, or one with the same content that was loaded since; None when it was deleted."""
        try:
            return datasets.get(self.run.dataset_id or "", access=self.access)
        except NotFoundError:
            return datasets.with_fingerprint(self.fingerprint or "", access=self.access)

    @cached_property
    def test(self) -> pd.DataFrame:
        """Test rows: row_id, the target, prediction, one probability per class, sensitive columns."""
        import pandas as pd

        return pd.read_parquet(self.path("test.parquet"))

    def later_runs(self, task: str) -> list[Run]:
        """Return the finished runs of a kind that work on this run, or on an export of it, newest first."""
        ids = {self.run.id} | ({run.id for run in self.later_runs("export")} if task != "export" else set())
        succeeded = runs.find(task=task, states=[RunState.SUCCEEDED], access=self.access)
        return [
            run for run in succeeded if any(value in ids for value in run.settings.values() if isinstance(value, str))
        ]

    def exported_model(self) -> Path | None:
        """Return the model as an ONNX file, of its newest export or of the run itself; None when there is none."""
        for run in [*self.later_runs("export"), self.run]:
            for item in artifacts.find(run.id, access=self.access):
                if item.name == "model.onnx":
                    return get_store().local_path(item.digest)
        return None

    def link_files(self, folder: Path, names: Iterable[str] | None = None) -> Path:
        """Link the run's files into a folder under their names, and return the folder.

        Parameters
        ----------
        folder : Path
            The folder; it is made when it does not exist.
        names : iterable of str, optional
            Names of the files; by default all.
        """
        for name in self.artifacts if names is None else names:
            link = folder / name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(self.path(name))
        return folder
