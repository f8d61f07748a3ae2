"""Which code this is, told the same in a checkout and in an installed copy, where there is no git."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["code_version"]

_CORE = Path(__file__).resolve().parents[1]


@cache
def code_version() -> dict[str, str]:
    """Return the project's version, and the SHA-256 of the sources of ``core``: edits that have no commit count too.

    Examples
    --------
    >>> sorted(code_version()), len(code_version()["source"])
    (['source', 'version'], 64)
    """
    whole = hashlib.sha256()
    for path in sorted(_CORE.rglob("*.py")):
        whole.update(f"{path.relative_to(_CORE).as_posix()}\n".encode() + hashlib.sha256(path.read_bytes()).digest())
    return {"version": _version(), "source": whole.hexdigest()}


def _version() -> str:
    try:
        return version("plumbline")
    except PackageNotFoundError:  # it runs from its folder
        project = _CORE.parent / "pyproject.toml"
        text = project.read_text(encoding="utf-8") if project.is_file() else ""
        found = re.search(r'^version = "([^"]+)"', text, flags=re.MULTILINE)
        return found.group(1) if found else "unknown"
