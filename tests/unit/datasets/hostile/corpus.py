"""All hostile files, by name."""

from __future__ import annotations

from tests.unit.datasets.hostile.columnar import COLUMNAR
from tests.unit.datasets.hostile.damage import DAMAGE
from tests.unit.datasets.hostile.databases import DATABASES
from tests.unit.datasets.hostile.delimited import DELIMITED
from tests.unit.datasets.hostile.documents import DOCUMENTS
from tests.unit.datasets.hostile.packed import PACKED
from tests.unit.datasets.hostile.workbooks import WORKBOOKS

__all__ = ["CORPUS"]

_FILES = [*WORKBOOKS, *COLUMNAR, *DELIMITED, *DOCUMENTS, *PACKED, *DATABASES, *DAMAGE]
CORPUS = {file.name: file for file in _FILES}
assert len(CORPUS) == len(_FILES), "two hostile files have the same name"
