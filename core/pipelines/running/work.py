"""The work of a step by the type of its node: a command, a search, or the trials of a sweep."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from core.errors import PlumblineError
from core.pipelines.graph import Step
from core.pipelines.running.automl_node import search_node
from core.pipelines.running.calls import StepValues, call_of
from core.pipelines.running.step_call import Execute, StepOutcome, StepState
from core.pipelines.running.sweep_node import sweep

__all__ = ["work_of"]


def work_of(
    step: Step,
    values: StepValues,
    folder: Path,
    outputs: Mapping[str, Path],
    execute: Execute,
    should_stop: Callable[[], bool],
) -> StepOutcome:
    """Do the work of a step, and return how it ended.

    Parameters
    ----------
    step : Step
        The step.
    values : StepValues
        Values of its inputs.
    folder : Path
        Its folder.
    outputs : dict of str to Path
        Paths to write to, by output.
    execute : callable
        Function that runs a call.
    should_stop : callable
        Function that says whether to end early.
    """
    try:
        match step.node.kind:
            case "automl":
                return search_node(step, values, folder, outputs, execute, should_stop)
            case "sweep":
                return sweep(step, values, folder, outputs, execute, should_stop)
            case _:
                return execute(call_of(step, values, folder, outputs), should_stop)
    except PlumblineError as error:
        return StepOutcome(StepState.FAILED, error.message, error.hint)
