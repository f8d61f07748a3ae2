"""The families of transformers that are tested here, and what each of them cannot do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.finetune.base_model import BaseModel
from core.registry import Registry

__all__ = ["FAMILIES", "OPERATIONS", "Family", "families_table", "family_note"]

OPERATIONS = {
    "classify": "Classes",
    "regress": "Numbers",
    "lora": "LoRA",
    "freeze": "Frozen layers",
    "resume": "Pause and resume",
    "export": "ONNX, playground, bundle",
}
"""What is done with a base model, by name, with the titles of the columns in README."""

_SHARED = "its layers share their weights"
_NO_CONSTANT = "numbers near 0 only: its last layer has no constant"
_WINDOWS = "its windows depend on the length of a text, which torch cannot export"
_BATCH = "its answers depend on the texts of the same batch"


@dataclass(frozen=True)
class Family:
    """A family of transformers.

    Parameters
    ----------
    name : str
        The model_type of its configurations.
    title : str
        The name that pages show.
    limits : mapping of str to str, default={}
        Reason why it cannot do an operation, or not wholly, by the name of the operation.
    """

    name: str
    title: str
    limits: Mapping[str, str] = field(default_factory=dict)


FAMILIES: Registry[Family] = Registry(
    "family of transformers",
    [
        Family("bert", "BERT"),
        Family("distilbert", "DistilBERT"),
        Family("roberta", "RoBERTa"),
        Family("xlm-roberta", "XLM-RoBERTa"),
        Family("camembert", "CamemBERT"),
        Family("deberta-v2", "DeBERTa-v3"),
        Family("albert", "ALBERT", {"freeze": _SHARED}),
        Family("mpnet", "MPNet"),
        Family("modernbert", "ModernBERT"),
        Family("longformer", "Longformer", {"export": _WINDOWS}),
        Family("xlnet", "XLNet"),
        Family("bart", "BART"),
        Family("t5", "T5"),
        Family("gpt2", "GPT-2", {"regress": _NO_CONSTANT}),
        Family("qwen2", "Qwen2", {"regress": _NO_CONSTANT}),
        Family("llama", "Llama", {"regress": _NO_CONSTANT}),
        Family("fnet", "FNet", {"export": _BATCH}),
    ],
)


def family_note(base: BaseModel) -> str:
    """Return what its family means for a base model: limits, or that the family is not a tested one; else nothing.

    Parameters
    ----------
    base : BaseModel
        A base model; of one that is not downloaded yet nothing is known.
    """
    file = Path(base.path or "") / "config.json"
    if base.path is None or not file.is_file():
        return ""
    name = str(json.loads(file.read_text(encoding="utf-8")).get("model_type", ""))
    if name not in FAMILIES:
        return f"Its family ('{name}') is not one of those that are tested: a training tries it before it begins."
    family = FAMILIES[name]
    limits = [f"{OPERATIONS[operation]}: {reason}" for operation, reason in family.limits.items()]
    return f"Limits of {family.title}. {'. '.join(limits)}." if limits else ""


def families_table() -> str:
    """Return the table of families in README, in Markdown."""
    head = ["Family", *OPERATIONS.values()]
    rows = [[family.title, *(family.limits.get(name, "yes") for name in OPERATIONS)] for family in FAMILIES.values()]
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
