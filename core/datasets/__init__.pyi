from ._checked_table import CheckedTable
from ._checks import GUARDRAILS, Guardrail, check
from ._column_format import COLUMN_KINDS, NUMBER_STYLES
from ._column_profile import ColumnProfile, Profile
from ._export import write_csv
from ._finding import Finding
from ._fingerprint import fingerprint
from ._formats import FILE_FORMATS, FileFormat, readable_formats
from ._frame import load_frame
from ._limits import Limits
from ._options import Decision, ReadOptions, Undecided
from ._profile import profile
from ._read import detect_format, read_table
from ._samples import Sample, load_sample, samples
from ._sensitive import suspected_attribute
from ._source_file import SourceFile
from ._spellings import SpellingCluster, spelling_clusters
from ._table import Dialect, LineCounts, ReadReport, SkippedRow, Table
from ._task import infer_task, whole_numbers
from ._types import MISSING_MARKERS
from .prepare import (
    FUNCTIONS,
    STEPS,
    Effect,
    Prepared,
    Recipe,
    Step,
    StepError,
    apply_recipe,
    prepare_file,
)

__all__ = [
    "COLUMN_KINDS",
    "FILE_FORMATS",
    "FUNCTIONS",
    "GUARDRAILS",
    "MISSING_MARKERS",
    "NUMBER_STYLES",
    "STEPS",
    "CheckedTable",
    "ColumnProfile",
    "Decision",
    "Dialect",
    "Effect",
    "FileFormat",
    "Finding",
    "Guardrail",
    "Limits",
    "LineCounts",
    "Prepared",
    "Profile",
    "ReadOptions",
    "ReadReport",
    "Recipe",
    "Sample",
    "SkippedRow",
    "SourceFile",
    "SpellingCluster",
    "Step",
    "StepError",
    "Table",
    "Undecided",
    "apply_recipe",
    "check",
    "detect_format",
    "fingerprint",
    "infer_task",
    "load_frame",
    "load_sample",
    "prepare_file",
    "profile",
    "read_table",
    "readable_formats",
    "samples",
    "spelling_clusters",
    "suspected_attribute",
    "whole_numbers",
    "write_csv",
]
