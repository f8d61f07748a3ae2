"""Hugging Face's metadata of a model card, with ``model-index``: https://huggingface.co/docs/hub/model-cards."""

from __future__ import annotations

import re
from typing import Any

from core.automl import METRICS
from core.models._evidence import Evidence

__all__ = ["metadata"]

_TASKS = {
    ("table", True): ("tabular-classification", "Tabular classification"),
    ("table", False): ("tabular-regression", "Tabular regression"),
    ("text", True): ("text-classification", "Text classification"),
    ("text", False): ("text-classification", "Text regression"),
}
_NAMES = {"f1_macro": "f1", "f1_weighted": "f1", "rmse": "rmse", "mae": "mae", "r2": "r_squared"}


def metadata(evidence: Evidence, title: str, answers: dict[str, Any]) -> dict[str, Any]:
    """Return the metadata; figures are those of the test rows, each with its interval among its arguments."""
    result = evidence.result
    task, told = _TASKS[evidence.kind, evidence.labels is not None]
    found: dict[str, Any] = {"pipeline_tag": task, "tags": ["plumbline", task]}
    found["library_name"] = "sklearn" if evidence.kind == "table" else "transformers"
    if "licence" in answers and re.fullmatch(r"[A-Za-z0-9.+-]{1,40}", answers["licence"]["text"]):
        found["license"] = answers["licence"]["text"].lower()
    if evidence.kind == "text" and "/" in str(result["base_model"]["name"]).strip("/"):
        name = str(result["base_model"]["name"])
        found |= {"base_model": name} if re.fullmatch(r"[\w.-]+/[\w.-]+", name) else {}
    metrics = [
        {
            "type": _NAMES.get(name, name),
            "value": each["value"],
            "name": METRICS[name].title,
            "args": {"low": each["low"], "high": each["high"], "confidence": 0.95, "n": each["n"]},
        }
        for name, each in result["test_metrics"].items()
        if each["value"] is not None
    ]
    if metrics:
        found["metrics"] = list(dict.fromkeys(each["type"] for each in metrics))
        dataset = {
            "name": evidence.run.title if evidence.dataset is None else evidence.dataset.name,
            "type": "tabular" if evidence.kind == "table" else "text",
            "split": "test",
            "revision": evidence.fingerprint,
        }
        results = [{"task": {"type": task, "name": told}, "dataset": dataset, "metrics": metrics}]
        found["model-index"] = [{"name": title, "results": results}]
    return found
