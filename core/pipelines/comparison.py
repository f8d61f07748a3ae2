"""Two runs of a pipeline side by side: what differs in each step, and which step made the difference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from core.jsonable import JsonObject

__all__ = ["ComparedStep", "Difference", "RunComparison", "StepComparison", "compare_runs", "metrics_of"]

PARTS = ("code", "command", "parameters", "inputs", "outputs", "variables", "settings", "packages")
"""Parts of what a step depends on, in the order in which differences are named."""


@dataclass(frozen=True)
class ComparedStep:
    """A step of one of the runs.

    Parameters
    ----------
    path : str
        Path of the step.
    state : str
        State that it ended in.
    parts : dict
        Parts of its key, such as its parameters by name.
    outputs : dict of str to dict
        Digests of the files of each output, by relative path.
    sources : dict of str to str
        Paths of the steps that inputs come from, by the name of the input.
    seconds : float, optional
        Time of its work.
    kept : bool, default=False
        Whether it used the outputs of an earlier execution.
    metrics : dict of str to float
        Numbers that it wrote as metrics.
    """

    path: str
    state: str
    parts: JsonObject
    outputs: Mapping[str, Mapping[str, str]]
    sources: Mapping[str, str] = field(default_factory=dict)
    seconds: float | None = None
    kept: bool = False
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Difference:
    """Something that a step depends on, and that is not the same in both runs.

    Parameters
    ----------
    part : str
        Part of the key, such as "parameters".
    name : str
        Name within the part, such as "max_depth"; empty for a part of one value.
    first, second : object
        Values in the two runs; None where it was absent.
    inherited : bool, default=False
        Whether it is an input from a step whose outputs differ, so that its cause lies there.
    """

    part: str
    name: str
    first: object
    second: object
    inherited: bool = False


@dataclass(frozen=True)
class StepComparison:
    """A step in both runs.

    Parameters
    ----------
    path : str
        Path of the step.
    first, second : ComparedStep, optional
        The step in each run; None where the run does not have it.
    differences : list of Difference
        Differences of what it depends on.
    same_outputs : bool
        Whether both made the same outputs.
    """

    path: str
    first: ComparedStep | None
    second: ComparedStep | None
    differences: Sequence[Difference]
    same_outputs: bool

    @property
    def own(self) -> list[Difference]:
        """Differences that begin in this step."""
        return [difference for difference in self.differences if not difference.inherited]

    @property
    def begins(self) -> bool:
        """Whether a difference of the runs begins here, rather than in a step before it."""
        if self.first is None or self.second is None:
            return True
        if self.own:
            return True
        known = bool(self.first.parts) and bool(self.second.parts)
        return known and not self.same_outputs and not self.differences

    @property
    def incomplete(self) -> bool:
        """Whether one of the runs did not come to it, so that there is nothing to compare."""
        return bool(self.first and self.first.outputs) != bool(self.second and self.second.outputs)


@dataclass(frozen=True)
class RunComparison:
    """Two runs of a pipeline.

    Parameters
    ----------
    steps : list of StepComparison
        All steps, in the order of the second run, then those that only the first has.
    """

    steps: Sequence[StepComparison]

    @property
    def origins(self) -> list[StepComparison]:
        """Steps in which a difference begins, in order."""
        return [step for step in self.steps if step.begins]

    @property
    def decisive(self) -> StepComparison | None:
        """First step in which a difference begins that changed its outputs; None where all outputs are the same."""
        return next((step for step in self.origins if not step.same_outputs), None)

    @property
    def metrics(self) -> dict[tuple[str, str], tuple[float | None, float | None]]:
        """Numbers of both runs, by step and name."""
        listed: dict[tuple[str, str], tuple[float | None, float | None]] = {}
        for step in self.steps:
            one = {} if step.first is None else step.first.metrics
            two = {} if step.second is None else step.second.metrics
            for name in dict.fromkeys([*one, *two]):
                listed[step.path, name] = (one.get(name), two.get(name))
        return listed


def metrics_of(content: object) -> dict[str, float]:
    """Return the numbers of a metrics file by name: those below ``metrics`` where it has such a part, otherwise all.

    Names of nested numbers are joined by dots. Of an estimate (``{"value": 0.9, "low": ...}``) the value counts.

    Examples
    --------
    >>> metrics_of({"rows": 10, "metrics": {"roc_auc": {"value": 0.9, "low": 0.8, "high": 1.0}}})
    {'roc_auc': 0.9}
    >>> metrics_of({"mse": 2, "test": {"r2": 0.5}, "model": "linear", "ready": True})
    {'mse': 2.0, 'test.r2': 0.5}
    """
    if not isinstance(content, dict):
        return {}
    part = content.get("metrics")
    return dict(_numbers(part if isinstance(part, dict) else content, ""))


def _numbers(content: Mapping[str, object], prefix: str) -> Iterator[tuple[str, float]]:
    for name, value in content.items():
        if isinstance(value, dict):
            estimate = value.get("value")
            if isinstance(estimate, int | float) and not isinstance(estimate, bool):
                yield f"{prefix}{name}", float(estimate)
            else:
                yield from _numbers(value, f"{prefix}{name}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield f"{prefix}{name}", float(value)


def compare_runs(first: Iterable[ComparedStep], second: Iterable[ComparedStep]) -> RunComparison:
    """Compare two runs of a pipeline.

    Parameters
    ----------
    first, second : iterable of ComparedStep
        Steps of each run, in their order.

    Examples
    --------
    >>> one = ComparedStep("train", "SUCCEEDED", {"parameters": {"max_depth": 6}}, {"model": {"m": "1"}})
    >>> two = ComparedStep("train", "SUCCEEDED", {"parameters": {"max_depth": 7}}, {"model": {"m": "2"}})
    >>> compare_runs([one], [two]).origins[0].own
    [Difference(part='parameters', name='max_depth', first=6, second=7, inherited=False)]
    """
    ones, twos = {step.path: step for step in first}, {step.path: step for step in second}
    compared = []
    for path in dict.fromkeys([*twos, *ones]):
        one, two = ones.get(path), twos.get(path)
        same = one is not None and two is not None and one.outputs == two.outputs
        differences = [] if one is None or two is None else _differences(one, two, ones, twos)
        compared.append(StepComparison(path, one, two, differences, same))
    return RunComparison(compared)


def _differences(
    one: ComparedStep, two: ComparedStep, ones: Mapping[str, ComparedStep], twos: Mapping[str, ComparedStep]
) -> list[Difference]:
    if not one.parts or not two.parts:  # it was not reached, so what it depends on is not known
        return []
    differences = []
    for part in PARTS:
        before, after = one.parts.get(part, {}), two.parts.get(part, {})
        for name in sorted(before.keys() | after.keys()):
            if before.get(name) == after.get(name):
                continue
            inherited = part == "inputs" and _comes_from_a_difference(name, one, two, ones, twos)
            differences.append(Difference(part, name, before.get(name), after.get(name), inherited))
    return differences


def _comes_from_a_difference(
    name: str,
    one: ComparedStep,
    two: ComparedStep,
    ones: Mapping[str, ComparedStep],
    twos: Mapping[str, ComparedStep],
) -> bool:
    """Return whether an input comes from the same step in both runs, so that its difference is that step's."""
    source = two.sources.get(name)
    return source is not None and source == one.sources.get(name) and source in ones and source in twos
