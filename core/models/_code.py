"""The version of the code, the same in a checkout and in an installed copy, where there is no git."""

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
    """Return the project's version, and the SHA-256 of the sources of ``core``, which also reflects uncommitted edits.

    Examples
    --------
    >>> sorted(code_version()), len(code_version()["source"])
    (['source', 'version'], 64)
    """
    digest = hashlib.sha256()
    for path in sorted(_CORE.rglob("*.py")):
        digest.update(f"{path.relative_to(_CORE).as_posix()}\n".encode() + hashlib.sha256(path.read_bytes()).digest())
    return {"version": _version(), "source": digest.hexdigest()}


def _version() -> str:
    try:
        return version("plumbline")
    except PackageNotFoundError:  # it is not installed
        project = _CORE.parent / "pyproject.toml"
        text = project.read_text(encoding="utf-8") if project.is_file() else ""
        match = re.search(r'^version = "([^"]+)"', text, flags=re.MULTILINE)
        return match.group(1) if match else "unknown"
