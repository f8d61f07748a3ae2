"""New rows as the model's training table had them: cells read by their format, prepared by the steps, typed by column.

It is the same wherever a model scores: by the registry, in MLflow's format, and in the download of a search.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import InputError
from core.models._fields import Field, FieldKind
from core.models._intake import read_rows
from core.models.column_report import MAX_EXAMPLES, ColumnReport
from core.models.written_cells import WrittenFormat, drop_texts, read_frame

if TYPE_CHECKING:
    import pandas as pd

    from core.datasets import Finding, Replay

__all__ = ["PreparedRows", "RowPreparer"]

_KINDS: Mapping[object, FieldKind] = {
    "boolean": "boolean",
    "integer": "number",
    "number": "number",
    "date": "date",
    "timestamp": "date",
}


def _markers(item: WrittenFormat) -> list[str]:
    """Return the texts that mean a missing value."""
    markers = item["missing"]
    assert isinstance(markers, list)
    return markers


@dataclass(frozen=True)
class PreparedRows:
    """Rows that are ready to score.

    Parameters
    ----------
    frame : DataFrame
        All columns after the steps.
    cells : DataFrame
        The columns of the fields, with the types of training.
    reports : list of ColumnReport
        Differences of each field from training.
    unread : list of ColumnReport
        Columns that only the steps read, with cells that have no value of the type of training.
    """

    frame: pd.DataFrame
    cells: pd.DataFrame
    reports: list[ColumnReport]
    unread: list[ColumnReport]


class RowPreparer:
    """Prepares new rows as the training table was prepared.

    Parameters
    ----------
    fields : sequence of Field
        Columns that are needed after the steps.
    formats : mapping of str to dict, optional
        Format in which the training file had the cells, by column: cells that are still text are read so.
    replay : Replay, optional
        Row-wise steps between the file and the training table.

    Attributes
    ----------
    markers : dict of str to list of str
        Texts that mean a missing value, by column of text.
    """

    def __init__(
        self,
        fields: Sequence[Field],
        formats: Mapping[str, WrittenFormat] | None = None,
        replay: Replay | None = None,
    ) -> None:
        self.fields = list({field.name: field for field in fields}.values())
        self._replay = replay
        made = set() if replay is None else replay.outputs
        texts = {name: item for name, item in (formats or {}).items() if item["kind"] == "text"}
        self.markers = {name: _markers(item) for name, item in texts.items() if name not in made}
        # What is missing among words is said by the words of training, where these are known.
        self._formats = {
            name: item for name, item in (formats or {}).items() if name not in texts or name in self.inputs
        }

    @property
    def inputs(self) -> set[str]:
        """Names of the columns that the steps read."""
        return set() if self._replay is None else self._replay.inputs

    def prepare(self, frame: pd.DataFrame, *, keep: str | None = None) -> PreparedRows:
        """Prepare rows.

        Parameters
        ----------
        frame : DataFrame
            Rows of the file, or after the steps. Columns may be in any order, and there may be others.
        keep : str, optional
            A column, such as that of ids, that stays even if the steps remove it.

        Raises
        ------
        InputError
            When there are no rows, or a column that a field or its step needs is absent.
        """
        read = read_frame(frame, self._formats)
        unread: list[ColumnReport] = []
        if self._replay is not None:
            read, unread = self._without_texts(read)
            read = self._after_steps(self._replay, read, keep)
        cells, reports = read_rows(read, self.fields, self.markers)
        return PreparedRows(read, cells, reports, unread)

    def findings(self, unread: ColumnReport) -> list[Finding]:
        """Return what differs in a column that only the steps read, in sentences."""
        return unread.findings(Field(unread.name, _KINDS[self._formats[unread.name]["kind"]]))

    def _without_texts(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, list[ColumnReport]]:
        """Return rows in which texts in columns of numbers or dates that the steps read are missing."""
        replaced, reports = {}, []
        for name in frame.columns:
            if name not in self.inputs or name not in self._formats or frame.columns.tolist().count(name) > 1:
                continue
            replaced[name], texts = drop_texts(frame[name], self._formats[name])
            if len(texts):
                examples = tuple(dict.fromkeys(map(str, texts)))[:MAX_EXAMPLES]
                reports.append(ColumnReport(str(name), len(frame), unreadable=len(texts), unreadable_examples=examples))
        return frame.assign(**replaced), reports

    def _after_steps(self, replay: Replay, frame: pd.DataFrame, keep: str | None) -> pd.DataFrame:
        done = replay.apply(frame)
        absent = [field.name for field in self.fields if field.name not in done.frame.columns]
        if absent and done.skipped:
            step, columns = next(iter(done.skipped.items()))
            names = list(dict.fromkeys([*columns, *absent]))
            raise InputError(
                f"The table has no column {', '.join(map(repr, names[:5]))}.",
                f"The model was trained after this step: {step}. Give the columns of the file, or those after it.",
            )
        if keep is not None and keep in frame.columns and keep not in done.frame.columns:
            return done.frame.assign(**{keep: frame[keep]})
        return done.frame
