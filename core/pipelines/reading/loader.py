"""Reads a pipeline file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from core.access import has_feature
from core.pipelines.bindings import Data, Given
from core.pipelines.errors import START, PipelineError
from core.pipelines.model import Component, OutputPort, Pipeline, PipelineSettings
from core.pipelines.reading import keys
from core.pipelines.reading.checks import check_values
from core.pipelines.reading.component_files import read_component, read_component_file
from core.pipelines.reading.context import Origin, Reading
from core.pipelines.reading.nodes import add_nodes, check_kinds
from core.pipelines.reading.pipeline_inputs import read_pipeline_inputs, read_values
from core.pipelines.reading.sections import Section
from core.pipelines.reading.sources import ComponentSource, sources_of
from core.pipelines.reading.text_files import read_text
from core.pipelines.reading.values import read_output
from core.pipelines.reading.yaml_text import parse
from core.registry import unknown_name
from core.settings import get_settings

__all__ = ["load_component", "load_pipeline"]


def load_pipeline(
    path: str | Path, *, components: Path | str | Sequence[Path | str] | ComponentSource | None = None
) -> Pipeline:
    """Read a pipeline file, and check it: nothing of it runs.

    Parameters
    ----------
    path : str or Path
        Path of a pipeline's YAML file, in the format of Azure Machine Learning.
    components : Path, str, sequence of these, or ComponentSource, optional
        Registered components, by which ``azureml:name@latest`` is looked up: a folder, files, or a source. Those that
        come with the product follow them.

    Returns
    -------
    Pipeline
        What the file says, with its components and those that they use.

    Raises
    ------
    PipelineError
        When the file cannot be used; with line and column.

    See Also
    --------
    steps_of : Return the steps of a pipeline as one list.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> text = '''
    ... type: pipeline
    ... inputs: {greeting: hello}
    ... jobs:
    ...   greet:
    ...     command: echo ${{inputs.text}} > ${{outputs.file}}
    ...     inputs: {text: "${{parent.inputs.greeting}}"}
    ...     outputs: {file: {type: uri_file}}
    ... '''
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "pipeline.yml"
    ...     _ = file.write_text(text)
    ...     pipeline = load_pipeline(file)
    >>> list(pipeline.nodes), pipeline.inputs["greeting"].type
    (['greet'], 'string')
    """
    path = Path(path).absolute()
    text = read_text(path, START)
    section = Section(parse(text), "the pipeline", keys.PIPELINE_KEYS)
    reading = Reading(path.parent, sources_of(components), _shipped_only())
    reading.open_files.append(path.resolve())
    origin = Origin(path.parent)
    kind = section.text("type") or "pipeline"
    if kind.lower() != "pipeline":
        raise PipelineError(
            f"The file is of the type '{kind[:60]}', not a pipeline.",
            "Write 'type: pipeline' and 'jobs:'.",
            section.at("type"),
        )
    keys.note_unused(section, origin, reading)
    if "component" in section:
        component, values = _from_component(section, origin, reading)
    else:
        component, values = _from_jobs(section, origin, reading)
    check_values(component, values)
    return Pipeline(
        path=path,
        text=text,
        inputs=component.inputs,
        values=values,
        outputs=component.outputs,
        nodes=component.nodes,
        settings=_settings(section, origin, reading),
        name=section.text("name"),
        display_name=section.text("display_name"),
        experiment_name=section.text("experiment_name"),
        description=section.text("description"),
        tags=section.texts("tags"),
        notices=reading.notices,
    )


def load_component(
    path: str | Path, *, components: Path | str | Sequence[Path | str] | ComponentSource | None = None
) -> Component:
    """Read a component file, and check it.

    Parameters
    ----------
    path : str or Path
        Path of a component's YAML file, in the format of Azure Machine Learning.
    components : Path, str, sequence of these, or ComponentSource, optional
        Registered components, which a pipeline component may use.

    Raises
    ------
    PipelineError
        When the file cannot be used; with line and column.

    See Also
    --------
    load_pipeline : Read a pipeline file, and check it.

    Examples
    --------
    >>> from core.pipelines import component_files
    >>> component = load_component(component_files()["data_prep"])
    >>> component.title, component.shipped
    ('Data preparation', True)
    """
    path = Path(path).absolute().resolve()
    reading = Reading(path.parent, sources_of(components), _shipped_only())
    return read_component_file(path, reading, add_nodes)


def _shipped_only() -> bool:
    """Return whether only the commands of components that come with Plumbline run here."""
    return get_settings().pipeline_commands == "shipped" or not has_feature("pipeline_commands")


def _from_jobs(section: Section, origin: Origin, reading: Reading) -> tuple[Component, dict[str, Given | Data]]:
    """Return the pipeline that a file states itself, and the values of its inputs."""
    check_kinds(section.group("jobs"))
    inputs, values = read_pipeline_inputs(section.group("inputs"), origin, reading)
    outputs = {
        name: read_output(name, entry, OutputPort(name, ""), origin, reading)
        for name, entry in section.group("outputs").items()
    }
    component = Component("", "", "pipeline", inputs, outputs, position=section.position)
    literals = {name: value for name, value in values.items() if isinstance(value, Given)}
    return add_nodes(section, component, origin, reading, literals), values


def _from_component(section: Section, origin: Origin, reading: Reading) -> tuple[Component, dict[str, Given | Data]]:
    """Return the pipeline component that a file names, and the values that it gives its inputs."""
    if "jobs" in section:
        raise PipelineError("The pipeline has both 'component' and 'jobs'.", "Remove one of them.", section.at("jobs"))
    item = section.require("component", "Name a pipeline component.")
    component, _ = read_component(item, origin, reading, add_nodes)
    if component.kind != "pipeline":
        raise PipelineError(
            f"The component is of the type '{component.kind}', not a pipeline.",
            "Name a pipeline component, or use it as a step below 'jobs'.",
            section.at("component"),
        )
    values = read_values(section.group("inputs"), component, origin, reading)
    outputs = dict(component.outputs)
    for name, entry in section.group("outputs").items():
        if name not in outputs:
            raise PipelineError(
                f"The pipeline has no output '{name[:60]}'.", unknown_name(name, outputs), entry.position
            )
        outputs[name] = read_output(name, entry, outputs[name], origin, reading)
    return replace(component, outputs=outputs), values


def _settings(section: Section, origin: Origin, reading: Reading) -> PipelineSettings:
    item = section.item("settings")
    if item is None:
        return PipelineSettings()
    settings = Section(item, "'settings'")
    unused = {name for name in settings.entries if name.startswith("default_")}
    settings = Section(item, settings.noun, {*keys.SETTINGS_KEYS, *unused})
    for key in sorted(unused - set(keys.SETTINGS_KEYS)):  # a cloud ignores them, and no default has an effect here
        reading.note(
            key, settings.at(key), f"'{key}' is not a known setting. {unknown_name(key, keys.SETTINGS_KEYS)}", origin
        )
    for key, reason in (
        ("default_compute", "every step runs on this machine"),
        ("default_datastore", "outputs are kept with their run"),
    ):
        if key in settings:
            reading.note(key, settings.at(key), f"'{key}' has no effect: {reason}.", origin)
    return PipelineSettings(
        continue_on_step_failure=settings.flag("continue_on_step_failure", False),
        force_rerun=settings.flag("force_rerun", False),
        default_datastore=settings.text("default_datastore"),
        default_compute=settings.text("default_compute"),
    )
