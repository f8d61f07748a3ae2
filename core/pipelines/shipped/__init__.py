"""Components that come with the product: each a component file and a script of the same name, over core.

A script runs as ``python -m core.pipelines.shipped.NAME`` with the flags of the command in its component file, which is
the only description of its inputs. It prints what it does, writes into the folders of its outputs, and ends with status
0. An error of the tree in `core.errors` ends it with status 1, and a line that `read_error` understands.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["component_files"]


def component_files() -> dict[str, Path]:
    """Return the component files by name.

    Examples
    --------
    >>> component_files()["data_prep"].name
    'data_prep.yml'
    """
    return {file.stem: file for file in sorted(Path(__file__).parent.glob("*.yml"))}
