"""Kept outputs: what runs again after a change, and the reason that is given."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.pipelines import run_pipeline
from tests.unit.pipelines.pipeline_files import chain, pipeline_of


@pytest.fixture
def run(tmp_path: Path):
    number = iter(range(100))

    def runner(pipeline, **options):
        return run_pipeline(pipeline, workdir=tmp_path / f"w{next(number)}", cache=tmp_path / "cache", **options)

    return runner


def test_a_second_run_executes_nothing(run, tmp_path: Path) -> None:
    first = run(chain(tmp_path / "p"))
    assert first.executed == ["prep", "train", "score"]
    assert {step.reason for step in first.steps.values()} == {"It had not run before."}
    second = run(chain(tmp_path / "p"))
    assert second.executed == []
    assert all(
        step.cached and step.reason.startswith("Nothing changed since it ran at") for step in second.steps.values()
    )
    assert (second.outputs["result"] / "n").read_text() == (first.outputs["result"] / "n").read_text()
    assert second.outputs["result"] != first.outputs["result"], "each run has files of its own"


def test_a_parameter_runs_its_step_and_those_after_it(run, tmp_path: Path) -> None:
    run(chain(tmp_path / "p", depth=6))
    changed = run(chain(tmp_path / "p", depth=7))
    assert changed.executed == ["train", "score"]
    assert changed.steps["train"].reason == "Parameter max_depth changed from 6 to 7."
    assert changed.steps["score"].reason == "Input model changed."
    assert run(chain(tmp_path / "p", depth=6)).executed == [], "the earlier outputs are still kept"
    by_input = run(chain(tmp_path / "p", depth=6), inputs={"max_depth": 7})
    assert by_input.executed == []


def test_a_comment_in_the_code_counts_and_its_time_does_not(run, tmp_path: Path) -> None:
    run(chain(tmp_path / "p"))
    chain(tmp_path / "p")
    for path in tmp_path.joinpath("p").rglob("*.py"):
        os.utime(path, (1, 1))
    (tmp_path / "p" / "prep" / "__pycache__").mkdir()
    (tmp_path / "p" / "prep" / "__pycache__" / "prep.pyc").write_bytes(b"x")
    assert run(chain(tmp_path / "p")).executed == []
    commented = run(chain(tmp_path / "p", comment="new"))
    assert commented.executed == ["prep", "train"], "the outputs of prep are the same, and score has nothing new"
    assert commented.steps["prep"].reason == "Code prep.py changed."


def test_steps_that_are_asked_for_run_again_with_those_after_them(run, tmp_path: Path) -> None:
    run(chain(tmp_path / "p"))
    assert run(chain(tmp_path / "p"), rerun_from=["train"]).executed == ["train", "score"]


@pytest.mark.parametrize("setting", ["settings: {force_rerun: true}", ""])
def test_what_is_never_kept(run, tmp_path: Path, setting: str) -> None:
    component = """
        type: command
        name: draw
        version: 1
        is_deterministic: DETERMINISTIC
        command: echo $RANDOM > ${{outputs.out}}/n
        environment: none
        outputs: {out: {type: uri_folder}}
    """.replace("DETERMINISTIC", "true" if setting else "false")
    text = f"""
type: pipeline
{setting}
jobs:
  draw:
    component: ./draw.yml
"""
    for reason in ("force_rerun" if setting else "is_deterministic: false",) * 2:
        result = run(pipeline_of(tmp_path / "p", text, draw_yml=component))
        assert result.executed == ["draw"]
        assert reason in result.steps["draw"].reason


def test_kept_outputs_that_were_changed_are_not_used(run, tmp_path: Path) -> None:
    first = run(chain(tmp_path / "p"))
    kept = [path for path in (tmp_path / "cache").rglob("n") if path.is_file()]
    assert kept
    for path in kept:
        path.write_text("tampered")
    again = run(chain(tmp_path / "p"))
    assert again.executed == ["prep", "train", "score"]
    assert again.steps["prep"].reason == "Its outputs are no longer kept."
    assert (again.outputs["result"] / "n").read_text() == (first.outputs["result"] / "n").read_text()


def test_a_failure_is_not_kept(run, tmp_path: Path) -> None:
    text = "type: pipeline\njobs:\n  fail:\n    command: exit 1\n    environment: none\n"
    for _ in range(2):
        assert run(pipeline_of(tmp_path / "p", text)).executed == ["fail"]


def test_an_input_counts_by_its_content(run, tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    text = f"""
type: pipeline
jobs:
  count:
    command: wc -c < ${{{{inputs.data}}}} > ${{{{outputs.out}}}}
    environment: none
    inputs: {{data: {{type: uri_file, path: {data}}}}}
    outputs: {{out: {{type: uri_file}}}}
"""
    data.write_text("a")
    run(pipeline_of(tmp_path / "p", text))
    data.write_text("a")
    assert run(pipeline_of(tmp_path / "p", text)).executed == []
    data.write_text("ab")
    changed = run(pipeline_of(tmp_path / "p", text))
    assert (changed.executed, changed.steps["count"].reason) == (["count"], "Input data changed.")
    assert changed.steps["count"].outputs["out"].read_text().strip() == "2"


def test_too_many_files_fail_the_step_and_not_the_pipeline(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.pipelines.running.contents.MAX_FILES", 3)
    text = """
type: pipeline
settings: {continue_on_step_failure: true}
jobs:
  many:
    command: for i in 1 2 3 4; do touch ${{outputs.out}}/$i; done
    environment: none
    outputs: {out: }
  other:
    command: echo 1
    environment: none
"""
    result = run(pipeline_of(tmp_path / "p", text))
    assert [str(step.state) for step in result.steps.values()] == ["FAILED", "SUCCEEDED"]
    assert result.steps["many"].reason == "'out' has more than 3 files."
