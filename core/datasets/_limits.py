"""Limits on tables: their size, checked before memory is used, and the memory and time that reading takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from core.access import limits, lowest, upload_limit_mb
from core.errors import LimitError
from core.settings import Settings, get_settings

__all__ = ["EXPANSION_FLOOR", "Limits"]

MB = 2**20
EXPANSION_FLOOR = 256 * MB
"""Bytes of expanded content that are accepted whatever the compression ratio: small files pack well."""


def _setting_of(name: str) -> str:
    """Return a sentence that says which settings set a limit."""
    return f"PLUMBLINE_MAX_{name} sets the limit, and PLUMBLINE_WORKSPACE_{name} that of a workspace."


_UPLOAD_HINT = f"Upload a part of the rows. {_setting_of('UPLOAD_MB')}"


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
    max_cell_bytes : int, default=2,000,000
        Maximum size of a text. A row of a text file that is longer is left out and reported; other files are refused.
    max_name_chars : int, default=1,000
        Maximum length of the name of a column.
    memory_mb : int, default=1500
        Memory that reading or profiling a file may take (MB). What cannot be bounded from within is done in a process
        of its own. 0 sets no limit, and does everything in this process.
    cpu_s : float, default=12
        Processor time that such a process may take for a file of up to 1 MB (seconds); larger files get more.

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
    max_cell_bytes: int = _default("max_cell_bytes")
    max_name_chars: int = _default("max_name_chars")
    memory_mb: int = _default("read_memory_mb")
    cpu_s: float = _default("read_cpu_s")

    @classmethod
    def from_settings(cls, settings: Settings | None = None) -> Limits:
        """Return the limits of this installation, and of one workspace in it."""
        settings = settings or get_settings()
        own = limits(settings)
        return cls(
            max_bytes=upload_limit_mb(settings) * MB,
            max_rows=lowest(settings.max_rows, own.rows),
            max_columns=lowest(settings.max_columns, own.columns),
            max_cells=settings.max_cells,
            max_cell_bytes=settings.max_cell_bytes,
            max_name_chars=settings.max_name_chars,
            memory_mb=settings.read_memory_mb,
            cpu_s=settings.read_cpu_s,
        )

    def cpu_s_of(self, size: int, per_mb: float) -> float:
        """Return the processor time that a file of `size` bytes may take (seconds), with `per_mb` for each further MB.

        Examples
        --------
        >>> Limits(cpu_s=15).cpu_s_of(100, 4), Limits(cpu_s=15).cpu_s_of(3 * 2**20, 4)
        (15.0, 23.0)
        """
        return float(self.cpu_s + per_mb * max(size - MB, 0) / MB)

    def check_file(self, size: int) -> None:
        """Raise LimitError when a file of `size` bytes is too large."""
        if size > self.max_bytes:
            raise LimitError(
                f"The file has {_megabytes(size)}; at most {_megabytes(self.max_bytes)} are read.",
                _UPLOAD_HINT,
            )

    def check_expansion(self, expanded: int, packed: int) -> None:
        """Raise LimitError when `packed` bytes unpack to too many bytes."""
        if expanded > self.max_bytes:
            raise LimitError(
                f"The file unpacks to more than {_megabytes(self.max_bytes)}.",
                _UPLOAD_HINT,
            )
        if expanded > EXPANSION_FLOOR and expanded > self.max_ratio * max(packed, 1):
            raise LimitError(
                f"The file of {_megabytes(packed)} unpacks to more than {self.max_ratio} times its size.",
                "This looks like a decompression bomb. If it is not, upload the table unpacked.",
            )

    def check_cell(self, size: int, column: str | None = None) -> None:
        """Raise LimitError when a cell has too many bytes."""
        if size > self.max_cell_bytes:
            where = "A cell" if column is None else f"A cell of the column {column[:80]!r}"
            raise LimitError(
                f"{where} has {size:,} bytes; at most {self.max_cell_bytes:,} are read.",
                "Shorten its texts, leave the column out, or raise PLUMBLINE_MAX_CELL_BYTES.",
            )

    def check_names(self, names: Iterable[str]) -> None:
        """Raise LimitError when the name of a column is too long."""
        for position, name in enumerate(names, start=1):
            if len(name) > self.max_name_chars:
                raise LimitError(
                    f"The name of column {position:,} has {len(name):,} characters, {name[:40]!r} and so on; "
                    f"at most {self.max_name_chars:,} are read.",
                    "Give it a shorter name, or raise PLUMBLINE_MAX_NAME_CHARS.",
                )

    def check_columns(self, columns: int) -> None:
        """Raise LimitError when a table has too many columns."""
        if columns > self.max_columns:
            raise LimitError(
                f"The table has {columns:,} columns; at most {self.max_columns:,} are read.",
                f"Keep the columns you need. {_setting_of('COLUMNS')}",
            )

    def check_shape(self, rows: int, columns: int) -> None:
        """Raise LimitError when a table has too many rows, columns or cells."""
        self.check_columns(columns)
        if rows > self.max_rows:
            raise LimitError(
                f"The table has {rows:,} rows; at most {self.max_rows:,} are read.",
                f"Upload a part of the rows. {_setting_of('ROWS')}",
            )
        if rows * columns > self.max_cells:
            raise LimitError(
                f"The table has {rows * columns:,} cells; at most {self.max_cells:,} are read.",
                "Upload fewer rows or columns, or raise PLUMBLINE_MAX_CELLS.",
            )


def _megabytes(size: int) -> str:
    return f"{size / MB:,.1f} MB" if size < 10 * MB else f"{size / MB:,.0f} MB"
