"""Tables: reading any file, what is in them, what is wrong with them, and samples to start with.

Importing this package is cheap: DuckDB, Arrow, pandas and scikit-learn load when a function needs them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.datasets._checks import check
    from core.datasets._export import write_csv
    from core.datasets._finding import Finding
    from core.datasets._fingerprint import fingerprint
    from core.datasets._frame import load_frame
    from core.datasets._limits import Limits
    from core.datasets._profile import ColumnProfile, Profile, profile
    from core.datasets._read import read_table
    from core.datasets._samples import Sample, load_sample, samples
    from core.datasets._table import Dialect, ReadReport, SkippedRow, Table
    from core.datasets._task import infer_task

__all__ = [
    "ColumnProfile",
    "Dialect",
    "Finding",
    "Limits",
    "Profile",
    "ReadReport",
    "Sample",
    "SkippedRow",
    "Table",
    "check",
    "fingerprint",
    "infer_task",
    "load_frame",
    "load_sample",
    "profile",
    "read_table",
    "samples",
    "write_csv",
]

_HOMES = {
    "ColumnProfile": "_profile",
    "Dialect": "_table",
    "Finding": "_finding",
    "Limits": "_limits",
    "Profile": "_profile",
    "ReadReport": "_table",
    "Sample": "_samples",
    "SkippedRow": "_table",
    "Table": "_table",
    "check": "_checks",
    "fingerprint": "_fingerprint",
    "infer_task": "_task",
    "load_frame": "_frame",
    "load_sample": "_samples",
    "profile": "_profile",
    "read_table": "_read",
    "samples": "_samples",
    "write_csv": "_export",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
