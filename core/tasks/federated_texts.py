"""Fine-tunes one text model on the texts of several sites, as if they were apart, and keeps what pages need."""

from __future__ import annotations

from typing import Any

from core import jobs
from core.access import Access
from core.catalog import Dataset, datasets
from core.errors import InputError
from core.federated import FederatedTextSettings
from core.finetune import check_offered
from core.jobs import Needs, RunContext, TaskSpec
from core.progress import Event
from core.storage import get_store
from core.tasks._reading import keep_reading
from core.tasks.finetune import SPEC as FINETUNE
from core.tasks.finetune import export_text_model

__all__ = ["SPEC", "run", "submit"]

SPEC = TaskSpec(
    name="federated_texts",
    title="Federated fine-tuning",
    help="Fine-tunes one text model on the texts of several sites and compares it with the sites' own models.",
    page="federated",
    restarts=True,
    stoppable=True,
    stop_label="Stop after this round",
    needs=FINETUNE.needs,
)


def submit(dataset: Dataset, settings: FederatedTextSettings, *, needs: Needs | None = None, access: Access) -> str:
    """Queue the simulation of a federated fine-tuning, and return the id of its run.

    Parameters
    ----------
    dataset : Dataset
        Table with the texts of all sites.
    settings : FederatedTextSettings
        Settings of the study; `site_column` names the column of the sites.
    needs : Needs, optional
        Resources of the machine that an engine looks for; by default they are estimated.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    InputError
        When the settings name no column of sites.
    """
    if settings.site_column is None:
        raise InputError("The settings name no column of sites.", "Choose one.")
    check_offered(settings.base_model)
    return jobs.submit(
        "federated_texts",
        settings.model_dump(mode="json"),
        dataset=dataset.id,
        title=f"{settings.target} from {dataset.name} by {settings.site_column}",
        needs=needs,
        access=access,
    )


def run(context: RunContext) -> dict[str, Any]:
    """Train and compare, then export the model as a fine-tuning does."""
    context.report(Event("prepare", 0.0, "Loading the table"))
    from core.datasets import load_frame
    from core.federated import federate_texts

    assert context.run.dataset_id is not None
    dataset = datasets.get(context.run.dataset_id, access=context.access)
    settings = FederatedTextSettings.model_validate(context.settings)
    columns = [settings.text_column, settings.target, str(settings.site_column), *settings.sensitive_columns]
    frame = load_frame(get_store().local_path(dataset.data_digest), list(dict.fromkeys(columns)))
    result = federate_texts(
        frame,
        settings,
        output_dir=context.workdir / "training",
        report=context.report,
        should_stop=context.should_stop,
    )
    context.report(Event("store", 0.99, "Storing the model and its evidence"))
    folder = context.workdir / "result"
    result.save(folder)
    keep_reading(dataset, folder)
    export_error = export_text_model(result.training, frame, folder, context.report)
    for path in sorted(item for item in folder.rglob("*") if item.is_file()):
        context.keep(path.relative_to(folder).as_posix(), path)
    return {
        "verdict": result.verdict,
        "sites": len(result.sites),
        "rounds": len(result.rounds),
        "elapsed_s": result.elapsed_s,
        "dataset_fingerprint": dataset.fingerprint,
        "export_error": export_error,
    }
