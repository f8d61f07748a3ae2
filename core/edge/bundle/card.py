"""The model card of an edge bundle: what was measured of the variant in it, and what nobody has said yet."""

from __future__ import annotations

from typing import Any

__all__ = ["bundle_card"]

_NAMES = {"accuracy": "Accuracy", "roc_auc": "ROC AUC", "r2": "R²", "rmse": "RMSE"}


def bundle_card(found: dict[str, Any], variant: str) -> str:
    """Return the card as Markdown.

    Parameters
    ----------
    found : dict
        What an export's ``edge.json`` holds.
    variant : str
        Name of the variant.
    """
    chosen = next(item for item in found["variants"] if item["name"] == variant)
    parts = [_head(found, chosen), _quality(found, chosen), _parity(found), _change(chosen), _gaps(found)]
    return "\n".join(part for part in parts if part)


def _head(found: dict[str, Any], chosen: dict[str, Any]) -> str:
    decides = "by a threshold policy in the file" if found["policy"] else "by the label with the highest probability"
    what = "texts" if found["kind"] == "text" else "rows of a table"
    labels = (
        "" if found["labels"] is None else f" Its labels are {', '.join(f'`{label}`' for label in found['labels'])}."
    )
    return f"""# Model card: {found["source"]["title"]}

It predicts `{found["target"]}` from {what} ({found["task"]}).{labels}

* Variant: {chosen["name"]}, {chosen["size_bytes"]:,} bytes
* Learned from {found["rows"]["train"]:,} rows; {found["rows"]["held_out"]:,} rows were held out
* Fingerprint of the table (SHA-256): `{found["fingerprint"]}`
* Decisions: {decides}
"""


def _quality(found: dict[str, Any], chosen: dict[str, Any]) -> str:
    if not chosen["metrics"]:
        return "## How good it is\n\nNo row was held out, so nothing is known of that.\n"
    lines = [
        f"| {_NAMES.get(name, name)} | {item['value']:.4f} | {item['low']:.4f} to {item['high']:.4f} | {item['n']:,} |"
        for name, item in chosen["metrics"].items()
    ]
    return "## How good it is\n\nOn rows that it did not learn from, with 95 % intervals.\n\n" + "\n".join(
        ["| Metric | Value | Interval | Rows |", "|---|---|---|---|", *lines, ""]
    )


def _parity(found: dict[str, Any]) -> str:
    lines = [
        f"| {part.replace('_', ' ')} | {item['rows']:,} | {item['largest_difference']:.2g} | {item['label_flips']:,} |"
        for part, item in found["model"]["parity"].items()
    ]
    return "## Equal to the model that was trained\n\nOf the fp32 file.\n\n" + "\n".join(
        ["| Rows | Compared | Largest difference | Other labels |", "|---|---|---|---|", *lines, ""]
    )


def _change(chosen: dict[str, Any]) -> str:
    compared = chosen["comparison"]
    if compared is None:
        return ""
    lines = [
        f"* {_NAMES.get(name, name)}: {item['value']:+.4f} [{item['low']:+.4f}, {item['high']:+.4f}] against fp32"
        for name, item in compared["gains"].items()
    ]
    if compared["equal_labels"] is not None:
        equal = compared["equal_labels"]
        lines.append(
            f"* Same label on {equal['value']:.2%} of {equal['n']:,} rows [{equal['low']:.2%}, {equal['high']:.2%}]"
        )
    return "## What quantising cost\n\n" + "\n".join([*lines, ""])


def _gaps(found: dict[str, Any]) -> str:
    return """## What nobody has said yet

* What it may be used for, and what not
* Whom its decisions are about, and who answers for them
* How the rows were collected, and whether they are like those it will see
"""
