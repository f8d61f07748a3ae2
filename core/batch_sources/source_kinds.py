"""The kinds of sources of batches. An extension adds one with ``SOURCE_KINDS.add(...)``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from annotated_types import MaxLen

from core.batch_sources.folder import FolderLook, FolderSettings, check_folder, shown_folder
from core.batch_sources.query import QueryLook, QuerySettings, check_query, shown_query
from core.batch_sources.source_look import SourceLook
from core.checked import CheckedSettings
from core.credentials import check_name
from core.errors import InputError
from core.registry import Registry

__all__ = ["SOURCE_KINDS", "SourceKind", "check_source", "look_at", "source_settings"]


@dataclass(frozen=True)
class SourceKind:
    """One kind of source.

    Parameters
    ----------
    name : str
        Key in stored settings.
    title : str
        Title in lists.
    help : str
        Sentence that says what is a batch.
    settings : type of CheckedSettings
        Settings of a source of this kind; titles and descriptions of the fields are labels and help texts of forms.
    check : callable
        Function of the settings and the workspace that raises what is wrong with them.
    look : callable
        Function of the settings, the state that the look before left, and the workspace that looks for what is new.
    shown : callable
        Function of the settings that returns where the rows come from.
    identity : tuple of str
        Names of the settings that say where and from where on it is looked: with other ones all counts as new.
    """

    name: str
    title: str
    help: str
    settings: type[CheckedSettings]
    check: Callable[..., None]
    look: Callable[..., SourceLook]
    shown: Callable[[Any], str]
    identity: tuple[str, ...]


SOURCE_KINDS: Final[Registry[SourceKind]] = Registry(
    "kind of source",
    [
        SourceKind(
            "folder",
            "Folder",
            help="Each file that is new or has changed is a batch.",
            settings=FolderSettings,
            check=check_folder,
            look=FolderLook,
            shown=shown_folder,
            identity=("url",),
        ),
        SourceKind(
            "query",
            "SQL query",
            help="The rows that are new since the check before are one batch.",
            settings=QuerySettings,
            check=check_query,
            look=QueryLook,
            shown=shown_query,
            identity=("credential", "column", "start"),
        ),
    ],
)
"""The kinds of sources."""


def source_settings(kind: str, values: Mapping[str, Any]) -> CheckedSettings:
    """Return the settings of a source.

    Raises
    ------
    InputError
        When a value that it needs is empty.
    SettingsError
        When the kind is unknown, or a value cannot be used.

    Examples
    --------
    >>> source_settings("folder", {"url": "/srv/scored"}).pattern
    '*'
    """
    known = SOURCE_KINDS.require(kind).settings
    for name, field in known.model_fields.items():
        given = values.get(name, "")
        if field.is_required() and not str(given).strip():
            raise InputError(f"'{field.title or name}' is empty.", field.description or "Fill it in.")
        longest = next((item.max_length for item in field.metadata if isinstance(item, MaxLen)), None)
        if longest is not None and len(str(given)) > longest:
            raise InputError(
                f"'{field.title or name}' has {len(str(given)):,} characters.", f"It may have {longest:,} at most."
            )
    if name := str(values.get("credential", "")).strip():
        check_name(name)  # it may be the value, which no message repeats
    return known(**values)


def check_source(kind: str, values: Mapping[str, Any], *, workspace: str) -> CheckedSettings:
    """Return the settings of a source that may be looked at here, as far as that is known without looking.

    Parameters
    ----------
    kind : str
        Kind of the source, a key of `SOURCE_KINDS`.
    values : mapping
        Settings of the source.
    workspace : str
        Workspace that reads.

    Raises
    ------
    DeniedError
        When it may not be read in this profile.
    InputError
        When a value cannot be used.
    SettingsError
        When the kind is unknown, a value has the wrong form, or a credential or package is missing.
    """
    settings = source_settings(kind, values)
    SOURCE_KINDS[kind].check(settings, workspace=workspace)
    return settings


def look_at(kind: str, values: Mapping[str, Any], before: Mapping[str, Any], *, workspace: str) -> SourceLook:
    """Look at a source, and return what is new.

    Parameters
    ----------
    kind : str
        Kind of the source, a key of `SOURCE_KINDS`.
    values : mapping
        Settings of the source.
    before : mapping
        State that the look before left; empty for the first one.
    workspace : str
        Workspace that reads.

    Raises
    ------
    PlumblineError
        When it cannot be read: what is said names no credential's value.

    Examples
    --------
    >>> import os, tempfile
    >>> folder = tempfile.mkdtemp()
    >>> with open(f"{folder}/monday.csv", "w") as file:
    ...     _ = file.write("age\\n44\\n")
    >>> os.utime(f"{folder}/monday.csv", (0, 0))
    >>> look = look_at("folder", {"url": folder}, {}, workspace="local")
    >>> [batch.name for batch in look.batches]
    ['monday.csv']
    >>> look.brought(look.batches[0])
    >>> look_at("folder", {"url": folder}, look.state(), workspace="local").batches
    ()
    """
    settings = source_settings(kind, values)
    return SOURCE_KINDS[kind].look(settings, before, workspace=workspace)
