"""Labels of the rows of batches: those that come with them, and those that come later and find them by ids."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.catalog import artifacts
from core.errors import NotFoundError, PlumblineError
from core.jobs import RunContext

if TYPE_CHECKING:
    import pandas as pd

    from core.monitored import Batch, BatchLabels, MonitorSettings, Reference
    from core.monitoring import LabelBook, LabelDelivery, ReadLabels

__all__ = ["LabelJoiner"]


@dataclass(frozen=True)
class LabelJoiner:
    """Joins labels to the rows of batches, and says what they show.

    Parameters
    ----------
    context : RunContext
        The run that joins.
    reference : Reference
        Evidence that the batches are compared with.
    settings : MonitorSettings
        Rules by which the model is watched.
    """

    context: RunContext
    reference: Reference
    settings: MonitorSettings

    def can_join(self, batch: Batch) -> bool:
        """Return whether ids of the rows of a batch are kept."""
        from core.monitored import ROWS, file_of

        known = artifacts.find(batch.run_id, access=self.context.access)
        return any(item.name == file_of(batch.key, ROWS) for item in known)

    def read(self, labels: pd.Series) -> ReadLabels:
        """Return labels in the words of the model.

        Raises
        ------
        InputError
            When the model has none of them.
        """
        from core.monitoring import read_labels

        return read_labels(labels, self.reference.label_values)

    def ids(self, frame: pd.DataFrame) -> tuple[pd.Series | None, str]:
        """Return the ids of the rows of a batch; or None, and where ids were expected why there are none."""
        from core.monitoring import row_keys

        name = self.settings.row_id
        if name is None:
            return None, ""
        if name not in frame:
            return None, f"The batch has no column '{name}' with ids, so labels cannot find its rows later."
        keys = row_keys(frame[name].reset_index(drop=True))
        if keys.isna().any():
            return None, f"{int(keys.isna().sum()):,} rows have no id in '{name}', so labels cannot find them later."
        if keys.duplicated().any():
            twice = keys[keys.duplicated()].iloc[0]
            return None, f"Two rows have the id '{twice}' in '{name}', so labels cannot find the rows later."
        return frame[name].reset_index(drop=True), ""

    def with_rows(
        self,
        batch: Batch,
        frame: pd.DataFrame,
        scores: pd.DataFrame | None,
        members: pd.DataFrame | None,
        columns: pd.DataFrame,
    ) -> tuple[BatchLabels | None, str]:
        """Return what the labels say that came with the rows of a batch; or None, and why they say nothing.

        Parameters
        ----------
        batch : Batch
            The batch.
        frame : DataFrame of n rows
            Its rows.
        scores, members : DataFrame of n rows or None
            Scores and memberships of these rows; None where they could not be scored.
        columns : DataFrame of n rows
            Columns of these rows that the model reads.
        """
        target = self.reference.evidence.target
        if scores is None or members is None or target not in frame or not frame[target].notna().any():
            return None, ""
        import pandas as pd

        from core.monitoring import LabelBook

        own, _ = self.ids(frame)
        ids = pd.Series(range(len(frame))) if own is None else own
        try:
            read = self.read(frame[target].reset_index(drop=True))
            book, delivery = LabelBook.of(ids).add(pd.DataFrame({"row_id": ids, "y_true": read.labels}))
            rows = scores.assign(row_id=ids)
            labels = self._measured(batch, rows, members, book, delivery, read.sentence, columns)
        except PlumblineError as error:
            return None, f"The labels in '{target}' are not used: {error.message}"
        if own is not None:
            self._keep(batch, book)
        return labels, ""

    def join(self, batch: Batch, labels: pd.DataFrame, note: str = "") -> tuple[BatchLabels | None, LabelDelivery]:
        """Return what a batch says by the labels before and these, None where they bring nothing new; and what came.

        Parameters
        ----------
        batch : Batch
            The batch.
        labels : DataFrame
            Table with row_id and y_true, in the words of the model.
        note : str, default=""
            Sentence on labels that were left out.

        Raises
        ------
        InputError
            When the ids that are kept of the batch cannot be used.
        """
        from core.monitored import LABELS, MEMBERS, ROWS
        from core.monitoring import LabelBook

        rows = self._read(batch, batch.run_id, ROWS)
        assert rows is not None  # `can_join` said so
        book = LabelBook.of(rows["row_id"])
        before = None if batch.labels is None else self._read(batch, batch.labels.run_id, LABELS)
        if before is not None:
            book, _ = book.add(before.assign(y_true=self.read(before["y_true"]).labels))
        book, delivery = book.add(labels)
        if not delivery.new:
            return None, delivery
        members = self._read(batch, batch.run_id, MEMBERS)
        columns = None if members is None else members.drop(columns="selected", errors="ignore")
        added = self._measured(batch, rows, members, book, delivery, note, columns)
        self._keep(batch, book)
        return added, delivery

    def _measured(
        self,
        batch: Batch,
        rows: pd.DataFrame,
        members: pd.DataFrame | None,
        book: LabelBook,
        delivery: LabelDelivery,
        note: str,
        columns: pd.DataFrame | None,
    ) -> BatchLabels:
        from core.monitored import BatchLabels, Subgroups, judge_measured, with_labels
        from core.monitoring import row_keys

        measured, state = judge_measured(
            rows, book, self.reference, batch.performance, self.settings, look=batch.look, columns=columns
        )
        subgroups = Subgroups()
        if members is not None:
            known = row_keys(rows["row_id"]).map(book.labels)
            scores = rows.drop(columns="row_id")
            subgroups = with_labels(members, scores, known, self.reference, rule=batch.subgroups.rule)
        said = " ".join(filter(None, [delivery.sentence, note]))
        return BatchLabels(batch.key, self.context.run.id, len(book), said, measured, state, subgroups)

    def _keep(self, batch: Batch, book: LabelBook) -> None:
        from core.monitored import LABELS, file_of

        path = self.context.workdir / "kept"
        book.to_frame().to_parquet(path, index=False)
        self.context.keep(file_of(batch.key, LABELS), path)

    def _read(self, batch: Batch, run_id: str, name: str) -> pd.DataFrame | None:
        """Return a table that a run kept of a batch; None where it kept none, as runs of before did not keep all."""
        import pandas as pd

        from core.monitored import read_file

        try:
            return pd.read_parquet(io.BytesIO(read_file(run_id, batch.key, name, access=self.context.access)))
        except NotFoundError:
            return None
