"""The catalog: what exists (datasets, runs, their events and files), in SQL.

Modules are imported by name (``from core.catalog import runs``): each holds the queries over one table.
"""

from core.catalog.tables import ACTIVE, TERMINAL, Dataset, Run, RunArtifact, RunEvent, RunState

__all__ = ["ACTIVE", "TERMINAL", "Dataset", "Run", "RunArtifact", "RunEvent", "RunState"]
