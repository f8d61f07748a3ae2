"""Batches of rows, compared and stored by a run: what monitoring and scoring share."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from core import alerts, saved_cohorts
from core.access import Access
from core.catalog import ModelVersion
from core.errors import InputError, PlumblineError
from core.jobs import RunContext
from core.jsonable import JsonObject
from core.progress import Event
from core.tasks._batch_labels import LabelJoiner

if TYPE_CHECKING:
    import pandas as pd

    from core.models import RowScorer
    from core.monitored import Assessment, Batch, BatchLabels, MonitorSettings, Reference, RowParts
    from core.monitoring import Change

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
    rule : str, default=""
        Name of the file of the rule that decided in these predictions.
    simulated : str, default=""
        Change that was made on purpose, in words.
    """

    name: str
    at: float
    frame: pd.DataFrame
    predictions: pd.DataFrame | None = None
    rule: str = ""
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
        from core.monitored import MonitorSettings, batches_of, plan_of, training_reference

        self._context, self._version, self._access = context, version, context.access
        self._settings: MonitorSettings = plan_of(version.model_id, access=context.access) or MonitorSettings()
        context.report(Event("reference", 0.05, "Reading what the model was tested on"))
        self._scorer = _scorer(version, self._settings, access=context.access)
        self._compared = 0
        self._alarms: list[tuple[str, Batch]] = []  # by the event that each is
        self._known = {batch.fingerprint: batch for batch in batches_of(version.model_id, access=context.access)}
        self._reference: Reference = self._chosen(training_reference(version, access=context.access))
        run = self._reference.evidence.run
        self._joiner = LabelJoiner(context, self._reference, self._settings)
        self._cohorts = tuple(saved_cohorts.kept(run, access=context.access).values())

    def _chosen(self, reference: Reference) -> Reference:
        """Return the evidence with the sketch of the batch that the rules name, where this version scored it."""
        from core.monitored import sketch_of

        key = self._settings.reference
        if key is None:
            return reference
        batch = next((batch for batch in self._known.values() if batch.key == key), None)
        if batch is None:
            raise InputError(
                "The batch that others are compared with was deleted.", "Choose another reference in the rules."
            )
        if batch.version != self._version.number:
            return reference  # other columns and another score; the batch says what it was compared with
        return replace(reference, sketch=sketch_of(batch, access=self._access), batch=batch.name)

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

        read = self._joiner.read(labels["y_true"])
        labels = labels.assign(y_true=read.labels)
        ready = [batch for batch in self._known.values() if self._joiner.can_join(batch)]
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
            try:
                added, delivery = self._joiner.join(batch, labels, read.sentence)
            except InputError as error:  # of one batch, which holds up no other
                deliveries.append({"key": batch.key, "name": batch.name, "said": error.message})
                continue
            if delivery.unknown < delivery.rows - delivery.missing:
                deliveries.append({"key": batch.key, "name": batch.name, "said": delivery.sentence})
            if added is not None:
                labeled.append(added.to_dict())
                if added.state.state == "alarm":
                    self._alarms.append((f"batch/{batch.fingerprint}/labels", replace(batch, labels=added)))
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

    def _compare(self, key: str, new: NewBatch, mark: str) -> tuple[Batch, BatchLabels | None]:
        from core.monitored import Batch, assess

        reference, settings, frame = self._reference, self._settings, new.frame
        table, predictions, scores, problem = reference.columns_of(frame), None, None, ""
        try:
            predictions = self._predictions(new)
            scores = reference.scores_of(predictions).reset_index(drop=True)
            if reference.evidence.replay is not None:
                table = self._scorer.cells(frame)
        except InputError as error:
            problem = error.message
        parts = self._parts(new, table, predictions)
        look = 1 + sum(not batch.simulated for batch in self._known.values())
        assessed = assess(table, scores, parts, reference, settings, look=look, as_of=new.at)
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
            subgroups=assessed.subgroups,
            reference=reference.batch,
            simulated=new.simulated,
        )
        ids, why_not = self._joiner.ids(frame)
        self._keep(key, assessed, None if scores is None or ids is None else scores.assign(row_id=ids))
        labels, unused = self._joiner.with_rows(batch, frame, scores, assessed.members, table.reset_index(drop=True))
        batch = replace(batch, notes=tuple(filter(None, [why_not, unused])))
        self._alarms.append((f"batch/{mark}", replace(batch, labels=labels)))
        return batch, labels

    def _predictions(self, new: NewBatch) -> pd.DataFrame:
        if new.predictions is not None:
            return new.predictions
        try:
            return self._scorer.score(new.frame)
        except InputError:  # the rule may lack what it decides by; what the model lacks is said then
            return self._scorer.score(new.frame, decide=False)

    def _parts(self, new: NewBatch, table: pd.DataFrame, predictions: pd.DataFrame | None) -> RowParts:
        """Return the groups and cohorts of the rows, and the decisions about them."""
        from core.monitored import RowParts

        frame = new.frame
        names = self._reference.evidence.result.sensitive_columns
        columns = frame.assign(**{str(name): table[name] for name in table})  # as training had them
        decisions, rule = None, ""
        if predictions is not None and "decision" in predictions:
            decisions = predictions["decision"].reset_index(drop=True)
            rule = new.rule if new.predictions is not None else self._scorer.policy or ""
        return RowParts(
            columns.reset_index(drop=True),
            frame[[name for name in names if name in frame]].reset_index(drop=True),
            self._cohorts,
            decisions,
            rule,
        )

    def _keep(self, key: str, assessed: Assessment, rows: pd.DataFrame | None) -> None:
        from core.monitored import DRIFT, MEMBERS, REFERENCE, ROWS, SKETCH, file_of

        contents = {
            DRIFT: json.dumps(assessed.report.to_dict()).encode(),
            SKETCH: assessed.sketch.to_bytes(),
            REFERENCE: self._reference.sketch.to_bytes(),
        }
        path = self._context.workdir / "kept"
        for name, content in contents.items():
            path.write_bytes(content)
            self._context.keep(file_of(key, name), path)
        for name, table in ((ROWS, rows), (MEMBERS, assessed.members)):
            if rows is not None and table is not None:
                table.to_parquet(path, index=False)
                self._context.keep(file_of(key, name), path)

    def raise_alarms(self) -> None:
        """Raise an alert for each batch that is an alarm, as the last thing that a run does."""
        for event, batch in self._alarms:
            state = batch.state
            if state.state != "alarm" or batch.simulated:
                continue
            alerts.raise_alert(
                self._version.model_id,
                event,
                f"Batch {batch.name}: {state.reasons[0]}",
                level="critical",
                message="\n".join(state.reasons[:10]),
                hint="Look at the batch on the model's tab Monitor.",
                facts={"batch": batch.key, "rows": batch.rows, "drifted": list(batch.drifted[:20])},
                run_id=self._context.run.id,
                access=self._access,
            )


def _scorer(version: ModelVersion, settings: MonitorSettings, *, access: Access) -> RowScorer:
    """Return what scores the rows, and decides by the rule in force where it is clear which one that is."""
    from core.models import RowScorer

    try:
        scorer = RowScorer(version, access=access)
    except InputError:
        return RowScorer(version, policy="none", access=access)
    return RowScorer(version, row_id=settings.row_id, access=access) if scorer.draws else scorer


def watch_scored(
    context: RunContext, version: ModelVersion, name: str, scored: Path, added: Mapping[str, str], rule: str | None
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
    rule : str or None
        Name of the file of the rule that decided.
    """
    from core.datasets import load_frame
    from core.monitored import plan_of

    if plan_of(version.model_id, access=context.access) is None:
        return {}
    frame = load_frame(scored)
    predictions = frame[list(added.values())].set_axis(list(added), axis=1)
    batch = NewBatch(name, time.time(), frame.drop(columns=list(added.values())), predictions, rule or "")
    try:
        watch = Watch(context, version)
        said = watch.add([batch])
        watch.raise_alarms()
        return said
    except PlumblineError as error:
        return {"watch_problem": error.message}
