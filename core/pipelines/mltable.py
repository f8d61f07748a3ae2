"""``MLTable`` files: which files hold the rows of a table, and how they are read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InputError, LimitError
from core.registry import unknown_name

if TYPE_CHECKING:
    from core.datasets import ReadOptions

__all__ = ["MLTABLE", "Source", "mltable_sources"]

MLTABLE = "MLTable"
"""Name of the file."""
_MAX_BYTES = 200_000
_PATH_KINDS = ("file", "folder", "pattern")
_TRANSFORMATIONS = ("read_delimited", "read_parquet", "read_json_lines", "convert_column_types")
_TYPES = {"string": "text", "float": "number", "int": "integer", "boolean": "boolean"}
_DELIMITED = {"delimiter", "encoding", "header", "empty_as_string", "infer_column_types", "support_multi_line"}
_HEADERS: dict[str, int | None] = {
    "all_files_same_headers": 0,
    "all_files_different_headers": 0,
    "from_first_file": 0,
    "no_header": None,
}
_ENCODINGS = {"utf8": "utf-8", "iso88591": "latin-1", "latin1": "latin-1", "windows1252": "windows-1252"}


@dataclass(frozen=True)
class Source:
    """A file with rows.

    Parameters
    ----------
    path : Path
        The file.
    options : ReadOptions, optional
        Decisions on how it is read.
    """

    path: Path
    options: ReadOptions | None = None


def mltable_sources(folder: Path) -> list[Source]:
    """Return the files that the ``MLTable`` file of a folder names, in its order.

    Parameters
    ----------
    folder : Path
        Folder with the file; paths outside of it are refused.

    Raises
    ------
    InputError
        When the file cannot be used; the message says why.
    """
    content = _load(folder / MLTABLE)
    unknown = sorted(set(content) - {"$schema", "type", "paths", "transformations", "traits", "metadata"})
    if unknown:
        raise _refusal(f"has the key '{unknown[0]}'", unknown_name(unknown[0], ["paths", "transformations"]))
    options = _read_options(content.get("transformations") or [])
    entries = content.get("paths")
    if not isinstance(entries, list) or not entries:
        raise _refusal("names no paths", "List them: paths, each with file, folder or pattern.")
    files = [file for entry in entries for file in _files(folder, entry)]
    return [Source(file, options) for file in dict.fromkeys(files)]


def _load(file: Path) -> dict[str, Any]:
    import yaml

    if file.stat().st_size > _MAX_BYTES:
        raise LimitError("The MLTable file is too large.", "It names files; it does not hold rows.")
    text = file.read_text(encoding="utf-8", errors="replace")
    try:
        if any(isinstance(event, yaml.events.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader)):
            raise _refusal("has an alias (*)", "Write the values out.")
        content = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise _refusal(f"is not YAML: {str(error).splitlines()[0]}", "Correct it.") from None
    if not isinstance(content, dict):
        raise _refusal("holds no keys", "It needs paths.")
    return content


def _refusal(problem: str, hint: str) -> InputError:
    return InputError(f"The MLTable file {problem}.", hint)


def _files(folder: Path, entry: object) -> Iterator[Path]:
    if not isinstance(entry, dict) or len(entry) != 1 or next(iter(entry)) not in _PATH_KINDS:
        raise _refusal(f"has the path {entry!r}", "Write file, folder or pattern, and a path.")
    kind, text = next(iter(entry.items()))
    if not isinstance(text, str) or "://" in text or text.startswith("azureml:"):
        raise _refusal(f"names {text!r}, which is not a file here", "Give paths beside the MLTable file.")
    if Path(text).is_absolute() or ".." in Path(text).parts:
        raise _refusal(f"names '{text}', which is outside of its folder", "Give paths beside the MLTable file.")
    root = folder.resolve()
    if kind == "file":
        files = [folder / text]
    elif kind == "folder":
        files = sorted(item for item in (folder / text).rglob("*") if item.is_file())
    else:
        files = sorted(item for item in folder.glob(text) if item.is_file())
    files = [file for file in files if file.name != MLTABLE]
    missing = [file for file in files if not file.is_file() or not file.resolve().is_relative_to(root)]
    if missing or not files:
        raise _refusal(f"names the {kind} '{text}', which does not exist beside it", "Correct the path.")
    yield from files


def _read_options(transformations: object) -> ReadOptions | None:
    """Return how the files are read, by all transformations; None where nothing is said."""
    from core.datasets import ReadOptions

    if not isinstance(transformations, list):
        raise _refusal("has transformations that are not a list", "List them.")
    given: dict[str, Any] = {}
    for item in transformations:
        name, values = next(iter(item.items())) if isinstance(item, dict) and len(item) == 1 else (item, {})
        match name:
            case "read_delimited":
                given |= _delimited(values or {})
            case "convert_column_types":
                given["column_types"] = {**given.get("column_types", {}), **_column_types(values)}
            case "read_parquet" | "read_json_lines":
                pass  # a file's content says what it is
            case _:
                raise _refusal(
                    f"has the transformation {name!r}, which is not done here",
                    f"{', '.join(_TRANSFORMATIONS)} are. Do the rest in a step of the pipeline.",
                )
    return ReadOptions(**given) if given else None


def _delimited(values: object) -> dict[str, Any]:
    """Return the options of ``read_delimited``."""
    if not isinstance(values, dict):
        raise _refusal("has read_delimited without keys", "Known are delimiter, encoding and header.")
    unknown = sorted(set(values) - _DELIMITED)
    if unknown:
        raise _refusal(f"has '{unknown[0]}' in read_delimited", "Known are delimiter, encoding and header.")
    given: dict[str, Any] = {}
    if "delimiter" in values:
        given["delimiter"] = str(values["delimiter"])
    if "encoding" in values:
        given["encoding"] = _ENCODINGS.get(str(values["encoding"]).lower(), str(values["encoding"]))
    if "header" in values:
        header = values["header"]
        if header not in _HEADERS:
            raise _refusal(f"has the header {header!r}", f"Choose one of {', '.join(_HEADERS)}.")
        given["header"] = _HEADERS[header]
    return given


def _column_types(values: object) -> dict[str, str]:
    """Return our types of the columns that ``convert_column_types`` names."""
    types: dict[str, str] = {}
    for item in values if isinstance(values, list) else [values]:
        columns = item.get("columns") if isinstance(item, dict) else None
        kind = item.get("column_type") if isinstance(item, dict) else None
        if not columns or not isinstance(kind, str) or kind not in _TYPES:
            raise _refusal(
                f"has {item!r} in convert_column_types", f"Give columns, and a column_type: {', '.join(_TYPES)}."
            )
        types |= dict.fromkeys(map(str, columns if isinstance(columns, list) else [columns]), _TYPES[kind])
    return types
