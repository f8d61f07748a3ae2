"""Steps of pipelines: which outputs can be used again, and how long their contents stay."""

from dataclasses import replace

import pytest

from core import deletion, upkeep
from core.access import LOCAL
from core.catalog import ModelVersion, PipelineStep, Run, RunArtifact, RunState, artifacts, models, runs, steps
from core.errors import InputError, NotFoundError
from core.settings import get_settings
from core.storage import get_store
from tests.collecting import collect

KEY = "a" * 64


def add(**fields):
    values = {"workspace": "local", "pipeline_run_id": "p" * 16, "pipeline": "churn", "path": "prep/clean"}
    step = PipelineStep(**values | fields)
    access = replace(LOCAL, workspace=step.workspace)
    if not runs.with_ids([step.pipeline_run_id]):
        runs.add(Run(id=step.pipeline_run_id, workspace=step.workspace, task="count"), access=access)
    return steps.add(step, access=access)


def test_a_step_comes_back_as_it_was_and_changes_by_id(catalog):
    step = add(parts={"inputs": {"Größe": 1.5}}, position=2, key=KEY)
    other = add()
    assert steps.get(step.id, access=LOCAL) == step
    changed = steps.update(
        step.id, state="SUCCEEDED", reason="depth changed from 6 to 7", finished_at=5.25, access=LOCAL
    )
    assert changed == steps.get(step.id, access=LOCAL)
    assert (changed.state, changed.reason, changed.finished_at) == ("SUCCEEDED", "depth changed from 6 to 7", 5.25)
    assert (changed.parts, changed.key) == (step.parts, KEY)
    assert steps.get(other.id, access=LOCAL) == other
    for workspace in ("other", "Local"):
        with pytest.raises(NotFoundError, match=step.id):
            steps.update(step.id, state="FAILED", access=replace(LOCAL, workspace=workspace))
    assert steps.get(step.id, access=LOCAL).state == "SUCCEEDED"


def test_steps_of_a_run_are_in_order_and_of_that_run_alone(home):
    paths = ["evaluate", "prep", "train"]
    for position, path in enumerate(paths):
        add(path=path, position=2 - position)
    add(pipeline_run_id="q" * 16)
    assert [step.path for step in steps.of_run("p" * 16, access=LOCAL)] == ["train", "prep", "evaluate"]
    assert steps.of_run("p" * 16, access=replace(LOCAL, workspace="other")) == []


@pytest.mark.parametrize("ended", [RunState.CANCELLED, RunState.INTERRUPTED, RunState.OUT_OF_MEMORY])
def test_steps_of_a_run_that_was_ended_have_ended_too(home, ended):
    run = runs.add(Run(workspace="local", task="count", state=RunState.RUNNING), access=LOCAL)
    states = ["SUCCEEDED", "RUNNING", "FAILED", "QUEUED"]
    for position, state in enumerate(states):
        add(pipeline_run_id=run.id, path=state, position=position, state=state, started_at=1.0)
    assert [step.state for step in steps.of_run(run.id, access=LOCAL)] == states
    assert runs.change_state(run.id, [RunState.RUNNING], ended, finished_at=5.0, access=LOCAL)
    shown = steps.of_run(run.id, access=LOCAL)
    assert [step.state for step in shown] == ["SUCCEEDED", ended, "FAILED", steps.SKIPPED]
    assert [step.finished_at for step in shown] == [None, 5.0, None, None]
    assert [steps.get(step.id, access=LOCAL).state for step in shown] == states  # a resumed run continues with these


def test_the_newest_that_succeeded_with_a_key_is_found(home):
    assert steps.latest_by_key(KEY, access=LOCAL) is None
    add(key=KEY, state="SUCCEEDED", created_at=1.0)
    new = add(key=KEY, state="SUCCEEDED", created_at=3.0, pipeline="another one")
    for fields in ({"state": "FAILED"}, {"state": "RUNNING"}, {"key": "b" * 64}, {"workspace": "other"}):
        add(**{"key": KEY, "state": "SUCCEEDED", "created_at": 9.0} | fields)
    assert steps.latest_by_key(KEY, access=LOCAL).id == new.id


def test_the_newest_of_a_path_is_found_within_its_pipeline(home):
    add(state="SUCCEEDED", created_at=1.0)
    failed = add(state="FAILED", created_at=2.0, pipeline_run_id="q" * 16)
    for fields in ({"path": "prep"}, {"pipeline": "churn 2"}, {"workspace": "other"}):
        add(**{"created_at": 9.0} | fields)
    assert steps.latest_of_path("churn", "prep/clean", access=LOCAL).id == failed.id
    assert steps.latest_of_path("churn", "prep/clean", states=["SUCCEEDED"], access=LOCAL).created_at == 1.0
    assert steps.latest_of_path("churn", "prep/clean", before_run="q" * 16, access=LOCAL).created_at == 1.0
    assert steps.latest_of_path("none", "prep/clean", access=LOCAL) is None


def test_contents_stay_as_long_as_a_step_names_them(catalog):
    store = get_store()
    one, two, both = (store.put_bytes(text) for text in (b"one", b"two", b"both"))
    pipelines = [runs.add(Run(workspace="local", task="count", state=RunState.SUCCEEDED), access=LOCAL) for _ in "ab"]
    step = add(pipeline_run_id=pipelines[0].id, outputs={"model": {"m/a": one}, "report": {"r": both}})
    later = add(pipeline_run_id=pipelines[1].id)
    steps.update(later.id, outputs={"report": {"x": both, "again": both}}, access=LOCAL)
    steps.update(later.id, state="SUCCEEDED", access=LOCAL)  # leaves the outputs as they are
    collect(one, two, both)
    assert [store.exists(digest) for digest in (one, two, both)] == [True, False, True]
    steps.update(step.id, outputs={"report": {"r": both}}, access=LOCAL)
    collect(one)
    assert not store.exists(one)
    deletion.delete("run", pipelines[0].id, access=LOCAL)
    upkeep.purge(after_s=0)
    collect(both)
    assert store.exists(both)
    assert steps.of_run(pipelines[0].id, access=LOCAL) == []
    assert [stored.id for stored in steps.of_run(pipelines[1].id, access=LOCAL)] == [later.id]
    deletion.delete("run", pipelines[1].id, access=LOCAL)
    upkeep.purge(after_s=0)
    collect(both)
    assert not store.exists(both)


def test_a_run_is_deleted_with_its_children_and_no_others(home):
    def run(parent="", **fields):
        values = {"workspace": "local", "task": "count", "state": RunState.SUCCEEDED}
        added = runs.add(Run(parent_id=parent, **values | fields), access=LOCAL)
        digest = get_store().put_bytes(added.id.encode())
        artifacts.add(
            RunArtifact(workspace="local", run_id=added.id, name="file", digest=digest, size_bytes=1), access=LOCAL
        )
        (get_settings().runs_dir / added.id).mkdir(parents=True)
        return added.id, digest

    top = run()
    child, other = run(top[0]), run()
    grandchild = run(child[0], state=RunState.RUNNING)
    with pytest.raises(InputError, match="running"):
        deletion.delete("run", top[0], access=LOCAL)
    runs.change_state(grandchild[0], [RunState.RUNNING], RunState.FAILED, access=LOCAL)
    with pytest.raises(InputError, match="part of the run"):
        deletion.delete("run", child[0], access=LOCAL)
    with pytest.raises(NotFoundError):
        deletion.delete("run", top[0], access=replace(LOCAL, workspace="other"))
    deletion.delete("run", top[0], access=LOCAL)
    upkeep.purge(after_s=0)
    assert [left.id for left in runs.find(access=LOCAL)] == [other[0]]
    collect(*(digest for _, digest in (top, child, grandchild, other)))
    assert [get_store().exists(digest) for _, digest in (top, child, grandchild, other)] == [False] * 3 + [True]
    assert [path.name for path in get_settings().runs_dir.iterdir()] == [other[0]]
    models.add_version("m", ModelVersion(workspace="local", model_id="", run_id=other[0], kind="table"), access=LOCAL)
    with pytest.raises(InputError, match="version 1 of the model 'm'"):
        deletion.delete("run", other[0], access=LOCAL)


def test_lists_leave_out_runs_that_work_for_others_on_request(home):
    parent = runs.add(Run(workspace="local", task="count", created_at=1.0), access=LOCAL)
    children = [
        runs.add(Run(workspace="local", task="outputs", created_at=at, parent_id=parent.id), access=LOCAL)
        for at in (3.0, 2.0)
    ]
    assert runs.find(parents_only=True, access=LOCAL) == [parent]
    assert runs.find(access=LOCAL) == [children[0], children[1], parent]
    assert runs.children(parent.id, access=LOCAL) == [children[1], children[0]]
    assert runs.children(parent.id, access=replace(LOCAL, workspace="other")) == []
    assert runs.titles([parent.id, "0" * 16], access=LOCAL) == {parent.id: ""}
    assert runs.titles([parent.id], access=replace(LOCAL, workspace="other")) == runs.titles([], access=LOCAL) == {}
