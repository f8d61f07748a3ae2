"""Rounds of a training: counted, timed, reported while they happen, and kept as records."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.federated.algorithms.state import RoundRecord
from core.progress import Event, Report, silent

if TYPE_CHECKING:
    from core.federated.coordinator.study import Study, Total

__all__ = ["Rounds"]


@dataclass
class Rounds:
    """The rounds of one training.

    Parameters
    ----------
    study : Study
        The study.
    count : int
        Number of rounds, at most.
    report : callable, optional
        Function that receives an event per round.
    should_stop : callable, optional
        Function that returns whether to end after the present round.

    Attributes
    ----------
    records : list of RoundRecord
        Rounds that were made.
    """

    study: Study
    count: int
    report: Report = silent
    should_stop: Callable[[], bool] = bool
    records: list[RoundRecord] = field(default_factory=list)

    @property
    def left(self) -> int:
        """Number of rounds that are left; 0 when the training should stop."""
        return 0 if self.should_stop() else max(0, self.count - len(self.records))

    @contextmanager
    def next(self) -> Iterator[Callable[[Total], None]]:
        """Enter the next round; what is yielded takes the sums that the round began with."""
        began = time.monotonic()
        self.study.round = len(self.records) + 1
        totals: list[Total] = []
        yield totals.append
        first = totals[0] if totals else None
        loss = None if first is None else first.loss
        by_site = self.study.channel.losses()
        missing = [] if first is None else [site for site in self.study.sites if site not in first.sites]
        record = RoundRecord(self.study.round, loss, by_site, missing, time.monotonic() - began)
        self.records.append(record)
        if self.report is not silent:
            self.report(
                Event(
                    "train",
                    min(1.0, record.round / self.count),
                    f"Round {record.round:,} of at most {self.count:,}",
                    {"round": record.round, "loss": loss, "by_site": by_site, "missing": missing},
                )
            )
