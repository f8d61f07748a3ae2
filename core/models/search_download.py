"""The download of a search, unpacked: it scores the rows of files as the installation that made it does."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.automl import load_model
from core.datasets import Finding, ReadOptions, Replay, read_table, store_frame
from core.edge.portable.rules import Rules
from core.errors import PlumblineError
from core.features import MISSING
from core.grammar import Reading
from core.models._fields import Field
from core.models._policy_applier import PolicyApplier
from core.models._predictors import TablePredictor
from core.models.column_report import ColumnReport, lost_cells
from core.models.scoring_pipeline import ScoringPipeline
from core.models.served_model import ServedModel
from core.rule_choices import RULE_FILE, RuleChoices, chosen_name
from core.spreadsheet import write_csv

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.pipeline import Pipeline

__all__ = ["DownloadedModel", "ScoredDownload", "main"]

_RESULT, _MODEL, _READING, _RECIPE = "result.json", "model.skops", "reading.json", "recipe.json"
_POLICIES = "policy-*.json"


@dataclass(frozen=True)
class ScoredDownload:
    """Rows that were scored.

    Parameters
    ----------
    table : DataFrame
        The columns of the file, then prediction, one probability per class and, with a policy, decision.
    findings : list of Finding, default=[]
        Differences of the rows from training.
    """

    table: pd.DataFrame
    findings: list[Finding] = field(default_factory=list)

    def to_csv(self, target: str | Path) -> None:
        """Write the table as CSV; cells that a spreadsheet would run are marked as text.

        Parameters
        ----------
        target : path
            File to write.
        """
        with tempfile.TemporaryDirectory(prefix="plumbline-") as folder:
            path = store_frame(self.table, Path(folder) / "table.parquet")
            written = write_csv(path, Path(folder) / "table.csv")
            Path(target).write_bytes(written.read_bytes())


@dataclass(frozen=True)
class DownloadedModel:
    """The model in the folder of a search.

    Parameters
    ----------
    folder : Path
        The folder.
    """

    folder: Path

    @cached_property
    def policies(self) -> dict[str, dict[str, Any]]:
        """Policies that were stored with the search, by the name of their file."""
        paths = sorted(self.folder.glob(_POLICIES))
        return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in paths}

    @cached_property
    def rule_choices(self) -> RuleChoices:
        """Choices of the rule in force; a download of an earlier version has none."""
        path = self.folder / RULE_FILE
        return RuleChoices.from_json(path.read_bytes()) if path.is_file() else RuleChoices()

    @cached_property
    def _model(self) -> Pipeline:
        return load_model(self.folder / _MODEL)

    @cached_property
    def _labels(self) -> list[str] | None:
        labels = json.loads((self.folder / _RESULT).read_text(encoding="utf-8"))["labels"]
        return None if labels is None else [str(label) for label in labels]

    @cached_property
    def _grammar(self) -> Reading:
        path = self.folder / _READING
        return Reading.from_json(path.read_text(encoding="utf-8")) if path.is_file() else Reading()

    @cached_property
    def _replay(self) -> Replay | None:
        path = self.folder / _RECIPE
        return Replay.from_dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None

    def score(self, source: str | Path, *, policy: str | None = None, row_id: str | None = None) -> ScoredDownload:
        """Score the rows of a file, which is read as the training file was.

        Parameters
        ----------
        source : path
            A file in any format that `read_table` takes.
        policy : str, optional
            Name of the file of a policy; by default the one in force. "none" makes no decisions.
        row_id : str, optional
            Column of unique ids, for a policy that draws some decisions at random; by default "row_id".

        Raises
        ------
        InputError
            When the file cannot be read, or a column that the model or the policy needs is absent.
        """
        name = chosen_name(list(self.policies), policy, self.rule_choices)
        pipeline = ScoringPipeline(
            model_fields(self._model),
            formats=self._grammar.formats(),
            replay=self._replay,
            applier=None if name is None else PolicyApplier(name, Rules(self.policies[name]), self._labels),
        )
        markers = self._grammar.missing_values
        rows = read_table(
            source,
            like=self._grammar.like(),
            options=None if markers is None else ReadOptions(missing_values=markers),
        )
        output = ServedModel(TablePredictor(self._model), pipeline).score(rows.frame, row_id)
        others = [*output.prepared.unread, *output.groups]
        findings = pipeline.findings(_by_name(output.prepared.reports), _by_name(others), output.unknown_groups)
        findings = [finding for finding in findings if finding.check != "missing"]  # no shares of training are known
        table = rows.frame
        for column in output.table.columns:
            title = str(column)
            while title in table.columns:  # the file has a column of this name of its own
                title += " (model)"
            table = table.assign(**{title: output.table[column]})
        return ScoredDownload(table, [*lost_cells(rows.report), *findings])


def main(arguments: Sequence[str], folder: Path) -> None:
    """Run the command of the download.

    Parameters
    ----------
    arguments : sequence of str
        Arguments of the command.
    folder : Path
        Folder of the search.

    Raises
    ------
    SystemExit
        With a message, when the rows cannot be predicted.
    """
    parser = argparse.ArgumentParser(prog="predict.py", description="Predict the rows of a file.")
    parser.add_argument("source", help="a table: CSV, Parquet, Excel, JSON")
    parser.add_argument("target", help="the CSV file to write")
    parser.add_argument(
        "--policy", metavar="NAME", help="file of the policy that decides, or none (default: the rule in force)"
    )
    parser.add_argument("--id", metavar="COLUMN", help="column of unique ids, where a policy draws decisions")
    chosen = parser.parse_args(arguments)
    try:
        scored = DownloadedModel(folder).score(chosen.source, policy=chosen.policy, row_id=chosen.id)
        scored.to_csv(chosen.target)
    except PlumblineError as error:
        sys.exit(f"{error.message} {error.hint}")
    for finding in scored.findings:
        print(f"{finding.level}: {finding.message} {finding.hint}".rstrip(), file=sys.stderr)  # noqa: T201
    print(f"{len(scored.table):,} rows predicted: {chosen.target}")  # noqa: T201


def model_fields(model: Pipeline) -> list[Field]:
    """Return the columns that a fitted pipeline reads, with their categories.

    Parameters
    ----------
    model : Pipeline
        Pipeline whose first step is the encoder of a search.
    """
    encoder = model.steps[0][1]
    known: dict[str, tuple[str, ...]] = {}
    for _, transformer, names in encoder.encoder_.transformers_:
        for name, categories in zip(names, getattr(transformer, "categories_", ()), strict=False):
            known[name] = tuple(text for text in map(str, categories) if text != MISSING)
    return [
        Field(name, kind, choices=known.get(name, ()), complete=name in known)
        for name, kind in zip(encoder.columns_, encoder.kinds_, strict=True)
    ]


def _by_name(reports: list[ColumnReport]) -> Mapping[str, ColumnReport]:
    return {report.name: report for report in reports}
