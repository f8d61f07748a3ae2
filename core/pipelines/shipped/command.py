"""The command of a shipped component: its flags from the component file, its log, and its errors."""

from __future__ import annotations

import argparse
import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from core.errors import InputError, PlumblineError, SettingsError, from_record, to_record
from core.files import write_text
from core.jsonable import JsonObject, jsonable
from core.pipelines.bindings import DATA_TYPES
from core.pipelines.shipped import component_files
from core.plain_text import one_line
from core.progress import Event

__all__ = [
    "ERROR_MARKER",
    "Arguments",
    "log",
    "log_event",
    "read_error",
    "run_component",
    "write_metrics",
    "write_report",
]

ERROR_MARKER = "PLUMBLINE_ERROR "
"""Start of the line on standard error that has the error as JSON."""
METRICS_VARIABLE = "PLUMBLINE_METRICS"
"""Variable with the path of the file that takes the metrics of a step."""
_TRUE, _FALSE = ("true", "1", "yes"), ("false", "0", "no")


@dataclass(frozen=True)
class Arguments:
    """The inputs and outputs that a command was given.

    Parameters
    ----------
    values : dict
        Values by name, of the types in the component file; None where an optional one was not given.
    """

    values: dict[str, Any]

    def path(self, name: str) -> Path:
        """Return the path of an input or output."""
        return Path(self.values[name])

    def optional_path(self, name: str) -> Path | None:
        """Return the path of an input, or None."""
        value = self.values[name]
        return None if value is None else Path(value)

    def text(self, name: str) -> str | None:
        """Return a text, or None where none, or an empty one, was given."""
        value = self.values[name]
        return str(value) if value else None

    def number(self, name: str) -> float:
        """Return a number."""
        return float(self.values[name])

    def integer(self, name: str) -> int:
        """Return an integer."""
        return int(self.values[name])

    def flag(self, name: str) -> bool:
        """Return a boolean."""
        return bool(self.values[name])

    def names(self, name: str) -> tuple[str, ...]:
        """Return a list of names that are separated by commas."""
        return tuple(part.strip() for part in (self.text(name) or "").split(",") if part.strip())


def run_component(name: str, work: Callable[[Arguments], None], argv: Sequence[str] | None = None) -> int:
    """Run the work of a component with its command's flags, and return the exit status.

    Parameters
    ----------
    name : str
        Name of the component.
    work : callable
        Function of the arguments.
    argv : sequence of str, optional
        Flags; by default those of this process.
    """
    try:
        work(_parse(name, sys.argv[1:] if argv is None else argv))
    except PlumblineError as error:
        sys.stdout.flush()
        print(ERROR_MARKER + json.dumps(to_record(error)), file=sys.stderr, flush=True)  # noqa: T201
        return 1
    except Exception as error:  # noqa: BLE001  (a defect: logged with its traceback, and recorded for the run)
        sys.stdout.flush()
        traceback.print_exception(error)
        print(ERROR_MARKER + json.dumps(to_record(error)), file=sys.stderr, flush=True)  # noqa: T201
        return 1
    return 0


def read_error(text: str) -> PlumblineError | None:
    """Return the error that a command wrote to standard error, or None.

    Parameters
    ----------
    text : str
        Text that it wrote; the last such line counts.

    Examples
    --------
    >>> text = ERROR_MARKER + json.dumps(to_record(InputError("There is no table.", "Give one.")))
    >>> read_error(f"some warning\\n{text}\\n")
    InputError('There is no table. Give one.')
    """
    lines = [line for line in text.splitlines() if line.startswith(ERROR_MARKER)]
    if not lines:
        return None
    try:
        return from_record(json.loads(lines[-1][len(ERROR_MARKER) :]))
    except (ValueError, KeyError, TypeError):
        return None


def log(*lines: str) -> None:
    """Print lines to the log of the step; a name in them begins no line of its own."""
    for line in lines:
        indent = line[: len(line) - len(line.lstrip(" "))]
        print(f"{indent}{one_line(line)}", flush=True)  # noqa: T201


def log_event(event: Event) -> None:
    """Print an event of progress to the log of the step."""
    if event.message and event.phase != "evaluate":  # a pipeline tests a model in a step of its own
        log(event.message)


def write_report(folder: Path, component: str, **values: Any) -> None:
    """Write ``report.json`` of an output: what was done, guessed and left out.

    Parameters
    ----------
    folder : Path
        Folder of the output.
    component : str
        Name of the component.
    values : dict
        Further entries.
    """
    record: JsonObject = {"component": component, **values}
    write_text(folder / "report.json", json.dumps(jsonable(record), indent=1, ensure_ascii=False))


def write_metrics(values: Mapping[str, float | None]) -> None:
    """Write numbers to the file that `METRICS_VARIABLE` names, where it names one: a sweep compares its trials by them.

    Parameters
    ----------
    values : mapping of str to float or None
        Numbers by name; those that are not known are left out.
    """
    target = os.environ.get(METRICS_VARIABLE)
    if target:
        known = {name: value for name, value in jsonable(dict(values)).items() if value is not None}
        write_text(target, json.dumps(known))


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise SettingsError(
            f"The command of {self.prog} cannot be read: {message}.", f"Its flags: {self.format_usage()}"
        )


def _parse(name: str, argv: Sequence[str]) -> Arguments:
    import yaml

    content = yaml.safe_load(component_files()[name].read_text(encoding="utf-8"))
    parser = _Parser(prog=name, allow_abbrev=False, description=content["description"])
    ports: dict[str, dict[str, Any]] = content.get("inputs", {})
    for port, record in ports.items():
        optional = record.get("optional", False) or "default" in record
        parser.add_argument(f"--{port}", required=not optional, help=record.get("description"))
    for port in content["outputs"]:
        parser.add_argument(f"--{port}", required=True)
    values = vars(parser.parse_args(list(argv)))
    for port, record in ports.items():
        values[port] = _checked(port, record, values[port])
    return Arguments(values)


def _checked(port: str, record: dict[str, Any], text: str | None) -> Any:
    """Return the value of an input with its type, within its bounds."""
    if text is None:
        return record.get("default")
    value = _converted(port, record["type"], text)
    if "enum" in record and value not in record["enum"]:
        raise SettingsError(f"{port} is '{text}'.", f"Choose one of {', '.join(map(str, record['enum']))}.")
    low, high = record.get("min"), record.get("max")
    if (low is not None and value < low) or (high is not None and value > high):
        bounds = " and ".join(
            part
            for part in (f"at least {low}" if low is not None else "", f"at most {high}" if high is not None else "")
            if part
        )
        raise SettingsError(f"{port} is {text}.", f"Give a number of {bounds}.")
    return value


def _converted(port: str, kind: str, text: str) -> Any:
    if kind in DATA_TYPES:
        if not Path(text).exists():
            raise InputError(f"The {port} '{Path(text).name}' does not exist.", "Give the path of a file or folder.")
        return text
    try:
        match kind:
            case "integer":
                return int(float(text)) if float(text).is_integer() else int(text)
            case "number":
                return float(text)
            case "boolean":
                return (*_TRUE, *_FALSE).index(text.strip().lower()) < len(_TRUE)
    except ValueError:
        raise SettingsError(f"{port} is '{text}', which is not of the type {kind}.", f"Give {kind} values.") from None
    return text
