"""Uploads that are no ONNX files are told by their contents, whatever their names, and nothing in them is run."""

import bz2
import gzip
import io
import json
import lzma
import pickle
import tarfile
import zipfile
import zlib

import joblib
import numpy as np
import pytest

from core.edge import inspect_onnx
from core.edge.inspection.inspect import OnnxLimits
from core.errors import InputError, LimitError

TRIPPED = []


class Trap:
    """Reports when it is unpickled."""

    def __reduce__(self):
        return (TRIPPED.append, ("opened",))


def zipped(**files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/").replace("_pkl", ".pkl"), content)
    return out.getvalue()


def joblib_bytes(**options):
    out = io.BytesIO()
    joblib.dump({"model": np.arange(100)}, out, **options)
    return out.getvalue()


def tarred():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("model.onnx"))
    return out.getvalue()


def torch_legacy():
    import torch

    out = io.BytesIO()
    torch.save({"w": torch.zeros(3)}, out, _use_new_zipfile_serialization=False)
    return out.getvalue()


def torch_zip():
    import torch

    out = io.BytesIO()
    torch.save({"w": torch.zeros(3)}, out)
    return out.getvalue()


def safetensors():
    header = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    return len(header).to_bytes(8, "little") + header + bytes(4)


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_of_any_protocol_is_refused_unopened(tmp_path, protocol):
    path = tmp_path / "model.onnx"  # the name proves nothing
    path.write_bytes(pickle.dumps(Trap(), protocol=protocol))
    with pytest.raises(InputError, match="a Python pickle") as caught:
        inspect_onnx(path.read_bytes())
    assert "can run any code" in caught.value.hint
    assert TRIPPED == []


@pytest.mark.parametrize("value", [{"a": 1}, [1, 2, "three"], "words", 7, (None, True), np.arange(50)])
@pytest.mark.parametrize("protocol", [0, 1])
def test_old_pickles_have_no_signature_and_are_found_all_the_same(value, protocol):
    with pytest.raises(InputError, match="a Python pickle"):
        inspect_onnx(pickle.dumps(value, protocol=protocol))


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (torch_zip, "a PyTorch checkpoint"),
        (torch_legacy, "a Python pickle"),
        (lambda: zipped(archive__data_pkl=b""), "a PyTorch checkpoint"),
        (lambda: zipped(a=b"b"), "a zip archive"),
        (lambda: joblib_bytes(), "a Python pickle"),
        (lambda: joblib_bytes(compress=3), "a zlib archive"),
        (lambda: joblib_bytes(compress=("gzip", 3)), "a gzip archive"),
        (lambda: joblib_bytes(compress=("bz2", 3)), "a bzip2 archive"),
        (lambda: joblib_bytes(compress=("xz", 3)), "an xz archive"),
        (lambda: joblib_bytes(compress=("lzma", 3)), "an LZMA archive"),
        (lambda: gzip.compress(b"x"), "a gzip archive"),
        (lambda: bz2.compress(b"x"), "a bzip2 archive"),
        (lambda: lzma.compress(b"x"), "an xz archive"),
        (lambda: zlib.compress(b"x", 9), "a zlib archive"),
        (tarred, "a tar archive"),
        (lambda: b"\x89HDF\r\n\x1a\n" + bytes(100), "an HDF5 file"),
        (lambda: b"GGUF\x03\x00\x00\x00" + bytes(100), "a GGUF file"),
        (safetensors, "a safetensors file"),
        (lambda: b"\x1c\x00\x00\x00TFL3" + bytes(100), "a TensorFlow Lite file"),
        (lambda: b"\x18\x00\x00\x00ORTM" + bytes(100), "ONNX Runtime's own format"),
        (lambda: b"<!DOCTYPE html>\n<html>" + b"x" * 2000, "a web page"),
        (lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "a pointer of Git LFS"),
        (lambda: b"age,income\n1,2\n", "This is text"),
        (lambda: ("ü" * 2000).encode(), "This is text"),
        (lambda: ("x" + "ü" * 2000).encode(), "This is text"),
        (lambda: b'{"ir_version": 8}', "This is text"),
    ],
)
def test_other_formats_are_named(make, what):
    with pytest.raises(InputError, match=what) as caught:
        inspect_onnx(make())
    assert caught.value.hint


def test_nothing_and_too_much():
    with pytest.raises(InputError, match="empty"):
        inspect_onnx(b"")
    with pytest.raises(LimitError, match=r"has 2 MB; the limit is 1 MB"):
        inspect_onnx(bytes(2_000_000), limits=OnnxLimits(max_bytes=1_000_000))


@pytest.mark.parametrize("data", [b"\x08\x0a", b"\x08\x0a\x3a\x00", bytes(100), b"\xff" * 100, b"\x08", b"\x80"])
def test_bytes_that_are_nothing_are_no_model(data):
    with pytest.raises(InputError, match=r"not an ONNX model"):
        inspect_onnx(data)
