"""`run_latency_suite`: variants of a model measured in turn, with everything that explains the measurements."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeVar

from core.edge.latency.analyses.graph_work import describe_run
from core.edge.latency.analyses.native import measure_native
from core.edge.latency.analyses.profile import profile_operators
from core.edge.latency.analyses.roofline import Roof, machine_roof, roofline
from core.edge.latency.analyses.slo import measure_slo, slo_duration_s
from core.edge.latency.analyses.suite_report import (
    LatencySuiteReport,
    OperatorProfile,
    PreprocessingReport,
    SloReport,
    SuiteError,
)
from core.edge.latency.analyses.suite_settings import LatencySuiteSettings, LatencySuiteTarget
from core.edge.latency.analyses.sweep import pareto, sweep
from core.edge.latency.measure import measure_latency
from core.edge.latency.report import LatencyReport
from core.edge.latency.settings import LatencySettings
from core.errors import InputError, PlumblineError, StoppedError
from core.progress import Event, Report, silent
from core.registry import unknown_name

__all__ = ["run_latency_suite"]

T = TypeVar("T")


def run_latency_suite(
    target: LatencySuiteTarget,
    settings: LatencySuiteSettings,
    *,
    report: Report | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> LatencySuiteReport:
    """Measure variants of a model.

    What fails for one variant is listed in ``errors``, and the others continue.

    Parameters
    ----------
    target : LatencySuiteTarget
        The model.
    settings : LatencySuiteSettings
        Settings of the suite.
    report, should_stop : callable, optional
        See `measure_latency`.

    Returns
    -------
    LatencySuiteReport

    Raises
    ------
    InputError
        When a variant does not exist, or there is no data to feed it with.
    StoppedError
        When it was stopped before the first variant was measured.
    """
    missing = [name for name in settings.variants if name not in target.variants]
    if missing:
        raise InputError(f"There is no variant '{missing[0]}'.", unknown_name(missing[0], target.variants))
    if settings.inputs == "data" and target.inputs is None:
        raise InputError("There are no rows to feed this model with.", "Choose random inputs.")
    return _LatencySuite(target, settings, report or silent, should_stop).run()


class _LatencySuite:
    """The state of one suite: its report, and how much of it is done."""

    def __init__(
        self,
        target: LatencySuiteTarget,
        settings: LatencySuiteSettings,
        report: Report,
        should_stop: Callable[[], bool] | None,
    ) -> None:
        self.target, self.settings, self.report_progress, self.should_stop = target, settings, report, should_stop
        self.inputs = target.inputs if settings.inputs == "data" else None
        self.done, self.total = 0, settings.measurements
        self.result = LatencySuiteReport(settings)

    def run(self) -> LatencySuiteReport:
        try:
            self._measure_all()
        except StoppedError:
            if not self.result.reports:
                raise
            return replace(self.result, stopped=True)  # what was measured until then is complete
        return self.result

    def _measure_all(self) -> None:
        settings, result = self.settings, self.result
        for name in settings.variants:
            report = self._attempt(name, f"Measuring {name}", partial(self._measure, name))
            if report is not None:
                result.reports[name] = report
        if settings.native:
            self._attempt("native", "Measuring the model as it was trained", self._native)
        if settings.roof and result.reports:
            self._rooflines()
        if settings.profile:
            for name in result.reports:
                self._attempt(name, f"Profiling {name}", partial(self._profile, name), counts=False)
        if settings.slo is not None:
            for name in result.reports:
                self._attempt(name, f"Testing {name} against the objective", partial(self._slo, name))
        if settings.sweep:
            self._sweep()

    def _attempt(self, name: str, message: str, work: Callable[[], T], *, counts: bool = True) -> T | None:
        """Do one part; when it fails, list the error and return None."""
        self.report_progress(Event("measure", self.done / self.total, message))
        try:
            return work()
        except StoppedError:
            raise
        except PlumblineError as error:
            self.result.errors.append(SuiteError(name, message, error.message, error.hint))
            return None
        finally:
            self.done += counts

    def _forward(self, event: Event) -> None:
        fraction = (self.done + (event.fraction or 0.0)) / self.total
        self.report_progress(Event("measure", min(fraction, 1.0), event.message, event.values))

    def _measure(self, name: str) -> LatencyReport:
        return measure_latency(
            self.target.variants[name],
            self.settings.latency,
            inputs=self.inputs,
            report=self._forward,
            include_preprocessing=self.settings.preprocessing and self.inputs is not None,
            should_stop=self.should_stop,
            limits=self.target.limits,
        )

    def _native(self) -> None:
        if self.target.native is None:
            raise InputError("The model as it was trained is not there.", "Measure a model of ours on its data.")
        if self.inputs is None:
            raise InputError(
                "The model as it was trained takes no random inputs.", "Measure a model of ours on its data."
            )
        latency, variant = self.settings.latency, self.settings.variants[0]
        exported = measure_latency(
            self.target.variants[variant],
            latency,
            inputs=self.inputs,
            include_preprocessing=True,
            should_stop=self.should_stop,
            limits=self.target.limits,
        )
        native = measure_native(
            self.target.native,
            latency,
            inputs=self.inputs,
            report=self._forward,
            should_stop=self.should_stop,
            limits=self.target.limits,
        )
        self.result = replace(self.result, native=native, with_preprocessing=PreprocessingReport(variant, exported))

    def _rooflines(self) -> None:
        measure_roof = partial(machine_roof, self.settings.latency.threads, should_stop=self.should_stop)
        roof = self._attempt("roof", "Measuring the machine's limits", measure_roof, counts=False)
        if roof is None:
            return
        self.result = replace(self.result, roof=roof)
        for name, report in self.result.reports.items():
            message = f"Comparing {name} with the machine's limits"
            self._attempt(name, message, partial(self._roofline, name, report, roof), counts=False)

    def _roofline(self, name: str, report: LatencyReport, roof: Roof) -> None:
        graph = describe_run(
            self.target.variants[name],
            self.settings.latency,
            self.inputs,
            should_stop=self.should_stop,
            limits=self.target.limits,
        )
        if graph.work is not None and graph.work.flop:  # trees have no matrix products: that is not an error
            self.result.rooflines[name] = roofline(report, graph, roof)

    def _profile(self, name: str) -> None:
        table = profile_operators(
            self.target.variants[name],
            self.settings.latency,
            self.inputs,
            should_stop=self.should_stop,
            limits=self.target.limits,
        )
        self.result.profiles[name] = [OperatorProfile(*row) for row in table.itertuples(index=False, name=None)]

    def _slo(self, name: str) -> None:
        slo = self.settings.slo
        assert slo is not None
        latency = self.settings.latency.model_dump()
        at_rate = {"scenario": "server", "target_qps": slo.qps, "duration_s": slo_duration_s(slo)}
        report, verdict = measure_slo(
            self.target.variants[name],
            slo,
            settings=LatencySettings(**latency | at_rate),
            inputs=self.inputs,
            report=self._forward,
            should_stop=self.should_stop,
            limits=self.target.limits,
        )
        self.result.slo[name] = SloReport(verdict, report)

    def _sweep(self) -> None:
        latency = self.settings.latency
        if latency.target_qps is not None or latency.latency_bound_ms is not None:
            closed = {"scenario": "single_stream", "target_qps": None, "latency_bound_ms": None}
            latency = LatencySettings(**latency.model_dump() | closed)
        table = sweep(
            {name: self.target.variants[name] for name in self.settings.variants},
            latency,
            self.settings.sweep,
            inputs=self.inputs,
            accuracy=self.target.accuracy,
            report=self._forward,
            should_stop=self.should_stop,
            limits=self.target.limits,
        )
        quality = ("accuracy",) if table["accuracy"].notna().any() else ()
        table["pareto"] = pareto(table, maximize=quality)
        self.result.sweep.extend(
            {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in row.items()}
            for row in table.astype(object).to_dict(orient="records")
        )
