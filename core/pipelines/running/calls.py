"""The call that a step's command becomes, with the values of its inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.pipelines.graph import Step
from core.pipelines.running.command import fill_in, render, text_of
from core.pipelines.running.step_call import StepCall

__all__ = ["StepValues", "call_of"]


@dataclass(frozen=True)
class StepValues:
    """Values of a step's inputs.

    Parameters
    ----------
    parameters : dict of str to value
        Values, by input.
    files : dict of str to Path
        Paths of files and folders, by input.
    """

    parameters: Mapping[str, str | int | float | bool]
    files: Mapping[str, Path]

    def texts(self, outputs: Mapping[str, Path]) -> dict[str, str]:
        """Return texts by expression, such as ``"inputs.x"``."""
        inputs = {name: text_of(value) for name, value in self.parameters.items()}
        inputs |= {name: str(path) for name, path in self.files.items()}
        return {f"inputs.{name}": text for name, text in inputs.items()} | {
            f"outputs.{name}": str(path) for name, path in outputs.items()
        }


def call_of(
    step: Step,
    values: StepValues,
    folder: Path,
    outputs: Mapping[str, Path],
    *,
    trial: str = "",
    searched: Mapping[str, object] | None = None,
) -> StepCall:
    """Return the call of a step's command.

    Parameters
    ----------
    step : Step
        The step.
    values : StepValues
        Values of its inputs.
    folder : Path
        Folder of the call.
    outputs : dict of str to Path
        Paths to write to, by output.
    trial : str, default=""
        Name of a trial, which is added to the step's.
    searched : dict of str to value, optional
        Values of a sweep's search space.
    """
    component = step.node.component
    texts = values.texts(outputs) | {f"search_space.{name}": text_of(value) for name, value in (searched or {}).items()}
    texts["name"] = step.path
    rendered = render(component.command, texts)
    variables = {**component.environment_variables, **step.node.environment_variables}
    return StepCall(
        step=f"{step.path}/{trial}" if trial else step.path,
        title=f"{step.title} {trial}".strip(),
        command=rendered.command,
        variables={name: fill_in(value, texts) for name, value in variables.items()} | rendered.variables,
        code=None if component.code is None else str(component.code),
        folder=str(folder),
        outputs={name: str(path) for name, path in outputs.items()},
        types={name: port.type for name, port in step.outputs.items()},
        shipped=component.shipped,
        timeout_s=step.node.timeout_s,
    )
