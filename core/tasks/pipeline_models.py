"""Models that steps of pipelines trained, as runs that the registry, scoring, cards and exports understand."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from core import models
from core.access import Access
from core.catalog import Dataset, Model, ModelVersion, Run, RunArtifact, RunState, artifacts, datasets, events, runs
from core.errors import RegistryError
from core.files import write_text
from core.jobs import TASKS
from core.jsonable import JsonObject
from core.models import MODEL_KINDS
from core.pipelines import REGISTRATION
from core.progress import Event, Report, silent
from core.storage import get_store
from core.tasks._export_winner import export_files
from core.tasks.finetune import export_text_model

__all__ = ["adopt_model", "perform_registrations"]

_DATA, _TABLE, _DESCRIPTION = "data", "training/table.parquet", "training/dataset.json"
_NOT_KEPT = {"model.json", "README.md", "requirements.txt"}


def perform_registrations(
    outputs: Mapping[str, str],
    *,
    pipeline_run: str,
    step: str,
    report: Report = silent,
    access: Access,
) -> None:
    """Register what a step of a pipeline asks for, and write the result beside the request.

    Parameters
    ----------
    outputs : mapping of str to str
        Paths of the step's outputs.
    pipeline_run : str
        Id of the run of the pipeline.
    step : str
        Path of the step.
    access : Access
        The workspace, and who acts in it.
    report : callable, optional
        Callback for progress.
    """
    for folder in map(Path, outputs.values()):
        file = folder / REGISTRATION
        if not file.is_file():
            continue
        request: JsonObject = json.loads(file.read_text(encoding="utf-8"))
        model, version = adopt_model(
            Path(request["folder"]),
            name=request["name"],
            notes=request["notes"],
            alias=request["alias"],
            origin=f"Trained by a pipeline, registered by its step '{step}' (run {pipeline_run}).",
            report=report,
            access=access,
        )
        if Path(request["folder"]).is_relative_to(folder.resolve()):
            shutil.rmtree(request["folder"])  # the version has its files
        result = {key: request[key] for key in ("name", "notes", "alias")}
        result |= {"model_id": model.id, "version_id": version.id, "version": version.number, "run_id": version.run_id}
        write_text(file, json.dumps(result, indent=1))
        said = f"'{model.name}' version {version.number}" + (f", '{request['alias']}'" if request["alias"] else "")
        report(Event("register", 1.0, f"Registered {said}", {"model": model.id, "version": version.id}))


def adopt_model(
    folder: Path,
    *,
    name: str,
    notes: str = "",
    alias: str | None = None,
    origin: str = "",
    report: Report = silent,
    access: Access,
) -> tuple[Model, ModelVersion]:
    """Register the model in a folder that a shipped training component wrote.

    The folder becomes a finished run of the kind that makes such models, on the rows that it learned from as a dataset.
    A folder that was adopted before keeps its run, and so its version.

    Parameters
    ----------
    folder : Path
        Output ``model`` of the component.
    name : str
        Name of the model; under the name of another one this is its next version.
    notes : str, default=""
        Notes for people.
    alias : str, optional
        Alias that is to point to the version, such as "champion".
    origin : str, default=""
        Sentence on where the model comes from, for the history of the run.
    access : Access
        The workspace, and who acts in it.
    report : callable, optional
        Callback for progress.

    Returns
    -------
    Model
        The model.
    ModelVersion
        Its version that is this folder.

    Raises
    ------
    RegistryError
        When the folder holds no such model, or the name or alias cannot be used.
    """
    result_file = folder / _DATA / "result.json"
    if not result_file.is_file() or not (folder / _TABLE).is_file():
        raise RegistryError(
            f"'{folder.name}' holds no model that can be registered.",
            "Give the output 'model' of train_xgboost, train_automl or fine_tune_text.",
        )
    digest = get_store().put_file(result_file)
    run_id = artifacts.run_with("result.json", digest, access=access) or _adopt_run(
        folder, origin, report, access=access
    )
    model = models.register(run_id, name=name, notes=notes, access=access)
    version = next(item for item in models.versions(model.id, access=access) if item.run_id == run_id)
    if alias:
        models.set_alias(model.id, alias, version.number, why=origin, access=access)
    return model, version


def _adopt_run(folder: Path, origin: str, report: Report, *, access: Access) -> str:
    """Store a folder as a finished run, and return its id."""
    data = folder / _DATA
    reads_text = not (data / "model.skops").is_file()
    kind = MODEL_KINDS["text" if reads_text else "table"]
    result: JsonObject = json.loads((data / "result.json").read_text(encoding="utf-8"))
    tested = not reads_text and result["rows"]["test"] > 0
    dataset = _stored_rows(folder, "training and test rows" if tested else "training rows", report, access=access)
    files = {
        path.relative_to(data).as_posix(): path
        for path in sorted(data.rglob("*"))
        if path.is_file() and path.relative_to(data).as_posix() not in _NOT_KEPT
    }
    with tempfile.TemporaryDirectory(prefix="plumbline-") as scratch:
        exported = Path(scratch)
        export_error = _export(data, dataset, exported, report, reads_text=reads_text)
        files |= {path.name: path for path in sorted(exported.iterdir()) if path.is_file()}
        kept = _store(files)
    ended = time.time()
    run = Run(
        workspace=access.workspace,
        task=kind.tasks[0],
        lane=TASKS[kind.tasks[0]].lane,
        title=f"{result['settings'][kind.target_setting]} from {dataset.name}"[:300],
        dataset_id=dataset.id,
        settings=result["settings"],
        state=RunState.SUCCEEDED,
        started_at=ended - float(result["elapsed_s"]),
        finished_at=ended,
        result={
            "verdict": result["verdict"],
            "elapsed_s": result["elapsed_s"],
            "dataset_fingerprint": dataset.fingerprint,
            "export_error": export_error,
            **_facts_of(result, reads_text=reads_text),
        },
    )
    stored = [
        RunArtifact(workspace=access.workspace, run_id=run.id, name=name, digest=digest, size_bytes=size)
        for name, (digest, size) in kept.items()
    ]
    run_id = runs.add(run, artifacts=stored, access=access).id
    if origin:
        events.append(run_id, Event("adopt", 1.0, origin), access=access)
    return run_id


def _store(files: Mapping[str, Path]) -> dict[str, tuple[str, int]]:
    """Store files, and return their digests and sizes by name."""
    return {name: (get_store().put_file(path), path.stat().st_size) for name, path in files.items()}


def _facts_of(result: JsonObject, *, reads_text: bool) -> JsonObject:
    if reads_text:
        return {"steps": result["training"]["steps"], "device": result["device"]}
    return {"stop_reason": result["stop_reason"], "trials": len(result["trials"]), "explain_error": None}


def _stored_rows(folder: Path, kind: str, report: Report, *, access: Access) -> Dataset:
    """Return the rows of a model's folder as a dataset, which is made where there is none."""
    from core.datasets import Limits, profile, read_table

    report(Event("data", 0.3, "Storing the rows that the model was trained on"))
    described: JsonObject = json.loads((folder / _DESCRIPTION).read_text(encoding="utf-8"))
    name = f"{described.get('name') or 'table'}, {kind}"[:200]
    table = read_table(folder / _TABLE, name=name)
    known = datasets.with_fingerprint(table.fingerprint, access=access)
    if known is not None:
        return known
    store = get_store()
    profile_json = json.dumps(profile(table.path, limits=Limits(memory_mb=0)).to_dict(), allow_nan=False).encode()
    roles = {key: value for key, value in (described.get("roles") or {}).items() if value is not None}
    dataset, _ = datasets.add(
        Dataset(
            workspace=access.workspace,
            name=name,
            source="Rows of a pipeline",
            fingerprint=table.fingerprint,
            data_digest=store.put_file(table.path),
            profile_digest=store.put_bytes(profile_json),
            rows=table.rows,
            columns=len(table.columns),
            size_bytes=table.path.stat().st_size,
            report=table.report.to_dict(),
            roles={
                "target": roles.get("target"),
                "sensitive": roles.get("sensitive", []),
                "ignore": roles.get("ignore", []),
                **({"positive": roles["positive"]} if "positive" in roles else {}),
            },
        ),
        access=access,
    )
    return dataset


def _export(data: Path, dataset: Dataset, folder: Path, report: Report, *, reads_text: bool) -> str | None:
    """Write the model as ONNX, by which pages score; return why not, where it cannot be."""
    from core.datasets import load_frame

    table = get_store().local_path(dataset.data_digest)
    if reads_text:
        from core.finetune import FineTuneResult

        trained = FineTuneResult.load(data)
        frame = load_frame(table, trained.settings.text_columns)
        return export_text_model(trained, frame, folder, report)
    from core.automl import AutoMLResult

    result = AutoMLResult.load(data)
    return export_files(folder, load_frame(table), result, report)
