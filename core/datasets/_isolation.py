"""Reading and profiling in a process of its own, for what cannot be bounded within this one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from core.bounded import run_bounded
from core.datasets._build import BuiltTable, build_table
from core.datasets._column_profile import Profile
from core.datasets._encoding import Utf8File
from core.datasets._file_format import Container, FileFormat
from core.datasets._formats import CONTAINERS, FILE_FORMATS
from core.datasets._limits import Limits
from core.datasets._options import ReadOptions
from core.datasets._profile_scan import scan
from core.datasets._source_file import SourceFile
from core.datasets._table import ReadReport
from core.jsonable import JsonObject
from core.progress import Report

__all__ = ["build_isolated", "build_job", "is_isolated", "profile_isolated", "profile_job"]


def is_isolated(file: SourceFile, file_format: FileFormat) -> bool:
    """Return whether a file of a format is read in a process of its own."""
    size = file_format.isolated_from
    return bool(file.limits.memory_mb) and size is not None and file.path.stat().st_size >= size


def build_isolated(
    file: SourceFile, user_name: str, containers: Sequence[Container], file_format: FileFormat, report: Report
) -> BuiltTable:
    """Do what `build_table` does in a process with the limits of the file.

    Raises
    ------
    InputError
        When the file is damaged, crashes its reader, or holds no rows.
    LimitError
        When it is larger than its limits, or needs more memory or time.
    """
    text = file.known_text
    job: JsonObject = {
        "path": str(file.path),
        "scratch": str(file.scratch),
        "name": user_name,
        "containers": [container.name for container in containers],
        "format": file_format.name,
        "limits": asdict(file.limits),
        "options": file.options.model_dump(mode="json"),
        "like": dict(file.like),
        "lossy": list(file.lossy),
        "start_only": file.start_only,
        "complete": file.complete,
        "text": None if text is None else [str(text.path), text.encoding, *text.notices],
    }
    result = run_bounded(
        f"{__name__}:build_job",
        job,
        subject=f"The {file_format.title} file",
        memory_mb=file.limits.memory_mb,
        cpu_s=file.limits.cpu_s_of(file.path.stat().st_size, file_format.cpu_s_per_mb),
        report=report,
    )
    return BuiltTable(Path(result["path"]), ReadReport.from_dict(result["report"]), result["fingerprint"])


def build_job(job: JsonObject, report: Report) -> JsonObject:
    """Read the file of a job that `build_isolated` made; in its process."""
    limits, options = Limits(**job["limits"]), ReadOptions(**job["options"])
    file = SourceFile(Path(job["path"]), Path(job["scratch"]), limits, options, start_only=job["start_only"])
    file.like, file.lossy, file.complete = job["like"], job["lossy"], job["complete"]
    if text := job["text"]:
        path, encoding, *notices = text
        file.text = Utf8File(Path(path), encoding, tuple(notices))
    containers = [CONTAINERS[name] for name in job["containers"]]
    built = build_table(file, job["name"], containers, FILE_FORMATS[job["format"]], report)
    return {"path": str(built.path), "report": built.report.to_dict(), "fingerprint": built.fingerprint}


def profile_isolated(path: Path, folder: Path, limits: Limits) -> Profile:
    """Profile a Parquet file in a process with limits; `folder` takes temporary files.

    Raises
    ------
    InputError
        When it is damaged.
    LimitError
        When it needs more memory or time.
    """
    result = run_bounded(
        f"{__name__}:profile_job",
        {"path": str(path.absolute()), "folder": str(folder), "limits": asdict(limits)},
        subject="The table",
        memory_mb=limits.memory_mb,
        cpu_s=limits.cpu_s_of(path.stat().st_size, FILE_FORMATS["parquet"].cpu_s_per_mb),
    )
    return Profile.from_dict(result)


def profile_job(job: JsonObject, report: Report) -> JsonObject:
    """Profile the file of a job that `profile_isolated` made; in its process."""
    return scan(Path(job["path"]), Path(job["folder"]), Limits(**job["limits"])).to_dict()
