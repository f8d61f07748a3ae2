"""All hostile files, by name."""

from __future__ import annotations

from tests.unit.datasets.hostile.columnar import COLUMNAR
from tests.unit.datasets.hostile.databases import DATABASES
from tests.unit.datasets.hostile.texts import TEXTS
from tests.unit.datasets.hostile.workbooks import WORKBOOKS

__all__ = ["CORPUS"]

CORPUS = {file.name: file for file in [*WORKBOOKS, *COLUMNAR, *TEXTS, *DATABASES]}
