"""What one workspace may take is refused in core, in words that name the limit and the value."""

import io
from dataclasses import replace

import pandas as pd
import pytest

from core import jobs
from core.access import INSTALLATION, LOCAL, Role, WorkspaceLimits
from core.automl import AutoMLSettings
from core.catalog import Dataset, RunArtifact, SavedPipeline, artifacts, datasets, runs, saved_pipelines, usage
from core.datasets import read_table
from core.errors import DeniedError, LimitError
from core.jobs import scheduler
from core.settings import get_settings
from core.storage import get_store
from core.tasks import automl, ingest, preview
from core.tasks.pipeline_components import register_component
from pages.pipelines.uploads import stored_files

OTHER = replace(LOCAL, workspace="other")


@pytest.fixture(scope="module")
def limited(installation, tmp_path_factory):
    """An installation with small limits."""
    own = {"ROWS": 10, "COLUMNS": 3, "UPLOAD_MB": 1, "STORED_MB": 2, "BUDGET_S": 30, "RUN_S": 40}
    home = tmp_path_factory.mktemp("limited")
    with installation(home, **{f"WORKSPACE_{name}": str(value) for name, value in own.items()}):
        yield


@pytest.fixture
def access(limited, monkeypatch, request):
    """The access to a workspace of the test's own, whose runs wait."""
    monkeypatch.setattr(scheduler, "_start", lambda run: None)
    return replace(LOCAL, workspace=f"w{id(request)}")


def stored(*, mb, access, **values):
    row = Dataset(
        workspace=access.workspace,
        name="x",
        fingerprint=f"{mb}".zfill(64),
        data_digest="a" * 64,
        profile_digest="b" * 64,
        rows=1,
        columns=1,
        size_bytes=mb * 2**20,
        **values,
    )
    return datasets.add(row, access=access)[0]


def test_larger_tables_are_refused(access, tmp_path):
    for shape, words in (((11, 2), "11 rows; at most 10"), ((5, 4), "4 columns; at most 3")):
        pd.DataFrame([range(shape[1])] * shape[0], columns=list("abcd")[: shape[1]]).to_csv(
            tmp_path / "x.csv", index=False
        )
        with pytest.raises(LimitError, match=f"{words}.*PLUMBLINE_WORKSPACE_"):
            read_table(tmp_path / "x.csv")


@pytest.mark.parametrize("submit", [ingest.submit_upload, preview.submit])
def test_larger_files_are_refused_and_not_kept(access, submit):
    with pytest.raises(LimitError, match=r"'x.csv' is larger than 1 MB.*PLUMBLINE_WORKSPACE_UPLOAD_MB"):
        submit(io.BytesIO(b"a\n" + b"1\n" * 2**20), "x.csv", access=access)
    folders = (get_settings().uploads_dir, get_settings().previews_dir)
    assert [path for folder in folders for path in folder.rglob("*") if path.is_file()] == []


def test_a_workspace_that_stores_what_it_may_takes_no_more(access):
    stored(mb=1, access=access, upload_bytes=2**19)
    run_id = jobs.submit("check", {}, access=access)
    file = RunArtifact(workspace=access.workspace, run_id=run_id, name="x", digest="c" * 64, size_bytes=2**19)
    artifacts.add(file, access=access)
    assert usage.stored_bytes(access=access) == 2 * 2**20
    for submit in (ingest.submit_upload, preview.submit):
        with pytest.raises(LimitError, match=r"stores 2 MB; at most 2 MB.*PLUMBLINE_WORKSPACE_STORED_MB"):
            submit(io.BytesIO(b"a\n1\n"), "x.csv", access=access)
    with pytest.raises(LimitError, match="stores 2 MB; at most 2 MB"):
        jobs.submit("check", {}, access=access)
    assert len(runs.find(access=access)) == 1
    jobs.submit("check", {}, access=OTHER)


def test_files_that_are_only_looked_at_count(access):
    for _ in range(3):
        last = preview.submit(io.BytesIO(b"x" * 700 * 1024), "x.csv", access=access)
    with pytest.raises(LimitError, match="stores 2 MB"):
        preview.submit(io.BytesIO(b"x"), "x.csv", access=access)
    preview.discard(runs.get(last, access=access), access=access)
    preview.submit(io.BytesIO(b"x"), "x.csv", access=access)


def test_files_of_pipelines_count(access):
    content = get_store().put_bytes(b"x" * 2 * 2**20)
    row = SavedPipeline(workspace=access.workspace, name="x", text="jobs:", files={"x.py": content, "y.py": content})
    saved_pipelines.add(row, access=access)
    with pytest.raises(LimitError, match="stores 2 MB"):
        jobs.submit("check", {}, access=access)
    for change in (
        lambda: register_component({"c.yml": b"type: command\nname: x\ncommand: echo", "x.py": b"x"}, access=access),
        lambda: stored_files({"z.py": b"x"}, access=access),
    ):
        with pytest.raises(LimitError, match="stores 2 MB"):
            change()
    with pytest.raises(DeniedError):
        stored_files({"z.py": b"x"}, access=replace(access, role=Role.VIEWER))


@pytest.mark.parametrize("budget", [31, None])
def test_longer_searches_are_refused(access, budget):
    dataset = stored(mb=1, access=access)
    with pytest.raises(LimitError, match=r"may take 30 s here.*PLUMBLINE_WORKSPACE_BUDGET_S"):
        automl.submit(dataset, AutoMLSettings(target="x", time_budget_s=budget, max_trials=5), access=access)
    run = runs.get(automl.submit(dataset, AutoMLSettings(target="x", time_budget_s=30), access=access), access=access)
    assert run.timeout_s == 40


@pytest.mark.parametrize(("asked", "timeout"), [(None, 40), (20, 20), (50, 40)])
def test_no_run_works_longer(access, asked, timeout):
    run_id = jobs.submit("check", {}, timeout_s=asked, access=access)
    assert runs.get(run_id, access=access).timeout_s == timeout


def test_an_installation_has_a_limit_of_its_own(access, monkeypatch):
    others = replace(access, workspace=f"{access.workspace}-other")
    stored(mb=1, access=access)
    settings = get_settings().model_copy(update={"max_stored_mb": usage.stored_bytes(access=INSTALLATION) // 2**20})
    monkeypatch.setattr(usage, "get_settings", lambda: settings)
    with pytest.raises(LimitError, match=r"This installation stores \d+ MB.*PLUMBLINE_MAX_STORED_MB"):
        jobs.submit("check", {}, access=others)


def test_without_limits_nothing_is_counted(monkeypatch):
    monkeypatch.setattr(usage, "stored_bytes", lambda **_: pytest.fail("rows were counted"))
    monkeypatch.setattr(usage, "limits", WorkspaceLimits)
    usage.require_room(2**40, access=LOCAL)
