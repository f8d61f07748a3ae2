"""What the modules of one reading share: sources, limits, notices, and the rights of the file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.pipelines.errors import PipelineError, Position
from core.pipelines.model import Component
from core.pipelines.reading.references import local_text
from core.pipelines.reading.sources import ComponentSource

__all__ = ["Origin", "Reading"]


@dataclass(frozen=True)
class Origin:
    """The file that a part of a pipeline stands in.

    Parameters
    ----------
    folder : Path
        Folder that its paths are relative to.
    shipped : bool, default=False
        Whether it came with the product.
    """

    folder: Path
    shipped: bool = False


@dataclass
class Reading:
    """A pipeline file while it is read.

    Parameters
    ----------
    root : Path
        Folder of the pipeline file.
    sources : sequence of ComponentSource
        Sources of registered components.
    shipped_only : bool
        Whether only shipped components may have commands, and paths have to stay in the folder.
    """

    root: Path
    sources: Sequence[ComponentSource]
    shipped_only: bool
    open_files: list[Path] = field(default_factory=list)
    components: dict[Path, Component] = field(default_factory=dict)
    _notices: dict[str, tuple[Position, str]] = field(default_factory=dict)

    @property
    def notices(self) -> tuple[tuple[Position, str], ...]:
        """Parts of the file that have no effect, those of the pipeline file first."""
        return tuple(sorted(self._notices.values(), key=lambda notice: (str(notice[0].file or ""), notice[0][:2])))

    def note(self, kind: str, position: Position, text: str, origin: Origin) -> None:
        """Keep a notice, once for each kind; shipped files are known to run here."""
        if not origin.shipped:
            self._notices.setdefault(kind, (position, text))

    def local_path(self, text: str, position: Position, origin: Origin, noun: str) -> Path:
        """Return the absolute path of a file or folder that exists.

        Parameters
        ----------
        text : str
            Path as written, relative to the file it stands in.
        position : Position
            Its place.
        origin : Origin
            File it stands in.
        noun : str
            Noun for messages, such as "component".
        """
        if not local_text(text).strip():
            raise PipelineError(f"The {noun} has no path.", "Write the path of a file or folder.", position)
        given = Path(local_text(text))
        try:
            path = (origin.folder / given).absolute()
            resolved = path.resolve()
            exists = resolved.exists()
            restricted = self.shipped_only and not origin.shipped
            leaves = restricted and _leaves(resolved, self.root.resolve())
        except (OSError, ValueError, RuntimeError) as error:  # a name that is too long, a zero byte, links in a circle
            raise PipelineError(f"'{text[:80]}' is not a path.", "Write the path of a file.", position) from error
        if leaves:
            raise PipelineError(
                f"The {noun} '{text[:80]}' is outside of the pipeline's folder.",
                "Here a pipeline may only use files beside it.",
                position,
            )
        if not exists:
            raise PipelineError(
                f"The {noun} '{text[:80]}' does not exist.",
                f"Paths are relative to the folder '{origin.folder.name}', in which this file is.",
                position,
            )
        return resolved


def _leaves(path: Path, root: Path) -> bool:
    """Return whether a path, or a link in a folder, leads out of a folder."""
    if not path.is_relative_to(root):
        return True
    links = (Path(folder) / name for folder, folders, files in os.walk(path) for name in (*folders, *files))
    return any(link.is_symlink() and not link.resolve().is_relative_to(root) for link in links)
