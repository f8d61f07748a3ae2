"""Uploads of pipelines: what a .zip holds, which file is the pipeline, and what is refused."""

from __future__ import annotations

import io
import zipfile

import pytest

from core.errors import InputError, LimitError
from core.pipelines import pipeline_among, unpacked


def packed(**files: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return target.getvalue()


def test_a_zip_is_its_files_without_what_systems_add() -> None:
    content = packed(**{"p/a.yml": "jobs: {}", "__MACOSX/p/a.yml": "x", "p/__pycache__/a.pyc": "x", "p/.DS_Store": "x"})
    assert unpacked("Project.ZIP", content) == {"p/a.yml": b"jobs: {}"}


@pytest.mark.parametrize("name", ["../a.yml", "/etc/a.yml", "a/../../b", "C:/a.yml", "..\\a.yml"])
def test_paths_outside_of_the_folder_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="outside"):
        unpacked("p.zip", packed(**{name: "x"}))
    with pytest.raises(InputError, match="outside"):
        unpacked(name, b"x")


def test_what_is_no_zip_or_too_much_is_refused() -> None:
    with pytest.raises(InputError, match=r"'p.zip' cannot be unpacked"):
        unpacked("p.zip", b"PK\x03\x04 nothing")
    with pytest.raises(LimitError, match="1,001 files"):
        unpacked("p.zip", packed(**{f"f{index}": "" for index in range(1_001)}))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_zip_is_read_or_refused_in_plain_words(method: int) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        archive.writestr("a.yml", "jobs: {}\n" * 50)
    content = target.getvalue()
    refused = 0
    for position in range(len(content)):
        damaged = bytearray(content)
        damaged[position] ^= 0xFF
        for broken in (bytes(damaged), content[:position]):
            try:
                unpacked("p.zip", broken)
            except InputError:
                refused += 1
    assert refused > len(content)


def test_the_pipeline_is_the_file_with_jobs_nearest_to_the_top() -> None:
    files = {
        "p/pipeline.yml": b"type: pipeline\njobs:\n  a: 1\n",
        "p/train.yml": b"name: train\ncommand: run jobs: 3\n",
        "p/nested.yml": b"$schema: x/pipelineComponent.schema.json\ntype: pipeline\njobs:\n  a: 1\n",
        "p/more/other.yml": b"jobs: {}\n",
        "readme.md": b"read me",
        "p/src/train.py": b"pass",
    }
    chosen = pipeline_among(files)
    assert chosen.name == "p/pipeline.yml"
    assert chosen.text.startswith("type: pipeline")
    assert set(chosen.beside) == {"train.yml", "nested.yml", "more/other.yml", "src/train.py"}
    assert (chosen.outside, chosen.others) == (["readme.md"], [])
    chosen = pipeline_among(files | {"p/another.yml": b"jobs: {}"})
    assert (chosen.name, chosen.others) == ("p/pipeline.yml", ["p/another.yml"])
    with pytest.raises(InputError, match="No file is a pipeline"):
        pipeline_among({"a.py": b""})
    with pytest.raises(InputError, match=r"Several files are pipelines: a.yml, b.yml"):
        pipeline_among({"a.yml": b"jobs: {}", "b.yml": b"jobs: {}"})
