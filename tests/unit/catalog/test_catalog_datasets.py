"""Queries over datasets and artifacts: the same content once, names, roles, deletion, whose they are."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from core.catalog import Dataset, Run, RunArtifact, RunState, artifacts, datasets, runs
from core.errors import InputError, NotFoundError


def make(fingerprint="f" * 64, **fields):
    defaults = {"workspace": "local", "name": "Adult", "data_digest": "d" * 64, "profile_digest": "e" * 64}
    return Dataset(**defaults | {"fingerprint": fingerprint, "rows": 3, "columns": 2, "size_bytes": 5 << 32} | fields)


def test_same_content_is_kept_once(catalog):
    first, new = datasets.add(make(report={"skipped": 1}))
    again, new_again = datasets.add(make(name="The same under another name"))
    assert (new, new_again) == (True, False)
    assert again == first == datasets.get(first.id, "local")
    elsewhere, new_elsewhere = datasets.add(make(workspace="other"))
    assert new_elsewhere
    assert elsewhere.id != first.id
    assert datasets.find("local") == [first]
    assert datasets.with_fingerprint("f" * 64, "other") == elsewhere
    assert datasets.with_fingerprint("0" * 64, "local") is None


def test_same_content_at_the_same_moment(catalog):
    with ThreadPoolExecutor(8) as pool:
        added = list(pool.map(lambda _: datasets.add(make()), range(8)))
    assert sum(new for _, new in added) == 1
    assert len({dataset.id for dataset, _ in added}) == 1


def test_rename_and_roles(catalog):
    dataset, _ = datasets.add(make())
    datasets.rename(dataset.id, "  Census ", "local")
    datasets.set_roles(dataset.id, {"target": "income", "sensitive": ["sex"], "ignore": []}, "local")
    changed = datasets.get(dataset.id, "local")
    assert (changed.name, changed.roles["target"]) == ("Census", "income")
    for name in ("", "   ", "x" * 201):
        with pytest.raises(InputError, match="not a usable name"):
            datasets.rename(dataset.id, name, "local")


def test_what_was_typed_for_an_audit_is_kept_by_what_is_audited(catalog):
    kept, _ = datasets.add(make())
    assert datasets.get(kept.id, "local").audits == {}
    datasets.set_audit(kept.id, "", {"auditor": "An office"}, "local")
    datasets.set_audit(kept.id, "a run", {"tool": "CV ranker 2"}, "local")
    datasets.set_audit(kept.id, "", {"auditor": "Another"}, "local")
    assert datasets.get(kept.id, "local").audits == {"": {"auditor": "Another"}, "a run": {"tool": "CV ranker 2"}}
    with pytest.raises(NotFoundError):
        datasets.set_audit(kept.id, "", {}, "other")


@pytest.mark.parametrize(
    "ask",
    [
        datasets.get,
        datasets.delete,
        lambda dataset_id, workspace: datasets.rename(dataset_id, "Mine now", workspace),
        lambda dataset_id, workspace: datasets.set_roles(dataset_id, {"target": "x"}, workspace),
    ],
)
def test_other_workspace_finds_nothing(catalog, ask):
    dataset, _ = datasets.add(make())
    with pytest.raises(NotFoundError, match=dataset.id):
        ask(dataset.id, "other")
    assert datasets.get(dataset.id, "local") == dataset
    with pytest.raises(NotFoundError):
        ask("0" * 16, "local")


def test_newest_first(catalog):
    rows = [datasets.add(make(str(n) * 64, created_at=float(n)))[0] for n in range(3)]
    assert datasets.find("local") == rows[::-1]


@pytest.mark.parametrize("state", [RunState.QUEUED, RunState.STARTING, RunState.RUNNING])
def test_delete_waits_for_runs(catalog, state):
    dataset, _ = datasets.add(make())
    run = runs.add(Run(workspace="local", task="check", dataset_id=dataset.id, state=state))
    with pytest.raises(InputError, match=run.id):
        datasets.delete(dataset.id, "local")
    runs.change_state(run.id, [state], RunState.FAILED)
    assert datasets.delete(dataset.id, "local") == [dataset]
    assert datasets.find("local") == []
    assert runs.get(run.id, "local").dataset_id == dataset.id


def test_artifacts_by_name_and_workspace(catalog):
    def artifact(name, digest, workspace="local"):
        return RunArtifact(workspace=workspace, run_id="r1", name=name, digest=digest, size_bytes=5 << 32)

    artifacts.add(artifact("model", "a" * 64))
    artifacts.add(artifact("board", "b" * 64))
    artifacts.add(artifact("model", "c" * 64))
    assert [(item.name, item.digest[0]) for item in artifacts.find("r1", "local")] == [("board", "b"), ("model", "c")]
    assert artifacts.get("r1", "model", "local").size_bytes == 5 << 32
    assert artifacts.find("r1", "other") == []
    for run_id, name, workspace in (("r1", "model", "other"), ("r1", "none", "local"), ("r2", "model", "local")):
        with pytest.raises(NotFoundError, match=name):
            artifacts.get(run_id, name, workspace)


def test_content_is_in_use_while_any_row_of_any_workspace_refers_to_it(catalog):
    datasets.add(make(workspace="other"))
    artifacts.add(RunArtifact(workspace="third", run_id="r1", name="model", digest="a" * 64, size_bytes=1))
    assert all(artifacts.in_use(letter * 64) for letter in "ade")
    assert not artifacts.in_use("b" * 64)
