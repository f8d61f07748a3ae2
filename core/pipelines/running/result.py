"""The result of a pipeline: what became of every step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.jsonable import JsonObject
from core.pipelines.running.step_call import StepState

__all__ = ["PipelineResult", "StepResult"]


@dataclass(frozen=True)
class StepResult:
    """What became of a step.

    Parameters
    ----------
    state : StepState
        Its state.
    cached : bool
        Whether its outputs were kept from an earlier execution.
    reason : str
        Reason why it was executed or not, or why it failed.
    outputs : dict of str to Path
        Paths of its outputs: folders, or files of the type ``uri_file``. Empty where it has none.
    hint : str, default=""
        Instruction after a failure.
    elapsed_s : float, default=0
        Seconds that it took.
    run_id : str, default=""
        Run that executed it; empty without a run.
    """

    state: StepState
    cached: bool
    reason: str
    outputs: Mapping[str, Path]
    hint: str = ""
    elapsed_s: float = 0.0
    run_id: str = ""

    def to_dict(self) -> JsonObject:
        """Return JSON-serializable values."""
        return {**vars(self), "outputs": {name: str(path) for name, path in self.outputs.items()}}


@dataclass(frozen=True)
class PipelineResult:
    """What became of a pipeline.

    Parameters
    ----------
    steps : dict of str to StepResult
        Results by the path of the step, in the order of the file.
    outputs : dict of str to Path
        Paths of the pipeline's outputs, of steps that succeeded.
    elapsed_s : float
        Seconds that it took.
    """

    steps: Mapping[str, StepResult]
    outputs: Mapping[str, Path]
    elapsed_s: float

    @property
    def state(self) -> StepState:
        """State of the whole: that of its worst step."""
        states = {step.state for step in self.steps.values()}
        worst = (StepState.CANCELLED, StepState.FAILED, StepState.TIMED_OUT, StepState.SKIPPED)
        return next((state for state in worst if state in states), StepState.SUCCEEDED)

    @property
    def executed(self) -> list[str]:
        """Paths of the steps that ran now."""
        ran = (StepState.SUCCEEDED, StepState.FAILED, StepState.TIMED_OUT)
        return [path for path, step in self.steps.items() if not step.cached and step.state in ran]

    def to_dict(self) -> JsonObject:
        """Return JSON-serializable values."""
        return {
            "state": str(self.state),
            "steps": {path: step.to_dict() for path, step in self.steps.items()},
            "outputs": {name: str(path) for name, path in self.outputs.items()},
            "elapsed_s": self.elapsed_s,
        }
