"""A version in MLflow's model format: https://mlflow.org/docs/latest/ml/model."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from core.access import Access
from core.automl import model_packages
from core.errors import StorageError
from core.models._card_build import card
from core.models._evidence import RunEvidence
from core.models._registry import resolve
from core.models.mlflow_folder import MlflowFolder
from core.models.serving import served_file

if TYPE_CHECKING:
    from core.catalog import ModelVersion
    from core.models._card import ModelCard

__all__ = ["save_mlflow", "write_model"]


def save_mlflow(model: str, path: str | Path, *, policy: str | None = None, access: Access) -> Path:
    """Write a version so that ``mlflow.pyfunc.load_model(path).predict(frame)`` predicts and decides as `score` does.

    A policy that draws some decisions at random needs unique ids in the column "row_id".

    Parameters
    ----------
    model : str
        The id of a version, or of a model: its champion, else its newest version.
    path : path
        A folder that is new or empty.
    policy : str, optional
        Name of the file of a policy that is stored with the model; by default the one in force. "none" makes no
        decisions.
    access : Access
        The workspace, and who acts in it.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    NotFoundError
        When there is no such model.
    InputError
        If the model does not have this policy, or none is named and it is not clear which one is in force.
    StorageError
        When the folder is not empty, or cannot be written.

    See Also
    --------
    push_mlflow : Send a model to an MLflow server.
    """
    version = resolve(model, access=access)
    evidence = RunEvidence.of(version.run_id, access=access)
    return write_model(evidence, version, card(version.id, access=access), Path(path), policy=policy)


def write_model(
    evidence: RunEvidence, version: ModelVersion, model_card: ModelCard, target: Path, *, policy: str | None
) -> Path:
    """Write a version, or the draft of one, with its card; the folder appears when it is complete.

    Parameters
    ----------
    evidence : RunEvidence
        The run that made the model.
    version : ModelVersion
        The version.
    model_card : ModelCard
        Its card.
    target : Path
        A folder that is new or empty.
    policy : str or None
        Name of the file of the policy that decides; by default the one in force.

    Raises
    ------
    InputError
        If the model does not have this policy, or none is named and it is not clear which one is in force.
    StorageError
        When the folder is not empty, or cannot be written.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise StorageError(f"'{target.name}' is not empty.", "Choose a new folder.")
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    served = served_file(evidence, version, policy)
    written = MlflowFolder(
        served,
        evidence.kind,
        evidence.result.labels,
        _packages(evidence),
        metadata={
            "plumbline_version": version.lineage["registered_with"]["version"],
            "model": version.model_id or None,
            "number": version.number or None,
            "run": version.run_id,
            "fingerprint": evidence.fingerprint,
            "target": evidence.target,
            "policy": served.policy_name or None,
        },
        uuid=version.id * 2,
    )
    names = [name for name in evidence.artifacts if name == evidence.kind.model_file or name.startswith("model/")]
    try:
        written.write(partial, {name: evidence.path(name) for name in names})
        (partial / "model_card.md").write_text(model_card.to_markdown(), encoding="utf-8")
        if target.exists():
            target.rmdir()
        partial.rename(target)
    except OSError as error:
        raise StorageError(
            f"'{target.name}' cannot be written: {error.strerror or error}.", "Choose another folder."
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target


def _packages(evidence: RunEvidence) -> dict[str, str]:
    """Return the versions of the packages that the model needs."""
    result = evidence.result
    winner = result.winner
    if winner is None or winner.config is None:  # of a text model; or its members are not known
        return result.packages
    return model_packages(result.packages, winner.learner, winner.config)
