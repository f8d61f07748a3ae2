"""One visit to the latency lab: variants of a model measured in turn, with all that explains the figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field, field_validator

from core.checked import CheckedSettings
from core.edge._graph import describe_graph
from core.edge.latency._inputs import Texts
from core.edge.latency._measure import measure_latency
from core.edge.latency._native import measure_native
from core.edge.latency._profile import profile_operators
from core.edge.latency._report import LatencyReport
from core.edge.latency._roof import machine_roof, roofline
from core.edge.latency._settings import LatencySettings, Limits, Slo
from core.edge.latency._slo import duration_of, measure_slo
from core.edge.latency._sweep import pareto, sweep
from core.errors import InputError, PlumblineError, StoppedError
from core.progress import Event, Report, silent

__all__ = ["LabSettings", "LabTarget", "visit_lab"]

AXES = ("intra_op_threads", "batch_size", "graph_optimization", "sequence_length")


class LabSettings(CheckedSettings):
    """What is measured in one visit.

    Parameters
    ----------
    variants : tuple of str
        Names of the variants, measured one after the other with the same settings.
    latency : LatencySettings
        How.
    inputs : str
        data: rows or texts that the model did not learn from; random: tensors by the graph's shapes.
    preprocessing : bool
        Whether the building of inputs, or tokenising, is in the timed part.
    native : bool
        Measure the model as it was trained, too, pre-processing in both.
    profile : bool
        Which operators the time goes to.
    roof : bool
        How near to this machine's limits it is.
    slo : Slo or None
        An objective to judge; each variant is measured at its rate as well.
    sweep : dict of list
        Values by the name of a setting (`AXES`); all combinations are measured for all variants.

    Raises
    ------
    SettingsError
        When a value, or a combination, is invalid.

    Examples
    --------
    >>> LabSettings(variants=("fp32",), sweep={"batch_size": [1, 8]}).measurements
    3
    """

    variants: tuple[str, ...] = Field(min_length=1)
    latency: LatencySettings = LatencySettings()
    inputs: Literal["data", "random"] = "data"
    preprocessing: bool = False
    native: bool = False
    profile: bool = True
    roof: bool = True
    slo: Slo | None = None
    sweep: dict[str, list[Any]] = Field(default_factory=dict)

    @field_validator("sweep")
    @classmethod
    def _known(cls, axes: dict[str, list[Any]]) -> dict[str, list[Any]]:
        unknown = [name for name in axes if name not in AXES]
        if unknown:
            raise ValueError(f"'{unknown[0]}' is no axis; there is {', '.join(AXES)}")
        return {name: values for name, values in axes.items() if values}

    @property
    def measurements(self) -> int:
        """How many measurements that makes."""
        combinations = int(np.prod([len(values) for values in self.sweep.values()])) if self.sweep else 0
        return len(self.variants) * (1 + combinations + (self.slo is not None)) + self.native


@dataclass(frozen=True)
class LabTarget:
    """The model that is measured.

    Parameters
    ----------
    variants : dict of Path
        Files by name.
    inputs : DataFrame, Texts or None
        Rows that it did not learn from; None where there are none.
    native : Path or None
        The folder of the model as it was trained.
    accuracy : dict of float
        By variant, of the rows held out.
    limits : Limits
        Of the measuring process.
    """

    variants: dict[str, Path]
    inputs: Any = None
    native: Path | None = None
    accuracy: dict[str, float] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)


def visit_lab(
    target: LabTarget,
    settings: LabSettings,
    *,
    report: Report | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> dict[str, Any]:
    """Measure variants of a model, and return everything as JSON-serialisable values.

    What fails for one variant is noted under ``errors``, and the others go on.

    Parameters
    ----------
    target : LabTarget
        The model.
    settings : LabSettings
        What to measure.
    report, should_stop : callable, optional
        As of `measure_latency`.

    Returns
    -------
    dict
        reports ({variant: ``LatencyReport.to_dict``}), samples_ms ({variant: list}), native (a report or None),
        with_preprocessing (the report of the first variant to compare it with), profiles ({variant: records}), roof,
        rooflines ({variant: dict}), slo ({variant: {verdict, report}}), sweep (records with ``pareto``), errors, and
        stopped: whether the rest was left out because it was stopped.

    Raises
    ------
    InputError
        When a variant is not there, or the data to feed it with.
    StoppedError
        When it was stopped before the first variant was measured.
    """
    missing = [name for name in settings.variants if name not in target.variants]
    if missing:
        raise InputError(f"There is no variant '{missing[0]}'.", f"There is {', '.join(target.variants)}.")
    if settings.inputs == "data" and target.inputs is None:
        raise InputError("There are no rows to feed this model with.", "Choose random inputs.")
    return _Visit(target, settings, report or silent, should_stop).run()


class _Visit:
    """The state of one visit: what is found, and how much of it is done."""

    def __init__(
        self, target: LabTarget, settings: LabSettings, report: Report, should_stop: Callable[[], bool] | None
    ) -> None:
        self.target, self.settings, self.tell = target, settings, report
        self.inputs = target.inputs if settings.inputs == "data" else None
        self.done, self.whole = 0, settings.measurements
        self.options: dict[str, Any] = {"should_stop": should_stop, "limits": target.limits}
        self.found: dict[str, Any] = {
            "reports": {}, "samples_ms": {}, "native": None, "with_preprocessing": None, "profiles": {}, "roof": None,
            "rooflines": {}, "slo": {}, "sweep": [], "errors": [], "stopped": False,
        }  # fmt: skip

    def run(self) -> dict[str, Any]:
        try:
            self._measure_all()
        except StoppedError:
            if not self.found["reports"]:
                raise
            self.found["stopped"] = True  # what was measured until then is whole
        return self.found

    def _measure_all(self) -> None:
        asked = self.settings
        measured: dict[str, LatencyReport] = {}
        for name in asked.variants:
            report = self._one(name, f"Measuring {name}", self._measure, name)
            if report is not None:
                measured[name] = report
                self.found["reports"][name] = report.to_dict()
                self.found["samples_ms"][name] = [round(float(value), 6) for value in report.samples_ms]
        if asked.native and self.target.native is not None and self.inputs is not None:
            self._one("native", "Measuring the model as it was trained", self._native, next(iter(asked.variants)))
        if asked.roof and measured:
            self._roof(measured)
        if asked.profile:
            for name in measured:
                self._one(name, f"Profiling {name}", self._profile, name, counts=False)
        if asked.slo is not None:
            for name in measured:
                self._one(name, f"Testing {name} against the objective", self._slo, name)
        if asked.sweep:
            self._sweep()

    def _one(self, name: str, message: str, work: Callable[..., Any], *values: Any, counts: bool = True) -> Any:
        self.tell(Event("measure", self.done / self.whole, message))
        try:
            return work(*values)
        except StoppedError:
            raise
        except PlumblineError as error:
            self.found["errors"].append({"of": name, "doing": message, "message": error.message, "hint": error.hint})
            return None
        finally:
            self.done += counts

    def _forward(self, event: Event) -> None:
        share = (self.done + (event.fraction or 0.0)) / self.whole
        self.tell(Event("measure", min(share, 1.0), event.message, event.values))

    def _measure(self, name: str) -> LatencyReport:
        return measure_latency(
            self.target.variants[name], self.settings.latency, inputs=self.inputs, report=self._forward,
            include_preprocessing=self.settings.preprocessing and self.inputs is not None, **self.options,
        )  # fmt: skip

    def _native(self, variant: str) -> None:
        assert self.target.native is not None
        ours = measure_latency(
            self.target.variants[variant], self.settings.latency, inputs=self.inputs, include_preprocessing=True,
            **self.options,
        )  # fmt: skip
        theirs = measure_native(
            self.target.native, self.settings.latency, inputs=self.inputs, report=self._forward, **self.options
        )
        self.found |= {"native": theirs.to_dict(), "with_preprocessing": {"variant": variant, **ours.to_dict()}}

    def _roof(self, measured: Mapping[str, LatencyReport]) -> None:
        stop = self.options["should_stop"]
        roof = machine_roof(self.settings.latency.threads, should_stop=stop)
        self.found["roof"] = roof.to_dict()
        for name, report in measured.items():
            # A graph without matrices (trees) has no roof: that is no error.
            graph = describe_graph(self.target.variants[name], self._request(name))
            if graph.work is not None and graph.work.flop:
                self.found["rooflines"][name] = roofline(report, graph, roof).to_dict()

    def _request(self, name: str) -> dict[str, Any]:
        """Return the inputs of a request of median length."""
        from core.edge._feeds import table_feeds
        from core.edge._metadata import Metadata
        from core.edge._text_scorer import TextScorer

        path, size = self.target.variants[name], self.settings.latency.batch_size
        metadata = Metadata.read(path)
        if isinstance(self.inputs, Texts):
            limit = self.settings.latency.sequence_length or self.inputs.max_length
            reader = TextScorer(path, self.inputs.tokenizer_path, None, limit)
            texts = list(self.inputs.texts)[:1_000]
            lengths = np.array([feeds["input_ids"].shape[1] for feeds in (reader.feeds([text]) for text in texts)])
            middle = np.argsort(lengths, kind="stable")[len(texts) // 2]
            return _padded(reader.feeds([texts[middle]] * size), self.settings.latency.sequence_length)
        if self.inputs is not None:
            rows = self.inputs.iloc[np.arange(size) % len(self.inputs)]
            return table_feeds(rows, metadata.columns)
        return self._random(path, size)

    def _random(self, path: Path, size: int) -> dict[str, Any]:
        from core.edge.latency._requests import random_feeds
        from core.edge.latency._session import open_session

        latency = self.settings.latency
        session = open_session(path.read_bytes(), latency)
        return dict(random_feeds(session.get_inputs(), size, latency.sequence_length, latency.seed)[0])

    def _profile(self, name: str) -> None:
        table = profile_operators(self.target.variants[name], self.settings.latency, self.inputs, **self.options)
        self.found["profiles"][name] = table.to_dict(orient="records")

    def _slo(self, name: str) -> None:
        asked = self.settings.slo
        assert asked is not None
        base = self.settings.latency.model_dump() | {"scenario": "server", "target_qps": asked.qps}
        latency = LatencySettings(**base | {"duration_s": duration_of(asked)})
        report, verdict = measure_slo(
            self.target.variants[name],
            asked,
            settings=latency,
            inputs=self.inputs,
            report=self._forward,
            **self.options,
        )
        self.found["slo"][name] = {"verdict": verdict.to_dict(), "report": report.to_dict()}

    def _sweep(self) -> None:
        variants = {name: self.target.variants[name] for name in self.settings.variants}
        latency = self.settings.latency
        if latency.scenario == "server":
            latency = LatencySettings(**latency.model_dump() | {
                "scenario": "single_stream", "target_qps": None, "latency_bound_ms": None})  # fmt: skip
        table = sweep(
            variants, latency, self.settings.sweep, inputs=self.inputs, accuracy=self.target.accuracy,
            report=self._forward, **self.options,
        )  # fmt: skip
        quality = ("accuracy",) if table["accuracy"].notna().any() else ()
        table["pareto"] = pareto(table, maximise=quality)
        self.found["sweep"] = [
            {name: None if isinstance(value, float) and np.isnan(value) else value for name, value in row.items()}
            for row in table.astype(object).to_dict(orient="records")
        ]


def _padded(feeds: dict[str, Any], length: int | None) -> dict[str, Any]:
    if length is None:
        return feeds
    return {
        name: np.pad(values, ((0, 0), (0, max(0, length - values.shape[1]))))[:, :length]
        for name, values in feeds.items()
    }
