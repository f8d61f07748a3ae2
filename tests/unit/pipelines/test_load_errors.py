"""A file that cannot be used is refused before anything runs, with line, column and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.pipelines import PipelineError, load_pipeline
from tests.unit.pipelines.load_files import MAIN, TRAIN, write_files

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + level)}: &{chr(98 + level)} [{','.join(['*' + chr(97 + level)] * 9)}]\n" for level in range(8)
)
DEEP = "".join(f"a{level}: &a{level} {'[' * 20}{f'*a{level - 1}' if level else 1}{']' * 20}\n" for level in range(9))


def refused(folder: Path, files: dict[str, str] | None = None) -> PipelineError:
    """Return the error of a file that has to be refused."""
    path = write_files(folder, files)
    with pytest.raises(PipelineError) as caught:
        load_pipeline(path)
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize(
    ("content", "line", "column", "message"),
    [
        (b"", 1, 1, "empty"),
        (b"  \n# only a comment\n", 1, 1, "empty"),
        (b"- a", 1, 1, "not a group of keys, but a list"),
        (b"hello", 1, 1, "not a group of keys, but the text 'hello'"),
        (b"type: pipeline\nname: caf\xe9\n", 2, 10, "0xe9 is not UTF-8"),
        ("type: x".encode("utf-16"), 1, 1, "not UTF-8"),
        (b"type: pipeline\njobs:\n\ta: 1\n", 3, 1, "indented with a tab"),
        (b"jobs:\n  a:\n  \tb: 1\n", 3, 3, "indented with a tab"),
        (b"a: 1\nb: 2\na: 3", 3, 1, "'a' is repeated; it was first given in line 1"),
        (b"a: !!python/object:os.system x", 1, 4, "'!!python/object:os.system' is not allowed"),
        (b"a: !mine x", 1, 4, "'!mine' is not allowed"),
        (b"a: !!set {x}", 1, 4, "'!!set' is not allowed"),
        (BOMB.encode(), 6, 11, "more than 100,000 values, counting aliases"),
        (b"a: &a x\n" + b"b: *a\n" * 1, 1, 1, "no key 'a'"),
        (("a: &a x\nb: [" + "*a," * 1001 + "]").encode(), 2, 3005, "more than 1,000 aliases"),
        (b"a: " + b"[" * 100_000, 1, 53, "nested more than 50 levels"),
        (DEEP.encode(), 3, 41, "nested more than 50 levels deep, counting aliases"),
        (b"a: &a [*a]", 1, 8, "'&a' contains itself"),
        (b"a: *none", 1, 4, "no anchor '&none'"),
        (b"a: \x00", 1, 4, "U+0000 is not allowed"),
        (b"a: 1\n---\nb: 2", 3, 1, "more than one document"),
        (b"a: " + b"x" * 1_000_001, 1, 1, "larger than 1 MB"),
        (b"on: 1", 1, 1, "'on' is read as the truth value on"),
        (b"1: 2", 1, 1, "'1' is read as the number 1"),
        (b"a: " + b"9" * 5000, 1, 4, "is not a whole number"),
        (b'a: "x\nb: 1', 2, 5, "A quote is not closed"),
        (b"a: [1, 2\nb: 1", 2, 2, "A bracket is not closed"),
        (b"a: b: c", 1, 5, "A colon stands where no key can be"),
        (b"a:\n  b: 1\n c: 2", 3, 2, "The indentation does not match"),
        (b"a: &a {x: 1}\nb: {<<: [*a, 3]}", 2, 5, "'<<' merges a group of keys, not the number 3"),
        (b'a: "\\UFFFFFFFF"', 1, 7, "not valid YAML"),
        (b"? [a]\n: b", 1, 3, "A key is a list"),
        (b"a: @x", 1, 4, "a character that has a meaning in YAML"),
    ],
    ids=lambda value: value.decode("latin-1")[:20] if isinstance(value, bytes) else None,
)
def test_text_that_is_not_plain_yaml(tmp_path: Path, content: bytes, line: int, column: int, message: str) -> None:
    path = tmp_path / "pipeline.yml"
    path.write_bytes(content)
    with pytest.raises(PipelineError) as caught:
        load_pipeline(path)
    assert message in caught.value.message
    assert (caught.value.line, caught.value.column) == (line, column)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "changed", "line", "message"),
    [
        ("type: pipeline", "type: command", 3, "of the type 'command', not a pipeline"),
        ("jobs:", "job:", 17, "no key 'job' in the pipeline"),
        ("  rate: 0.2", "  rate: [1]", 11, "'rate' has to be a text, a number, or true or false, not a list"),
        ("  rate: 0.2", "  rate:", 11, "'rate' has no value"),
        ("display_name: churn", "display_name: {a: b}", 4, "'display_name' has to be a text, not a group of keys"),
        ("display_name: churn", "display_name: 2024", 4, "has to be a text, not the number 2024"),
        ("step_failure: true", "step_failur: true", 8, "no key 'continue_on_step_failur'"),
        ("step_failure: true", "step_failure: maybe", 8, "has to be true or false, not the text 'maybe'"),
        ("type: uri_folder, path: ./data", "type: uri_foldr, path: ./data", 10, "no type 'uri_foldr'"),
        ("path: ./data", "path: ./dat", 10, "'./dat' does not exist"),
        ("path: ./data", "path: ./table.csv", 10, "is a file, but the type 'uri_folder' is a folder"),
        ("mode: ro_mount", "mode: mount_ro", 10, "no mode 'mount_ro'"),
        ("code: src", "code: sr", 20, "The code 'sr' does not exist"),
        ("command: python prepare.py", "kommand: python prepare.py", 19, "no key 'kommand' in the step 'prepare'"),
        ("${{inputs.label}}", "${{inputs.labl}}", 19, "names the input 'labl'"),
        ("${{outputs.table}}", "${{outputs.tableau}}", 19, "names the output 'tableau'"),
        ("${{outputs.table}}", "${{outputs.table", 19, "is not closed"),
        ("${{outputs.table}}", "$[[${{outputs.table}}", 19, "'$[[${{outputs.table}}' is not closed"),
        ("${{inputs.label}}", "${{parent.inputs.label}}", 19, "not a reference that a command can have"),
        ("${{inputs.label}}", "`x ${{inputs.label}}`", 19, "in backquotes"),
        ("raw: ${{parent.inputs.raw}}", "raw: ${{parent.inputs.row}}", 24, "no input 'row'"),
        ("raw: ${{parent.inputs.raw}}", "raw: ${{parent.jobs.train.outputs.model}}", 24, "prepare → train → prepare"),
        ("raw: ${{parent.inputs.raw}}", "raw: ${{parent.jobs.prepare.outputs.table}}", 24, "prepare → prepare"),
        ("jobs.prepare.outputs.table", "jobs.prepar.outputs.table", 33, "no step 'prepar'"),
        ("jobs.prepare.outputs.table", "jobs.prepare.outputs.tableau", 33, "no output 'tableau'"),
        ("jobs.prepare.outputs.table", "inputs.rate", 33, "takes files (uri_folder), not a value"),
        ('rate: "0.5"', "rate: ${{parent.inputs.raw}}", 34, "takes number, but the input 'raw'"),
        ('rate: "0.5"', "rate: ${{parent.inputs.label}}", 13, "passed to 'rate' of a step: 'rate' is 'churned'"),
        ('rate: "0.5"', "rate: fast", 34, "'rate' is 'fast', which is not a number"),
        ('rate: "0.5"', "rate: true", 34, "which is not a number"),
        ('rate: "0.5"', "rate: 2", 34, "above its maximum of 1"),
        ('rate: "0.5"', "rate: -1", 34, "below its minimum of 0"),
        ('rate: "0.5"', "loss: cubic", 34, "not one of its choices"),
        ('rate: "0.5"', "rte: 1", 34, "no input 'rte'"),
        ('rate: "0.5"', "weights: ./data", 34, "is a folder, but the type 'uri_file' is a file"),
        ('rate: "0.5"', "weights: 3", 34, "takes files (uri_file), not the value 3"),
        ('rate: "0.5"', "rate: {type: uri_file, path: table.csv}", 34, "takes a value (number), not files"),
        ('rate: "0.5"', "rate: x-${{parent.inputs.rate}}", 34, "mixes a reference with text"),
        ('rate: "0.5"', "rate: ${{parent.inpts.rate}}", 34, "not a reference that is known"),
        ('rate: "0.5"', "rate: ${{parent.inputs.rate", 34, "is not closed"),
        ("  model: ${{parent", "  modelx: ${{parent", 36, "no output 'modelx'"),
        ("parent.outputs.best", "parent.outputs.bst", 36, "no output 'bst'"),
        ("model: ${{parent.outputs.best}}", "model:", 16, "No step writes the output 'best'"),
        ("model: ${{parent.outputs.best}}", "model: {type: uri_file}", 36, "is uri_file, but its component writes"),
        ("file:./train.yml", "./trayn.yml", 31, "'./trayn.yml' does not exist"),
        ("file:./train.yml", "azureml:train@latest", 31, "'azureml:train@latest' is not registered here"),
        ("file:./train.yml", "azureml:a b:1:2", 31, "not a reference that is known"),
        ("file:./train.yml", "./data", 31, "is a folder"),
        ("file:./train.yml", "./pipeline.yml", 31, "includes itself: pipeline.yml → pipeline.yml"),
        ("file:./train.yml", "https://example.com/x.yml", 31, "is not on this machine"),
        ("component: file", "type: pipeline\n    component: file", 31, "but its component of"),
        ("component: file", "type: spark\n    component: file", 31, "'train' is of the type 'spark'"),
        ("component: file", "type: parallel\n    component: file", 31, "'train' is of the type 'parallel'"),
        ("component: file", "type: kommand\n    component: file", 31, "unknown type 'kommand'"),
        ("component: file", "command: x\n    component: file", 31, "both 'component' and 'command'"),
        ("limits: {timeout: 60}", "limits: {timeout: x}", 29, "'timeout' has to be a whole number"),
        ("limits: {timeout: 60}", "limits: {timoot: 6}", 29, "no key 'timoot'"),
        ("compute: azureml:cpu-cluster\n    env", "compute: ${{parent.inputs.n}}\n    env", 21, "not an input"),
        ("{SEED: 1}", '{SEED: "${{parent.inputs.rate}}"}', 37, "not a reference that a command can have"),
        (
            "    inputs:\n      raw: ${{parent.inputs.raw}}",
            "    inputs: {raw: ${{parent.inputs.raw}}}",
            23,
            "not in quotes",
        ),
        ("path: ./data", "path: ''", 10, "has no path"),
        ("  rate: 0.2", f"  {'r' * 300}: 0.2", 11, "cannot be the name of an input"),
        ("  prepare:", "  pre-pare:", 18, "'pre-pare' cannot be the name"),
        ("settings:", "component: ./train.yml\nsettings:", 18, "both 'component' and 'jobs'"),
    ],
)
def test_mistake_in_a_pipeline(tmp_path: Path, text: str, changed: str, line: int, message: str) -> None:
    assert text in MAIN
    error = refused(tmp_path, {"pipeline.yml": MAIN.replace(text, changed, 1)})
    expected = "its component of the type 'command'" if message == "but its component of" else message
    assert expected in error.message
    assert (error.line, error.position.file) == (line, None)


@pytest.mark.parametrize(
    ("text", "changed", "line", "message"),
    [
        ("rate: {type: number,", "rate: {type: numeral,", 8, "no type 'numeral'"),
        ("rate: {type: number,", "rate: {", 8, "The input 'rate' has no type"),
        ("default: 1e-3", "default: x", 8, "'rate' is 'x', which is not a number"),
        ("default: 1e-3", "default: 3", 8, "above its maximum"),
        ("min: 0", "min: low", 8, "'min' is 'low'"),
        ("default: squared", "default: cubed", 9, "not one of its choices"),
        ("enum: [squared, absolute]", "enum: squared", 9, "'enum' has to be a list"),
        ("enum: [squared, absolute]", "min: 3", 9, "type 'string' has no 'min'"),
        ("code: ./src", "code: ./source", 13, "The code './source' does not exist"),
        ("code: ./src", "code: git+https://x.org/y", 13, "is not on this machine"),
        ("code: ./src", "additional_includes: [../x]", 13, "are not copied here"),
        ("data: {type: uri_folder}", "data: {type: uri_folder, default: x}", 7, "type 'uri_folder' has no 'default'"),
        ("model: {type: mlflow_model}", "model: {type: integer}", 12, "outputs are files here"),
        ("type: command", "type: spark", 5, "'train.yml' is of the type 'spark'"),
        ("name: train", "name: [train]", 3, "'name' has to be a text, not a list"),
        ("optional: true", "optional: 3", 10, "'optional' has to be true or false"),
        ("inputs.rate}}", "inputs.rat}}", 16, "names the input 'rat'"),
        ("inputs.weights}}", "inputs.weihgts}}", 17, "names the input 'weihgts'"),
        ("version: 3", "verzion: 3", 4, "no key 'verzion'"),
        ("command: >-", "kommand: >-", 15, "no key 'kommand'"),
    ],
)
def test_mistake_in_a_component_file(tmp_path: Path, text: str, changed: str, line: int, message: str) -> None:
    assert text in TRAIN
    error = refused(tmp_path, {"train.yml": TRAIN.replace(text, changed, 1)})
    assert message in error.message
    assert (error.line, error.position.file) == (line, tmp_path / "train.yml")
    assert "in train.yml" in error.message


@pytest.mark.parametrize(
    ("text", "changed", "line", "message"),
    [
        (
            "data: {type: uri_folder}",
            "data: {type: uri_file}",
            33,
            "takes uri_file, but the output 'table' of 'prepare'",
        ),
        ("data: {type: uri_folder}", "data: {type: string}", 33, "takes string, but the output 'table'"),
        ("$[[--weights ${{inputs.weights}}]]", "${{inputs.weights}}", 30, "leaves out the optional input 'weights'"),
        ("default: 1e-3,", "", None, ""),
        ("outputs:\n", "  more: {type: integer}\noutputs:\n", 30, "'train' needs the input 'more' (integer)"),
    ],
)
def test_component_that_does_not_fit(tmp_path: Path, text: str, changed: str, line: int | None, message: str) -> None:
    assert text in TRAIN
    files = {"train.yml": TRAIN.replace(text, changed, 1)}
    if line is None:
        load_pipeline(write_files(tmp_path, files))  # the value is given, so that no default is needed
        return
    error = refused(tmp_path, files)
    assert message in error.message
    assert (error.line, error.position.file) == (line, None)


def test_anchors_and_merge_keys(tmp_path: Path) -> None:
    text = MAIN.replace("  train:\n", "  train: &train\n") + "  again:\n    <<: *train\n    outputs: {}\n"
    pipeline = load_pipeline(write_files(tmp_path, {"pipeline.yml": text}))
    assert pipeline.nodes["again"].component == pipeline.nodes["train"].component
    assert pipeline.nodes["again"].outputs == {}


def test_component_file_that_is_not_text(tmp_path: Path) -> None:
    path = write_files(tmp_path)
    (tmp_path / "train.yml").write_bytes(b"name: x\ntitle: \xff")
    with pytest.raises(PipelineError, match=r"line 2, column 8: in train\.yml: The byte 0xff is not UTF-8"):
        load_pipeline(path)


@pytest.mark.parametrize("path", ["./circle", "x" * 300, '"a\\0b"'])
def test_path_that_is_none(tmp_path: Path, path: str) -> None:
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    error = refused(tmp_path, {"pipeline.yml": MAIN.replace("path: ./data", f"path: {path}", 1)})
    assert "is not a path" in error.message
    assert error.line == 10


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"'none\.yml' cannot be read: No such file"):
        load_pipeline(tmp_path / "none.yml")


TOKENS = sorted(
    {*MAIN.split(), *TRAIN.split(), "\n", " ", "\t", "&a", "*a", "<<: *a", "!!x", "'", '"', "${{", "]]", "~", "\0"}
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_change_of_a_file_is_read_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([MAIN, TRAIN]))
    name = "pipeline.yml" if text == MAIN else "train.yml"
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(start + 30, len(text))))
        text = text[:start] + data.draw(st.sampled_from(TOKENS) | st.text(max_size=4)) + text[end:]
    path = write_files(tmp_path)
    (tmp_path / name).write_bytes(text.encode("utf-8", "surrogatepass"))
    error = error_of(path)
    assert error is None or (error.line >= 1 and error.column >= 1 and error.hint)


def error_of(path: Path) -> PipelineError | None:
    try:
        load_pipeline(path)
    except PipelineError as error:
        return error
    return None
