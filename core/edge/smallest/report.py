"""`SmallestReport`: what a search for the smallest variant measured, as it is stored in ``smallest.json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from pydantic import JsonValue, PlainSerializer, PlainValidator, TypeAdapter

from core.edge.latency.facts import Machine
from core.edge.latency.percentiles import Percentile
from core.edge.smallest.judging import Judgment, Verdict, combine
from core.edge.smallest.settings import SmallestSettings
from core.edge.variants.compare import StoredEstimate
from core.edge.variants.variants import Variant

__all__ = ["Answer", "Candidate", "CandidateReport", "RefusedCandidate", "SmallestReport"]


@dataclass(frozen=True)
class Answer:
    """The answer in words.

    Parameters
    ----------
    sentence : str
        The finding.
    next_steps : tuple of str, default=()
        Changes to try where nothing surely meets the objective, the most promising first; with an answer, what would
        make sure of a smaller one.
    """

    sentence: str
    next_steps: tuple[str, ...] = ()


@dataclass(frozen=True)
class Candidate:
    """One thing to try.

    Parameters
    ----------
    variant : str
        Name of the variant.
    threads : int
        Threads that it gets.
    batch_size : int
        Rows per request.
    length : int or None
        Tokens per text that are read at most; None for a table, and for as many as the model was trained with.
    """

    variant: str
    threads: int = 1
    batch_size: int = 1
    length: int | None = None


@dataclass(frozen=True)
class CandidateReport:
    """What was measured of a candidate.

    Parameters
    ----------
    candidate : Candidate
        The candidate.
    size_bytes : int
        Size of the file.
    latency : Percentile
        The objective's percentile of the latency of a request.
    rough_ms : float
        The same percentile of the requests that were measured, whether or not they are enough, milliseconds.
    median_ms : float
        Median latency of a request, milliseconds.
    rounds_ms : tuple of float
        Median of each round: how much the machine's speed changed.
    requests : int
        Number of requests that were measured.
    contender : bool
        Whether it was measured for long.
    loss : Estimate or None
        Loss of quality against full precision, with its interval; None without held-out rows.
    value : Estimate or None
        Its quality itself.
    judgments : dict of Judgment
        Judgment by limit, in the order of `LIMITS`; an empty limit has none.
    pareto : bool, default=False
        Whether no other candidate is as good in size, latency per row and loss, and better in one.
    """

    candidate: Candidate
    size_bytes: int
    latency: Percentile
    rough_ms: float
    median_ms: float
    rounds_ms: tuple[float, ...]
    requests: int
    contender: bool
    loss: StoredEstimate | None
    value: StoredEstimate | None
    judgments: dict[str, Judgment]
    pareto: bool = False

    @property
    def verdict(self) -> Verdict:
        """Whether it meets the objective: "met", "missed" or "unsure"."""
        return combine(self.judgments.values())

    @property
    def row_ms(self) -> float:
        """The median latency per row, milliseconds."""
        return self.median_ms / self.candidate.batch_size


@dataclass(frozen=True)
class RefusedCandidate:
    """A variant that could not be made, or a candidate that could not be measured, with the reason."""

    variant: str
    reason: str
    candidate: Candidate | None = None


def _stored_settings(values: Mapping[str, JsonValue] | SmallestSettings) -> SmallestSettings:
    """Return the settings of a stored report, whether or not this version would take them."""
    if isinstance(values, SmallestSettings):
        return values
    lists = ("forms", "threads", "batch_sizes", "lengths")
    plain: dict[str, Any] = {
        name: tuple(value) if name in lists and isinstance(value, list) else value
        for name, value in values.items()
        if name in SmallestSettings.model_fields
    }
    return SmallestSettings.model_construct(None, **plain)


def _dump_settings(settings: SmallestSettings) -> dict[str, JsonValue]:
    return settings.model_dump(mode="json")


@dataclass(frozen=True)
class SmallestReport:
    """The result of `find_smallest`.

    Parameters
    ----------
    settings : SmallestSettings
        The objective, and what was tried.
    metric : str or None
        The metric of the quality; None without held-out rows.
    variants : list of Variant
        The variants that were made or refused; the first is fp32.
    candidates : list of CandidateReport
        All candidates that were measured, the cheapest first.
    refused : list of RefusedCandidate
        Variants and candidates that could not be made or measured, with the reasons.
    chosen : int or None
        Position of the answer among the candidates; None where none surely meets the objective.
    closest : int or None
        Position of the candidate that comes closest; None where one was chosen.
    answer : Answer
        The answer in words, and the next steps.
    machine : Machine or None
        The machine that everything was measured on.
    max_length : int or None
        Tokens per text that the model reads.
    stopped : bool, default=False
        Whether it was stopped before all was measured.
    export : str, optional
        The run of the export; a run of the search adds it.

    See Also
    --------
    find_smallest : Searches.
    """

    settings: Annotated[SmallestSettings, PlainValidator(_stored_settings), PlainSerializer(_dump_settings)]
    metric: str | None
    variants: list[Variant]
    candidates: list[CandidateReport]
    refused: list[RefusedCandidate]
    chosen: int | None
    closest: int | None
    answer: Answer
    machine: Machine | None
    max_length: int | None
    stopped: bool = False
    export: str | None = None

    @property
    def choice(self) -> CandidateReport | None:
        """The candidate that is the answer, or None."""
        return None if self.chosen is None else self.candidates[self.chosen]

    def variant(self, name: str) -> Variant:
        """Return a variant by its name.

        Raises
        ------
        KeyError
            When there is none.
        """
        return {variant.name: variant for variant in self.variants}[name]

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the report as JSON-serializable values."""
        return dict(_adapter().dump_python(self, mode="json"))

    @classmethod
    def from_dict(cls, values: Mapping[str, JsonValue]) -> SmallestReport:
        """Read what `to_dict` wrote."""
        return _adapter().validate_python(dict(values))


@cache
def _adapter() -> TypeAdapter[SmallestReport]:
    return TypeAdapter(SmallestReport)
