"""Batches of rows, compared and stored by a run: what monitoring and scoring share."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from core import alerts
from core.catalog import ModelVersion, artifacts
from core.errors import InputError, PlumblineError
from core.jobs import RunContext
from core.jsonable import JsonObject
from core.progress import Event

if TYPE_CHECKING:
    import pandas as pd

    from core.models import RowScorer
    from core.monitored import Assessment, Batch, BatchLabels, MonitorSettings, Reference
    from core.monitoring import Change, LabelDelivery

__all__ = ["NewBatch", "Watch", "watch_scored"]


@dataclass(frozen=True)
class NewBatch:
    """Rows that are compared as one batch.

    Parameters
    ----------
    name : str
        Name of where they came from.
    at : float
        Moment of the batch, in seconds since 1970 (UTC).
    frame : DataFrame
        The rows.
    predictions : DataFrame or None, default=None
        Predictions of the rows, where they were scored already.
    simulated : str, default=""
        Change that was made on purpose, in words.
    """

    name: str
    at: float
    frame: pd.DataFrame
    predictions: pd.DataFrame | None = None
    simulated: str = ""


class Watch:
    """A version with the evidence that its batches are compared with, and the batches before.

    Parameters
    ----------
    context : RunContext
        The run that compares.
    version : ModelVersion
        The version that scores the rows.
    """

    def __init__(self, context: RunContext, version: ModelVersion) -> None:
        from core.models import RowScorer
        from core.monitored import MonitorSettings, batches_of, plan_of, training_reference

        self._context, self._version, self._access = context, version, context.access
        self._settings: MonitorSettings = plan_of(version.model_id, access=context.access) or MonitorSettings()
        context.report(Event("reference", 0.05, "Reading what the model was tested on"))
        self._reference: Reference = training_reference(version, access=context.access)
        self._scorer: RowScorer = RowScorer(version, policy="none", access=context.access)
        self._compared = 0
        self._known = {batch.fingerprint: batch for batch in batches_of(version.model_id, access=context.access)}

    def add(self, batches: Sequence[NewBatch]) -> JsonObject:
        """Score, compare and store batches, the earliest first; return what the run's result says of them.

        Batches that come in several calls are numbered on.
        """
        from core.datasets import fingerprint
        from core.monitored import LABELED, MONITORED

        results: list[JsonObject] = []
        labeled: list[JsonObject] = []
        repeated: list[JsonObject] = []
        for number, batch in enumerate(sorted(batches, key=lambda item: item.at), start=1):
            said = f"Batch {number:,} of {len(batches):,}: {batch.name}"
            self._context.report(Event("compare", 0.1 + 0.9 * (number - 1) / len(batches), said))
            mark = fingerprint(batch.frame)
            if mark in self._known:
                repeated.append({"name": batch.name, "key": self._known[mark].key})
                continue
            self._compared += 1
            compared, labels = self._compare(f"{self._context.run.id}-{self._compared}", batch, mark)
            self._known[mark] = compared
            results.append(compared.to_dict())
            if labels is not None:
                labeled.append(labels.to_dict())
        return {
            "model": self._version.model_id,
            "version": self._version.number,
            MONITORED: results,
            LABELED: labeled,
            "repeated": repeated,
        }

    def simulate(self, changes: Sequence[Change], rows: int, at: float) -> JsonObject:
        """Compare rows that training kept out, after changes made on purpose; return what the run's result says."""
        from core.monitoring import simulate

        table = self._reference.columns_alone
        drawn = table.sample(min(rows, len(table)), random_state=len(self._known)).reset_index(drop=True)
        said = "; ".join(change.sentence for change in changes) or "nothing was changed"
        return self.add([NewBatch(f"Simulation: {said}", at, simulate(drawn, changes), simulated=said)])

    def add_labels(self, labels: pd.DataFrame) -> JsonObject:
        """Join labels to the rows of all batches that have ids; return what the run's result says of them.

        Parameters
        ----------
        labels : DataFrame
            Table with row_id and y_true.

        Raises
        ------
        InputError
            When no batch has ids, or no id is that of a row.
        """
        from core.monitored import LABELED

        ready = [batch for batch in self._known.values() if self._has_rows(batch)]
        if not ready:
            raise InputError(
                "No batch of this model has ids of its rows, so labels cannot find them.",
                "Name the column of ids in the rules, and bring the batches after that.",
            )
        labeled: list[JsonObject] = []
        deliveries: list[JsonObject] = []
        for number, batch in enumerate(ready, start=1):
            said = f"Batch {number:,} of {len(ready):,}: {batch.name}"
            self._context.report(Event("compare", 0.1 + 0.9 * (number - 1) / len(ready), said))
            added, delivery = self._join(batch, labels)
            if delivery.unknown < delivery.rows - delivery.missing:
                deliveries.append({"key": batch.key, "name": batch.name, "said": delivery.sentence})
            if added is not None:
                labeled.append(added.to_dict())
        if not deliveries:
            examples = ", ".join(map(str, labels["row_id"].dropna().head(3)))
            raise InputError(
                f"None of the {len(labels):,} labels found a row of a batch; their ids are such as {examples}.",
                "Choose the column with the ids that the batches have.",
            )
        return {
            "model": self._version.model_id,
            "version": self._version.number,
            LABELED: labeled,
            "deliveries": deliveries,
        }

    def _has_rows(self, batch: Batch) -> bool:
        from core.monitored import ROWS, file_of

        return any(item.name == file_of(batch.key, ROWS) for item in artifacts.find(batch.run_id, access=self._access))

    def _join(self, batch: Batch, labels: pd.DataFrame) -> tuple[BatchLabels | None, LabelDelivery]:
        """Return what a batch says by the labels before and these, None where they bring nothing new; and what came."""
        import io

        import pandas as pd

        from core.monitored import LABELS, ROWS, BatchLabels, file_of, judge_measured, read_file
        from core.monitoring import LabelBook

        rows = pd.read_parquet(io.BytesIO(read_file(batch.run_id, batch.key, ROWS, access=self._access)))
        book = LabelBook.of(rows["row_id"])
        if batch.labels is not None and batch.labels.run_id != batch.run_id:
            kept = read_file(batch.labels.run_id, batch.key, LABELS, access=self._access)
            book, _ = book.add(pd.read_parquet(io.BytesIO(kept)))
        book, delivery = book.add(labels)
        if not delivery.new:
            return None, delivery
        measured, state = judge_measured(
            rows, book, self._reference, batch.performance, self._settings, look=batch.look
        )
        path = self._context.workdir / "kept"
        pd.DataFrame({"row_id": book.labels.index, "y_true": book.labels.array}).to_parquet(path, index=False)
        self._context.keep(file_of(batch.key, LABELS), path)
        added = BatchLabels(batch.key, self._context.run.id, len(book), delivery.sentence, measured, state)
        if state.state == "alarm":
            self._alarm(replace(batch, labels=added))
        return added, delivery

    def _compare(self, key: str, new: NewBatch, mark: str) -> tuple[Batch, BatchLabels | None]:
        from core.monitored import Batch, assess

        reference, settings, frame = self._reference, self._settings, new.frame
        table, scores, problem = reference.columns_of(frame), None, ""
        try:
            predictions = self._scorer.score(frame) if new.predictions is None else new.predictions
            scores = reference.scores_of(predictions).reset_index(drop=True)
            if reference.evidence.replay is not None:
                table = self._scorer.cells(frame)
        except InputError as error:
            problem = error.message
        groups = frame[[name for name in reference.evidence.result.sensitive_columns if name in frame]]
        look = 1 + sum(not batch.simulated for batch in self._known.values())
        assessed = assess(table, scores, groups, reference, settings, look=look, as_of=new.at)
        batch = Batch(
            key=key,
            name=new.name,
            at=new.at,
            rows=len(frame),
            version=self._version.number,
            fingerprint=mark,
            look=look,
            states=assessed.states,
            drifted=tuple(name for name in assessed.report.drifted_columns if name not in settings.muted),
            muted={name: settings.muted[name] for name in assessed.muted},
            problem=problem,
            performance=assessed.performance,
            gaps=assessed.gaps,
            simulated=new.simulated,
        )
        self._keep(key, assessed, self._ids(frame, scores))
        labels = self._labels(batch, frame, scores)
        self._alarm(batch)
        return batch, labels

    def _ids(self, frame: pd.DataFrame, scores: pd.DataFrame | None) -> pd.DataFrame | None:
        """Return the ids and scores of the rows, by which labels find them later."""
        name = self._settings.row_id
        if scores is None or name is None or name not in frame:
            return None
        return scores.assign(row_id=frame[name].to_numpy())

    def _keep(self, key: str, assessed: Assessment, rows: pd.DataFrame | None) -> None:
        from core.monitored import DRIFT, REFERENCE, ROWS, SKETCH, file_of

        contents = {
            DRIFT: json.dumps(assessed.report.to_dict()).encode(),
            SKETCH: assessed.sketch.to_bytes(),
            REFERENCE: self._reference.sketch.to_bytes(),
        }
        path = self._context.workdir / "kept"
        for name, content in contents.items():
            path.write_bytes(content)
            self._context.keep(file_of(key, name), path)
        if rows is not None:
            rows.to_parquet(path, index=False)
            self._context.keep(file_of(key, ROWS), path)

    def _alarm(self, batch: Batch) -> None:
        state = batch.state
        if state.state != "alarm" or batch.simulated:
            return
        alerts.raise_alert(
            self._version.model_id,
            f"batch/{batch.fingerprint}" + ("/labels" if batch.labels is not None else ""),
            f"Batch {batch.name}: {state.reasons[0]}",
            level="critical",
            message="\n".join(state.reasons[:10]),
            hint="Look at the batch on the model's tab Monitor.",
            facts={"batch": batch.key, "rows": batch.rows, "drifted": list(batch.drifted[:20])},
            run_id=self._context.run.id,
            access=self._access,
        )

    def _labels(self, batch: Batch, frame: pd.DataFrame, scores: pd.DataFrame | None) -> BatchLabels | None:
        """Return what the labels say that came with the rows, if any did."""
        target = self._reference.evidence.target
        if scores is None or target not in frame or not frame[target].notna().any():
            return None
        import pandas as pd

        from core.monitored import BatchLabels, judge_measured
        from core.monitoring import LabelBook

        ids = range(len(frame))
        book, delivery = LabelBook.of(ids).add(pd.DataFrame({"row_id": ids, "y_true": frame[target].to_numpy()}))
        try:
            measured, state = judge_measured(
                scores.assign(row_id=ids), book, self._reference, batch.performance, self._settings, look=batch.look
            )
        except PlumblineError:
            return None  # no label that the model knows: the batch says so as a column that it cannot read
        return BatchLabels(batch.key, self._context.run.id, len(book), delivery.sentence, measured, state)


def watch_scored(
    context: RunContext, version: ModelVersion, name: str, scored: Path, added: Mapping[str, str]
) -> JsonObject:
    """Compare a file that was scored as a batch, where its model is watched; return what the result says of it.

    Whatever goes wrong here does not undo the scoring: it is said in the result.

    Parameters
    ----------
    context : RunContext
        The run that scored it.
    version : ModelVersion
        The version that scored it.
    name : str
        Name of the file.
    scored : Path
        Parquet file of the scored rows.
    added : mapping of str to str
        Columns of the predictions in the file, by the names that the scorer gave them.
    """
    from core.datasets import load_frame
    from core.monitored import plan_of

    if plan_of(version.model_id, access=context.access) is None:
        return {}
    frame = load_frame(scored)
    predictions = frame[list(added.values())].set_axis(list(added), axis=1)
    batch = NewBatch(name, time.time(), frame.drop(columns=list(added.values())), predictions)
    try:
        return Watch(context, version).add([batch])
    except PlumblineError as error:
        return {"watch_problem": error.message}
