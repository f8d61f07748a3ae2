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
    "checked.py",
    "errors.py",
    "jsonable.py",
    "progress.py",
    "settings.py",
    "columns.py",
    "files.py",
    "query.py",
    "registry.py",
    *(f"{package}/{files}" for package in ("automl/**", "datasets", "evaluation", "features") for files in _MODULES),
)
"""What of ``core`` loads a saved result: all that ``core.automl`` imports, as patterns below ``core``."""
_PREDICT = '''"""Predict the rows of a file: python predict.py rows.csv predictions.csv"""

import sys
from pathlib import Path

from core.automl import AutoMLResult
from core.datasets import read_table
from core.errors import PlumblineError


def main(source: str, target: str) -> None:
    model = AutoMLResult.load(Path(__file__).parent).model
    rows = read_table(source).frame
    found = rows.assign(prediction=model.predict(rows))
    if hasattr(model, "predict_proba"):
        for label, column in zip(model.classes_, model.predict_proba(rows).T):
            found[f"p({label})"] = column
    found.to_csv(target, index=False)
    print(f"{len(found):,} rows predicted: {target}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except PlumblineError as error:
        sys.exit(f"{error.message} {error.hint}")
'''


def code_requirements() -> list[str]:
    """Return what the bundled part of ``core`` needs besides the libraries of the model, as lines for pip."""
    return [f"lazy-loader=={version('lazy-loader')}"]


def bundle(files: Mapping[str, Path], target: str | Path) -> None:
    """Write a saved result and what it needs into a zip.

    Parameters
    ----------
    files : mapping of str to Path
        What ``AutoMLResult.save`` wrote, by name.
    target : path
        The zip to write. Besides the files it holds ``predict.py`` and the part of ``core`` that loads them.
    """
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in sorted(files.items()):
            if name == "requirements.txt":
                archive.writestr(f"model/{name}", _requirements(path.read_text(encoding="utf-8")))
            else:
                archive.write(path, f"model/{name}")
        archive.writestr("model/predict.py", _PREDICT)
        for pattern in BUNDLE_SOURCES:
            for path in sorted(_CORE.glob(pattern)):
                archive.write(path, f"model/core/{path.relative_to(_CORE).as_posix()}")


def _requirements(text: str) -> str:
    """Return the requirements of a saved result, those of the code added where an earlier version left them out."""
    names = {line.partition("==")[0] for line in text.splitlines()}
    return text + "".join(f"{line}\n" for line in code_requirements() if line.partition("==")[0] not in names)
