"""Fine-tunes a text model on a dataset, in as many attempts as it takes, and stores everything that pages draw."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import JsonValue

from core import jobs
from core.access import Access
from core.catalog import Dataset, datasets
from core.errors import ExportError, InputError
from core.finetune import FineTuneSettings, base_models, check_offered
from core.jobs import Needs, RunContext, TaskSpec, estimate_memory_mb
from core.jsonable import JsonObject
from core.progress import Event, Report
from core.storage import get_store
from core.tasks._reading import keep_reading

if TYPE_CHECKING:
    import pandas as pd

    from core.finetune import FineTuneResult

__all__ = ["SPEC", "export_text_model", "run", "submit"]

_BASE_MB, _PER_MODEL = 1_500, 6
"""Memory of a training without its model, and how many times its weights it takes: with gradients, two moments of the
optimizer, and a batch."""
_USUAL_MODEL_MB = 500.0
_CPUS = 4


def _needs(settings: JsonObject, rows: int, columns: int) -> Needs:
    """Return what a training needs: a GPU where nodes have one, and memory for its base model."""
    name = str(settings.get("base_model", ""))
    sizes = {model.name: model.size_mb for model in base_models()}
    memory_mb = _BASE_MB + _PER_MODEL * sizes.get(name, _USUAL_MODEL_MB) + estimate_memory_mb(rows, 1) / 4
    # Where several nodes train, their GPUs are taken by what the run starts there, and not by the run itself.
    return Needs(cpus=_CPUS, gpus=int(settings.get("nodes", 1) == 1), memory_mb=math.ceil(memory_mb / 100) * 100)


SPEC = TaskSpec(
    name="finetune",
    title="Fine-tuning",
    help="Fine-tunes a text model on a dataset.",
    page="finetune",
    resumable=True,
    checkpoints=("finetune/**/*",),
    stoppable=True,
    stop_label="Pause (resume later)",
    needs=_needs,
)

_COMPARED_TEXTS = 100


def submit(dataset: Dataset, settings: FineTuneSettings, *, needs: Needs | None = None, access: Access) -> str:
    """Queue a training and return the run's id; its files are those that ``FineTuneResult.save`` writes.

    Parameters
    ----------
    dataset : Dataset
        Table with the texts.
    settings : FineTuneSettings
        Settings of the training.
    needs : Needs, optional
        Resources of the machine that an engine looks for; by default they are estimated.
    access : Access
        The workspace, and who acts in it.
    """
    check_offered(settings.base_model)
    return jobs.submit(
        "finetune",
        settings,
        dataset=dataset.id,
        title=f"{settings.label_column} from {dataset.name}",
        needs=needs,
        access=access,
    )


def run(context: RunContext) -> dict[str, JsonValue]:
    """Train, from the newest checkpoint if an earlier attempt left one, and store the result."""
    context.report(Event("prepare", 0.0, "Loading the table"))
    from core.datasets import load_frame
    from core.finetune import fine_tune

    assert context.run.dataset_id is not None
    dataset = datasets.get(context.run.dataset_id, access=context.access)
    settings = FineTuneSettings.model_validate(context.settings)
    frame = load_frame(get_store().local_path(dataset.data_digest), settings.columns)
    result = fine_tune(
        frame,
        settings,
        output_dir=context.workdir / "finetune",
        report=context.report,
        resume=True,
        should_stop=context.should_stop,
    )
    context.report(Event("store", 1.0, "Storing the model and its evidence"))
    folder = context.workdir / "result"
    result.save(folder)
    keep_reading(dataset, folder)
    export_error = export_text_model(result, frame, folder, context.report)
    for path in sorted(item for item in folder.rglob("*") if item.is_file()):
        context.keep(path.relative_to(folder).as_posix(), path)
    return {
        "verdict": result.verdict,
        "steps": result.training["steps"],
        "device": result.device,
        "elapsed_s": result.elapsed_s,
        "dataset_fingerprint": dataset.fingerprint,
        "export_error": export_error,
    }


def export_text_model(result: FineTuneResult, frame: pd.DataFrame, folder: Path, report: Report) -> str | None:
    """Export the model to ONNX; return why that failed, if it did: the model itself is stored in any case."""
    from core.edge import export_onnx
    from core.finetune import usable_texts

    report(Event("export", 1.0, "Exporting the model and comparing its predictions"))
    held_out = set(result.test["row_id"]) | set(result.validation["row_id"])
    texts = usable_texts(frame, result.settings)
    train, test = (
        [text for row, text in texts.items() if (row in held_out) == held][:_COMPARED_TEXTS] for held in (False, True)
    )
    try:
        model = export_onnx(
            result.model_dir,
            folder / "model.onnx",
            train=train,
            held_out=test or train,
            max_length=result.settings.max_length,
        )
    except (ExportError, InputError) as error:
        report(Event("export", 1.0, error.message))
        return error.message
    (folder / "onnx.json").write_text(json.dumps(model.to_dict()), encoding="utf-8")
    return None
