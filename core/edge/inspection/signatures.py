"""File formats that are not ONNX, recognized by their content; a name proves nothing."""

from __future__ import annotations

import io
import pickletools
from itertools import islice

from core.errors import InputError

__all__ = ["refuse_other_formats"]

_PICKLE = "A pickle can run any code when it is opened. Convert the model to ONNX where it was trained."
_TO_ONNX = "Convert the model to ONNX."
_UNPACK = "Unpack it, and choose the .onnx file in it."
_CHOOSE = "Choose a file that ends in .onnx."
# First bytes, the format, and what to do.
_STARTS = (
    (b"\x1f\x8b", "a gzip archive (joblib writes such pickles)", _UNPACK),
    (b"BZh", "a bzip2 archive (joblib writes such pickles)", _UNPACK),
    (b"\xfd7zXZ\x00", "an xz archive (joblib writes such pickles)", _UNPACK),
    (b"\x5d\x00\x00", "an LZMA archive (joblib writes such pickles)", _UNPACK),
    (b"\x04\x22\x4d\x18", "an LZ4 archive (joblib writes such pickles)", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", _UNPACK),
    (b"ZF", "a compressed joblib pickle", _PICKLE),
    (b"7z\xbc\xaf", "a 7z archive", _UNPACK),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file (Keras)", _TO_ONNX),
    (b"GGUF", "a GGUF file (llama.cpp)", _TO_ONNX),
    (b"\x93NUMPY", "a NumPy array", _CHOOSE),
    (b"\x7fELF", "a program", _CHOOSE),
    (b"MZ", "a program", _CHOOSE),
    (b"\x89PNG", "a picture", _CHOOSE),
    (b"\xff\xd8\xff", "a picture", _CHOOSE),
    (b"%PDF", "a PDF", _CHOOSE),
    (b"PAR1", "a Parquet table", _CHOOSE),
)
_ZLIB = tuple(bytes((0x78, level)) for level in (0x01, 0x5E, 0x9C, 0xDA))
_ONNX = 0x08  # ir_version, the first field of a model as every writer of protobuf orders them


def refuse_other_formats(data: bytes) -> None:
    """Refuse a file of a known format that is not ONNX.

    Raises
    ------
    InputError
        When it is one, such as a pickle of any protocol, alone, zipped or compressed; the message names the format.

    Examples
    --------
    >>> refuse_other_formats(b"GGUF\\x03")
    Traceback (most recent call last):
    ...
    core.errors.InputError: This is a GGUF file (llama.cpp), not an ONNX file. Convert the model to ONNX.
    """
    known = _format(data)
    if known is not None:
        name, hint = known
        raise InputError(f"This is {name}, not an ONNX file.", hint)


def _format(data: bytes) -> tuple[str, str] | None:
    if data.startswith(b"PK"):
        if b"/data.pkl" in data or data.find(b"data.pkl", 0, 4096) >= 0:
            return "a PyTorch checkpoint (a zip of pickles)", _PICKLE
        return "a zip archive", _UNPACK
    for start, name, hint in _STARTS:
        if data.startswith(start):
            return name, hint
    if data.startswith(_ZLIB):
        return "a zlib archive (joblib writes such pickles)", _UNPACK
    if data[4:8] == b"TFL3":
        return "a TensorFlow Lite file", _TO_ONNX
    if data[4:8] == b"ORTM":
        return "a model in ONNX Runtime's own format (.ort)", "Give the .onnx file that it was made from."
    if data[257:262] == b"ustar":
        return "a tar archive", _UNPACK
    if data[8:9] == b"{" and 2 <= int.from_bytes(data[:8], "little") <= len(data) - 8:
        return "a safetensors file: weights without a graph", "Export the model with torch.onnx.export."
    if data[0] == _ONNX:
        return None
    if _is_pickle(data):
        return "a Python pickle", _PICKLE
    return _text(data)


def _is_pickle(data: bytes) -> bool:
    """Return whether the bytes begin as a pickle does; protocols 0 and 1 have no signature. Nothing is unpickled."""
    if data[0] == 0x80 and len(data) > 1 and data[1] <= 5:
        return True
    try:
        seen = [opcode.name for opcode, _, _ in islice(pickletools.genops(io.BytesIO(data)), 32)]
    except (ValueError, OverflowError):
        return False
    return len(seen) == 32 or seen[-1:] == ["STOP"]


def _text(data: bytes) -> tuple[str, str] | None:
    start = data[:1024]
    try:
        words = start.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(data) <= 1024 or error.start < 1020:  # else a character was cut
            return None
        words = start[: error.start].decode("utf-8")
    if any(ord(char) < 32 and char not in "\t\n\r\f" for char in words):
        return None
    if words.startswith("version https://git-lfs"):
        return "a pointer of Git LFS, without the file itself", "Download the file itself (git lfs pull)."
    if words.lstrip("\ufeff \t\r\n").lower().startswith(("<!doctype", "<html", "<?xml")):
        return "a web page", "Download the file itself, perhaps after logging in."
    return "text", _CHOOSE
