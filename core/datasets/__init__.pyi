from ._cell_format import CellFormat, cell_format
from ._checked_table import CheckedTable
from ._checks import GUARDRAILS, Guardrail, check
from ._column_format import COLUMN_KINDS, TEXT_STYLES
from ._column_profile import ColumnProfile, Profile
from ._column_relations import ColumnRelations, relate_columns, rows_to_compare
from ._date_format import DATE_FORMATS
from ._export import spreadsheet_text, write_csv
from ._file_format import FileFormat
from ._finding import Finding
from ._fingerprint import fingerprint
from ._formats import FILE_FORMATS
from ._frame import load_frame, load_random_rows, store_frame
from ._identify import readable_formats
from ._in_memory import memory_bytes, rows_in_memory
from ._limits import Limits
from ._next_steps import NextStep, likely_target, next_steps
from ._number_format import NUMBER_STYLES
from ._options import Decision, ReadOptions, Undecided
from ._pair_measures import MEASURES, ColumnRelation
from ._parquet_batches import decoding_mb, text_columns
from ._profile import profile
from ._read import detect_format, first_lines, read_table
from ._row_numbers import numbers_rows
from ._row_parts import StoredRows
from ._samples import Sample, load_sample, samples
from ._sensitive import suspected_attribute
from ._source_file import SourceFile
from ._spellings import SpellingCluster, spelling_clusters
from ._stored_rows import (
    MAX_READ_BYTES,
    MAX_READ_ROWS,
    iter_numbers,
    read_first_rows,
    read_rows_at,
    read_sample,
    row_positions,
    top_positions,
)
from ._table import Dialect, LineCounts, ReadReport, SkippedRow, Table
from ._target_by_column import TargetByColumn
from ._target_summary import TargetSummary, summarize_target
from ._task import infer_task, may_be_ids, whole_numbers
from ._value_counts import ValueCounts, count_values
from .missing_markers import MISSING_MARKERS
from .prepare import (
    FUNCTIONS,
    STEPS,
    ColumnChange,
    Effect,
    Fix,
    Prepared,
    Preview,
    Recipe,
    Replay,
    Step,
    StepError,
    apply_recipe,
    column_types,
    compare_profiles,
    fix_for,
    prepare_file,
    preview_recipe,
)

__all__ = [
    "COLUMN_KINDS",
    "DATE_FORMATS",
    "FILE_FORMATS",
    "FUNCTIONS",
    "GUARDRAILS",
    "MAX_READ_BYTES",
    "MAX_READ_ROWS",
    "MEASURES",
    "MISSING_MARKERS",
    "NUMBER_STYLES",
    "STEPS",
    "TEXT_STYLES",
    "CellFormat",
    "CheckedTable",
    "ColumnChange",
    "ColumnProfile",
    "ColumnRelation",
    "ColumnRelations",
    "Decision",
    "Dialect",
    "Effect",
    "FileFormat",
    "Finding",
    "Fix",
    "Guardrail",
    "Limits",
    "LineCounts",
    "NextStep",
    "Prepared",
    "Preview",
    "Profile",
    "ReadOptions",
    "ReadReport",
    "Recipe",
    "Replay",
    "Sample",
    "SkippedRow",
    "SourceFile",
    "SpellingCluster",
    "Step",
    "StepError",
    "StoredRows",
    "Table",
    "TargetByColumn",
    "TargetSummary",
    "Undecided",
    "ValueCounts",
    "apply_recipe",
    "cell_format",
    "check",
    "column_types",
    "compare_profiles",
    "count_values",
    "decoding_mb",
    "detect_format",
    "fingerprint",
    "first_lines",
    "fix_for",
    "infer_task",
    "iter_numbers",
    "likely_target",
    "load_frame",
    "load_random_rows",
    "load_sample",
    "may_be_ids",
    "memory_bytes",
    "next_steps",
    "numbers_rows",
    "prepare_file",
    "preview_recipe",
    "profile",
    "read_first_rows",
    "read_rows_at",
    "read_sample",
    "read_table",
    "readable_formats",
    "relate_columns",
    "row_positions",
    "rows_in_memory",
    "rows_to_compare",
    "samples",
    "spelling_clusters",
    "spreadsheet_text",
    "store_frame",
    "summarize_target",
    "suspected_attribute",
    "text_columns",
    "top_positions",
    "whole_numbers",
    "write_csv",
]
