"""MLPerf's own load generator in place of our loops. Measuring process only: it may crash when it is misused.

LoadGen issues each request from C++ and takes its times there; they are read from its trace, so that its percentiles
get intervals like ours. The session is driven from its issuing thread, first come, first served, as in our loops.
"""

from __future__ import annotations

import re
import time
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.edge.latency.measuring.loops import Item, Run, Timed, garbage_collection_paused
from core.edge.latency.scenarios import SCENARIOS
from core.edge.latency.settings import LatencySettings
from core.errors import InputError

if TYPE_CHECKING:
    from mlperf_loadgen import QuerySample, TestSettings

__all__ = ["LoadGen"]

_MAX_REQUESTS = 100_000  # per test: each leaves some 600 bytes of trace
_SAMPLE = re.compile(
    rb'"ph":"b","pid":\d+,"id":\d+,"ts":(-?[\d.]+),"args":\{"sample_seq":(\d+),.*?'
    rb'"issue_start_ns":(\d+),"complete_ns":(\d+)'
)


class LoadGen:
    """Runs tests of LoadGen.

    Parameters
    ----------
    folder : Path
        Folder in which each test gets a folder for its logs.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._tests = folder, 0

    def back_to_back(
        self, run: Run[Item], items: Sequence[Item], duration_ns: int, expected_ns: float, scenario: str
    ) -> Timed:
        """Run SingleStream (at most 100,000 requests) or Offline, as the scenario says.

        The samples of Offline are the times from one answer to the next.
        """
        import mlperf_loadgen

        settings = self._settings(SCENARIOS[scenario].loadgen, duration_ns)
        offline = settings.scenario == mlperf_loadgen.TestScenario.Offline
        if offline:
            rate = min(1e9 / expected_ns, _MAX_REQUESTS / duration_ns * 1e9)
            settings.offline_expected_qps = rate / 1.1  # LoadGen makes a tenth more
        else:
            settings.single_stream_expected_latency_ns = max(1, int(expected_ns))
            settings.max_query_count = _MAX_REQUESTS
        timed = self._test(run, items, settings, None)
        if not offline:
            return timed
        done = np.sort(timed.started + timed.service)
        gaps = np.diff(done, prepend=timed.started.min())
        return Timed(gaps, gaps, done - gaps, timed.elapsed_ns, timed.cpu_ns, in_time=len(gaps))

    def at_rate(self, run: Run[Item], items: Sequence[Item], settings: LatencySettings, duration_ns: int) -> Timed:
        """Run Server: Poisson arrivals, latency counted from when each request was due."""
        test = self._settings(SCENARIOS[settings.scenario].loadgen, duration_ns)
        test.server_target_qps = settings.target_qps
        test.server_target_latency_ns = int((settings.latency_bound_ms or 1_000) * 1e6)
        test.schedule_rng_seed = settings.seed
        return self._test(run, items, test, duration_ns)

    def _settings(self, scenario: str, duration_ns: int) -> TestSettings:
        import mlperf_loadgen

        settings = mlperf_loadgen.TestSettings()
        settings.scenario = getattr(mlperf_loadgen.TestScenario, scenario)
        settings.mode = mlperf_loadgen.TestMode.PerformanceOnly
        settings.min_duration_ms = max(1, duration_ns // 1_000_000)
        settings.min_query_count = 1
        return settings

    def _test(self, run: Run[Item], items: Sequence[Item], settings: TestSettings, duration_ns: int | None) -> Timed:
        import mlperf_loadgen as loadgen

        self._tests += 1
        folder = self._folder / f"loadgen{self._tests}"
        folder.mkdir()
        logs = loadgen.LogSettings()
        logs.log_output.outdir = str(folder)
        logs.log_output.copy_summary_to_stdout = False
        logs.enable_trace = True
        clock, usage = time.perf_counter_ns, time.process_time_ns
        begins: list[tuple[int, int]] = []
        ends: list[tuple[int, int]] = []
        unserved = 0
        complete, response = loadgen.QuerySamplesComplete, loadgen.QuerySampleResponse

        def issue(queries: Sequence[QuerySample]) -> None:
            nonlocal unserved
            if not begins:
                begins.append((clock(), usage()))
            late = duration_ns is not None and clock() > begins[0][0] + 2 * duration_ns
            for query in queries:
                if late:  # as in our loop: what still waits after as much time again is given up on
                    unserved += 1
                else:
                    run(items[query.index])
                complete([response(query.id, 0, 0)])

        def flush() -> None:
            ends.append((clock(), usage()))

        system = loadgen.ConstructSUT(issue, flush)
        library = loadgen.ConstructQSL(len(items), len(items), lambda samples: None, lambda samples: None)
        try:
            with garbage_collection_paused():
                loadgen.StartTestWithLogSettings(system, library, settings, logs, str(folder / "no-audit.config"))
        finally:
            loadgen.DestroyQSL(library)
            loadgen.DestroySUT(system)
        due_us, issued, latency = _samples(folder / "mlperf_log_trace.json")
        issued, latency = issued.astype(np.int64), latency.astype(np.int64)
        started = ((due_us - due_us[0]) * 1_000).astype(np.int64) + issued
        served = len(latency) - unserved
        done = started + latency - issued
        return Timed(
            latency=latency,
            service=(latency - issued)[:served],
            started=started[:served],
            elapsed_ns=ends[-1][0] - begins[0][0],
            cpu_ns=ends[-1][1] - begins[0][1],
            unserved=unserved,
            in_time=served if duration_ns is None else int(np.count_nonzero(done[:served] <= duration_ns)),
        )


def _samples(trace: Path) -> NDArray[np.float64]:
    """Return when each request was due (microseconds), and its start and end counted from there (nanoseconds)."""
    values = array("d")
    with open(trace, "rb") as lines:  # line by line: it has up to 60 MB
        for line in lines:
            match = _SAMPLE.search(line)
            if match is not None:
                values.extend(map(float, match.groups()))
    if not values:
        raise InputError("LoadGen measured no request.", "Raise duration_s, or use the engine 'loop'.")
    rows = np.frombuffer(values).reshape(-1, 4)
    return rows[np.argsort(rows[:, 1])].T[[0, 2, 3]]
