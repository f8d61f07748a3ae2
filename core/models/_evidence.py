"""What a run left behind: its result, its files and its table, read without loading what trained it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.catalog import Dataset, Run, RunArtifact, RunState, artifacts, datasets, runs
from core.errors import NotFoundError, RegistryError
from core.storage import get_store

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["KINDS", "Evidence"]

KINDS = {"automl": "table", "finetune": "text"}
"""What a model reads, by the kind of run that made it."""


@dataclass(frozen=True)
class Evidence:
    """A finished run with its files.

    Parameters
    ----------
    run : Run
        A search or a fine-tuning that succeeded.

    Raises
    ------
    RegistryError
        When it is another kind of run, or has not succeeded.
    """

    run: Run

    def __post_init__(self) -> None:
        if self.run.task not in KINDS:
            raise RegistryError(
                f"Run '{self.run.id}' ({self.run.task}) makes no model.", "Choose a search or a fine-tuning."
            )
        if self.run.state is not RunState.SUCCEEDED:
            raise RegistryError(
                f"Run '{self.run.id}' has not succeeded ({self.run.state.lower()}).", "Choose one that succeeded."
            )

    @classmethod
    def of(cls, run_id: str, workspace: str) -> Evidence:
        """Return the evidence of a run.

        Raises
        ------
        NotFoundError
            When there is no such run.
        """
        return cls(runs.get(run_id, workspace))

    @property
    def kind(self) -> str:
        """What the model reads: table or text."""
        return KINDS[self.run.task]

    @cached_property
    def artifacts(self) -> dict[str, RunArtifact]:
        """The run's files by name."""
        return {item.name: item for item in artifacts.find(self.run.id, self.run.workspace)}

    @cached_property
    def result(self) -> dict[str, Any]:
        """What ``result.json`` holds."""
        return self.json("result.json") or {}

    def json(self, name: str) -> Any:
        """Return a JSON file of the run; None when there is none of this name."""
        if name not in self.artifacts:
            return None
        return json.loads(get_store().read_bytes(self.artifacts[name].digest))

    def path(self, name: str) -> Path:
        """Return a local file with the content of one of the run's.

        Raises
        ------
        NotFoundError
            When the run has none of this name.
        """
        return get_store().local_path(artifacts.get(self.run.id, name, self.run.workspace).digest)

    @property
    def target(self) -> str:
        """The column that is predicted."""
        settings = self.result["settings"]
        return str(settings["label_column" if self.kind == "text" else "target"])

    @property
    def features(self) -> list[str]:
        """The columns that the model reads."""
        return [self.result["settings"]["text_column"]] if self.kind == "text" else list(self.result["features"])

    @property
    def labels(self) -> list[str] | None:
        """The classes as text, in the order of the probabilities; None for a number."""
        found = self.result["labels"]
        return None if found is None else [str(label) for label in found]

    @property
    def fingerprint(self) -> str | None:
        """Of the whole table that the run worked on."""
        return (self.run.result or {}).get("dataset_fingerprint")

    @cached_property
    def dataset(self) -> Dataset | None:
        """The table, or one of the same content that was loaded since; None when it is gone."""
        try:
            return datasets.get(self.run.dataset_id or "", self.run.workspace)
        except NotFoundError:
            return datasets.with_fingerprint(self.fingerprint or "", self.run.workspace)

    @cached_property
    def test(self) -> pd.DataFrame:
        """Test rows: row_id, the target, prediction, a probability a class, sensitive columns."""
        import pandas as pd

        return pd.read_parquet(self.path("test.parquet"))

    def later(self, task: str) -> list[Run]:
        """Return the finished runs of a task that work on this one, or on an export of it, newest first."""
        names = {self.run.id} | ({run.id for run in self.later("export")} if task != "export" else set())
        found = runs.find(self.run.workspace, task=task, states=[RunState.SUCCEEDED])
        return [
            run for run in found if any(value in names for value in run.settings.values() if isinstance(value, str))
        ]

    def exported(self) -> Path | None:
        """Return the model as an ONNX file, of its newest export or of the run itself; None when there is none."""
        for run in [*self.later("export"), self.run]:
            for item in artifacts.find(run.id, run.workspace):
                if item.name == "model.onnx":
                    return get_store().local_path(item.digest)
        return None

    def unpack(self, folder: Path, names: Iterable[str] | None = None) -> Path:
        """Lay the run's files into a folder under their names, as links to the stored contents."""
        for name in self.artifacts if names is None else names:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(self.path(name))
        return folder
