"""Settings of more than one word in a variable: names of modules, hosts, folders, an engine."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BeforeValidator
from pydantic_settings import NoDecode

from core.errors import InputError
from core.hosts import host_rule

__all__ = ["Engine", "Folders", "Hosts", "Modules"]

_MODULE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


def _modules(value: object) -> object:
    if not isinstance(value, str):
        return value
    names = json.loads(value) if value.lstrip().startswith("[") else value.replace(",", " ").split()
    if not all(isinstance(name, str) and _MODULE.fullmatch(name) for name in names):
        raise ValueError("not names of modules")
    return tuple(names)


def _hosts(value: object) -> object:
    if not isinstance(value, str):
        return value
    names = tuple(value.replace(",", " ").split())
    for name in names:
        try:
            host_rule(name)
        except InputError as error:
            raise ValueError(error.message) from error
    return names


def _folders(value: object) -> object:
    if not isinstance(value, str):
        return value
    names = json.loads(value) if value.lstrip().startswith("[") else [name.strip() for name in value.split(",")]
    paths = tuple(Path(str(name)).expanduser() for name in names if name)
    if not all(path.is_absolute() for path in paths):
        raise ValueError("not whole paths")
    return paths


def _engine(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text in ("local", "slurm", "kubernetes"):
        return text
    parts = urlsplit(text)
    if parts.scheme not in ("ray", "ray+https") or not parts.hostname or parts.username or parts.path.strip("/"):
        raise ValueError("not an engine")
    parts.port  # noqa: B018  (raises ValueError for one that is none)
    return text.rstrip("/")


Engine = Annotated[str, BeforeValidator(_engine), "local, ray://host:port, slurm or kubernetes"]
"""What places runs; ``ray+https://`` where a proxy in front of Ray encrypts."""
Modules = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_modules), "names of modules, separated by commas"]
"""Names of modules, as a JSON list or separated by commas."""
Hosts = Annotated[
    tuple[str, ...], NoDecode, BeforeValidator(_hosts), "hosts, hosts with a port or networks, separated by commas"
]
"""Hosts (``hooks.internal``), hosts with a port (``hooks.internal:8080``) and networks (``10.1.0.0/16``)."""
Folders = Annotated[
    tuple[Path, ...], NoDecode, BeforeValidator(_folders), "whole paths of folders, separated by commas"
]
"""Whole paths of folders, as a JSON list or separated by commas."""
