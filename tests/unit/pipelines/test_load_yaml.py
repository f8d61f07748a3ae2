"""A text becomes the values that PyYAML's safe loader gives, with the places of keys; data of types that fit."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from core.pipelines import PipelineError, load_pipeline
from core.pipelines.reading.yaml_nodes import plain
from core.pipelines.reading.yaml_text import parse
from tests.unit.pipelines.load_files import MAIN, TRAIN

MERGES = """
base: &base {a: 1, b: [x, y], c: {d: 2}}
other: &other
  b: 3
  e: ~
one:
  <<: *base
two:
  a: 0
  <<: [*other, *base]
three: {<<: *base, <<: *other, z: *other}
numbers: [0x1f, 0o7, 1_000, 1e3, 1.5e+3, .5, -.inf, 1:30, 007, +4, 2024-01-02, yes, Off, null, ~, "", 'it''s', "a\\tb"]
folded: >-
  one
  two

  three
literal: |
  one
    two
"quoted key": "on"
"""


@pytest.mark.parametrize("text", [MAIN, TRAIN, MERGES], ids=["pipeline", "component", "merges"])
def test_values_are_those_of_the_safe_loader(text: str) -> None:
    expected = yaml.safe_load(text)
    if "numbers" in expected:
        expected["numbers"][10] = "2024-01-02"  # a date stays the text that it is in the file
    assert plain(parse(text)) == expected


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)


@settings(max_examples=50, deadline=None)
@given(value=st.dictionaries(st.text(max_size=8), VALUES, max_size=4), flow=st.booleans())
def test_values_that_were_written_are_read(value: dict[str, object], flow: bool) -> None:
    text = yaml.safe_dump({**value, "again": value}, default_flow_style=flow, allow_unicode=True)
    if "<<" not in text:
        assert plain(parse(text)) == yaml.safe_load(text)


def test_places_of_keys_and_values() -> None:
    tree = parse("a: 1\nb:\n  - x\n  - c:   'deep'\n")
    assert tree.entries["b"].position == (2, 1, None)
    assert tree.entries["b"].value.position == (3, 3, None)
    inner = plain(tree)["b"][1]
    assert inner == {"c": "deep"}


PAIR = """
type: pipeline
jobs:
  writer:
    command: write ${{{{outputs.data}}}}
    environment: none
    outputs: {{data: {{type: {given}}}}}
  reader:
    component:
      command: read ${{{{inputs.data}}}}
      environment: none
      inputs: {{data: {{type: {wanted}}}}}
    inputs: {{data: "${{{{parent.jobs.writer.outputs.data}}}}"}}
"""


@pytest.mark.parametrize(
    ("wanted", "accepted"),
    [
        ("uri_folder", "uri_folder mltable mlflow_model custom_model triton_model"),
        ("uri_file", "uri_file custom_model"),
        ("mltable", "mltable uri_folder"),
        ("mlflow_model", "mlflow_model custom_model uri_folder"),
        ("custom_model", "mlflow_model custom_model triton_model uri_folder uri_file"),
        ("triton_model", "triton_model custom_model uri_folder"),
        ("string", ""),
        ("number", ""),
    ],
)
def test_data_types_that_an_input_accepts(tmp_path: Path, wanted: str, accepted: str) -> None:
    path = tmp_path / "pipeline.yml"
    for given_type in ("uri_file", "uri_folder", "mltable", "mlflow_model", "custom_model", "triton_model"):
        path.write_text(PAIR.format(given=given_type, wanted=wanted))
        if given_type in accepted.split():
            assert load_pipeline(path).nodes["reader"].inputs
        else:
            with pytest.raises(PipelineError, match=f"line 13, column 20: .*takes {wanted}, but .* is {given_type}"):
                load_pipeline(path)
