"""What the columns held in training, compared with pandas on the very rows."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import models, query
from core.access import LOCAL
from core.datasets import load_frame, store_frame
from core.errors import LimitError
from core.features import MISSING, as_categories
from core.models import Field
from core.models._fields import MAX_CHOICES, describe_fields
from tests.unit.edge.edge_models import odd_table


def test_fields_are_those_of_the_training_rows(credit, credit_result, credit_frame):
    version = models.resolve(models.register(credit.id, access=LOCAL).id, access=LOCAL)
    fields = {field.name: field for field in models.form_fields(version, access=LOCAL)}
    assert list(fields) == credit_result.features
    rows = credit_frame.drop(index=credit_result.test["row_id"])
    for name, field in fields.items():
        column = rows[name]
        assert (field.rows, field.missing) == (len(column), column.isna().sum())
        if field.kind == "number":
            assert (field.minimum, field.maximum) == (column.min(), column.max())
            middle = (len(column) - 1) // 2
            assert field.default in column.sort_values().iloc[[middle, middle + 1]].tolist()
            assert isinstance(field.default, int)
        elif field.kind == "category":
            assert set(field.choices) == set(column.dropna())
            assert column.value_counts()[field.default] == column.value_counts().max()
    assert {field.kind for field in fields.values()} >= {"number", "category"}
    described = {column["name"]: column["role"] for column in version.columns}
    assert described["sex"] == "group", "kept, though the model does not read it"
    assert described["age"] == "feature"


def test_every_kind_of_column(tmp_path):
    frame = odd_table().rename(columns={"": "full", "a b": "a  b"})
    path = store_frame(frame.assign(text=[f"a text of {n} words" for n in range(len(frame))]), tmp_path / "t.parquet")
    fields = {field.name: field for field in describe_fields(path, [*frame.columns, "text"])}
    assert {name: field.kind for name, field in fields.items()} == {
        "größe (m²)": "number",
        "a  b": "number",
        "a-b": "number",
        "full": "number",
        'say "hi"; drop': "boolean",
        "大小": "category",
        "label": "category",
        "when": "date",
        "zoned": "date",
        "text": "text",
    }
    assert not fields["a-b"].integer
    assert fields["full"].nullable is False
    assert fields["大小"].nullable
    assert fields['say "hi"; drop'].default == frame['say "hi"; drop'].mode()[0]
    assert pd.Timestamp(fields["when"].minimum) == frame["when"].min()
    assert pd.Timestamp(fields["zoned"].maximum, tz="UTC") == frame["zoned"].max()
    for field in fields.values():
        assert Field.from_dict(field.to_dict()) == field


def test_columns_without_values_and_with_too_many(tmp_path):
    frame = pd.DataFrame(
        {
            "empty": pd.Series([None] * 9000, dtype=object),
            "infinite": np.r_[np.inf, -np.inf, np.arange(8998.0) / 7],
            "code": [f"c{n % 3000}" for n in range(9000)],
            "y": [None, *range(8999)],
        }
    )
    empty, infinite, code = describe_fields(store_frame(frame, tmp_path / "t.parquet"), ["empty", "infinite", "code"])
    assert (empty.kind, empty.default, empty.choices, empty.missing) == ("category", None, (), 9000)
    assert (infinite.minimum, infinite.maximum) == (0.0, 8997 / 7)
    assert (len(code.choices), code.complete) == (MAX_CHOICES, False)
    (kept,) = describe_fields(tmp_path / "t.parquet", ["code"], target="y")
    assert kept.rows == 8999


@pytest.mark.parametrize("dtype", ["int8", "uint64", "float32"])
def test_numbers_of_any_type(tmp_path, dtype):
    (field,) = describe_fields(
        store_frame(pd.DataFrame({"x": np.array([1, 2, 4], dtype)}), tmp_path / "t.parquet"), ["x"]
    )
    assert (field.kind, field.minimum, field.default, field.maximum, field.integer) == (
        "number",
        1,
        2,
        4,
        "int" in dtype,
    )


def test_what_a_search_took_a_column_for_counts(tmp_path):
    frame = pd.DataFrame(
        {
            "zip": [20095, 20095, 80331, 80331],
            "rate": [1.0, 2.5, 1.0, None],
            "on": [True, False, True, True],
            "day": pd.to_datetime(["2024-01-05", "2024-01-05", None, "2024-02-01"]),
            "zoned": pd.to_datetime(["2024-01-05T10:00Z", "2024-01-05T10:30Z", None, None]),
            "title": ["red", "blue", "red", "red"],
            "income": ["1200", "n.n.", "800.5", "900"],
            "seen": ["2024-01-05", "2024-02-01T10:00:00+02:00", "soon", None],
            "old": ["12/31/2024", "02/01/2024", "02/01/2024", None],
        }
    )
    column_types = dict.fromkeys(("zip", "rate", "on", "day", "zoned"), "category") | {
        "title": "text",
        "income": "number",
        "seen": "date",
        "old": "date",
    }
    path = store_frame(frame, tmp_path / "t.parquet")
    fields = {field.name: field for field in describe_fields(path, list(frame), types=column_types)}
    assert {name: field.kind for name, field in fields.items()} == column_types | {"old": "category"}
    for name in ("zip", "rate", "on", "day", "zoned"):
        spelled = as_categories(load_frame(path)[name])
        assert set(fields[name].choices) == set(spelled) - {MISSING}, "as the features spell them"
    income, seen = fields["income"], fields["seen"]
    assert (income.minimum, income.default, income.maximum, income.missing) == (800.5, 900.0, 1200.0, 1)
    assert (seen.minimum, seen.maximum, seen.missing) == ("2024-01-05T00:00:00", "2024-02-01T08:00:00", 2)
    assert {name: field.held for name, field in fields.items()} == {
        "zip": "numbers",
        "rate": "numbers",
        "on": "true and false",
        "day": "dates",
        "zoned": "dates",
        "title": "",
        "income": "text",
        "seen": "text",
        "old": "",
    }
    stored = {name: value for name, value in fields["title"].to_dict().items() if name != "held"}
    assert Field.from_dict(stored) == fields["title"], "versions of before have no such word"


def test_texts_that_are_too_long_for_the_memory_are_an_error_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pd.DataFrame({"note": [f"{row} {'x' * 50_000}" for row in range(500)]}).to_parquet(tmp_path / "table.parquet")
    monkeypatch.setattr(query, "MEMORY_LIMIT", "10MB")
    with pytest.raises(LimitError, match="too long for the memory"):
        describe_fields(tmp_path / "table.parquet", ["note"])
