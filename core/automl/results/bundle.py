"""A result as one zip that predicts on another machine: the files of the result, and the code they need."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

__all__ = ["BUNDLE_SOURCES", "bundle", "code_requirements"]

_CORE = Path(__file__).resolve().parents[2]
_MODULES = ("*.py", "*.pyi")
BUNDLE_SOURCES = (
    "__init__.py",
    "bounded.py",
    "bounded_child.py",
    "checked.py",
    "errors.py",
    "fork_server.py",
    "jsonable.py",
    "progress.py",
    "settings.py",
    "columns.py",
    "files.py",
    "query.py",
    "registry.py",
    *(f"{package}/{files}" for package in ("automl/**", "datasets/**", "evaluation", "features") for files in _MODULES),
    "automl/templates/*.j2",
)
"""Patterns below ``core`` of the code that loads a saved result: all that ``core.automl`` imports."""
_PREDICT = _CORE / "automl" / "templates" / "predict.py"


def code_requirements() -> list[str]:
    """Return the requirements of the bundled part of ``core`` besides the model's libraries, as lines for pip."""
    return [f"lazy-loader=={version('lazy-loader')}"]


def bundle(files: Mapping[str, Path], target: str | Path) -> None:
    """Write a saved result and what it needs into a zip.

    Parameters
    ----------
    files : mapping of str to Path
        Files that ``AutoMLResult.save`` wrote, by name.
    target : path
        Zip to write. Besides the files it holds ``predict.py`` and the part of ``core`` that loads them.
    """
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in sorted(files.items()):
            if name == "requirements.txt":
                archive.writestr(f"model/{name}", _requirements(path.read_text(encoding="utf-8")))
            else:
                archive.write(path, f"model/{name}")
        archive.write(_PREDICT, "model/predict.py")
        for pattern in BUNDLE_SOURCES:
            for path in sorted(_CORE.glob(pattern)):
                archive.write(path, f"model/core/{path.relative_to(_CORE).as_posix()}")


def _requirements(text: str) -> str:
    """Return the requirements of a saved result, with those of the code, which an earlier version left out."""
    names = {line.partition("==")[0] for line in text.splitlines()}
    return text + "".join(f"{line}\n" for line in code_requirements() if line.partition("==")[0] not in names)
