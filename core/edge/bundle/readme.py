"""The README of an edge bundle."""

from __future__ import annotations

from collections.abc import Sequence

from core.edge.export.metadata import Metadata
from core.edge.export.onnx_model import OnnxModel

__all__ = ["readme"]

_FORMS = {
    "number": "a number such as `1234.5`",
    "boolean": "`true` or `false`",
    "category": "a word",
    "text": "free text",
    "date": "`2024-12-31` or `2024-12-31T23:59:00`, of UTC unless it names a zone",
}


def readme(model: OnnxModel, metadata: Metadata, needs: Sequence[str]) -> str:
    """Return the README: commands, what goes in, what comes out, and how equal the model was found to be."""
    parts = [_head(metadata, needs), _inputs(metadata), _outputs(metadata), _parity(model)]
    return "\n".join(part for part in parts if part)


def _head(metadata: Metadata, needs: Sequence[str]) -> str:
    about = f" of `{metadata.target}`" if metadata.target else ""
    source = "rows.csv" if metadata.kind == "table" else "texts.txt"
    return f"""# A model{about} for the edge

`model.onnx` ({metadata.variant}) answers with {" and ".join(needs)} alone; Python 3.11 or newer.

    pip install -r requirements.txt
    python predict.py {source} predictions.csv

Check that this machine answers as the one that made the bundle:

    python predict.py --check

`sample_input.csv` and `expected_output.csv` show what goes in and comes out. `model_card.md` says what the model is for
and how good it is, `LICENSE` how it may be used.
"""


def _inputs(metadata: Metadata) -> str:
    if metadata.kind == "text":
        limit = (
            "" if metadata.max_length is None else f" The model reads the first {metadata.max_length} tokens of each."
        )
        groups = _group_columns(metadata)
        extra = f" It needs the columns {groups} too, for the policy." if groups else ""
        return f"""## What goes in

A text file with one text a line, or a CSV file with the column `text` (another one: `--text COLUMN`).{limit}{extra}
"""
    rows = "\n".join(f"| `{column.name}` | {_FORMS[column.kind]} |" for column in metadata.columns)
    groups = _group_columns(metadata)
    extra = f"\nFor the policy it needs {groups} as well.\n" if groups else ""
    return f"""## What goes in

A CSV file (UTF-8; comma, semicolon, tab or bar) with a header. The columns may be in any order, beside others. An empty
cell, or `NA`, `nan`, `?` and the like, is missing.

| column | holds |
|---|---|
{rows}
{extra}"""


def _group_columns(metadata: Metadata) -> str:
    return ", ".join(f"`{name}`" for name in metadata.policy["columns"]) if metadata.policy else ""


def _outputs(metadata: Metadata) -> str:
    text = "## What comes out\n\n`label`"
    text += ", the number." if metadata.labels is None else ", and `p(...)`, the probability of each label."
    if metadata.policy:
        columns = " and ".join(f"`{name}`" for name in metadata.policy["columns"])
        drawn = any(len(rule) > 1 for rule in metadata.policy["rules"].values())
        text += f" `decision` (1 is selected) follows thresholds by {columns}."
        if drawn:
            text += (
                " Some decisions are drawn: by a hash of the row's id, so that the same id is always decided alike. The"
                " ids are in the column `row_id` (another one: `--id COLUMN`) and must be unique."
            )
    return f"{text} Words that a spreadsheet would run as a formula get a `'` in front.\n"


def _parity(model: OnnxModel) -> str:
    lines = []
    for part, found in model.parity.items():
        if {"rows", "largest_difference", "label_flips"} <= set(found):
            cells = (
                part.replace("_", " "),
                f"{found['rows']:,}",
                f"{found['largest_difference']:.2g}",
                f"{found['label_flips']:,}",
            )
            lines.append(f"| {' | '.join(cells)} |\n")
    if not lines:
        return ""
    head = "| rows | compared | largest difference | other labels |\n|---|---|---|---|\n"
    return f"## How equal it is to the model it was made from\n\n{head}{''.join(lines)}"
