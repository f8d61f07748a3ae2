"""Where only shipped components may run, commands of the file and paths that leave its folder are refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.pipelines import PipelineError, load_pipeline
from core.settings import get_settings
from tests.unit.pipelines.load_files import MAIN, write_files

PREPARE = """
type: pipeline
inputs:
  table: {type: uri_folder, path: PATH}
jobs:
  prepare:
    component: azureml:data_prep:1
    inputs:
      raw_data: ${{parent.inputs.table}}
"""

NESTED = """
type: pipeline
jobs:
  inner:
    component: ./inner.yml
"""


@pytest.fixture
def shipped_only(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PLUMBLINE_PIPELINE_COMMANDS", "shipped")
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def load(folder: Path, files: dict[str, str]) -> list[bool]:
    """Return whether the component of each step is a shipped one."""
    folder.mkdir(exist_ok=True)
    return [node.component.shipped for node in load_pipeline(write_files(folder, files)).nodes.values()]


@pytest.mark.usefixtures("shipped_only")
def test_shipped_components_run(tmp_path: Path) -> None:
    assert load(tmp_path, {"pipeline.yml": PREPARE.replace("PATH", "./data")}) == [True]
    inner = PREPARE.replace("${{parent.inputs.table}}", "./data").replace(
        "inputs:\n  table: {type: uri_folder, path: PATH}", ""
    )
    assert load(tmp_path, {"pipeline.yml": NESTED, "inner.yml": inner}) == [False]


@pytest.mark.usefixtures("shipped_only")
def test_variables_of_shipped_components_are_refused(tmp_path: Path) -> None:
    text = PREPARE.replace("PATH", "./data") + "    environment_variables: {PYTHONPATH: ./data}\n"
    with pytest.raises(PipelineError, match="line 10, column 5: Environment variables"):
        load(tmp_path, {"pipeline.yml": text})


@pytest.mark.parametrize(
    ("files", "line", "file"),
    [
        ({"pipeline.yml": MAIN}, 19, None),
        ({"pipeline.yml": "type: pipeline\njobs:\n  x:\n    command: $(reboot)"}, 4, None),
        ({"pipeline.yml": "type: pipeline\njobs:\n  x:\n    component: ./train.yml"}, 15, "train.yml"),
        ({"pipeline.yml": "type: pipeline\njobs:\n  x:\n    component:\n      command: reboot"}, 5, None),
        ({"pipeline.yml": "type: pipeline\njobs:\n  x:\n    type: sweep\n    trial: ./train.yml"}, 15, "train.yml"),
        ({"pipeline.yml": NESTED, "inner.yml": "type: pipeline\njobs:\n  x: {command: ls}"}, 3, "inner.yml"),
    ],
)
@pytest.mark.usefixtures("shipped_only")
def test_own_command_is_refused(tmp_path: Path, files: dict[str, str], line: int, file: str | None) -> None:
    with pytest.raises(PipelineError, match="Commands of one's own do not run") as caught:
        load(tmp_path, files)
    assert caught.value.line == line
    assert caught.value.position.file == (None if file is None else tmp_path / file)


@pytest.mark.parametrize(
    "path", ["../outside", "./data/../../outside", "OUTSIDE", "file:../outside", "./link", "./links"]
)
@pytest.mark.usefixtures("shipped_only")
def test_path_that_leaves_the_folder_is_refused(tmp_path: Path, path: str) -> None:
    folder, outside = tmp_path / "pipeline", tmp_path / "outside"
    (folder / "links").mkdir(parents=True)
    outside.mkdir()
    (folder / "link").symlink_to(outside)
    (folder / "links" / "one").symlink_to(outside)
    text = PREPARE.replace("PATH", path.replace("OUTSIDE", str(outside)))
    with pytest.raises(PipelineError, match=r"line 4, column 35: .* is outside of the pipeline's folder"):
        load(folder, {"pipeline.yml": text})


@pytest.mark.usefixtures("shipped_only")
def test_component_file_outside_is_refused(tmp_path: Path) -> None:
    (tmp_path / "inner.yml").write_text(PREPARE)
    with pytest.raises(PipelineError, match=r"line 5, column 16: .* is outside of the pipeline's folder"):
        load(tmp_path / "pipeline", {"pipeline.yml": NESTED.replace("./inner.yml", "../inner.yml")})


def test_paths_outside_are_read_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    assert load(tmp_path / "pipeline", {"pipeline.yml": PREPARE.replace("PATH", "../outside")}) == [True]
