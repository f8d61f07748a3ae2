"""A version, or a finished run, pushed to an MLflow server: parameters, metrics, files and the model."""

from __future__ import annotations

import importlib.util
import math
import os
import tempfile
from pathlib import Path
from typing import Any

from core.catalog import ModelVersion
from core.errors import NotFoundError, SettingsError, StorageError
from core.models._card import ModelCard
from core.models._card_build import card, card_of_run
from core.models._evidence import Evidence
from core.models._mlflow import write_model
from core.models._registry import draft, resolve

__all__ = ["push_mlflow"]

_VARIABLE = "MLFLOW_TRACKING_URI"
_LONGEST = 500  # of a parameter, on every store
_FILES = ("result.json", "leaderboard.csv", "explain.json")


def push_mlflow(model: str, *, tracking_uri: str | None = None, experiment: str = "plumbline", workspace: str) -> str:
    """Push a version, or a run that is not registered, as a finished run of MLflow; returns that run's id.

    ``mlflow.pyfunc.load_model("runs:/ID/model")`` then loads the model.

    Parameters
    ----------
    model : str
        The id of a version, of a model (its champion, else its newest version), or of a search or fine-tuning.
    tracking_uri : str, optional
        Of the server or store; by default what MLFLOW_TRACKING_URI says.
    experiment : str
        Made when it is not there.

    Raises
    ------
    NotFoundError
        When there is no such model or run.
    SettingsError
        When MLflow is not installed, or no tracking URI is set.
    StorageError
        When the server does not take the run.
    """
    uri = tracking_uri or os.environ.get(_VARIABLE)
    if not uri:
        raise SettingsError(f"{_VARIABLE} is not set.", "Set it to the URI of an MLflow server, and start again.")
    evidence, version, shown = _subject(model, workspace)
    if importlib.util.find_spec("mlflow") is None:
        raise SettingsError("MLflow is not installed.", "pip install -r requirements-mlflow.txt")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # what is pushed goes to the server that was named only
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    try:
        client = MlflowClient(tracking_uri=uri)
        known = client.get_experiment_by_name(experiment)
        home = client.create_experiment(experiment) if known is None else known.experiment_id
        run_id = str(client.create_run(home, run_name=shown.title, tags=_tags(evidence, version)).info.run_id)
        try:
            _log(client, run_id, evidence, version, shown)
        except BaseException:
            client.set_terminated(run_id, "FAILED")
            raise
        client.set_terminated(run_id, "FINISHED")
    except MlflowException as error:
        reason = error.message.replace(uri.rstrip("/"), _shown(uri))[:300]
        raise StorageError(
            f"MLflow at {_shown(uri)} does not take the run: {reason}", "Look at the server."
        ) from None  # its own text may hold a password
    return run_id


def _subject(model: str, workspace: str) -> tuple[Evidence, ModelVersion, ModelCard]:
    try:
        version = resolve(model, workspace=workspace)
    except NotFoundError:
        evidence = Evidence.of(model, workspace)
        return evidence, draft(evidence), card_of_run(model, workspace=workspace)
    return Evidence.of(version.run_id, workspace), version, card(version.id, workspace=workspace)


def _tags(evidence: Evidence, version: ModelVersion) -> dict[str, str]:
    return {
        "plumbline.run": evidence.run.id,
        "plumbline.version": version.id if version.number else "",
        "plumbline.fingerprint": evidence.fingerprint or "",
        "mlflow.note.content": evidence.result["verdict"],
    }


def parameters(result: dict[str, Any], kind: str) -> dict[str, str]:
    """Return what MLflow lists as parameters: the settings, the winner's configuration, each member of a blend.

    A member has parameters of its own, since MLflow cuts a long one: all members in one would lose the last.
    """
    winner = result.get("winner") or {}
    config = dict(winner.get("config") or {})
    members = config.pop("members", None) or []
    values = result["settings"] | {f"winner.{name}": value for name, value in config.items()}
    for place, member in enumerate(members, start=1):
        own = {name: member.get(name) for name in ("learner", "weight", "trial")} | dict(member.get("config") or {})
        values |= {f"winner.member{place}.{name}": value for name, value in own.items()}
    values |= {"learner": winner.get("learner", kind)}
    return {name: str(value)[:_LONGEST] for name, value in values.items() if value is not None}


def _log(client: Any, run_id: str, evidence: Evidence, version: ModelVersion, shown: ModelCard) -> None:
    from mlflow.entities import Metric, Param

    result = evidence.result
    params = [Param(name, value) for name, value in parameters(result, evidence.kind).items()]
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
        (found / "model_card.md").write_text(shown.to_markdown(), encoding="utf-8")
        (found / "model_card.html").write_text(shown.to_html(), encoding="utf-8")
        client.log_artifacts(run_id, str(found))
        client.log_artifacts(run_id, str(write_model(evidence, version, shown, folder / "model")), "model")


def _shown(uri: str) -> str:
    """Return a URI without what may be a password in it."""
    scheme, separator, rest = uri.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
