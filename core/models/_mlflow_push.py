"""A version pushed to an MLflow server: parameters, metrics, files and the model."""

from __future__ import annotations

import importlib.util
import math
import os
import tempfile
from pathlib import Path
from typing import Any

from core.errors import SettingsError, StorageError
from core.models._card_build import card
from core.models._evidence import Evidence
from core.models._mlflow import save_mlflow
from core.models._registry import resolve

__all__ = ["push_mlflow"]

_VARIABLE = "MLFLOW_TRACKING_URI"
_LONGEST = 500  # of a parameter, on every store
_FILES = ("result.json", "leaderboard.csv", "explain.json")


def push_mlflow(
    model: str, *, tracking_uri: str | None = None, experiment: str = "plumbline", workspace: str = "local"
) -> str:
    """Push a version as a finished run of MLflow; returns that run's id.

    ``mlflow.pyfunc.load_model("runs:/ID/model")`` then loads the model.

    Parameters
    ----------
    model : str
        The id of a version, or of a model: its champion, else its newest version.
    tracking_uri : str, optional
        Of the server or store; by default what MLFLOW_TRACKING_URI says.
    experiment : str
        Made when it is not there.

    Raises
    ------
    NotFoundError
        When there is no such model.
    SettingsError
        When MLflow is not installed, or no tracking URI is set.
    StorageError
        When the server does not take the run.
    """
    version = resolve(model, workspace=workspace)
    uri = tracking_uri or os.environ.get(_VARIABLE)
    if not uri:
        raise SettingsError(f"{_VARIABLE} is not set.", "Set it to the URI of an MLflow server, and start again.")
    if importlib.util.find_spec("mlflow") is None:
        raise SettingsError("MLflow is not installed.", "pip install -r requirements-mlflow.txt")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # what is pushed goes to the server that was named only
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    evidence = Evidence.of(version.run_id, workspace)
    try:
        client = MlflowClient(tracking_uri=uri)
        known = client.get_experiment_by_name(experiment)
        home = client.create_experiment(experiment) if known is None else known.experiment_id
        name = f"{evidence.run.title}, version {version.number}"
        run_id = str(client.create_run(home, run_name=name, tags=_tags(evidence, version.id)).info.run_id)
        try:
            _log(client, run_id, evidence, version.id, workspace)
        except BaseException:
            client.set_terminated(run_id, "FAILED")
            raise
        client.set_terminated(run_id, "FINISHED")
    except MlflowException as error:
        raise StorageError(
            f"MLflow at {_shown(uri)} does not take the run: {error.message[:300]}", "Look at the server."
        ) from (error)
    return run_id


def _tags(evidence: Evidence, version_id: str) -> dict[str, str]:
    return {
        "plumbline.run": evidence.run.id,
        "plumbline.version": version_id,
        "plumbline.fingerprint": evidence.fingerprint or "",
        "mlflow.note.content": evidence.result["verdict"],
    }


def _log(client: Any, run_id: str, evidence: Evidence, version_id: str, workspace: str) -> None:
    from mlflow.entities import Metric, Param

    result = evidence.result
    winner = (result.get("winner") or {}).get("config") or {}
    values = result["settings"] | {f"winner.{name}": value for name, value in winner.items()}
    values |= {"learner": (result.get("winner") or {}).get("learner", evidence.kind)}
    params = [Param(name, str(value)[:_LONGEST]) for name, value in values.items() if value is not None]
    at = int((evidence.run.finished_at or 0) * 1000)
    metrics = [
        Metric(f"test_{name}{suffix}", value, at, 0)
        for name, found in result["test_metrics"].items()
        for suffix, value in (
            ("", found["value"]),
            ("_low", found["low"]),
            ("_high", found["high"]),
            ("_n", found["n"]),
        )
        if value is not None and math.isfinite(value)
    ]
    for begin in range(0, max(len(params), len(metrics)), 90):  # a request takes 100 at most
        client.log_batch(run_id, metrics=metrics[begin : begin + 90], params=params[begin : begin + 90])
    with tempfile.TemporaryDirectory(prefix="plumbline-") as scratch:
        folder = Path(scratch)
        found = evidence.unpack(folder / "files", [name for name in _FILES if name in evidence.artifacts])
        found.mkdir(exist_ok=True)
        shown = card(version_id, workspace=workspace)
        (found / "model_card.md").write_text(shown.to_markdown(), encoding="utf-8")
        (found / "model_card.html").write_text(shown.to_html(), encoding="utf-8")
        client.log_artifacts(run_id, str(found))
        client.log_artifacts(run_id, str(save_mlflow(version_id, folder / "model", workspace=workspace)), "model")


def _shown(uri: str) -> str:
    """Return a URI without what may be a password in it."""
    scheme, separator, rest = uri.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
