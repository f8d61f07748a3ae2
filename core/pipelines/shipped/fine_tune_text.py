"""``fine_tune_text``: a pre-trained model, fine-tuned on a column of text."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from core.columns import require_columns
from core.errors import InputError
from core.pipelines.shipped.command import Arguments, log, log_event, run_component, write_metrics
from core.pipelines.shipped.model_folder import DATA, ModelFacts, write_model_folder
from core.pipelines.shipped.training import read_settings, read_training

if TYPE_CHECKING:
    import pandas as pd

    from core.finetune import FineTuneSettings
    from core.pipelines.tables import DataTable

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the component."""
    return run_component("fine_tune_text", _work, argv)


def _work(arguments: Arguments) -> None:
    from core.finetune import FineTuneSettings, fine_tune

    file = arguments.optional_path("settings")
    stored = None if file is None else FineTuneSettings.model_validate(read_settings(file))
    asked = arguments.text("target") if stored is None else stored.label_column
    table, target = read_training(arguments.path("training_data"), asked)
    settings = _settings(arguments, table, target.name) if stored is None else stored
    with tempfile.TemporaryDirectory(prefix="plumbline-") as scratch:
        result = fine_tune(table.frame, settings, output_dir=scratch, report=log_event)
        folder = arguments.path("model")
        result.save(folder / DATA)
    for finding in result.findings:
        log(f"{finding.level}: {finding.message} {finding.hint}".rstrip())
    write_model_folder(
        folder,
        table,
        target,
        ModelFacts(
            "text",
            settings.text_columns,
            result.labels,
            result.packages,
            "fine_tune_text",
            max_length=settings.max_length,
            batch_size=settings.eval_batch_size,
        ),
    )
    evaluated = [line for line in result.history if line.get("eval_loss") is not None]
    last: Mapping[str, object] = evaluated[-1] if evaluated else {}
    write_metrics({name: value for name, value in last.items() if isinstance(value, int | float)})


def _settings(arguments: Arguments, table: DataTable, target: str) -> FineTuneSettings:
    """Return the settings that the inputs say."""
    from core.finetune import FineTuneSettings

    text_column, reason = _text_column(table.frame, arguments.text("text_column"), target)
    log(f"Texts: '{text_column}' ({reason}).")
    return FineTuneSettings(
        text_column=text_column,
        label_column=target,
        base_model=str(arguments.text("base_model")),
        epochs=arguments.integer("epochs"),
        max_steps=arguments.values["max_steps"],
        train_batch_size=arguments.integer("train_batch_size"),
        learning_rate=arguments.number("learning_rate"),
        max_length=arguments.integer("max_length"),
        seed=arguments.integer("seed"),
        test_fraction=0,  # a pipeline holds out test rows before
        sensitive_columns=tuple(name for name in table.description.sensitive if name not in (text_column, target)),
    )


def _text_column(frame: pd.DataFrame, named: str | None, target: str) -> tuple[str, str]:
    """Return the column of texts, and why it is this one."""
    from pandas.api import types

    if named is not None:
        require_columns(frame.columns, [named])
        return named, "named as the column of texts"
    lengths = {
        str(name): float(frame[name].dropna().astype(str).str.len().mean())
        for name in frame.columns
        if name != target and types.is_string_dtype(frame[name].dropna()) and frame[name].notna().any()
    }
    if not lengths:
        raise InputError("The table has no column of texts.", "Name one in text_column.")
    return max(lengths, key=lengths.__getitem__), "the column with the longest texts, because none was named"


if __name__ == "__main__":
    sys.exit(main())
