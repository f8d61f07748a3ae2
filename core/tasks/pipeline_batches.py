"""Batches that steps of pipelines bring to models that are watched."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from core import models
from core.access import Access
from core.catalog import models as model_rows
from core.errors import NotFoundError
from core.files import write_text
from core.jsonable import JsonObject
from core.pipelines import WATCHED
from core.progress import Event, Report, silent
from core.registry import unknown_name
from core.tasks.monitor import submit_upload

__all__ = ["bring_batches"]


def bring_batches(outputs: Mapping[str, str], *, name: str, report: Report = silent, access: Access) -> None:
    """Compare the rows that a step of a pipeline names as a batch of a registered model, in a run of its own.

    The request beside the rows becomes what came of it, and the rows are removed: the run has read them.

    Parameters
    ----------
    outputs : mapping of str to str
        Paths of the step's outputs.
    name : str
        Name of the batch.
    report : callable, optional
        Callback for progress.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    NotFoundError
        When the workspace has no model of this name.
    """
    for folder in map(Path, outputs.values()):
        file = folder / WATCHED
        if not file.is_file():
            continue
        request: JsonObject = json.loads(file.read_text(encoding="utf-8"))
        if "rows" not in request:
            continue
        known = {model.name: model.id for model in model_rows.find(access=access)}
        if request["model"] not in known:
            raise NotFoundError(
                f"The workspace has no model '{request['model']}'.", unknown_name(request["model"], known)
            )
        version = models.resolve(known[request["model"]], access=access)
        rows = folder / request["rows"]
        with open(rows, "rb") as content:
            run_id = submit_upload(version, content, f"{name}.parquet", access=access)
        rows.unlink()
        result = {"model": request["model"], "model_id": version.model_id, "version": version.number, "run_id": run_id}
        write_text(file, json.dumps(result, indent=1))
        said = f"The rows are compared as a batch of '{request['model']}', version {version.number}"
        report(Event("batch", 1.0, said, {"model": version.model_id, "run": run_id}))
