"""One visit to the latency lab: variants of a model measured in turn, with all that explains the figures."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from core.edge.latency._measure import measure_latency
from core.edge.latency._report import LatencyReport
from core.edge.latency._settings import LatencySettings
from core.edge.latency.analyses.graph_work import describe_run
from core.edge.latency.analyses.native import measure_native
from core.edge.latency.analyses.profile import profile_operators
from core.edge.latency.analyses.roofline import Roof, machine_roof, roofline
from core.edge.latency.analyses.slo import measure_slo, slo_duration_s
from core.edge.latency.analyses.suite_settings import LatencySuiteSettings, LatencySuiteTarget
from core.edge.latency.analyses.sweep import pareto, sweep
from core.errors import InputError, PlumblineError, StoppedError
from core.progress import Event, Report, silent

__all__ = ["run_latency_suite"]


def run_latency_suite(
    target: LatencySuiteTarget,
    settings: LatencySuiteSettings,
    *,
    report: Report | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> dict[str, Any]:
    """Measure variants of a model, and return everything as JSON-serialisable values.

    What fails for one variant is noted under ``errors``, and the others go on.

    Parameters
    ----------
    target : LatencySuiteTarget
        The model.
    settings : LatencySuiteSettings
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
        self,
        target: LatencySuiteTarget,
        settings: LatencySuiteSettings,
        report: Report,
        should_stop: Callable[[], bool] | None,
    ) -> None:
        self.target, self.settings, self.tell = target, settings, report
        self.inputs = target.inputs if settings.inputs == "data" else None
        self.done, self.whole = 0, settings.measurements
        self.options: dict[str, Any] = {"should_stop": should_stop, "limits": target.limits}
        self.found: dict[str, Any] = {
            "reports": {},
            "samples_ms": {},
            "native": None,
            "with_preprocessing": None,
            "profiles": {},
            "roof": None,
            "rooflines": {},
            "slo": {},
            "sweep": [],
            "errors": [],
            "stopped": False,
        }

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
        if asked.native:
            self._one("native", "Measuring the model as it was trained", self._native, asked.variants[0])
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
            self.target.variants[name],
            self.settings.latency,
            inputs=self.inputs,
            report=self._forward,
            include_preprocessing=self.settings.preprocessing and self.inputs is not None,
            **self.options,
        )

    def _native(self, variant: str) -> None:
        if self.target.native is None or self.inputs is None:
            what = "is not there" if self.target.native is None else "takes no random inputs"
            raise InputError(f"The model as it was trained {what}.", "Measure a model of ours on its data.")
        asked, path = self.settings.latency, self.target.variants[variant]
        ours = measure_latency(path, asked, inputs=self.inputs, include_preprocessing=True, **self.options)
        theirs = measure_native(self.target.native, asked, inputs=self.inputs, report=self._forward, **self.options)
        self.found |= {"native": theirs.to_dict(), "with_preprocessing": {"variant": variant, **ours.to_dict()}}

    def _roof(self, measured: Mapping[str, LatencyReport]) -> None:
        threads, stop = self.settings.latency.threads, self.options["should_stop"]
        message = "Measuring the machine's limits"
        roof = self._one("roof", message, lambda: machine_roof(threads, should_stop=stop), counts=False)
        if roof is None:
            return
        self.found["roof"] = roof.to_dict()
        for name, report in measured.items():
            self._one(
                name, f"Comparing {name} with the machine's limits", self._under, name, report, roof, counts=False
            )

    def _under(self, name: str, report: LatencyReport, roof: Roof) -> None:
        graph = describe_run(self.target.variants[name], self.settings.latency, self.inputs, **self.options)
        if graph.work is not None and graph.work.flop:  # without matrices (trees) there is no roof: that is no error
            self.found["rooflines"][name] = roofline(report, graph, roof).to_dict()

    def _profile(self, name: str) -> None:
        table = profile_operators(self.target.variants[name], self.settings.latency, self.inputs, **self.options)
        self.found["profiles"][name] = table.to_dict(orient="records")

    def _slo(self, name: str) -> None:
        asked = self.settings.slo
        assert asked is not None
        base = self.settings.latency.model_dump() | {"scenario": "server", "target_qps": asked.qps}
        latency = LatencySettings(**base | {"duration_s": slo_duration_s(asked)})
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
            latency = LatencySettings(
                **latency.model_dump() | {"scenario": "single_stream", "target_qps": None, "latency_bound_ms": None}
            )
        table = sweep(
            variants,
            latency,
            self.settings.sweep,
            inputs=self.inputs,
            accuracy=self.target.accuracy,
            report=self._forward,
            **self.options,
        )
        quality = ("accuracy",) if table["accuracy"].notna().any() else ()
        table["pareto"] = pareto(table, maximise=quality)
        self.found["sweep"] = [
            {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in row.items()}
            for row in table.astype(object).to_dict(orient="records")
        ]
