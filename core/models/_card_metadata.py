"""Hugging Face's metadata of a model card, with ``model-index``: https://huggingface.co/docs/hub/model-cards."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import JsonValue

from core.evaluation import METRICS
from core.models._evidence import RunEvidence

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

__all__ = ["card_metadata", "front_matter"]

_METRIC_TYPES = {"f1_macro": "f1", "f1_weighted": "f1", "r2": "r_squared"}


def card_metadata(evidence: RunEvidence, title: str, license_name: str | None) -> dict[str, JsonValue]:
    """Return the metadata; its metrics are those of the test rows, each with its interval among its arguments.

    Parameters
    ----------
    evidence : RunEvidence
        The run that made the model.
    title : str
        Title of the card.
    license_name : str or None
        The answer to the question about the license; left out where it is not an SPDX name.
    """
    from huggingface_hub import ModelCardData

    tag, task = evidence.kind.classification if evidence.labels is not None else evidence.kind.regression
    results = _eval_results(evidence, tag, task)
    data = ModelCardData(
        base_model=_hub_name(evidence),
        library_name=evidence.kind.library,
        license=license_name.lower() if license_name and re.fullmatch(r"[A-Za-z0-9.+-]{1,40}", license_name) else None,
        pipeline_tag=tag,
        tags=["plumbline", tag],
        metrics=list(dict.fromkeys(result.metric_type for result in results)) or None,
        model_name=title if results else None,
        eval_results=results or None,
    )
    return dict(data.to_dict())


def front_matter(metadata: Mapping[str, JsonValue]) -> str:
    """Return metadata as the YAML that stands in front of a Markdown card."""
    from huggingface_hub import CardData

    data = CardData()
    for key, value in metadata.items():
        data[key] = value
    return data.to_yaml()


def _hub_name(evidence: RunEvidence) -> str | None:
    """Return the name of the base model on the Hugging Face hub, or None when it did not come from there."""
    base = evidence.result.base_model
    return base.name if base is not None and re.fullmatch(r"[\w.-]+/[\w.-]+", base.name) else None


def _eval_results(evidence: RunEvidence, tag: str, task: str) -> list[EvalResult]:
    from huggingface_hub import EvalResult

    dataset = evidence.dataset
    return [
        EvalResult(
            task_type=tag,
            task_name=task,
            dataset_type="text" if evidence.reads_text else "tabular",
            dataset_name=evidence.run.title if dataset is None else dataset.name,
            dataset_split="test",
            dataset_revision=evidence.fingerprint,
            metric_type=_METRIC_TYPES.get(name, name),
            metric_value=estimate.value,
            metric_name=METRICS[name].title,
            metric_args={"low": estimate.low, "high": estimate.high, "confidence": 0.95, "n": estimate.n},
        )
        for name, estimate in evidence.result.test_metrics.items()
        if estimate.value is not None
    ]
