"""Two runs of a pipeline: differences by step, and where they begin."""

from __future__ import annotations

from dataclasses import replace

from core.pipelines import ComparedStep, Difference, compare_runs

PREP = ComparedStep(
    "prep",
    "SUCCEEDED",
    {"code": {"a.py": "1"}, "inputs": {"raw": "d1"}, "packages": {"pandas": "3.0"}},
    {"out": {"t": "p1"}},
)
TRAIN = ComparedStep(
    "train",
    "SUCCEEDED",
    {"parameters": {"depth": 6, "rate": 0.1}, "inputs": {"data": "p1"}},
    {"model": {"m": "m1"}},
    sources={"data": "prep"},
    metrics={"rmse": 2.0},
)
TEST = ComparedStep("test", "SUCCEEDED", {"inputs": {"model": "m1"}}, {"out": {"r": "r1"}}, sources={"model": "train"})
RUN = [PREP, TRAIN, TEST]


def later(step: ComparedStep, *, outputs: str, **parts: object) -> ComparedStep:
    changed = {name: {"x": outputs} for name in step.outputs}
    return replace(step, parts=step.parts | parts, outputs=changed)


def test_equal_runs_have_no_differences() -> None:
    compared = compare_runs(RUN, RUN)
    assert compared.origins == []
    assert all(step.same_outputs and not step.differences for step in compared.steps)
    assert compared.metrics == {("train", "rmse"): (2.0, 2.0)}


def test_a_changed_parameter_is_where_the_difference_begins() -> None:
    train = replace(later(TRAIN, outputs="m2", parameters={"depth": 7, "rate": 0.1}), metrics={"rmse": 1.5, "mae": 1.0})
    test = later(TEST, outputs="r2", inputs={"model": "m2"})
    compared = compare_runs(RUN, [PREP, train, test])
    assert [step.path for step in compared.origins] == ["train"]
    assert compared.origins[0].own == [Difference("parameters", "depth", 6, 7)]
    assert compared.steps[2].differences == [Difference("inputs", "model", "m1", "m2", inherited=True)]
    assert compared.metrics == {("train", "rmse"): (2.0, 1.5), ("train", "mae"): (None, 1.0)}


def test_new_data_code_and_packages_begin_in_the_step_that_reads_them() -> None:
    prep = later(PREP, outputs="p2", inputs={"raw": "d2"}, code={"b.py": "2"}, packages={"pandas": "3.1"})
    train = later(TRAIN, outputs="m2", inputs={"data": "p2"})
    compared = compare_runs([PREP, TRAIN], [prep, train])
    assert [step.path for step in compared.origins] == ["prep"]
    assert [(item.part, item.name, item.first, item.second) for item in compared.origins[0].own] == [
        ("code", "a.py", "1", None),
        ("code", "b.py", None, "2"),
        ("inputs", "raw", "d1", "d2"),
        ("packages", "pandas", "3.0", "3.1"),
    ]


def test_a_step_that_changed_without_changing_its_outputs_is_not_decisive() -> None:
    prep = replace(PREP, parts=PREP.parts | {"code": {"a.py": "2"}})
    train = later(TRAIN, outputs="m2", parameters={"depth": 7, "rate": 0.1})
    compared = compare_runs([PREP, TRAIN], [prep, train])
    assert [step.path for step in compared.origins] == ["prep", "train"]
    assert compared.decisive is compared.steps[1]
    assert compare_runs([PREP], [prep]).decisive is None


def test_other_outputs_from_equal_parts_are_a_difference_too() -> None:
    prep = later(PREP, outputs="p2")
    train = later(TRAIN, outputs="m2", inputs={"data": "p2"})
    compared = compare_runs([PREP, TRAIN], [prep, train])
    assert [(step.path, step.own) for step in compared.origins] == [("prep", [])]


def test_steps_that_one_run_lacks_or_did_not_reach() -> None:
    skipped = replace(TEST, state="SKIPPED", parts={}, outputs={})
    compared = compare_runs([PREP, TRAIN, TEST], [PREP, replace(TRAIN, state="FAILED", outputs={}), skipped])
    assert [step.path for step in compared.origins] == ["train"]
    compared = compare_runs([PREP, TRAIN], [PREP, TEST])
    assert [(step.path, step.first is None, step.second is None) for step in compared.origins] == [
        ("test", True, False),
        ("train", False, True),
    ]


def test_an_input_from_another_step_is_a_difference_of_its_own() -> None:
    other = replace(PREP, path="other")
    train = replace(later(TRAIN, outputs="m2", inputs={"data": "p9"}), sources={"data": "other"})
    compared = compare_runs([PREP, other, TRAIN], [PREP, other, train])
    assert [step.path for step in compared.origins] == ["train"]


def test_steps_that_one_run_did_not_come_to_are_not_said_to_be_the_same() -> None:
    waiting = replace(TRAIN, state="SKIPPED", parts={}, outputs={})
    compared = compare_runs([PREP, waiting], [PREP, TRAIN])
    assert compared.origins == []
    assert [step.incomplete for step in compared.steps] == [False, True]
    assert not any(step.incomplete for step in compare_runs(RUN, RUN).steps)
