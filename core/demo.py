"""A small installation with one run of every kind, made by the same functions that the pages call.

    python -m core.demo FOLDER

Tests copy it instead of running searches of their own, and it is a first look at the app with something in it:
``PLUMBLINE_HOME=FOLDER streamlit run app.py``.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core import jobs, models, policies
from core.access import LOCAL, Access
from core.automl import AutoMLSettings
from core.catalog import Dataset, Run, RunState, datasets
from core.datasets import load_sample
from core.edge.latency import LatencySettings, LatencySuiteSettings, Slo
from core.edge.smallest import SmallestSettings
from core.errors import JobError
from core.fairness import MitigationSettings, ThresholdPolicy
from core.finetune import FineTuneSettings
from core.settings import get_settings
from core.tasks import automl, check, explain, export, finetune, ingest, latency, mitigate, score, smallest

__all__ = ["ANSWERS", "POLICY", "Builder", "Demo", "build", "reviews"]

WAIT_S = 900.0
POLICY = ThresholdPolicy({"female": ((0.55, 1.0),), "male": ((0.65, 1.0),)}, ("sex",), {"positive": "good"})
ANSWERS: Mapping[str, str] = {
    "intended_use": "To choose which applications a person reads first.",
    "about_people": "yes",
    "out_of_scope": "To refuse an application without a person who reads it.",
}


@dataclass(frozen=True)
class Demo:
    """Ids of what the installation holds.

    Parameters
    ----------
    credit, diabetes, reviews : str
        Datasets: two classes with sensitive columns, a number, texts.
    binary, number : str
        Searches of `credit` and `diabetes`, explained.
    rival : str
        A search of `credit` without the applicant's sex, not explained, with a threshold policy.
    checked, mitigated, explained : str
        Checks of `credit`, mitigations of `binary`, the later explanation of `rival`.
    exported, rival_export, text_export : str
        Exports of `binary`, of `rival` with its policy, and of `text`.
    measured, text_measured : str
        Latency measurements of `exported` and of `text_export`.
    smallest : str
        A search for the smallest variant of `text_export` that is good enough.
    text : str
        A training on `reviews`.
    model : str
        A registered model: version 1 is `binary` and champion, version 2 is `rival`.
    number_model, text_model : str
        Registered models of `number` and `text`.
    scored : str
        A file that version 1 of `model` scored.
    """

    credit: str
    diabetes: str
    reviews: str
    binary: str
    number: str
    rival: str
    checked: str
    mitigated: str
    explained: str
    exported: str
    rival_export: str
    text_export: str
    measured: str
    text_measured: str
    smallest: str
    text: str
    model: str
    number_model: str
    text_model: str
    scored: str


def reviews() -> pd.DataFrame:
    """Return reviews that praise or complain, and whether each is short or long."""
    frame = load_sample("product_reviews").frame
    frame = frame[frame["sentiment"] != "neutral"].head(240).reset_index(drop=True)
    frame["length"] = np.where(frame["text"].str.len() < 80, "short", "long")
    return frame[["text", "sentiment", "rating", "length"]]


class Builder:
    """Submits runs and waits for them in one workspace."""

    def __init__(self, *, access: Access) -> None:
        self.access = access

    def done(self, run_id: str) -> Run:
        """Wait for a run, which must succeed."""
        run = jobs.wait(run_id, WAIT_S, access=self.access)
        if run.state is not RunState.SUCCEEDED:
            raise JobError(f"'{run.title}' ended as {run.state.lower()}: {run.error_message}", run.error_hint or "")
        return run

    def dataset(self, run_id: str) -> Dataset:
        """Wait for an import and return its dataset."""
        return datasets.get((self.done(run_id).result or {})["dataset_id"], access=self.access)

    def registered(self, binary: str, rival: str, number: str, text: str) -> tuple[str, str, str]:
        """Register the models, and return those of `binary`, `number` and `text`."""
        model = models.register(binary, name="Credit risk", notes="The first.", access=self.access)
        models.register(rival, name="Credit risk", notes="Without the applicant's sex.", access=self.access)
        models.promote(model.id, 1, why="It is more accurate than guessing.", access=self.access)
        for version in models.versions(model.id, access=self.access):
            for key, text_of_answer in ANSWERS.items():
                models.answer(version, key, text_of_answer, access=self.access)
        return (
            model.id,
            models.register(number, name="Diabetes progression", access=self.access).id,
            models.register(text, name="Sentiment", access=self.access).id,
        )


def build(*, base_model: str = "minilm-l6", access: Access) -> Demo:
    """Fill a workspace of this installation, and wait until all of it is there.

    Parameters
    ----------
    access : Access
        The workspace, and who acts in it.
    base_model : str, default="minilm-l6"
        Base model of the training: a packaged one, or a folder.

    Returns
    -------
    Demo
        Ids of what was made.

    Raises
    ------
    JobError
        When one of the runs does not succeed.
    """
    jobs.warm_up()
    builder = Builder(access=access)
    imports = (
        ingest.submit_sample("german_credit", access=access),
        ingest.submit_sample("diabetes", access=access),
        ingest.submit_upload(io.BytesIO(reviews().to_csv(index=False).encode()), "Product reviews.csv", access=access),
    )
    credit, diabetes, texts = (builder.dataset(run_id) for run_id in imports)

    quick = AutoMLSettings(
        target="credit",
        time_budget_s=None,
        max_trials=6,
        folds=2,
        learners=("lgbm", "xgboost", "xgb_limitdepth"),  # small files, which open fast
        sensitive_columns=("sex", "age"),
    )
    plain = {"max_trials": 3, "drop_columns": ("sex",), "learners": ("lgbm",), "ensemble": False, "explain": False}
    binary_id = automl.submit(credit, quick, access=access)
    rival_id = automl.submit(credit, quick.model_copy(update=plain), access=access)
    number_id = automl.submit(
        diabetes, quick.model_copy(update={"target": "progression", "sensitive_columns": ()}), access=access
    )
    text_id = finetune.submit(
        texts,
        FineTuneSettings(
            text_column="text",
            label_column="sentiment",
            base_model=base_model,
            epochs=1,
            learning_rate=1e-3,
            max_length=32,
            sensitive_columns=("length",),
        ),
        access=access,
    )
    checked_id = check.submit(credit, "credit", ["age", "sex"], access=access)

    binary, rival = builder.done(binary_id), builder.done(rival_id)
    policy = policies.keep(rival, "by sex", POLICY, access=access)
    exported_id = export.submit(binary, modes=("dynamic-int8",), access=access)
    rival_export_id = export.submit(rival, modes=("dynamic-int8",), policy=policy, access=access)
    mitigated_id = mitigate.submit(
        binary, MitigationSettings(sensitive_columns=("sex",), techniques=("reweighing",)), access=access
    )
    explained_id = explain.submit(rival, budget_s=8, access=access)
    text = builder.done(text_id)
    text_export_id = export.submit(text, modes=("dynamic-int8", "fp16"), access=access)
    lab = LatencySuiteSettings(
        variants=("fp32",),
        latency=LatencySettings(warmup_s=0.1, duration_s=0.5),
        native=True,
        slo=Slo(bound_ms=1_000, qps=50, percentile=90),
        sweep={"batch_size": [1, 4]},
    )
    measured_id = latency.submit(builder.done(exported_id), lab, access=access)
    text_lab = lab.model_copy(
        update={
            "variants": ("fp32", "dynamic-int8"),
            "slo": None,
            "sweep": {"sequence_length": [8, 16]},
            "roof": False,
            "profile": False,
        }
    )
    text_measured_id = latency.submit(builder.done(text_export_id), text_lab, access=access)
    objective = SmallestSettings(
        latency_ms=1_000,
        percentile=50,
        max_loss=0.5,
        forms=("dynamic-int8", "int4", "pruned"),
        lengths=(8,),
        short_s=0.1,
        long_s=0.3,
        rounds=2,
        contenders=2,
    )
    smallest_id = smallest.submit(builder.done(text_export_id), objective, access=access)

    number = builder.done(number_id)
    model, number_model, text_model = builder.registered(binary.id, rival.id, number.id, text.id)
    rows = load_sample("german_credit").frame.drop(columns="credit").head(200).to_csv(index=False).encode()
    version = models.resolve(model, access=access)
    scored_id = score.submit_upload(version, io.BytesIO(rows), "New applications.csv", access=access)
    return Demo(
        credit=credit.id,
        diabetes=diabetes.id,
        reviews=texts.id,
        binary=binary.id,
        number=number.id,
        rival=rival.id,
        checked=builder.done(checked_id).id,
        mitigated=builder.done(mitigated_id).id,
        explained=builder.done(explained_id).id,
        exported=exported_id,
        rival_export=builder.done(rival_export_id).id,
        text_export=text_export_id,
        measured=builder.done(measured_id).id,
        text_measured=builder.done(text_measured_id).id,
        smallest=builder.done(smallest_id).id,
        text=text.id,
        model=model,
        number_model=number_model,
        text_model=text_model,
        scored=builder.done(scored_id).id,
    )


def main(folder: Path) -> None:
    """Fill the workspace of one user in a folder, and say what was made."""
    os.environ["PLUMBLINE_HOME"] = str(folder.absolute())
    get_settings.cache_clear()  # default settings of what was imported may have read them already
    for name, made in asdict(build(access=LOCAL)).items():
        print(f"{name}: {made}")  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
