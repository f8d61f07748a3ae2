"""Components of the workspace as files that a pipeline's file can refer to by name."""

from __future__ import annotations

import shutil
from pathlib import Path

from core.access import Access
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
    folder : Path
        Folder to write to.
    access : Access
        The workspace, and who acts in it.
    """

    def __init__(self, folder: Path, *, access: Access) -> None:
        self._access = access
        self._folder = folder

    def names(self) -> list[str]:
        """Return the names of all components."""
        return components.names(access=self._access)

    def versions(self, name: str) -> list[str]:
        """Return the versions of a component, the highest last."""
        return [row.version for row in reversed(components.versions(name, access=self._access))]

    def find(self, asset: Asset) -> Path | None:
        """Return the file of a component; None where the workspace does not have it."""
        try:
            row = components.get(asset.name, version=asset.version, label=asset.label, access=self._access)
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
