"""New rows scored by a registered model, with a report on how they differ from the training rows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.access import Access
from core.models._evidence import RunEvidence
from core.models._fields import Field
from core.models._policy_applier import PolicyApplier
from core.models._registry import resolve
from core.models.policy_choice import choose_policy
from core.models.row_scorer import RowScorer
from core.models.scoring_report import ScoredRows

if TYPE_CHECKING:
    import pandas as pd

    from core.catalog import ModelVersion

__all__ = ["exported_model", "form_fields", "score", "score_rows"]


def score_rows(
    model: str,
    frame: pd.DataFrame,
    *,
    policy: str | None = None,
    row_id: str | None = None,
    onnx: Path | None = None,
    access: Access,
) -> ScoredRows:
    """Score new rows, and report how they differ from the training rows.

    Parameters
    ----------
    model : str
        The id of a version, or of a model: its champion, else its newest version.
    frame : DataFrame of shape (n, columns)
        The rows. It has the model's columns in any order, and may have others.
    policy, row_id : str, optional
        The same as those of `RowScorer`.
    onnx : Path, optional
        An exported model to use in place of the model itself.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    NotFoundError
        When there is no such model.
    InputError
        When there are no rows, or a column that the model or the policy needs is absent.

    See Also
    --------
    score : The table alone.
    """
    scorer = RowScorer(resolve(model, access=access), policy=policy, row_id=row_id, onnx=onnx, access=access)
    return scorer.scored(scorer.score(frame))


def score(
    model: str,
    frame: pd.DataFrame,
    *,
    policy: str | None = None,
    row_id: str | None = None,
    access: Access,
) -> pd.DataFrame:
    """Return the predictions of new rows: the table of `score_rows`, with its findings as ``attrs["findings"]``.

    See Also
    --------
    score_rows : The table with its report, and the parameters.
    """
    scored = score_rows(model, frame, policy=policy, row_id=row_id, access=access)
    scored.table.attrs["findings"] = [finding.to_dict() for finding in scored.findings]
    return scored.table


def exported_model(version: ModelVersion, *, access: Access) -> Path | None:
    """Return the version as an ONNX file, for `score_rows` with ONNX Runtime alone; None when it was not exported."""
    return RunEvidence.of(version.run_id, access=access).exported_model()


def form_fields(version: ModelVersion, *, policy: str | None = None, access: Access) -> list[Field]:
    """Return the fields of a form for one row: the features, then the columns that the policy decides by.

    Parameters
    ----------
    version : ModelVersion
        The version that will score the row.
    policy : str, optional
        The same as that of `RowScorer`.
    access : Access
        The workspace, and who acts in it.
    """
    fields = {field.name: field for field in map(Field.from_dict, version.columns)}
    features = [field for field in fields.values() if field.role == "feature"]
    evidence = RunEvidence.of(version.run_id, access=access)
    chosen = choose_policy(evidence.run, policy, access=access)
    if chosen is None:
        return features
    # A policy that was made after the registration may decide by a column that is not described yet.
    groups = PolicyApplier(*chosen, evidence.labels).fields(fields)
    return [*features, *(field for field in groups if field not in features)]
