"""Components of a workspace: registered from uploaded files, and read again with what they say."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from core.access import Access, Role
from core.catalog import PipelineComponent, components, usage
from core.errors import InputError
from core.pipelines import Asset, Component, load_component
from core.storage import get_store
from core.tasks._pipeline_components import StoredComponents

__all__ = ["read_component", "register_component"]

_SUFFIXES = (".yml", ".yaml")


def read_component(row: PipelineComponent, *, access: Access) -> Component:
    """Return what a registered component says; paths in it do not outlive the call.

    Raises
    ------
    PipelineError
        When it cannot be used, such as a component of a pipeline that names another one which is not there any more.
    """
    row = components.by_id(row.id, access=access)
    with tempfile.TemporaryDirectory(prefix="plumbline-") as scratch:
        stored = StoredComponents(Path(scratch), access=access)
        path = stored.find(Asset(row.name, version=row.version))
        assert path is not None
        return load_component(path, components=stored)


def register_component(files: Mapping[str, bytes], *, access: Access) -> tuple[PipelineComponent, bool]:
    """Register a component, as the version that its file states, or as the next number where it states none.

    Parameters
    ----------
    files : mapping of str to bytes
        Contents by relative path: the component's YAML file, and its code below the folder of that file.
    access : Access
        The workspace, and who acts in it.

    Returns
    -------
    component : PipelineComponent
        The stored row.
    new : bool
        Whether it was added: the same content under the same version is stored once.

    Raises
    ------
    InputError
        When no file is a component, several are, it has no name, or the version has other content.
    PipelineError
        When the component has a mistake.
    """
    name, source = _component_among(files)
    folder = name.rpartition("/")[0]
    prefix = f"{folder}/" if folder else ""
    code = {
        other.removeprefix(prefix): content
        for other, content in files.items()
        if other != name and other.startswith(prefix)
    }
    with tempfile.TemporaryDirectory(prefix="plumbline-") as scratch:
        root = Path(scratch) / "component"
        for other, content in {**code, "component.yml": source.encode()}.items():
            target = root / other
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        component = load_component(
            root / "component.yml", components=StoredComponents(Path(scratch) / "registered", access=access)
        )
    if not component.name:
        raise InputError(f"The component in '{name}' has no name.", "Write 'name:' in its file.")
    access.require(Role.EDITOR)
    usage.require_room(sum(map(len, code.values())), access=access)
    store = get_store()
    digests = {other: store.put_bytes(content) for other, content in code.items()}
    return components.add(component.name, source, digests, version=component.version or None, access=access)


def _component_among(files: Mapping[str, bytes]) -> tuple[str, str]:
    """Return path and text of the YAML file nearest to the top."""
    candidates = [name for name in files if name.lower().endswith(_SUFFIXES)]
    depth = min((name.count("/") for name in candidates), default=0)
    top = sorted(name for name in candidates if name.count("/") == depth)
    if not top:
        raise InputError("No file is a component.", "Upload a .yml file, or a .zip that has one with its code.")
    if len(top) > 1:
        raise InputError(
            f"Several files may be the component: {', '.join(top)}.", "Leave one of them at the top of the .zip."
        )
    try:
        return top[0], files[top[0]].decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"'{top[0]}' is not a text in UTF-8.", "Save it as UTF-8.") from error
