"""A result as one zip that predicts on another machine: the files of the result, and the code they need."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

__all__ = ["SOURCES", "bundle"]

_CORE = Path(__file__).resolve().parents[1]
SOURCES = (
    "__init__.py",
    "checked.py",
    "errors.py",
    "jsonable.py",
    "progress.py",
    "settings.py",
    "automl/*.py",
    "datasets/*.py",
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
            archive.write(path, f"model/{name}")
        archive.writestr("model/predict.py", _PREDICT)
        for pattern in SOURCES:
            for path in sorted(_CORE.glob(pattern)):
                archive.write(path, f"model/core/{path.relative_to(_CORE).as_posix()}")
