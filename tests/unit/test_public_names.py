"""Public names stay importable: ``tests/data/public_names.json`` lists those of earlier versions by module."""

import importlib
import json
from pathlib import Path

import pytest

NAMES = json.loads((Path(__file__).parents[1] / "data" / "public_names.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("module", NAMES)
def test_names_of_earlier_versions_are_there(module):
    there = importlib.import_module(module)
    assert [name for name in NAMES[module] if not hasattr(there, name)] == []
