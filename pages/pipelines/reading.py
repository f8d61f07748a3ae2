"""Pipelines as the page reads them: what a text says with the files beside it, or where its mistake is."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from core.access import Access
from core.errors import PlumblineError
from core.jsonable import JsonObject
from core.pipelines import Command, Pipeline, PipelineError, commands_of, steps_of
from core.tasks import pipeline as pipeline_task

__all__ = ["CodeFile", "Reading", "forget", "read"]

_SHOWN_BYTES = 200_000


@dataclass(frozen=True)
class CodeFile:
    """A file that a command runs.

    Parameters
    ----------
    name : str
        Relative path.
    text : str, optional
        Its text; None where it is binary, or too long to be shown.
    size_bytes : int
        Its size.
    """

    name: str
    text: str | None
    size_bytes: int


@dataclass(frozen=True)
class Reading:
    """What came of reading a pipeline.

    Parameters
    ----------
    pipeline : Pipeline, optional
        The pipeline; None where it has a mistake.
    error : PlumblineError, optional
        The mistake.
    around : str, default=""
        Lines of another file than the pipeline's, around the mistake in it.
    plan : dict
        Its steps.
    commands : list of (Command, list of CodeFile)
        Commands that did not come with the product, with their code.
    """

    pipeline: Pipeline | None
    error: PlumblineError | None
    around: str
    plan: JsonObject
    commands: list[tuple[Command, list[CodeFile]]]


def read(text: str, files: Mapping[str, str], *, access: Access) -> Reading:
    """Read and check a pipeline. The same text and files are read once in a minute."""
    return _read(text, json.dumps(dict(files), sort_keys=True), access=access)


def forget() -> None:
    """Read every pipeline anew, after the components that it may refer to have changed."""
    _read.clear()


@st.cache_resource(max_entries=64, ttl=60, show_spinner=False)
def _read(text: str, files: str, *, access: Access) -> Reading:
    with tempfile.TemporaryDirectory(prefix="plumbline-") as folder:
        try:
            pipeline = pipeline_task.read(text, json.loads(files), Path(folder) / "pipeline", access=access)
            steps = steps_of(pipeline)
            codes = {step.path: step.node.component.code for step in steps}
            commands = [(command, _code(command, codes[command.step])) for command in commands_of(pipeline)]
            return Reading(pipeline, None, "", pipeline_task.plan_of(steps), commands)
        except PlumblineError as error:
            return Reading(None, error, _around(error), {"steps": []}, [])


def _code(command: Command, code: Path | None) -> list[CodeFile]:
    if code is None:
        return []
    return [_file(code if code.is_file() else code / name, name) for name in command.files]


def _file(path: Path, name: str) -> CodeFile:
    content = path.read_bytes()
    try:
        text = content.decode() if len(content) <= _SHOWN_BYTES else None
    except UnicodeDecodeError:
        text = None
    return CodeFile(name, text, len(content))


def _around(error: PlumblineError) -> str:
    """Return the text of the other file that an error is in."""
    if isinstance(error, PipelineError) and error.position.file is not None and error.position.file.is_file():
        return error.position.file.read_text(encoding="utf-8", errors="replace")
    return ""
