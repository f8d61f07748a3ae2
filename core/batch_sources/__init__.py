"""Sources of batches: folders and databases that are looked at again and again, for what is new since the last look.

A source lists what is new (`look_at`), provides it as files, and receives the outcome of each; its state then goes into
the next look. A batch whose reading failed, or whose look was not kept, comes again.
"""

from core.batch_sources.folder import FolderSettings
from core.batch_sources.query import QuerySettings
from core.batch_sources.source_kinds import SOURCE_KINDS, SourceKind, check_source, look_at, source_settings
from core.batch_sources.source_look import ChangedError, SourceBatch, SourceLook

__all__ = [
    "SOURCE_KINDS",
    "ChangedError",
    "FolderSettings",
    "QuerySettings",
    "SourceBatch",
    "SourceKind",
    "SourceLook",
    "check_source",
    "look_at",
    "source_settings",
]
