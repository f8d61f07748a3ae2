"""Values of a pipeline's inputs and local copies of its data, checked before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import InputError
from core.pipelines.bindings import Data, Given
from core.pipelines.errors import PipelineError
from core.pipelines.graph import Step
from core.pipelines.model import Pipeline, Port
from core.pipelines.values import typed_value
from core.registry import unknown_name

__all__ = ["InputValue", "Inputs", "assets_of", "resolve_inputs"]

InputValue = str | int | float | bool | Path


@dataclass(frozen=True)
class Inputs:
    """Everything that a pipeline is given.

    Parameters
    ----------
    values : dict of str to value
        Values, or paths of files, of the pipeline's inputs. An optional input that was left out is missing.
    assets : dict of str to Path
        Paths of the data that the file refers to by name.
    """

    values: Mapping[str, InputValue] = field(default_factory=dict)
    assets: Mapping[str, Path] = field(default_factory=dict)

    def path_of(self, data: Data) -> Path:
        """Return the local path of data that the file names.

        Raises
        ------
        PipelineError
            When it is not here.
        """
        path = data.path
        if data.asset is not None:
            path = self.assets.get(data.asset.name)
            if path is None:
                raise PipelineError(
                    f"There is no data '{data.asset.name}' here.",
                    f"Import a table named '{data.asset.name}', or give a folder for it.",
                    data.position,
                )
        if path is None:
            raise PipelineError(
                f"'{data.text}' is not on this machine.",
                "Keep a copy beside the pipeline's file, and name it by its path.",
                data.position,
            )
        if not path.exists():
            raise PipelineError(f"'{data.text}' does not exist.", "Check the path.", data.position)
        return path


def assets_of(pipeline: Pipeline, steps: Iterable[Step]) -> list[Data]:
    """Return all data that the file refers to by name, once each."""
    values = [*pipeline.values.values(), *(source for step in steps for source in step.sources.values())]
    data = [value for value in values if isinstance(value, Data) and value.asset is not None]
    return list({item.asset: item for item in data}.values())


def resolve_inputs(pipeline: Pipeline, steps: list[Step], given: Mapping[str, object]) -> Inputs:
    """Return what a pipeline is given, with the file's own values where nothing else is given.

    Parameters
    ----------
    pipeline : Pipeline
        The pipeline.
    steps : list of Step
        Its steps.
    given : dict of str to object
        Values by the name of an input, and folders or files by the name of data.

    Raises
    ------
    InputError
        When a name is unknown, a value has another type, a required input has none, or files do not exist.
    """
    assets = {data.asset.name: Path() for data in assets_of(pipeline, steps) if data.asset is not None}
    for name in given:
        if name not in pipeline.inputs and name not in assets:
            raise InputError(
                f"The pipeline has no input '{name}'.",
                unknown_name(name, [*pipeline.inputs, *assets]) or "Leave it out.",
            )
    paths = {name: _path(name, given[name]) for name in assets if name in given}
    inputs = Inputs({}, paths)
    values: dict[str, InputValue] = {}
    for name, port in pipeline.inputs.items():
        value = given.get(name, pipeline.values.get(name, port.default))
        if value is not None:
            values[name] = _value(port, value, inputs)
        elif not port.optional:
            raise PipelineError(f"The input '{name}' has no value.", "Give it one.", port.position)
    for step in steps:
        for source in step.sources.values():
            if isinstance(source, Data):
                inputs.path_of(source)
    return Inputs(values, paths)


def _value(port: Port, value: object, inputs: Inputs) -> InputValue:
    if isinstance(value, Data):
        return inputs.path_of(value)
    if isinstance(value, Given):
        value = value.value
    return _path(port.name, value) if port.is_data else typed_value(port, value)


def _path(name: str, value: object) -> Path:
    if not isinstance(value, str | Path):
        raise InputError(f"'{name}' is {value!r}, which is not a path.", "Give the path of a folder or a file.")
    path = Path(value).expanduser().absolute()
    if not path.exists():
        raise InputError(f"'{name}' is '{path}', which does not exist.", "Check the path.")
    return path
