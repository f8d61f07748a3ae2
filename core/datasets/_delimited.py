"""Reading of delimited text with DuckDB: a relation of text columns over records that are known to be sound."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.datasets._dialect import Layout
from core.datasets._footer import find_footer
from core.datasets._record_scan import RecordScan
from core.datasets._records import BLOCK, MAX_RECORD_BYTES, CleanCopy, Records
from core.query import literal

__all__ = ["Source", "delimited_source", "scan_records", "sound_records"]

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Source:
    """A relation of text columns: its SQL, for ``FROM``, and the names of its columns, which need no quotes."""

    rows: str
    columns: list[str]


def delimited_source(records: Records, layout: Layout) -> Source:
    """Return the relation of a UTF-8 file with a known layout.

    Parameters
    ----------
    records : Records
        The file with its readable rows. Nothing may be skipped now: a row that cannot be read is an error.
    layout : Layout
        Dialect and column names.

    Returns
    -------
    Source
        Relation with columns c0, c1, ...
    """
    dialect = layout.dialect
    columns = [f"c{i}" for i in range(len(layout.names))]
    listed = ", ".join(f"'{column}': 'VARCHAR'" for column in columns)
    # A file of one column must not be split: text does not have this control character.
    delimiter = dialect.delimiter or "\x1f"
    options = (
        f"auto_detect = false, header = false, skip = {records.skip}, "
        f"delim = {literal(delimiter)}, quote = {literal(dialect.quote)}, escape = {literal(layout.escape)}, "
        "nullstr = '', allow_quoted_nulls = true, strict_mode = true, "
        f"max_line_size = {2 * MAX_RECORD_BYTES}, columns = {{{listed}}}"
    )
    return Source(rows=f"(SELECT * FROM read_csv({literal(records.path)}, {options}))", columns=columns)


def sound_records(path: Path, layout: Layout) -> Records:
    """Return the records of a file that is not scanned yet, all of which can be read if it is sound."""
    return Records(path, skip=layout.dialect.lead_lines + layout.dialect.header)


def scan_records(path: Path, layout: Layout, clean: Path) -> Records:
    """Find the records of a file.

    Parameters
    ----------
    path : Path
        Text file in UTF-8 with uniform line ends; it may begin with a byte order mark.
    layout : Layout
        Dialect and column names.
    clean : Path
        File to write the readable rows to, if not all of them are.

    Returns
    -------
    Records

    Examples
    --------
    >>> import tempfile
    >>> from core.datasets._dialect import detect_layout
    >>> folder = Path(tempfile.mkdtemp())
    >>> text = 'a,b\\n1,x\\n2,"open\\n3,y\\n4,y,z\\n'
    >>> _ = (folder / "a.csv").write_text(text)
    >>> records = scan_records(folder / "a.csv", detect_layout(text, complete=True), folder / "clean.csv")
    >>> records.rows, records.literal_quotes, records.skipped_rows
    (3, 1, (SkippedRow(line=5, reason='too many fields: the table has 2', text='4,y,z'),))
    """
    dialect = layout.dialect
    records = sound_records(path, layout)
    with path.open("rb") as source, CleanCopy(path, clean) as copy:
        line_end = b"\r\n" if source.readline().endswith(b"\r\n") else b"\n"
        source.seek(0)
        if source.read(len(_BOM)) != _BOM:
            source.seek(0)
        lead = [source.readline() for _ in range(dialect.lead_lines)]
        records.lead_lines = records.lines = sum(bool(line) for line in lead)
        # A reader that skips lines minds their quotes.
        quoted = any(dialect.quote.encode() in line for line in lead)
        footer = find_footer(path, layout)
        scan = RecordScan(layout, records, copy, source.tell(), line_end, copied=quoted or bool(footer.lines))
        buffer = b""
        while block := source.read(min(BLOCK, footer.start - source.tell())):
            buffer = scan.add(buffer + block, final=False)
        scan.add(buffer, final=True)
        for line in footer.lines:
            records.lines += 1
            if line:
                scan.skip(records.lines, line, 1, "looks like a footer")
            else:
                records.blank_lines += 1
    if copy.used:
        records.path, records.skip = clean, 0
    return records
