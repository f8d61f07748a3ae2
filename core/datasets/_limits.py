"""Limits on the size of tables, checked before memory is used."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import LimitError
from core.settings import Settings, get_settings

__all__ = ["EXPANSION_FLOOR", "Limits"]

MB = 2**20
EXPANSION_FLOOR = 256 * MB
"""Bytes of expanded content that are accepted whatever the compression ratio: small files pack well."""


def _default(name: str) -> int:
    return int(Settings.model_fields[name].default)


@dataclass(frozen=True)
class Limits:
    """Largest table that is read.

    Parameters
    ----------
    max_bytes : int, default=2048 MiB
        Maximum size of the file, and of the content of a gzip, zip or Excel file.
    max_rows, max_columns, max_cells : int
        Maximum size of the table; cells are rows times columns. The defaults are those of ``Settings``.
    max_ratio : int, default=250
        Maximum number of unpacked bytes per packed byte, above ``EXPANSION_FLOOR``.

    Examples
    --------
    >>> Limits(max_rows=10).check_shape(rows=5, columns=3)
    >>> Limits(max_rows=10).check_shape(rows=11, columns=3)
    Traceback (most recent call last):
    core.errors.LimitError: The table has 11 rows; at most 10 are read. ...
    """

    max_bytes: int = _default("max_upload_mb") * MB
    max_rows: int = _default("max_rows")
    max_columns: int = _default("max_columns")
    max_cells: int = _default("max_cells")
    max_ratio: int = 250

    @classmethod
    def from_settings(cls, settings: Settings | None = None) -> Limits:
        """Return the limits of this installation."""
        settings = settings or get_settings()
        return cls(
            max_bytes=settings.max_upload_mb * MB,
            max_rows=settings.max_rows,
            max_columns=settings.max_columns,
            max_cells=settings.max_cells,
        )

    def check_file(self, size: int) -> None:
        """Raise LimitError when a file of `size` bytes is too large."""
        if size > self.max_bytes:
            raise LimitError(
                f"The file has {_megabytes(size)}; at most {_megabytes(self.max_bytes)} are read.",
                "Upload a part of the rows, or raise PLUMBLINE_MAX_UPLOAD_MB.",
            )

    def check_expansion(self, expanded: int, packed: int) -> None:
        """Raise LimitError when `packed` bytes unpack to too many bytes."""
        if expanded > self.max_bytes:
            raise LimitError(
                f"The file unpacks to more than {_megabytes(self.max_bytes)}.",
                "Upload a part of the rows, or raise PLUMBLINE_MAX_UPLOAD_MB.",
            )
        if expanded > EXPANSION_FLOOR and expanded > self.max_ratio * max(packed, 1):
            raise LimitError(
                f"The file of {_megabytes(packed)} unpacks to more than {self.max_ratio} times its size.",
                "This looks like a decompression bomb. If it is not, upload the table unpacked.",
            )

    def check_columns(self, columns: int) -> None:
        """Raise LimitError when a table has too many columns."""
        if columns > self.max_columns:
            raise LimitError(
                f"The table has {columns:,} columns; at most {self.max_columns:,} are read.",
                "Keep the columns you need, or raise PLUMBLINE_MAX_COLUMNS.",
            )

    def check_shape(self, rows: int, columns: int) -> None:
        """Raise LimitError when a table has too many rows, columns or cells."""
        self.check_columns(columns)
        if rows > self.max_rows:
            raise LimitError(
                f"The table has {rows:,} rows; at most {self.max_rows:,} are read.",
                "Upload a part of the rows, or raise PLUMBLINE_MAX_ROWS.",
            )
        if rows * columns > self.max_cells:
            raise LimitError(
                f"The table has {rows * columns:,} cells; at most {self.max_cells:,} are read.",
                "Upload fewer rows or columns, or raise PLUMBLINE_MAX_CELLS.",
            )


def _megabytes(size: int) -> str:
    return f"{size / MB:,.1f} MB" if size < 10 * MB else f"{size / MB:,.0f} MB"
