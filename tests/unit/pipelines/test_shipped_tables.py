"""Data folders: what is read of them, which files an MLTable names, and what the roles of columns become."""

import json

import pandas as pd
import pytest

from core.datasets import fingerprint
from core.errors import InputError
from core.pipelines import tables
from core.pipelines.data_description import DataDescription
from core.pipelines.tables import choose_target, read_data, write_data


@pytest.fixture
def frame():
    return pd.DataFrame({"age": [31, 45, 28], "town": ["Köln", "Ulm", None], "left": ["no", "yes", "no"]})


def test_files_of_a_folder_are_one_table_with_the_types_of_the_first(tmp_path):
    (tmp_path / "a.csv").write_text("zip,n\n00123,1\n99999,2\n")
    (tmp_path / "b.csv").write_text("n,zip\n3,11111\n")
    table = read_data(tmp_path)
    assert table.frame.to_dict("list") == {"zip": ["00123", "99999", "11111"], "n": [1, 2, 3]}
    assert any("2 files" in note for note in table.notes)
    (tmp_path / "c.csv").write_text("zip,other\n1,2\n")
    with pytest.raises(InputError, match=r"'c.csv' and 'a.csv' do not have the same columns \('n', 'other'\)"):
        read_data(tmp_path)


@pytest.mark.parametrize(
    ("mltable", "content", "encoding"),
    [
        (
            "paths: [{file: ./data.txt}]\ntransformations: [{read_delimited: {delimiter: ';', encoding: iso88591}}]",
            "age;town\n31;Köln\n",
            "latin-1",
        ),
        (
            "paths: [{pattern: '*.txt'}]\ntransformations:\n - read_delimited: {header: all_files_same_headers}",
            "age,town\n31,Köln\n",
            "utf-8",
        ),
        ("paths: [{folder: .}]\ntransformations: [read_json_lines]", '{"age": 31, "town": "Köln"}\n', "utf-8"),
    ],
)
def test_an_mltable_says_how_its_files_are_read(tmp_path, mltable, content, encoding):
    (tmp_path / "MLTable").write_text(mltable)
    (tmp_path / "data.txt").write_bytes(content.encode(encoding))
    assert read_data(tmp_path).frame.to_dict("list") == {"age": [31], "town": ["Köln"]}


def test_an_mltable_gives_columns_types(tmp_path):
    (tmp_path / "data.csv").write_text("zip,n,town\n123,1,Ulm\n456,2,Köln\n")
    (tmp_path / "MLTable").write_text(
        "paths: [{file: data.csv}]\ntransformations:\n - read_delimited: {delimiter: ','}\n"
        " - convert_column_types:\n    - {columns: [zip], column_type: string}\n    - {columns: n, column_type: float}"
    )
    frame = read_data(tmp_path).frame
    assert frame["zip"].tolist() == ["123", "456"]
    assert frame["n"].dtype == "float64"


@pytest.mark.parametrize(
    ("mltable", "problem"),
    [
        ("paths: [{file: ../secret.csv}]", "outside of its folder"),
        ("paths: [{file: /etc/passwd}]", "outside of its folder"),
        ("paths: [{file: 'https://example.com/a.csv'}]", "not a file here"),
        ("paths: [{file: azureml:data:1}]", "not a file here"),
        ("paths: [{file: data.csv}]\ntransformations: [{take: 1}]", "'take', which is not done here"),
        ("paths: [{file: data.csv}]\ntransformation: []", "the key 'transformation'"),
        ("paths: [{file: data.csv}]\ntransformations: [{read_delimited: {header: maybe}}]", "the header 'maybe'"),
        ("paths: [{file: data.csv}]\ntransformations: [{read_delimited: 3}]", "read_delimited without keys"),
        ("paths: [{file: data.csv}]\ntransformations: [{convert_column_types: 3}]", "3 in convert_column_types"),
        ("paths: [{pattern: '*.nothing'}]", "does not exist beside it"),
        ("a: &a [1]\npaths: [*a]", "alias"),
        ("paths: []", "names no paths"),
        ("- 1", "holds no keys"),
    ],
)
def test_an_mltable_that_cannot_be_used_says_why(tmp_path, mltable, problem):
    folder = tmp_path / "data"
    folder.mkdir()
    (tmp_path / "secret.csv").write_text("a\n1\n")
    (folder / "data.csv").write_text("a\n1\n")
    (folder / "MLTable").write_text(mltable)
    with pytest.raises(InputError, match=problem):
        read_data(folder)


def test_a_link_out_of_the_folder_is_refused(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    (tmp_path / "secret.csv").write_text("a\n1\n")
    (folder / "link.csv").symlink_to(tmp_path / "secret.csv")
    (folder / "MLTable").write_text("paths: [{file: link.csv}]")
    with pytest.raises(InputError, match="does not exist beside it"):
        read_data(folder)


def test_a_table_and_its_description_survive(tmp_path, frame):
    described = DataDescription(name="people", target="left", sensitive=("town", "gone"), positive="yes")
    written = write_data(tmp_path, frame, described)
    table = read_data(tmp_path, "test")
    pd.testing.assert_frame_equal(table.frame, frame)
    assert table.part is None
    assert table.description == written
    assert written.sensitive == ("town",)
    assert written.fingerprint == fingerprint(frame)


def test_parts_are_read_by_name(tmp_path, frame):
    for part, rows in (("train", frame[:2]), ("test", frame[2:])):
        write_data(tmp_path, rows.reset_index(drop=True), DataDescription(), part=part)
    assert [len(read_data(tmp_path, part).frame) for part in ("train", "test", None)] == [2, 1, 2]
    assert read_data(tmp_path, "test").part == "test"
    assert read_data(tmp_path).part == "train"


def test_the_target_is_the_named_one_else_the_role_else_the_last_column(tmp_path, frame):
    write_data(tmp_path, frame, DataDescription(target="town"))
    table = read_data(tmp_path)
    assert choose_target(table, "age").name == "age"
    assert choose_target(table, None).sentence == "Target: 'town' (the dataset's role)."
    frame.to_csv(tmp_path / "table.csv", index=False)
    assert "'left' (the last column" in choose_target(read_data(tmp_path / "table.csv"), None).sentence
    with pytest.raises(InputError, match="incme"):
        choose_target(table, "incme")


def test_roles_of_columns_that_are_gone_are_said(tmp_path, frame):
    (tmp_path / tables.DESCRIPTION).write_text(json.dumps({"roles": {"target": "churn", "sensitive": ["age"]}}))
    frame.to_csv(tmp_path / "table.csv", index=False)
    table = read_data(tmp_path)
    assert table.description.target is None
    assert table.description.sensitive == ("age",)
    assert any("'churn'" in note for note in table.notes)


def test_a_role_may_be_a_single_name_and_what_is_not_known_is_left_out():
    described = DataDescription.from_dict({"name": 3, "split": [], "more": 1, "roles": {"sensitive": "age", "x": []}})
    assert described == DataDescription(sensitive=("age",))
    assert DataDescription.from_dict(described.to_dict()) == described


@pytest.mark.parametrize("content", ["{", "[]", '{"roles": 3}'])
def test_a_description_that_is_none_is_refused(tmp_path, frame, content):
    frame.to_csv(tmp_path / "table.csv", index=False)
    (tmp_path / tables.DESCRIPTION).write_text(content)
    with pytest.raises(InputError, match=r"dataset\.json"):
        read_data(tmp_path)


def test_a_folder_without_a_table_is_refused(tmp_path):
    with pytest.raises(InputError, match="has no table"):
        read_data(tmp_path)
    with pytest.raises(InputError, match="does not exist"):
        read_data(tmp_path / "none")
