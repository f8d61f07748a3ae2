"""The README of an edge bundle."""

from __future__ import annotations

from collections.abc import Sequence

from core.edge.bundle.proof import BUNDLE_ROWS
from core.edge.bundle.render import render
from core.edge.export.metadata import Column, Metadata
from core.edge.export.onnx_model import OnnxModel
from core.edge.export.parity import Parity
from core.edge.portable.rules import Rules
from core.plain_text import markdown_code

__all__ = ["readme"]

_FORMS = {
    "number": "a number such as `1234.5`",
    "boolean": "`true` or `false`",
    "category": "a word",
    "text": "free text",
    "date": "`2024-12-31` or `2024-12-31T23:59:00`, in UTC unless it names a zone",
}


def _form(column: Column) -> str:
    """Return how a cell of a column is written, as in the training file."""
    written = column.written or {}
    if "dates" in written:
        return f"a date written as `{written['dates'][0][0]}`"
    if "number" in written and column.kind == "number":
        example = f"1{written['thousands']}234{written['decimal']}5"
        return f"a number such as `{example}`, with or without its currency or unit"
    return _FORMS[column.kind]


def readme(
    model: OnnxModel, metadata: Metadata, packages: Sequence[str], proof: Parity, *, compares_decisions: bool = False
) -> str:
    """Return the README: commands, input, output, and the parity with the model.

    Parameters
    ----------
    model : OnnxModel
        The exported model.
    metadata : Metadata
        Metadata of the bundle's model.
    packages : sequence of str
        Packages that it needs.
    proof : Parity
        Proof of the bundle's own reading, see `prove_reading`.
    compares_decisions : bool, default=False
        Whether the expected decisions are those of the original model.
    """
    keys = {"rows", "largest_difference", "label_flips"}
    rules = None if metadata.policy is None else Rules(metadata.policy)
    return render(
        "README.md.jinja",
        metadata=metadata,
        packages=packages,
        proof=proof,
        compares_decisions=compares_decisions,
        forms={column.name: _form(column) for column in metadata.columns},
        group_columns=[markdown_code(name) for name in rules.columns] if rules else [],
        randomized=rules is not None and rules.randomized,
        parity={part: result for part, result in model.parity.items() if keys <= set(result) and part != BUNDLE_ROWS},
    )
