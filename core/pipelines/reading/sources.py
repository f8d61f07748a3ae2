"""Sources of registered components: the shipped ones, files and folders that are given, a workspace."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Protocol, runtime_checkable

from core.errors import InputError, PlumblineError
from core.pipelines.bindings import Asset
from core.pipelines.errors import PipelineError, Position
from core.pipelines.reading.sections import Section
from core.pipelines.reading.text_files import read_text
from core.pipelines.reading.versions import version_key
from core.pipelines.reading.yaml_text import parse
from core.registry import unknown_name

__all__ = ["SHIPPED", "ComponentFiles", "ComponentSource", "find_component", "sources_of"]

SHIPPED = Path(__file__).resolve().parents[1] / "shipped"
"""Folder of the components that come with the product."""

MAX_FILES = 1_000


@runtime_checkable
class ComponentSource(Protocol):
    """A place that keeps components by name and version."""

    def find(self, asset: Asset) -> Path | None:
        """Return the file of a component, or None where the source does not have it."""

    def names(self) -> list[str]:
        """Return the names of its components."""

    def versions(self, name: str) -> list[str]:
        """Return the versions of a component, the highest last."""


class ComponentFiles:
    """Components in files, by the names and versions that the files state.

    Parameters
    ----------
    paths : iterable of Path
        Files of components.

    Examples
    --------
    >>> ComponentFiles([]).names()
    []
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        self._paths = list(paths)

    @cached_property
    def _index(self) -> dict[str, dict[str, Path]]:
        """Files by name and version; files that are no components, or cannot be read, have no entry."""
        index: dict[str, dict[str, Path]] = {}
        for path in self._paths:
            named = _name_and_version(path)
            if named is None:
                continue
            name, version = named
            first = index.setdefault(name, {}).setdefault(version, path)
            if first != path:
                raise InputError(
                    f"'{path.name}' and '{first.name}' are both the component '{name}', version '{version}'.",
                    "Give one of them another version.",
                )
        return index

    def find(self, asset: Asset) -> Path | None:
        """Return the file of a component, or None."""
        versions = self._index.get(asset.name, {})
        if asset.version is not None:
            return versions.get(asset.version)
        if asset.label not in (None, "latest") or not versions:
            return None
        return versions[max(versions, key=version_key)]

    def names(self) -> list[str]:
        """Return the names of the components."""
        return sorted(self._index)

    def versions(self, name: str) -> list[str]:
        """Return the versions of a component, the highest last."""
        return sorted(self._index.get(name, {}), key=version_key)


def sources_of(components: Path | str | Sequence[Path | str] | ComponentSource | None) -> list[ComponentSource]:
    """Return the sources that are given, and that of the shipped components."""
    shipped = _shipped()
    if components is None:
        return [shipped]
    if isinstance(components, str | Path):
        folder = Path(components)
        if not folder.is_dir():
            raise InputError(f"There is no folder '{folder}'.", "Name a folder that has components.")
        files = sorted(path for path in folder.rglob("*") if path.suffix in (".yml", ".yaml") and path.is_file())
        if len(files) > MAX_FILES:
            raise InputError(f"'{folder}' has more than {MAX_FILES:,} YAML files.", "Name a smaller folder.")
        return [ComponentFiles(files), shipped]
    if isinstance(components, ComponentSource):
        return [components, shipped]
    return [ComponentFiles(Path(path) for path in components), shipped]


@lru_cache(maxsize=1)
def _shipped() -> ComponentFiles:
    return ComponentFiles(sorted(SHIPPED.glob("*.yml")))


def find_component(asset: Asset, text: str, sources: Sequence[ComponentSource], position: Position) -> Path:
    """Return the file of a registered component.

    Raises
    ------
    PipelineError
        When no source has it; the message names the versions that exist.
    """
    try:
        for source in sources:
            path = source.find(asset)
            if path is not None:
                return path
        versions = [version for source in sources for version in source.versions(asset.name)]
        names = sorted({name for source in sources for name in source.names()})
    except PipelineError:
        raise
    except PlumblineError as error:
        raise PipelineError(error.message, error.hint, position) from error
    if versions:
        wanted = f"version '{asset.version}'" if asset.version else f"label '{asset.label}'"
        raise PipelineError(
            f"The component '{asset.name}' has no {wanted}; versions that exist: {', '.join(versions)}.",
            f"Write azureml:{asset.name}:{versions[-1]} or azureml:{asset.name}@latest.",
            position,
        )
    hint = f"Register it, or name the file of the component. {unknown_name(asset.name, names) if names else ''}"
    raise PipelineError(f"The component '{text[:80]}' is not registered here.", hint.strip(), position)


def _name_and_version(path: Path) -> tuple[str, str] | None:
    """Return what a component file states, or None where it is none."""
    try:
        section = Section(parse(read_text(path, Position(1, 1, path)), path), "the component")
        if not {"command", "jobs", "type"} & set(section.entries):
            return None
        return section.text("name") or path.stem, section.text("version", numbers=True)
    except PipelineError:
        # A file that nothing refers to does not stop a pipeline; one that is referred to by its name is not found.
        return None
