"""A version, or a finished run, pushed to an MLflow server: parameters, metrics, files and the model."""

from __future__ import annotations

import importlib.util
import math
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import JsonValue

from core import known_columns
from core.access import Access, require_feature
from core.catalog import ModelVersion
from core.errors import NotFoundError, SettingsError, StorageError
from core.models._card import ModelCard
from core.models._card_build import card, card_of_run
from core.models._evidence import RunEvidence
from core.models._mlflow import write_model
from core.models._registry import draft_version, resolve
from core.models._run_result import Winner
from core.models.policy_choice import choose_policy

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Metric

__all__ = ["mlflow_parameters", "push_mlflow"]

_VARIABLE = "MLFLOW_TRACKING_URI"
_MAX_CHARACTERS = 500  # of a parameter, in every store
_BATCH = 90  # a request takes at most 100
_FILES = ("result.json", "leaderboard.csv", "explain.json")


def push_mlflow(
    model: str,
    *,
    tracking_uri: str | None = None,
    experiment: str = "plumbline",
    policy: str | None = None,
    access: Access,
) -> str:
    """Push a version, or a run that is not registered, as a finished run of MLflow; return that run's id.

    ``mlflow.pyfunc.load_model("runs:/ID/model")`` then loads the model.

    Parameters
    ----------
    model : str
        The id of a version, of a model (its champion, else its newest version), or of a search or fine-tuning.
    tracking_uri : str, optional
        URI of the server or store; by default the value of MLFLOW_TRACKING_URI.
    experiment : str, default="plumbline"
        Name of the experiment; it is created when it does not exist.
    policy : str, optional
        Name of the file of a policy that is stored with the model; by default the one in force. "none" makes no
        decisions.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    NotFoundError
        When there is no such model or run.
    InputError
        If the model does not have this policy, or none is named and it is not clear which one is in force.
    SettingsError
        When MLflow is not installed, or no tracking URI is set.
    StorageError
        When the server does not accept the run.

    See Also
    --------
    save_mlflow : Write the model to a folder.
    """
    require_feature("mlflow_push")
    uri = tracking_uri or os.environ.get(_VARIABLE)
    if not uri:
        raise SettingsError(f"{_VARIABLE} is not set.", "Set it to the URI of an MLflow server and restart.")
    evidence, version, model_card = _load(model, access=access)
    choose_policy(evidence.run, policy, access=access)
    if importlib.util.find_spec("mlflow") is None:
        raise SettingsError("MLflow is not installed.", "pip install -r requirements-mlflow.txt")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # data goes to the named server only
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    try:
        client = MlflowClient(tracking_uri=uri)
        existing = client.get_experiment_by_name(experiment)
        experiment_id = client.create_experiment(experiment) if existing is None else existing.experiment_id
        run = client.create_run(experiment_id, run_name=model_card.title, tags=_tags(evidence, version))
        run_id = str(run.info.run_id)
        try:
            _log(client, run_id, evidence, version, model_card, policy)
        except BaseException:
            client.set_terminated(run_id, "FAILED")
            raise
        client.set_terminated(run_id, "FINISHED")
    except MlflowException as error:
        reason = error.message.replace(uri.rstrip("/"), _without_password(uri))[:300]
        raise StorageError(
            f"MLflow at {_without_password(uri)} did not accept the run: {reason}", "Check the server."
        ) from None  # its own text may hold a password
    return run_id


def _load(model: str, *, access: Access) -> tuple[RunEvidence, ModelVersion, ModelCard]:
    try:
        version = resolve(model, access=access)
    except NotFoundError:
        evidence = RunEvidence.of(model, access=access)
        return evidence, draft_version(evidence), card_of_run(model, access=access)
    return RunEvidence.of(version.run_id, access=access), version, card(version.id, access=access)


def _tags(evidence: RunEvidence, version: ModelVersion) -> dict[str, str]:
    caveat = known_columns.caveat(evidence.run, access=evidence.access)
    return {
        "plumbline.run": evidence.run.id,
        "plumbline.version": version.id if version.number else "",
        "plumbline.fingerprint": evidence.fingerprint or "",
        "mlflow.note.content": f"{evidence.result.verdict} {caveat}".strip(),
    }


def mlflow_parameters(settings: Mapping[str, JsonValue], winner: Winner | None, kind: str) -> dict[str, str]:
    """Return what MLflow lists as parameters: the settings, the winner's configuration, each member of a blend.

    Each member has parameters of its own: MLflow cuts a long one, so that one for all would lose the last members.

    Parameters
    ----------
    settings : mapping of str to JSON value
        The settings of the run.
    winner : Winner or None
        The configuration that a search chose.
    kind : str
        Name of the kind of model, for a model without a learner.
    """
    config = dict(winner.config or {}) if winner is not None else {}
    members = config.pop("members", None)
    values = dict(settings) | {f"winner.{name}": value for name, value in config.items()}
    for number, member in enumerate(members if isinstance(members, list) else [], start=1):
        if isinstance(member, dict):
            own = {name: member.get(name) for name in ("learner", "weight", "trial")}
            member_config = member.get("config")
            own |= member_config if isinstance(member_config, dict) else {}
            values |= {f"winner.member{number}.{name}": value for name, value in own.items()}
    values |= {"learner": kind if winner is None else winner.learner}
    return {name: str(value)[:_MAX_CHARACTERS] for name, value in values.items() if value is not None}


def _metrics(evidence: RunEvidence) -> list[Metric]:
    from mlflow.entities import Metric

    at = int((evidence.run.finished_at or 0) * 1000)
    values: dict[str, float | None] = {}
    for name, estimate in evidence.result.test_metrics.items():
        values[f"test_{name}"] = estimate.value
        values |= {f"test_{name}_low": estimate.low, f"test_{name}_high": estimate.high, f"test_{name}_n": estimate.n}
    return [Metric(name, value, at, 0) for name, value in values.items() if value is not None and math.isfinite(value)]


def _log(
    client: MlflowClient,
    run_id: str,
    evidence: RunEvidence,
    version: ModelVersion,
    model_card: ModelCard,
    policy: str | None,
) -> None:
    from mlflow.entities import Param

    parameters = mlflow_parameters(evidence.result.settings, evidence.result.winner, evidence.kind.name)
    params = [Param(name, value) for name, value in parameters.items()]
    metrics = _metrics(evidence)
    for start in range(0, max(len(params), len(metrics)), _BATCH):
        batch = slice(start, start + _BATCH)
        client.log_batch(run_id, metrics=metrics[batch], params=params[batch])
    with tempfile.TemporaryDirectory(prefix="plumbline-") as scratch:
        files = evidence.link_files(Path(scratch) / "files", [name for name in _FILES if name in evidence.artifacts])
        files.mkdir(exist_ok=True)
        (files / "model_card.md").write_text(model_card.to_markdown(), encoding="utf-8")
        (files / "model_card.html").write_text(model_card.to_html(), encoding="utf-8")
        client.log_artifacts(run_id, str(files))
        folder = write_model(evidence, version, model_card, Path(scratch) / "model", policy=policy)
        client.log_artifacts(run_id, str(folder), "model")


def _without_password(uri: str) -> str:
    scheme, separator, rest = uri.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
