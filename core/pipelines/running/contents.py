"""Digests of files and folders by what they hold: names and bytes count, times do not."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from core.errors import InputError, LimitError

__all__ = ["MAX_FILES", "code_digests", "content_digest", "copy_code", "digests_of", "packages", "product_digest"]

MAX_FILES = 10_000
_LEFT_OUT = {"__pycache__", ".git", ".ipynb_checkpoints", ".mypy_cache", ".pytest_cache", ".ruff_cache"}
_ROOT = Path(__file__).resolve().parents[2]


def _file_digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _files(folder: Path, *, leave_out: frozenset[str] = frozenset()) -> Iterator[Path]:
    count = 0
    for path in sorted(folder.rglob("*")):
        if leave_out.intersection(path.relative_to(folder).parts) or not path.is_file():
            continue
        count += 1
        if count > MAX_FILES:
            raise LimitError(f"'{folder.name}' has more than {MAX_FILES:,} files.", "Pack them into fewer files.")
        yield path


def digests_of(path: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of a folder by its relative path, or of one file under an empty name.

    Raises
    ------
    InputError
        When the path does not exist.
    LimitError
        When the folder has more than `MAX_FILES` files.
    """
    if path.is_file():
        return {"": _file_digest(path)}
    if not path.is_dir():
        raise InputError(f"'{path}' does not exist.", "Check the path.")
    return {file.relative_to(path).as_posix(): _file_digest(file) for file in _files(path)}


def content_digest(digests: Mapping[str, str]) -> str:
    """Return one digest of what `digests_of` returned.

    Examples
    --------
    >>> content_digest({"a": "1", "b": "2"}) == content_digest({"b": "2", "a": "1"})
    True
    """
    return hashlib.sha256(json.dumps(sorted(digests.items())).encode()).hexdigest()


def code_digests(code: Path | None) -> dict[str, str]:
    """Return the digests of a component's code, without what Python and Git leave beside it."""
    if code is None:
        return {}
    if code.is_file():
        return {code.name: _file_digest(code)}
    return {
        file.relative_to(code).as_posix(): _file_digest(file) for file in _files(code, leave_out=frozenset(_LEFT_OUT))
    }


def copy_code(code: Path | None, target: Path) -> None:
    """Copy a component's code into a new folder; what is there is replaced."""
    shutil.rmtree(target, ignore_errors=True)
    if code is not None and code.is_dir():
        shutil.copytree(code, target, ignore=shutil.ignore_patterns(*_LEFT_OUT))
        return
    target.mkdir(parents=True)
    if code is not None:
        shutil.copyfile(code, target / code.name)


@lru_cache(maxsize=1)
def packages() -> dict[str, str]:
    """Return the versions of all installed packages by name."""
    listed = ((item.metadata["Name"], item.version) for item in metadata.distributions())
    return dict(sorted((name.lower().replace("_", "-"), version) for name, version in listed if name))


@lru_cache(maxsize=1)
def product_digest() -> str:
    """Return one digest of the product's own code, which the components that are shipped with it run."""
    return content_digest(
        {
            path.relative_to(_ROOT).as_posix(): _file_digest(path)
            for path in sorted(_ROOT.rglob("*"))
            if path.suffix in (".py", ".yml", ".jinja")
        }
    )
