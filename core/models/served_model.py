"""A model that left the installation: what its file says, and how it scores rows there."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import JsonValue, TypeAdapter

from core.datasets import Replay
from core.edge.portable.rules import Rules
from core.models._fields import Field
from core.models._policy_applier import PolicyApplier
from core.models._predictors import Predictor, load_table, load_text
from core.models.scoring_pipeline import PipelineOutput, ScoringPipeline

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ROW_ID", "ServedModel", "ServedModelFile", "load_served_model"]

ROW_ID = "row_id"
"""Column of unique ids, for a policy that draws some decisions at random."""


@dataclass(frozen=True)
class ServedModelFile:
    """What ``model.json`` holds.

    Parameters
    ----------
    kind : str
        "table" or "text".
    fields : list of Field
        The columns that the model reads, and those that its policy decides by.
    labels : list of str or None
        The classes; None for a number.
    max_length, batch_size : int or None
        Number of tokens that are read of a text, and of texts that are predicted at once.
    steps : dict, default={}
        Row-wise steps between the file and the training table, as `core.datasets.Replay` stores them.
    formats : dict of str to dict, default={}
        Format in which the training file had the cells of each column, by `core.datasets.cell_format`.
    policy : dict, optional
        Policy that decides, as `core.fairness.ThresholdPolicy` describes itself.
    policy_name : str, default=""
        Name of its file.
    """

    kind: str
    fields: list[Field]
    labels: list[str] | None
    max_length: int | None = None
    batch_size: int | None = None
    steps: dict[str, JsonValue] = field(default_factory=dict)
    formats: dict[str, dict[str, JsonValue]] = field(default_factory=dict)
    policy: dict[str, JsonValue] | None = None
    policy_name: str = ""

    @classmethod
    def read(cls, path: Path) -> ServedModelFile:
        """Read the file."""
        return _adapter().validate_json(path.read_bytes())

    def write(self, path: Path) -> None:
        """Write the file."""
        path.write_bytes(_adapter().dump_json(self))

    def pipeline(self) -> ScoringPipeline:
        """Return what leads from new rows to predictions and decisions."""
        applier = None
        if self.policy is not None:
            applier = PolicyApplier(self.policy_name, Rules(self.policy), self.labels)
        replay = Replay.from_dict(self.steps) if self.steps else None
        return ScoringPipeline(self.fields, formats=self.formats, replay=replay, applier=applier)


@cache
def _adapter() -> TypeAdapter[ServedModelFile]:
    return TypeAdapter(ServedModelFile)


class ServedModel:
    """Predicts and decides as `core.models.score` does.

    Parameters
    ----------
    predictor : Predictor
        The model.
    pipeline : ScoringPipeline
        Pipeline from new rows to predictions and decisions.
    """

    def __init__(self, predictor: Predictor, pipeline: ScoringPipeline) -> None:
        self._predictor = predictor
        self._pipeline = pipeline

    def score(self, frame: pd.DataFrame, row_id: str | None = None) -> PipelineOutput:
        """Score rows.

        Parameters
        ----------
        frame : DataFrame
            Rows of the file, or after the steps.
        row_id : str, optional
            Column of unique ids; by default `ROW_ID` where decisions are drawn.
        """
        applier = self._pipeline.applier
        if row_id is None and applier is not None and applier.rules.randomized:
            row_id = ROW_ID
        return self._pipeline.run(frame, self._predictor, row_id)

    def predict(self, frame: pd.DataFrame, params: dict[str, object] | None = None) -> pd.DataFrame:
        """Return the prediction, one probability per class and, with a policy, the decision for each row."""
        return self.score(frame).table


def load_served_model(folder: Path) -> ServedModel:
    """Load a model from its folder, ``data`` in MLflow's format.

    Parameters
    ----------
    folder : Path
        Folder with ``model.json`` and the model.

    Raises
    ------
    StorageError
        When the model holds types that are not trusted.
    """
    file = ServedModelFile.read(folder / "model.json")
    if file.kind == "table":
        return ServedModel(load_table(folder / "model.skops"), file.pipeline())
    assert file.max_length is not None
    assert file.batch_size is not None
    predictor = load_text(folder / "model", file.labels, max_length=file.max_length, batch_size=file.batch_size)
    return ServedModel(predictor, file.pipeline())
