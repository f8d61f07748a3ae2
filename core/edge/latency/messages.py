"""What the measuring process and its parent tell each other: the job, the steps, the result; all of it as JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from core.edge.export.metadata import Column
from core.edge.latency.facts import ServerFacts, TokenCounts, Warmup
from core.edge.latency.settings import LatencySettings

__all__ = [
    "CellInputs",
    "Emit",
    "FeedInputs",
    "FrameInputs",
    "InputFiles",
    "Job",
    "LoadedModel",
    "Measured",
    "OperatorTime",
    "RandomInputs",
    "Step",
    "TableInputs",
    "TextInputs",
    "Timing",
]


@dataclass(frozen=True)
class RandomInputs:
    """Random values in the shapes of the graph.

    Parameters
    ----------
    limits : dict of str to int, default={}
        Number of ids that an input may take, by its name.
    """

    limits: dict[str, int] = field(default_factory=dict)
    form: Literal["random"] = "random"


@dataclass(frozen=True)
class TextInputs:
    """Texts in ``texts.json``.

    Parameters
    ----------
    tokenizer : str
        Path of the model's ``tokenizer.json``.
    max_length : int
        Tokens per text that the model reads.
    """

    tokenizer: str
    max_length: int
    form: Literal["texts"] = "texts"


@dataclass(frozen=True)
class CellInputs:
    """Text cells of a table in ``cells.json``.

    Parameters
    ----------
    columns : tuple of Column
        The model's columns.
    """

    columns: tuple[Column, ...]
    form: Literal["cells"] = "cells"


@dataclass(frozen=True)
class FrameInputs:
    """Rows of a table in ``frame.parquet``."""

    form: Literal["frame"] = "frame"


@dataclass(frozen=True)
class TableInputs:
    """One array per input in ``inputs.npz``, each with all rows.

    Parameters
    ----------
    names : list of str
        Names of the inputs, in the order of the arrays.
    """

    names: list[str]
    form: Literal["table"] = "table"


@dataclass(frozen=True)
class FeedInputs:
    """Whole requests in ``inputs.npz``.

    Parameters
    ----------
    names : list of str
        Names of the inputs, in the order of the arrays of a request.
    count : int
        Number of requests.
    """

    names: list[str]
    count: int
    form: Literal["feeds"] = "feeds"


InputFiles = RandomInputs | TextInputs | CellInputs | FrameInputs | TableInputs | FeedInputs
"""The inputs that the parent wrote into the job's folder."""


@dataclass(frozen=True)
class Job:
    """One operation of the measuring process.

    Parameters
    ----------
    operation : str
        A name of ``measuring.operations.OPERATIONS``.
    settings : LatencySettings
        Settings of the measurement.
    path : str, default=""
        Path of the model's file or folder.
    inputs : InputFiles, default=RandomInputs()
        The inputs, in the job's folder.
    preprocessing : bool, default=False
        Whether requests are raw rows or texts.
    """

    operation: str
    settings: LatencySettings
    path: str = ""
    inputs: Annotated[InputFiles, Field(discriminator="form")] = field(default_factory=RandomInputs)
    preprocessing: bool = False


@dataclass(frozen=True)
class Step:
    """A step of the measuring process that begins.

    Parameters
    ----------
    phase : str
        Name of the step.
    seconds : float
        Seconds that it should take.
    number, probes : int, optional
        Number of the probe, and of all probes, in a search for the highest rate.
    qps : float, optional
        The rate of that probe, requests per second.
    """

    phase: str
    seconds: float
    number: int | None = None
    probes: int | None = None
    qps: float | None = None


Emit = Callable[[Step], None]


@dataclass(frozen=True)
class LoadedModel:
    """A model that is ready to be measured.

    Parameters
    ----------
    load_ms : float
        Milliseconds that loading it took.
    first_ms : float
        Milliseconds of its first run.
    rss_before_mb : float
        Resident memory before it was loaded.
    applied : dict
        Options that were read back.
    onnxruntime : str or None
        Version of ONNX Runtime.
    tokens : TokenCounts or None
        Number of tokens of the texts.
    """

    load_ms: float
    first_ms: float
    rss_before_mb: float
    applied: dict[str, bool | int | str | list[str]]
    onnxruntime: str | None
    tokens: TokenCounts | None


@dataclass(frozen=True)
class Timing:
    """What the timed part measured; the samples are in ``samples.npz``.

    Parameters
    ----------
    warmup : Warmup
        The requests before.
    floor_us : float
        Microseconds of an empty graph.
    elapsed_s : float
        Seconds that the measurement took.
    served : int
        Requests that were answered.
    cpu_s : float
        Processor time of all threads, seconds.
    others_cpu : float or None
        Cores that other processes used.
    peak_rss_mb : float
        Peak of the resident memory.
    server : ServerFacts or None
        Facts of the server scenario.
    """

    warmup: Warmup
    floor_us: float
    elapsed_s: float
    served: int
    cpu_s: float
    others_cpu: float | None
    peak_rss_mb: float
    server: ServerFacts | None


@dataclass(frozen=True)
class Measured:
    """The result of a measurement."""

    model: LoadedModel
    timing: Timing


@dataclass(frozen=True)
class OperatorTime:
    """The time of one operator in a profile.

    Parameters
    ----------
    operator : str
        Type of the operator.
    nodes : int
        Nodes of the optimized graph.
    calls : int
        Number of times they ran.
    total_us : int
        Microseconds in all.
    """

    operator: str
    nodes: int
    calls: int
    total_us: int
