"""What an ONNX file says of itself."""

import subprocess
import sys

import onnx
import onnx.parser
import pytest

from core.edge import Column, Metadata
from core.errors import InputError

FULL = Metadata(
    kind="table",
    task="multiclass",
    labels=("ä", 1, True),
    columns=(
        Column("größe (m²)", "number", "gr_e"),
        Column("land", "category", "land", ("NA",)),
        Column("note", "text", "note", (), ("film", "大小")),
    ),
    max_length=None,
    fingerprint="f00",
    policy={"kind": "threshold policy", "rules": {"a": [{"threshold": "never", "probability": 1.0}]}},
    variant="fp32",
    target="y",
)


def test_it_survives_the_file(tmp_path):
    model = onnx.parser.parse_model(
        '<ir_version: 10, opset_import: ["" : 18]> g (float[n] x) => (float[n] y) { y = Identity(x) }'
    )
    FULL.write(model)
    onnx.save(model, tmp_path / "m.onnx")
    assert Metadata.read(tmp_path / "m.onnx") == FULL
    assert Metadata.read(str(tmp_path / "m.onnx")) == Metadata.read(model) == FULL


@pytest.mark.parametrize("labels", [None, ("no", "yes"), (0, 1), (False, True), (0.5, 1.5)])
def test_labels_keep_their_type(labels):
    result = Metadata.from_props(Metadata("table", labels=labels).to_props()).labels
    assert result == labels
    assert list(map(type, result or ())) == list(map(type, labels or ()))


def test_the_keys_are_the_documented_ones():
    model = onnx.ModelProto()
    FULL.write(model)
    props = {metadata_prop.key: metadata_prop.value for metadata_prop in model.metadata_props}
    assert set(props) == {
        f"plumbline.{name}"
        for name in ("kind", "task", "labels", "columns", "fingerprint", "policy", "variant", "target")
    }
    assert props["plumbline.kind"] == "table"
    assert props["plumbline.labels"] == '["ä", 1, true]'
    assert Metadata("text", max_length=128).to_props()["plumbline.labels"] == "null"


def test_writing_again_replaces_ours_and_keeps_what_others_wrote():
    model = onnx.ModelProto()
    model.metadata_props.add(key="author", value="someone")
    FULL.write(model)
    Metadata("text", max_length=64, variant="dynamic-int8").write(model)
    read = Metadata.read(model)
    assert (read.kind, read.columns, read.policy, read.max_length, read.variant) == (
        "text",
        (),
        None,
        64,
        "dynamic-int8",
    )
    assert [metadata_prop.value for metadata_prop in model.metadata_props if metadata_prop.key == "author"] == [
        "someone"
    ]


def test_a_file_of_another_origin_is_of_another_kind():
    assert Metadata.read(onnx.ModelProto()) == Metadata()
    assert Metadata().kind == "other"
    assert Metadata().to_props() == {"plumbline.kind": "other", "plumbline.variant": "fp32"}


@pytest.mark.parametrize(
    "props",
    [
        {"plumbline.labels": "["},
        {"plumbline.labels": "5"},
        {"plumbline.columns": '[{"name": "a"}]'},
        {"plumbline.columns": "7"},
        {"plumbline.policy": "[" * 100_000},
    ],
)
def test_what_is_damaged_is_refused(props):
    with pytest.raises(InputError, match="metadata of the file are damaged"):
        Metadata.from_props({"plumbline.kind": "table"} | props)


def test_reading_is_light():
    code = (
        "import sys, onnx\nfrom core.edge import Metadata\nMetadata.read(onnx.ModelProto())\n"
        "assert not {'torch', 'sklearn', 'pandas', 'onnxruntime', 'skl2onnx'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
