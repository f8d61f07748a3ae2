"""``data_prep``: a table read, prepared by a recipe, and checked."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputError
from core.pipelines.shipped.command import Arguments, log, run_component, write_report
from core.pipelines.tables import DataTable, choose_target, read_data, write_data

if TYPE_CHECKING:
    import pandas as pd

    from core.datasets import Effect, Recipe

__all__ = ["main"]

_MAX_RECIPE_BYTES = 2_000_000


def main(argv: Sequence[str] | None = None) -> int:
    """Run the component."""
    return run_component("data_prep", _work, argv)


def _work(arguments: Arguments) -> None:
    from core.datasets import Limits, check, profile, store_frame

    table = read_data(arguments.path("raw_data"))
    log(f"Read {len(table.frame):,} rows and {len(table.frame.columns):,} columns.", *table.notes)
    recipe_file = arguments.optional_path("recipe")
    effects: tuple[Effect, ...] = ()
    lines: list[str] = []
    if recipe_file is None:
        prepared, change = table, "No recipe was given: the table was read and checked, and not changed."
    else:
        recipe = _read_recipe(recipe_file)
        prepared, effects, fitted = _prepare(table, recipe)
        change = f"{len(recipe.steps):,} steps of the recipe were applied."
        described_steps = [step.describe() for step in recipe.steps]
        lines = [f"{said}: {effect.summary}." for said, effect in zip(described_steps, effects, strict=True)]
        lines += [
            f"{said}: what it fills in or how it reads cells was learned from all rows, those held out later too."
            for said, before, after in zip(described_steps, recipe.steps, fitted.steps, strict=True)
            if before.to_dict() != after.to_dict()
        ]
    log(change, *(f"  {line}" for line in lines))
    target = choose_target(prepared, arguments.text("target"))
    log(target.sentence)
    described = replace(prepared.description, target=target.name, target_reason=target.reason)
    findings = check(prepared.frame, target.name, sensitive=described.sensitive)
    shown = [finding for finding in findings if finding.level != "passed"]
    log(*(f"{finding.level}: {finding.message} {finding.hint}".rstrip() for finding in shown))
    folder = arguments.path("prepared_data")
    described = write_data(folder, prepared.frame, described)
    with tempfile.TemporaryDirectory(prefix="plumbline-") as scratch:
        path = store_frame(prepared.frame, Path(scratch) / "table.parquet")
        facts = profile(path, limits=Limits(memory_mb=0)).to_dict()  # the file is our own
    write_report(
        folder,
        "data_prep",
        rows={"read": len(table.frame), "written": len(prepared.frame)},
        target=target.name,
        target_reason=target.reason,
        change=change,
        notes=[*table.notes, *lines],
        steps=[effect.to_dict() for effect in effects],
        findings=[finding.to_dict() for finding in findings],
        fingerprint=described.fingerprint,
        profile=facts,
    )
    log(f"Wrote {len(prepared.frame):,} rows and {len(prepared.frame.columns):,} columns.")


def _read_recipe(file: Path) -> Recipe:
    from core.datasets import Recipe

    files = [item for item in sorted(file.iterdir()) if item.is_file()] if file.is_dir() else [file]
    if len(files) != 1:
        raise InputError(f"The folder '{file.name}' has {len(files)} files.", "Give the file of the recipe.")
    if files[0].stat().st_size > _MAX_RECIPE_BYTES:
        raise InputError("The recipe is too large.", "A recipe has at most 200 steps.")
    text = files[0].read_text(encoding="utf-8", errors="replace")
    if not text.lstrip().startswith("{"):
        return Recipe.from_yaml(text)
    try:
        return Recipe.from_dict(json.loads(text))
    except ValueError as error:
        raise InputError(f"The recipe is not JSON: {error}.", "Export one to see how it is written.") from None


def _prepare(table: DataTable, recipe: Recipe) -> tuple[DataTable, tuple[Effect, ...], Recipe]:
    """Return the table that a recipe makes, with roles under new names, what each step changed, and learned."""
    from core.datasets import Replay, apply_recipe, column_types, store_frame

    if recipe.dataset_ids():
        raise InputError("The recipe joins or appends another table.", "Take these steps out: this step has one table.")
    with tempfile.TemporaryDirectory(prefix="plumbline-") as scratch:
        source = store_frame(table.frame, Path(scratch) / "source.parquet")
        types = {name: kind for name, kind in column_types(source).items() if name in recipe.inputs()}
        prepared = apply_recipe(source, recipe)
    frame: pd.DataFrame = prepared.frame
    renamed = {old: new for effect in prepared.effects for old, new in effect.renamed.items()}
    described = table.description.with_columns(map(str, frame.columns), renamed)
    earlier = table.description.steps
    if earlier is None:
        described = replace(described, steps=Replay(prepared.fitted, types).to_dict())
    else:
        before = Replay.from_dict(earlier)
        both = type(recipe)([*before.recipe.steps, *prepared.fitted.steps])
        described = replace(described, steps=Replay(both, {**types, **before.types}).to_dict())
    return replace(table, frame=frame, description=described), prepared.effects, prepared.fitted


if __name__ == "__main__":
    sys.exit(main())
