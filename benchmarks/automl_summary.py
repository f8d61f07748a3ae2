"""What measured fits say: scores, ranks, gaps, a paired bootstrap, searches over their budget, and a verdict."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from benchmarks.automl_results import Fit, Pair
from core.evaluation import METRICS, WeightedMetrics

OURS = "ours"
LEAST_MEAN_GAP, MARGIN = -0.003, 0.002
OVER_SHARE, OVER_S = 1.02, 2.0

Loader = Callable[[Fit], Pair]


def sign(metric: str) -> int:
    """Return 1 for a metric that is better when larger, -1 for a loss."""
    return 1 if METRICS[metric].larger_is_better else -1


def over_budget(fit: Fit) -> float:
    """Return the seconds by which a fit is beyond its budget, 2% and 2 s; at most 0 when it kept it."""
    return -math.inf if fit.seconds is None else fit.seconds - (OVER_SHARE * fit.budget + OVER_S)


def newest_fits(fits: Iterable[Fit], versions: dict[str, str]) -> list[Fit]:
    """Return the fits that belong together: one version per system, one state of each table, the last of each key.

    Parameters
    ----------
    versions : dict
        Version by system; a system that it does not have counts by the last version in `fits`.
    """
    fits = list(fits)
    chosen = {fit.system: fit.version for fit in fits} | versions
    data = {(fit.table, fit.seed): fit.data for fit in fits}
    last = {fit.key: fit for fit in fits}
    return [fit for fit in last.values() if fit.version == chosen[fit.system] and fit.data == data[fit.table, fit.seed]]


@dataclass(frozen=True)
class TableFits:
    """The fits of one table at one budget: by system, then by seed."""

    name: str
    metric: str
    by_system: dict[str, dict[int, Fit]]
    seeds: tuple[int, ...]

    def complete(self) -> bool:
        """Whether each system was measured (or failed) at each seed."""
        return all(seed in fits for fits in self.by_system.values() for seed in self.seeds)

    def score(self, system: str) -> float:
        """Return the mean of the seeds that ended in a model; NaN without one."""
        scores = [fit.score for fit in self.by_system[system].values() if fit.score is not None]
        return float(np.mean(scores)) if scores else math.nan

    def failures(self, system: str) -> int:
        """Return the number of seeds that ended without a model."""
        return sum(fit.score is None for fit in self.by_system[system].values())

    def ranks(self) -> dict[str, float]:
        """Return the rank of each system's mean, 1 for the best; ties share theirs, one that failed is last."""
        losses = [
            math.inf if self.failures(system) else -sign(self.metric) * self.score(system) for system in self.by_system
        ]
        ranks = rankdata(np.round(losses, 9))  # the same scores in another order have a mean that differs in the end
        return dict(zip(self.by_system, map(float, ranks), strict=True))

    def gap(self, peer: str) -> float:
        """Return our mean minus a peer's over the seeds that both have, turned so that larger is better; or NaN."""
        ours, theirs = self.by_system[OURS], self.by_system[peer]
        pairs = [(ours[seed].score, theirs[seed].score) for seed in self.seeds if seed in ours and seed in theirs]
        gaps = [a - b for a, b in pairs if a is not None and b is not None]
        return sign(self.metric) * float(np.mean(gaps)) if gaps else math.nan

    def best_peer(self) -> str | None:
        """Return the peer with the best mean among those that never failed, else among those with any model."""
        peers = [system for system in self.by_system if system != OURS and not math.isnan(self.score(system))]
        whole = [system for system in peers if not self.failures(system)]
        return max(whole or peers, key=lambda system: sign(self.metric) * self.score(system), default=None)

    def paired(self, peer: str, load: Loader) -> list[tuple[Pair, Pair]]:
        """Return the predictions of a peer and of ours for each seed that both have."""
        ours, theirs = self.by_system[OURS], self.by_system[peer]
        pairs = []
        for seed in self.seeds:
            if seed in ours and seed in theirs and ours[seed].predictions and theirs[seed].predictions:
                a, b = load(theirs[seed]), load(ours[seed])
                if not np.array_equal(a[0], b[0]):
                    raise SystemExit(f"{self.name}, seed {seed}: {peer} and ours were measured on different rows")
                pairs.append((a, b))
        return pairs


def by_table(fits: Sequence[Fit], systems: Sequence[str], seeds: Sequence[int]) -> list[TableFits]:
    """Return the fits of one budget, table by table; the systems that have any, in the given order."""
    tables = {}
    for name in dict.fromkeys(fit.table for fit in fits):
        own = [fit for fit in fits if fit.table == name and fit.seed in seeds]
        if own:
            by_system = {system: {fit.seed: fit for fit in own if fit.system == system} for system in systems}
            tables[name] = TableFits(name, own[0].metric, by_system, tuple(seeds))
    return list(tables.values())


@dataclass(frozen=True)
class Interval:
    """A difference with the 2.5th and 97.5th percentile of its resamples."""

    value: float
    low: float
    high: float


def paired_bootstrap(pairs: Sequence[tuple[Pair, Pair]], metric: str, resamples: int = 1000, seed: int = 0) -> Interval:
    """Return the first model's score minus the second's, mean over seeds, with the interval of a paired bootstrap.

    Each resample draws as many seeds as there are, with replacement, and for each drawn seed its test rows, the same
    for both models. The difference is turned so that larger means a better first model.

    Parameters
    ----------
    pairs : sequence of pairs
        Target and output of the first and of the second model, for each seed.
    metric : str
        Key of `METRICS`.
    """
    random = np.random.default_rng(seed)
    drawn = random.integers(len(pairs), size=(resamples, len(pairs)))
    differences = np.empty(drawn.shape)
    values = []
    for index, ((y, first), (_, second)) in enumerate(pairs):
        models = [WeightedMetrics([metric], y, output) for output in (first, second)]

        def difference(weights: NDArray[np.float64], models: list[WeightedMetrics] = models) -> NDArray[np.float64]:
            better, worse = (model(weights)[metric] for model in models)
            return sign(metric) * (better - worse)

        values.append(difference(np.ones((1, len(y))))[0])
        here = drawn == index
        parts = []
        for start in range(0, int(here.sum()), 100):  # a hundred at a time, for the memory
            count = min(100, int(here.sum()) - start)
            rows = random.integers(len(y), size=(count, len(y)))
            weights = np.array([np.bincount(row, minlength=len(y)) for row in rows], dtype=np.float64)
            parts.append(difference(weights))
        differences[here] = np.concatenate(parts) if parts else []
    low, high = np.quantile(differences.mean(axis=1), [0.025, 0.975])
    return Interval(float(np.mean(values)), float(low), float(high))


@dataclass(frozen=True)
class Verdict:
    """A criterion and whether it is met."""

    criterion: str
    figure: str
    met: bool

    def __str__(self) -> str:
        return f"- {'PASS' if self.met else 'FALLS SHORT'}: {self.criterion}: {self.figure}"


def mean_ranks(tables: Sequence[TableFits]) -> dict[str, float]:
    """Return the mean rank of each system."""
    ranks = [table.ranks() for table in tables]
    return {system: float(np.mean([rank[system] for rank in ranks])) for system in (ranks[0] if ranks else {})}


def judge(tables: Sequence[TableFits], intervals: dict[str, dict[str, Interval]]) -> list[Verdict]:
    """Judge what is asked of us at one budget.

    Parameters
    ----------
    tables : sequence of TableFits
        Complete tables.
    intervals : dict
        Differences, the peer minus ours, by table and peer.
    """
    ranks = mean_ranks(tables)
    others = {system: rank for system, rank in ranks.items() if system != OURS}
    first = min(others, key=lambda system: others[system])
    gaps = [table.gap(peer) for table in tables if (peer := table.best_peer())]
    mean_gap = float(np.mean(gaps)) if gaps else math.nan
    surely = [
        f"{table} ({peer})"
        for table, peers in intervals.items()
        for peer, interval in peers.items()
        if not interval.low <= MARGIN
    ]
    own = [fit for table in tables for fit in table.by_system[OURS].values()]
    late = [fit for fit in own if over_budget(fit) > 0]
    without = [fit for fit in own if fit.score is None]
    return [
        Verdict("best mean rank", f"{ranks[OURS]:.2f}; {first} {others[first]:.2f}", ranks[OURS] <= others[first]),
        Verdict(f"mean gap to the best peer at least {LEAST_MEAN_GAP}", f"{mean_gap:+.4f}", mean_gap >= LEAST_MEAN_GAP),
        Verdict(f"no peer better by more than {MARGIN} with 95% confidence on any table", listed(surely), not surely),
        Verdict(
            "no search over its budget (102% and 2 s)",
            f"{len(late)} of {len(own)}; "
            + listed([f"{fit.table} seed {fit.seed}: {fit.seconds:.1f} s" for fit in late]),
            not late,
        ),
        Verdict(
            "each search ends in a model",
            f"{len(own) - len(without)} of {len(own)}; without: "
            + listed([f"{fit.table} seed {fit.seed}" for fit in without]),
            not without,
        ),
    ]


def listed(items: Sequence[str]) -> str:
    """Return a list in words."""
    return ", ".join(items) or "none"


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
