"""Queries over datasets and artifacts: the same content once, names, roles, deletion, whose they are."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from core import deletion
from core.access import LOCAL
from core.catalog import Dataset, Run, RunArtifact, RunState, artifacts, datasets, references, runs
from core.errors import InputError, NotFoundError


def make(fingerprint="f" * 64, **fields):
    defaults = {"workspace": "local", "name": "Adult", "data_digest": "d" * 64, "profile_digest": "e" * 64}
    return Dataset(**defaults | {"fingerprint": fingerprint, "rows": 3, "columns": 2, "size_bytes": 5 << 32} | fields)


def test_same_content_is_kept_once(catalog):
    first, new = datasets.add(make(report={"skipped": 1}), access=LOCAL)
    again, new_again = datasets.add(make(name="The same under another name"), access=LOCAL)
    assert (new, new_again) == (True, False)
    assert again == first == datasets.get(first.id, access=LOCAL)
    elsewhere, new_elsewhere = datasets.add(make(workspace="other"), access=replace(LOCAL, workspace="other"))
    assert new_elsewhere
    assert elsewhere.id != first.id
    assert datasets.find(access=LOCAL) == [first]
    assert datasets.with_fingerprint("f" * 64, access=replace(LOCAL, workspace="other")) == elsewhere
    assert datasets.with_fingerprint("0" * 64, access=LOCAL) is None


def test_same_content_at_the_same_moment(catalog):
    with ThreadPoolExecutor(8) as pool:
        added = list(pool.map(lambda _: datasets.add(make(), access=LOCAL), range(8)))
    assert sum(new for _, new in added) == 1
    assert len({dataset.id for dataset, _ in added}) == 1


def test_rename_and_roles(catalog):
    dataset, _ = datasets.add(make(), access=LOCAL)
    datasets.rename(dataset.id, "  Census ", access=LOCAL)
    datasets.set_roles(dataset.id, {"target": "income", "sensitive": ["sex"], "ignore": []}, access=LOCAL)
    changed = datasets.get(dataset.id, access=LOCAL)
    assert (changed.name, changed.roles["target"]) == ("Census", "income")
    for name in ("", "   ", "x" * 201):
        with pytest.raises(InputError, match="not a usable name"):
            datasets.rename(dataset.id, name, access=LOCAL)


def test_what_was_typed_for_an_audit_is_kept_by_what_is_audited(catalog):
    kept, _ = datasets.add(make(), access=LOCAL)
    assert datasets.get(kept.id, access=LOCAL).audits == {}
    datasets.set_audit(kept.id, "", {"auditor": "An office"}, access=LOCAL)
    datasets.set_audit(kept.id, "a run", {"tool": "CV ranker 2"}, access=LOCAL)
    datasets.set_audit(kept.id, "", {"auditor": "Another"}, access=LOCAL)
    assert datasets.get(kept.id, access=LOCAL).audits == {"": {"auditor": "Another"}, "a run": {"tool": "CV ranker 2"}}
    with pytest.raises(NotFoundError):
        datasets.set_audit(kept.id, "", {}, access=replace(LOCAL, workspace="other"))


@pytest.mark.parametrize(
    "ask",
    [
        lambda dataset_id, access: datasets.get(dataset_id, access=access),
        lambda dataset_id, access: deletion.delete("dataset", dataset_id, access=access),
        lambda dataset_id, access: datasets.rename(dataset_id, "Mine now", access=access),
        lambda dataset_id, access: datasets.set_roles(dataset_id, {"target": "x"}, access=access),
    ],
)
def test_other_workspace_finds_nothing(catalog, ask):
    dataset, _ = datasets.add(make(), access=LOCAL)
    with pytest.raises(NotFoundError, match=dataset.id):
        ask(dataset.id, replace(LOCAL, workspace="other"))
    assert datasets.get(dataset.id, access=LOCAL) == dataset
    with pytest.raises(NotFoundError):
        ask("0" * 16, LOCAL)


def test_newest_first(catalog):
    rows = [datasets.add(make(str(n) * 64, created_at=float(n)), access=LOCAL)[0] for n in range(3)]
    assert datasets.find(access=LOCAL) == rows[::-1]


@pytest.mark.parametrize("state", [RunState.QUEUED, RunState.STARTING, RunState.RUNNING])
def test_delete_waits_for_runs(catalog, state):
    dataset, _ = datasets.add(make(), access=LOCAL)
    run = runs.add(Run(workspace="local", task="check", dataset_id=dataset.id, state=state), access=LOCAL)
    with pytest.raises(InputError, match=f"in use: .* is {state.lower()}"):
        deletion.delete("dataset", dataset.id, access=LOCAL)
    runs.change_state(run.id, [state], RunState.FAILED, access=LOCAL)
    deletion.delete("dataset", dataset.id, access=LOCAL)
    assert datasets.find(access=LOCAL) == []
    assert runs.get(run.id, access=LOCAL).dataset_id == dataset.id


def test_artifacts_by_name_and_workspace(catalog):
    def artifact(name, digest, workspace="local"):
        return RunArtifact(workspace=workspace, run_id="r1", name=name, digest=digest, size_bytes=5 << 32)

    with pytest.raises(NotFoundError, match="no such run"):
        artifacts.add(artifact("model", "a" * 64), access=LOCAL)
    runs.add(Run(id="r1", workspace="local", task="check"), access=LOCAL)
    with pytest.raises(NotFoundError, match="no such run"):
        artifacts.add(artifact("model", "a" * 64, workspace="other"), access=replace(LOCAL, workspace="other"))
    artifacts.add(artifact("model", "a" * 64), access=LOCAL)
    artifacts.add(artifact("board", "b" * 64), access=LOCAL)
    artifacts.add(artifact("model", "c" * 64), access=LOCAL)
    assert [(item.name, item.digest[0]) for item in artifacts.find("r1", access=LOCAL)] == [
        ("board", "b"),
        ("model", "c"),
    ]
    assert artifacts.get("r1", "model", access=LOCAL).size_bytes == 5 << 32
    assert artifacts.find("r1", access=replace(LOCAL, workspace="other")) == []
    for run_id, name, workspace in (("r1", "model", "other"), ("r1", "none", "local"), ("r2", "model", "local")):
        with pytest.raises(NotFoundError, match=name):
            artifacts.get(run_id, name, access=replace(LOCAL, workspace=workspace))


def test_content_is_in_use_while_any_row_of_any_workspace_refers_to_it(catalog):
    datasets.add(make(workspace="other"), access=replace(LOCAL, workspace="other"))
    runs.add(Run(id="r1", workspace="third", task="check"), access=replace(LOCAL, workspace="third"))
    artifact = RunArtifact(workspace="third", run_id="r1", name="model", digest="a" * 64, size_bytes=1)
    artifacts.add(artifact, access=replace(LOCAL, workspace="third"))
    assert references.needed([letter * 64 for letter in "abde"]) == {letter * 64 for letter in "ade"}
