"""The Data page: intake, list, and one dataset with its tabs, roles, name and end."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from core.access import LOCAL
from core.catalog import RunState, datasets
from core.datasets import FILE_FORMATS
from tests.pages.conftest import World, import_file, labels, look_at, query, texts, visit


def test_an_uploaded_table_is_read_and_opened(home: Path) -> None:
    test = visit("data")
    assert import_file(test, "fruit.csv", b"name,weight\napple,120\npear,150\n").state is RunState.SUCCEEDED
    dataset = datasets.find(access=LOCAL)[0]
    assert (dataset.name, dataset.rows, dataset.columns) == ("fruit", 2, 2)
    assert query(test, "dataset") == dataset.id
    assert test.title[0].value == "fruit"


FIXED_WIDTH = """
from io import StringIO
from core.datasets import FILE_FORMATS, FileFormat

def read(file, connection):
    import pandas as pd
    return pd.read_fwf(StringIO("\\n".join(file.sample.splitlines()[1:])))

FILE_FORMATS.add(FileFormat(name="fixed_width", title="fixed-width text", extensions=(".fwf",), read=read,
                            recognize=lambda file: file.is_text and file.sample.startswith("#fixed")))
"""


def test_a_format_that_an_extension_adds_can_be_uploaded(
    installation: Callable[..., AbstractContextManager[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fixed_width_format.py").write_text(FIXED_WIDTH)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    try:
        with installation(tmp_path / "home", EXTENSIONS='["fixed_width_format"]'):
            test = visit("data")
            assert "fixed-width text (.fwf)" in test.file_uploader[0].help
            content = b"#fixed\nname  weight\napple    120\npear     150\n"
            assert import_file(test, "fruit.fwf", content).state is RunState.SUCCEEDED
            dataset = datasets.find(access=LOCAL)[0]
            assert (dataset.name, dataset.rows, dataset.columns) == ("fruit", 2, 2)
            assert dataset.report["format"] == "fixed_width"
    finally:
        FILE_FORMATS.remove("fixed_width")


def test_a_broken_upload_says_why_and_changes_nothing(home: Path) -> None:
    test = visit("data")
    run = look_at(test, "model.csv", b"\x80\x05\x95\x10\x00\x00\x00\x00\x00\x00\x00}\x94.")
    assert run.state is RunState.FAILED
    assert list((home / "previews").iterdir()) == []
    assert len(test.error) == 1
    assert test.error[0].proto.title
    assert test.error[0].value
    assert datasets.find(access=LOCAL) == []
    assert len(test.file_uploader) == 1


def test_the_same_table_twice_is_said_and_stored_once(home: Path) -> None:
    for name in ("first.csv", "second.csv"):
        test = visit("data")
        assert import_file(test, name, b"a,b\n1,x\n2,y\n3,z\n").state is RunState.SUCCEEDED
    assert [dataset.name for dataset in datasets.find(access=LOCAL)] == ["first"]
    assert "was imported before, as 'first'" in texts(test)


def test_the_list_has_every_dataset(world: World) -> None:
    test = visit("data")
    assert not test.exception
    table = test.dataframe[0].value
    rows = dict(zip(table["Name"], table["Rows"], strict=True))
    assert rows == {dataset.name: dataset.rows for dataset in datasets.find(access=LOCAL)}
    assert rows.items() >= {"German credit risk": 1000, "Diabetes progression": 442}.items()


@pytest.mark.parametrize("tab", ["Columns", "Preview", "Checks", "Roles"])
def test_each_tab_of_a_dataset_draws(world: World, tab: str) -> None:
    test = visit("data", dataset=world.credit.id, tab=tab)
    assert not test.exception
    assert not test.error
    if tab == "Columns":
        assert "credit" in set(test.dataframe[0].value["Column"])
        assert len(test.dataframe[0].value) == 22
    if tab == "Preview":
        assert len(test.dataframe[0].value) == 200
    if tab == "Checks":
        assert "age" in texts(test)
    if tab == "Roles":
        assert test.selectbox[0].value == "credit"


def test_roles_are_kept(home: Path) -> None:
    test = visit("data")
    import_file(test, "people.csv", b"age,town,rent\n30,A,900\n41,B,1200\n")
    test.session_state["data-tabs"] = "Roles"
    test.run()
    test.selectbox[0].select("rent")
    test.multiselect[0].select("age")
    next(button for button in test.button if button.label == "Save roles").click().run()
    assert not test.exception
    assert not test.error
    roles = datasets.find(access=LOCAL)[0].roles
    assert roles["target"] == "rent"
    assert "age" in roles["sensitive"]


def test_a_dataset_can_be_renamed_and_deleted(home: Path) -> None:
    test = visit("data")
    import_file(test, "draft.csv", b"a\n1\n2\n")
    test.text_input[0].set_value("Final *table*")
    next(button for button in test.button if button.label == "Rename").click().run()
    assert datasets.find(access=LOCAL)[0].name == "Final *table*"
    assert "Final *table*" in test.title[0].value.replace("\\", "")
    assert "Delete" in " ".join(labels(test))
