"""What is said about settings that cannot be used: the variable, its value, and what it takes."""

from __future__ import annotations

import os
import types
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticUndefined

from core.errors import SettingsError

__all__ = ["PREFIX", "SECRET", "check_env_file", "describe_field", "invalid_settings", "unknown_settings"]

PREFIX = "PLUMBLINE_"
"""Beginning of all names of variables."""
SECRET = "SECRET_"
"""Continuation of the names of variables that hold credentials (`core.credentials`), which are not settings."""
_OF_RUNS = (
    "RUN_ID",
    "RUN_CLAIM",
    "RUN_TMPDIR",
    "RUN_HANDLE",
    "RUN_CPUS",
    "RUN_MEMORY_MB",
    "METRICS",
    "REGISTERS",
    "VALUE_",
    "ERROR",
)
"""Beginnings of further names, which runs and the steps of pipelines get from Plumbline itself."""
_BOUNDS = {Ge: "of at least", Gt: "above", Le: "of at most", Lt: "below"}


def describe_field(field: FieldInfo) -> str:
    """Return which values a setting takes.

    Examples
    --------
    >>> from pydantic import BaseModel, Field
    >>> class Example(BaseModel):
    ...     limit: int | None = Field(default=None, ge=1)
    >>> describe_field(Example.model_fields["limit"])
    'a whole number of at least 1'
    """
    annotation = field.annotation
    if get_origin(annotation) in (Union, types.UnionType):
        annotation = next(part for part in get_args(annotation) if part is not type(None))
    if get_origin(annotation) is Literal:
        return "one of: " + ", ".join(map(str, get_args(annotation)))
    words = next((words for words in field.metadata if isinstance(words, str)), None)
    if words is not None:  # the type says itself what it has
        return words
    nouns = {int: "a whole number", float: "a number", bool: "true or false", Path: "a folder"}
    bounds = [
        f"{words} {getattr(bound, name):,}"
        for bound in field.metadata
        for kind, words in _BOUNDS.items()
        if isinstance(bound, kind) and (name := kind.__name__.lower())
    ]
    noun = nouns.get(annotation, "a text") if isinstance(annotation, type) else "a text"
    return " ".join([noun, " and ".join(bounds)]).strip()


def invalid_settings(settings: type[BaseModel], error: ValidationError) -> SettingsError:
    """Return an error that says of each invalid variable what it is and what it takes."""
    mistakes = [_sentence(settings, mistake) for mistake in error.errors()]
    return SettingsError(
        " ".join(mistakes), "Correct the environment or the file .env next to app.py, then start Plumbline again."
    )


def _sentence(settings: type[BaseModel], mistake: ErrorDetails) -> str:
    name = str(mistake["loc"][0]) if mistake["loc"] else ""
    field = settings.model_fields.get(name)
    if field is None:
        return f"The settings do not fit together: {mistake['msg'].removeprefix('Value error, ')}."
    value = str(mistake["input"])
    default = "" if field.default in (None, PydanticUndefined, ()) else f" (by default {_written(field.default)})"
    return f"{PREFIX}{name.upper()} is '{value[:200]}', and has to be {describe_field(field)}{default}."


def _written(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else ", ".join(value) if isinstance(value, tuple) else str(value)


def check_env_file(path: Path) -> None:
    """Raise SettingsError for a ``.env`` file that cannot be read, or has a line that is not an assignment."""
    from dotenv.parser import parse_stream

    try:
        with open(path, encoding="utf-8") as file:
            statements = list(parse_stream(file))
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        reason = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror
        raise SettingsError(f"The file {path} cannot be read: {reason}.", "Correct it, or move it away.") from error
    for statement in statements:
        if statement.error or (statement.key is not None and statement.value is None):
            raise SettingsError(
                f"Line {statement.original.line} of {path} is not an assignment.",
                "Write NAME=value, one on a line; comments begin with #.",
            )


def unknown_settings(settings: type[BaseModel], env_file: Path | None) -> list[str]:
    """Return a sentence about each variable with our prefix that is not a setting."""
    from dotenv import dotenv_values

    names = {*os.environ, *(dotenv_values(env_file) if env_file is not None and env_file.is_file() else ())}
    known = [name.upper() for name in settings.model_fields]
    sentences = []
    for name in sorted(name for name in names if name.upper().startswith(PREFIX)):
        own = name.upper().removeprefix(PREFIX)
        if own in known or own.startswith((*_OF_RUNS, SECRET)):
            continue
        nearest = get_close_matches(own, known, n=1)
        advice = f"Did you mean {PREFIX}{nearest[0]}?" if nearest else "README.md lists the settings."
        sentences.append(f"{name[:80]} is not a setting and has no effect. {advice}")
    return sentences
