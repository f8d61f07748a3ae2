"""``feature_engineering``: test rows held out, then the features chosen on the training rows alone.

Columns keep their values: the model encodes them (a date as its parts, a category as columns), so that it takes new
rows as people have them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from core.errors import InputError
from core.pipelines.shipped.command import Arguments, log, run_component, write_report
from core.pipelines.tables import PARTS, choose_target, read_data, write_data

if TYPE_CHECKING:
    from core.features import ColumnPlan

__all__ = ["main"]

_ENCODINGS = {
    "number": "a number; the median replaces missing ones",
    "boolean": "0 and 1",
    "category": "a column per value, or ranks by frequency where there are many",
    "date": "seconds since 1970 and {parts}",
    "text": "weights of its words",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the component."""
    return run_component("feature_engineering", _work, argv)


def _work(arguments: Arguments) -> None:
    from core.automl import AutoMLSettings, prepare
    from core.datasets import whole_numbers

    table = read_data(arguments.path("input_data"))
    if table.part is not None:
        raise InputError("The table is split already.", "Give the table before the split.")
    target = choose_target(table, arguments.text("target"))
    known = table.description
    time, group = arguments.text("time_column") or known.time, arguments.text("group_column") or known.group
    log(f"Read {len(table.frame):,} rows and {len(table.frame.columns):,} columns.", *table.notes, target.sentence)
    settings = AutoMLSettings(
        target=target.name,
        test_fraction=arguments.number("test_fraction"),
        seed=arguments.integer("seed"),
        time_column=time,
        group_column=group,
        drop_columns=tuple(name for name in known.ignore if name != target.name),
        positive_label=known.positive,
    )
    prepared = prepare(table.frame, settings)
    method = _split_method(settings.test_fraction, time, group)
    # Codes that are floats since rows lack them are whole once these rows are gone, as a search takes them.
    frame = table.frame.assign(**{target.name: whole_numbers(table.frame[target.name])})
    counts = {"read": len(table.frame), "train": len(prepared.train_rows), "test": len(prepared.test_rows)}
    held_out = f"{counts['test']:,} test rows are held out {method}" if counts["test"] else method
    log(f"{held_out}; {counts['train']:,} rows are for training.")
    for finding in prepared.findings:
        if finding.check == "left_out":
            continue  # listed below, with the other columns
        log(f"{finding.message} {finding.hint}".rstrip())
    plan = prepared.encoder.plan_
    roles = [*known.sensitive, *(name for name in (time, group) if name is not None)]
    wanted = {*prepared.encoder.columns_, target.name, *roles}
    kept = [str(name) for name in table.frame.columns if name in wanted]
    described = replace(
        known,
        target=target.name,
        target_reason=target.reason,
        time=time,
        group=group,
        split={"method": method, "seed": settings.seed, "test_fraction": settings.test_fraction, "rows": counts},
    )
    folder = arguments.path("features")
    for part, rows in zip(PARTS, (prepared.train_rows, prepared.test_rows), strict=True):
        write_data(folder, frame[kept].iloc[rows], described, part=part)
    columns = _columns(plan, roles)
    columns += [
        {"column": name, "use": "left out", "reason": "the dataset says that a model must not use it"}
        for name in settings.drop_columns
    ]
    log(*(f"'{item['column']}' is left out: {item['reason']}." for item in columns if item["use"] == "left out"))
    write_report(
        folder,
        "feature_engineering",
        rows=counts,
        split=method,
        target=target.name,
        target_reason=target.reason,
        task=prepared.task,
        columns=columns,
        notes=table.notes,
        findings=[finding.to_dict() for finding in prepared.findings],
    )


def _split_method(fraction: float, time: str | None, group: str | None) -> str:
    if fraction == 0:
        return "No test rows are held out, since test_fraction is 0"
    if time is not None:
        return f"by time: the latest by '{time}'"
    if group is not None:
        return f"by group: whole groups of '{group}'"
    return "at random, with the same mix of the target"


def _columns(plan: Sequence[ColumnPlan], roles: Sequence[str]) -> list[dict[str, str]]:
    """Return what becomes of each column, and why."""
    from core.features import DATE_PARTS

    records = []
    for item in plan:
        if item.kind != "left out":
            encoding = _ENCODINGS[item.kind].format(
                parts=", ".join(part.replace("dayof", "day of ") for part in DATE_PARTS)
            )
            records.append({"column": item.name, "use": item.kind, "encoded_as": encoding})
            continue
        record = {"column": item.name, "use": "left out", "reason": item.reason}
        if item.name in roles:
            record["kept_for"] = "its role"
        records.append(record)
    return records


if __name__ == "__main__":
    sys.exit(main())
