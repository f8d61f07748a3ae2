"""Components of the workspace as files that a pipeline's file can refer to by name."""

from __future__ import annotations

import shutil
from pathlib import Path

from core.catalog import components
from core.errors import NotFoundError
from core.files import write_text
from core.pipelines import Asset
from core.storage import get_store

__all__ = ["StoredComponents"]


class StoredComponents:
    """The components of a workspace, written to a folder when they are asked for.

    Parameters
    ----------
    workspace : str
        The workspace.
    folder : Path
        Folder to write to.
    """

    def __init__(self, workspace: str, folder: Path) -> None:
        self._workspace = workspace
        self._folder = folder

    def names(self) -> list[str]:
        """Return the names of all components."""
        return components.names(self._workspace)

    def versions(self, name: str) -> list[str]:
        """Return the versions of a component, the highest last."""
        return [row.version for row in reversed(components.versions(name, self._workspace))]

    def find(self, asset: Asset) -> Path | None:
        """Return the file of a component; None where the workspace does not have it."""
        try:
            row = components.get(asset.name, self._workspace, version=asset.version, label=asset.label)
        except NotFoundError:
            return None
        folder = self._folder / row.id
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        store = get_store()
        for name, digest in row.code.items():
            target = (folder / name).resolve()
            if not target.is_relative_to(folder.resolve()):
                raise NotFoundError(f"The file '{name}' of '{row.name}' lies outside its folder.", "Register it again.")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(store.local_path(digest), target)
        file = folder / "component.yml"
        write_text(file, row.source)
        return file
