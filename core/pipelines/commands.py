"""The commands that a pipeline would run which did not come with the product, for a person to look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.pipelines.graph import steps_of
from core.pipelines.model import Pipeline
from core.pipelines.running.contents import code_digests, content_digest

__all__ = ["Command", "commands_of"]


@dataclass(frozen=True)
class Command:
    """A command that is not shipped, with its code.

    Parameters
    ----------
    step : str
        Path of the step.
    command : str
        Text of the command, with expressions in place of values.
    files : dict of str to str
        Digests of the files of its code, by relative path.
    digest : str
        SHA-256 of the command and its code: any change gives another one.
    """

    step: str
    command: str
    files: Mapping[str, str]
    digest: str


def commands_of(pipeline: Pipeline) -> list[Command]:
    """Return the commands of a pipeline that are not shipped with the product, in the order of the file.

    Parameters
    ----------
    pipeline : Pipeline
        Pipeline that `load_pipeline` returned.
    """
    commands = []
    for step in steps_of(pipeline):
        component = step.node.component
        if component.shipped or component.kind == "automl":
            continue
        files = code_digests(component.code)
        variables = {**component.environment_variables, **step.node.environment_variables}
        contents = (
            files | {"(command)": component.command} | {f"(variable) {name}": variables[name] for name in variables}
        )
        commands.append(Command(step.path, component.command, files, content_digest(contents)))
    return commands
