"""Ingest as a real run: a sample or an upload becomes a dataset once; what cannot be read changes nothing."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import jobs
from core.access import LOCAL
from core.automl import AutoMLSettings
from core.catalog import Dataset, Run, RunState, datasets, versions
from core.datasets import STEPS, Profile, ReadOptions, Recipe, load_frame, load_sample, prepare_file, profile
from core.errors import LimitError, NotFoundError
from core.settings import get_settings
from core.storage import get_store
from core.tasks import automl, check, ingest, relations

TEXT = b"day;price;kind\n31.01.2020;1,5;a\n01.02.2020;?;b\n02.02.2020;-2,25;=1+1\n"


@pytest.fixture(scope="module")
def home(installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One installation for the file: starting a run's process is what takes time here."""
    with installation(tmp_path_factory.mktemp("ingest") / "home") as folder:
        yield folder


def finished(run_id: str, workspace: str = "local") -> Run:
    return jobs.wait(run_id, 60, access=replace(LOCAL, workspace=workspace))


def succeeded(run_id: str, workspace: str = "local") -> Run:
    run = finished(run_id, workspace)
    assert run.state is RunState.SUCCEEDED, (
        run.error_message,
        jobs.log(run_id, access=replace(LOCAL, workspace=workspace)),
    )
    return run


def upload(content: bytes, name: str, **options: object) -> str:
    return ingest.submit_upload(io.BytesIO(content), name, **{"access": LOCAL} | options)


def dataset_of(run: Run) -> Dataset:
    assert run.result is not None
    return datasets.get(run.result["dataset_id"], access=replace(LOCAL, workspace=run.workspace))


def files(home: Path) -> set[str]:
    """Everything that uploads and datasets leave on the disk."""
    return {str(path) for part in ("uploads", "artifacts") for path in (home / part).rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def uploaded(home: Path) -> Run:
    """The run that has read TEXT for the first time."""
    return succeeded(upload(TEXT, "Prices of January.csv"))


def test_an_upload_becomes_a_dataset(uploaded: Run) -> None:
    dataset = dataset_of(uploaded)
    assert uploaded.result == {"dataset_id": dataset.id, "name": "Prices of January", "known": False}
    assert uploaded.dataset_id == dataset.id
    assert (dataset.rows, dataset.columns, dataset.source) == (3, 3, "Prices of January.csv")
    assert dataset.roles == {}
    assert dataset.report["types"] == {"day": "date", "price": "number", "kind": "text"}
    assert dataset.report["missing_markers"] == {"price": {"?": 1}}
    path = get_store().local_path(dataset.data_digest)
    assert path.stat().st_size == dataset.size_bytes
    expected = pd.DataFrame(
        {
            "day": pd.to_datetime(["2020-01-31", "2020-02-01", "2020-02-02"]),
            "price": [1.5, np.nan, -2.25],
            "kind": ["a", "b", "=1+1"],
        }
    )
    pd.testing.assert_frame_equal(load_frame(path), expected, check_dtype=False)


def test_its_profile_is_that_of_the_table(uploaded: Run) -> None:
    dataset = dataset_of(uploaded)
    stored = Profile.from_dict(json.loads(get_store().read_bytes(dataset.profile_digest)))
    assert stored == profile(get_store().local_path(dataset.data_digest))
    assert (stored["price"].missing, stored["price"].minimum) == (1, -2.25)


def test_the_upload_and_the_scratch_files_are_gone(uploaded: Run, home: Path) -> None:
    assert list((home / "uploads").iterdir()) == []
    assert not (get_settings().runs_dir / uploaded.id / "work").exists()


def test_a_newer_file_is_read_like_a_dataset_and_can_be_appended(home: Path, tmp_path: Path) -> None:
    options = ReadOptions(date_order="dmy", missing_values=("", "none"))
    first = succeeded(upload(b"day,zip,sum\n01/02/2024,00123,1.5\n03/04/2024,none,2\n", "May.csv", options=options))
    newer = b"sum,day,zip\n7,05/06/2024,99999\n8,07/08/2024,12345\n"
    run = succeeded(upload(newer, "June.csv", like=first.result["dataset_id"]))
    older, dataset = dataset_of(first), dataset_of(run)
    assert dataset.report["types"] == {"sum": "number", "day": "date", "zip": "text"}
    assert dataset.report["given"]["column_types"] == {"sum": "number", "day": "date:%d/%m/%Y", "zip": "text"}
    assert dataset.report["notices"][0] == "Columns that 'May' has are read as they were there."
    path, tables = tmp_path / "both.parquet", {dataset.id: get_store().local_path(dataset.data_digest)}
    recipe = Recipe(steps=[STEPS["append"](dataset=dataset.id)])
    prepare_file(get_store().local_path(older.data_digest), recipe, path, workdir=tmp_path, tables=tables)
    frame = load_frame(path)
    assert frame["day"].tolist() == list(pd.to_datetime(["2024-02-01", "2024-04-03", "2024-06-05", "2024-08-07"]))
    assert frame["zip"].fillna("").tolist() == ["00123", "", "99999", "12345"]
    assert frame["sum"].tolist() == [1.5, 2, 7, 8]


def test_a_dataset_to_read_like_must_exist(home: Path) -> None:
    before = files(home)
    with pytest.raises(NotFoundError, match="There is no dataset '0123456789abcdef'"):
        upload(TEXT, "Prices.csv", like="0123456789abcdef")
    assert files(home) == before


def test_only_runs_whose_results_depend_on_it_keep_a_dataset_from_being_read_anew(home: Path) -> None:
    dataset = dataset_of(succeeded(upload(b"a;b\n1,5;x\n2,5;y\n", "Looked at.csv")))
    versions.set_roles(dataset, {"target": "a", "sensitive": [], "ignore": []}, "Target 'a'", access=LOCAL)
    checked = succeeded(check.submit(dataset, None, access=LOCAL))
    jobs.cancel(relations.submit(dataset, None, access=LOCAL), access=LOCAL)
    with pytest.raises(NotFoundError, match=dataset.id):
        jobs.submit("prepare", {}, dataset=dataset.id, access=replace(LOCAL, workspace="other"))
    assert not ingest.stays(dataset, access=LOCAL)
    changed = ReadOptions(column_types={"a": "text"})
    again = dataset_of(succeeded(ingest.submit_again(dataset.id, changed, access=LOCAL)))
    assert (again.id, again.report["types"]) == (dataset.id, {"a": "text", "b": "text"})
    assert versions.changes(again, access=LOCAL) == [], "roles of other content are not brought back"
    assert check.latest(dataset, None, access=LOCAL) == checked
    assert check.latest(again, None, access=LOCAL) is None, "these findings are those of other content"
    late = finished(jobs.submit("check", checked.settings, dataset=dataset.id, access=LOCAL))
    assert late.error_message == "'Looked at' was read again since this run was queued."

    jobs.cancel(automl.submit(again, AutoMLSettings(target="b"), access=LOCAL), access=LOCAL)
    assert ingest.stays(again, access=LOCAL)
    beside = dataset_of(succeeded(ingest.submit_again(dataset.id, ReadOptions(header=None), access=LOCAL)))
    assert beside.name == "Looked at (read again)"
    assert datasets.get(dataset.id, access=LOCAL).fingerprint == again.fingerprint


def test_the_run_tells_how_it_went(uploaded: Run) -> None:
    events = jobs.events(uploaded.id, access=LOCAL)
    assert {"read", "profile", "store"} <= {event.phase for event in events}
    assert (events[-1].fraction, events[-1].message) == (1.0, "3 rows, 3 columns")
    assert (uploaded.title, uploaded.lane) == ("Read Prices of January.csv", "short")
    assert not jobs.repeatable(uploaded)


def test_the_same_file_twice_is_known(uploaded: Run, home: Path) -> None:
    before = files(home)
    again = succeeded(upload(TEXT, "Under another name.csv"))
    assert uploaded.result is not None
    assert again.result == uploaded.result | {"known": True}
    assert again.dataset_id == uploaded.dataset_id
    assert files(home) == before
    assert [dataset.name for dataset in datasets.find(access=LOCAL)].count("Prices of January") == 1


def test_the_same_table_in_another_format_is_known(uploaded: Run, home: Path) -> None:
    frame = load_frame(get_store().local_path(dataset_of(uploaded).data_digest))
    buffer = io.BytesIO()
    frame.astype({"day": "date32[pyarrow]"}).to_parquet(buffer)
    again = succeeded(upload(buffer.getvalue(), "copy.parquet"))
    assert uploaded.result is not None
    assert again.result == uploaded.result | {"known": True}


def test_each_workspace_has_its_own(uploaded: Run) -> None:
    other = succeeded(upload(TEXT, "Prices.csv", access=replace(LOCAL, workspace="other")), "other")
    assert other.result is not None
    assert other.result["known"] is False
    assert [dataset.name for dataset in datasets.find(access=replace(LOCAL, workspace="other"))] == ["Prices"]
    assert dataset_of(other).data_digest == dataset_of(uploaded).data_digest


def test_a_sample_comes_with_its_roles(home: Path) -> None:
    dataset = dataset_of(succeeded(ingest.submit_sample("german_credit", access=LOCAL)))
    assert (dataset.rows, dataset.columns, dataset.name) == (1_000, 22, "German credit risk")
    assert dataset.roles == {"target": "credit", "sensitive": ["sex", "age"], "ignore": []}
    assert dataset.fingerprint == load_sample("german_credit").fingerprint
    assert "Hofmann" in dataset.source
    assert "CC BY 4.0" in " ".join(dataset.report["notices"])
    again = succeeded(ingest.submit_sample("german_credit", access=LOCAL))
    assert again.result == {"dataset_id": dataset.id, "name": dataset.name, "known": True}


def test_infinities_do_not_keep_a_table_out(home: Path) -> None:
    dataset = dataset_of(succeeded(upload(b"x,y\n1.5,a\ninf,b\n-inf,c\n2.5,d\n", "infinite.csv")))
    stored = json.loads(get_store().read_bytes(dataset.profile_digest))
    assert (stored["columns"][0]["minimum"], stored["columns"][0]["maximum"]) == (1.5, 2.5)


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"PAR1" + b"junk" * 100, "broken.parquet", "Parquet file is damaged"),
        (b"\x80\x04\x95\x0b\0\0\0\0\0\0\0\x8c\x07builtin\x94.", "t.csv", "pickle"),
        (b"a,b\n", "header.csv", "no rows"),
    ],
)
def test_a_broken_file_fails_with_a_hint_and_changes_nothing(
    home: Path, content: bytes, name: str, message: str
) -> None:
    rows, before = datasets.find(access=LOCAL), files(home)
    run = finished(upload(content, name))
    assert run.state is RunState.FAILED
    assert message in (run.error_message or "")
    assert run.error_hint
    assert "Traceback" not in run.error_message + run.error_hint
    assert (run.result, run.dataset_id) == (None, None)
    assert (datasets.find(access=LOCAL), files(home)) == (rows, before)
    assert not (get_settings().runs_dir / run.id / "work").exists()


def test_an_unknown_sample_fails_with_a_hint(home: Path) -> None:
    run = finished(ingest.submit_sample("titanic", access=LOCAL))
    assert run.state is RunState.FAILED
    assert "'titanic'" in (run.error_message or "")
    assert run.error_hint


def test_a_name_is_never_a_path(home: Path) -> None:
    run = succeeded(upload(b"a,b\n1,2\n3,4\n", "../../etc/pass wd.csv"))
    assert dataset_of(run).name == "pass wd"
    assert not list(home.parent.rglob("*pass wd*"))


def test_limits_of_the_installation_hold(installation, tmp_path: Path) -> None:
    with installation(tmp_path / "home", MAX_UPLOAD_MB="1", MAX_ROWS="4") as home:
        with pytest.raises(LimitError, match=r"'big\.csv' is larger than 1 MB") as caught:
            upload(b"x" * (2**20 + 1), "big.csv")
        assert "PLUMBLINE_MAX_UPLOAD_MB" in caught.value.hint
        assert files(home) == set()
        run = finished(upload(b"a,b\n" + b"1,2\n" * 5, "long.csv"))
        assert run.state is RunState.FAILED
        assert run.error_message == "The table has 5 rows; at most 4 are read."
        assert "PLUMBLINE_MAX_ROWS" in (run.error_hint or "")
        assert files(home) == set()
