"""Detection of the encoding of a text file, and conversion to UTF-8 as a stream."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from core.datasets._limits import Limits
from core.errors import InputError

__all__ = ["Utf8File", "line_end", "to_utf8"]

_CHUNK = 4 * 2**20
_SAMPLE = 32 * 1024
# Encodings of tables today; the old Macintosh and DOS code pages only attract wrong guesses.
_CANDIDATES = (
    *("cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "koi8_r"),
    *("cp932", "euc_jp", "gb18030", "big5", "cp949", "euc_kr", "iso8859_2", "iso8859_5", "iso8859_7", "cp874"),
)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True)
class Utf8File:
    """A file in UTF-8: its path, its original encoding, and notices about the conversion."""

    path: Path
    encoding: str
    notices: tuple[str, ...] = ()


@dataclass
class _Facts:
    """Facts from one pass over the bytes."""

    valid: bool = True
    invalid_line: int = 0  # of the first byte that is not UTF-8
    zeros: int = 0
    crlf: bool = False
    lone_lf: bool = False
    lone_cr: bool = False
    sample: bytes = b""  # lines with bytes beyond ASCII

    @property
    def mixed_lines(self) -> bool:
        return self.lone_cr or (self.crlf and self.lone_lf)


def to_utf8(path: Path, out: Path, limits: Limits, *, encoding: str = "auto") -> Utf8File:
    """Return a UTF-8 file with the text of `path`: the file itself if it is one, otherwise `out`.

    Parameters
    ----------
    path : Path
        A text file in any encoding.
    out : Path
        File to write the converted text to, if a conversion is needed.
    limits : Limits
        Bounds on the size of the converted file.
    encoding : str, default="auto"
        Encoding of the file; by default it is detected.

    Returns
    -------
    Utf8File

    Raises
    ------
    InputError
        When the text cannot be decoded.
    """
    with path.open("rb") as file:
        head = file.read(64 * 1024)
    if encoding not in ("auto", "utf-8"):
        _convert(path, out, encoding, "strict", limits)
        return Utf8File(out, encoding)
    declared = next((name for bom, name in _BOMS if head.startswith(bom)), None) or _utf16_without_bom(head)
    if declared and declared != "utf-8-sig":
        _convert(path, out, declared, "strict", limits)
        return Utf8File(out, declared)
    facts = _collect_facts(path)
    errors, notices = "strict", []
    given, encoding = encoding, "utf-8"
    if not facts.valid:
        encoding, errors = ("utf-8", "replace") if given == "utf-8" else _detect(facts.sample)
        if errors == "replace":
            notices.append(
                f"Some bytes are not valid UTF-8, the first in line {facts.invalid_line:,}; "
                "they are shown as \N{REPLACEMENT CHARACTER}."
            )
        else:
            notices.append(f"The encoding was taken to be {encoding}, judging by the text.")
    if facts.zeros:
        notices.append(f"{facts.zeros:,} zero bytes were left out of the text.")
    if facts.valid and not facts.zeros and not facts.mixed_lines:
        return Utf8File(path, "utf-8")
    _convert(path, out, encoding, errors, limits)
    return Utf8File(out, encoding, tuple(notices))


def line_end(head: bytes) -> bytes:
    """Return the bytes that end a line of a text file, given its start.

    Examples
    --------
    >>> line_end(b"a,b\\r\\n1,2\\r\\n"), line_end("a,b\\n1,2\\n".encode("utf-16-be"))
    (b'\\n', b'\\x00\\n')
    """
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "\n".encode("utf-32-le" if head.startswith(codecs.BOM_UTF32_LE) else "utf-32-be")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "\n".encode("utf-16-le" if head.startswith(codecs.BOM_UTF16_LE) else "utf-16-be")
    encoding = _utf16_without_bom(head[: 64 * 1024])
    return "\n".encode(encoding) if encoding else b"\n" if b"\n" in head else b"\r"


def _collect_facts(path: Path) -> _Facts:
    facts = _Facts()
    decoder = codecs.getincrementaldecoder("utf-8")()
    invalid = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            while chunk.endswith(b"\r") and (more := file.read(1)):  # keep CR and LF together
                chunk += more
            facts.zeros += chunk.count(0)
            if b"\r" in chunk:
                pairs = chunk.count(b"\r\n")
                facts.crlf |= pairs > 0
                facts.lone_cr |= chunk.count(b"\r") > pairs
                facts.lone_lf |= chunk.count(b"\n") > pairs
            elif b"\n" in chunk:
                facts.lone_lf = True
            ascii_only = chunk.isascii()
            if facts.valid and not (ascii_only and not decoder.getstate()[0]):
                try:
                    decoder.decode(chunk)
                except UnicodeDecodeError as error:
                    facts.valid = False
                    before = file.tell() - len(chunk)
                    facts.invalid_line = _newlines(path, before) + error.object.count(b"\n", 0, error.start) + 1
                    invalid = _line_of(error)
            if ascii_only:
                continue
            if len(facts.sample) < _SAMPLE:
                facts.sample += b"\n".join(line for line in chunk.splitlines() if not line.isascii())[:_SAMPLE]
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        facts.valid, facts.invalid_line = False, _newlines(path, path.stat().st_size) + 1
    if invalid not in facts.sample:
        facts.sample = invalid + b"\n" + facts.sample
    return facts


def _newlines(path: Path, end: int) -> int:
    """Return the number of line breaks before a position."""
    count = 0
    with path.open("rb") as file:
        while end > 0 and (chunk := file.read(min(_CHUNK, end))):
            count += chunk.count(b"\n")
            end -= len(chunk)
    return count


def _line_of(error: UnicodeDecodeError) -> bytes:
    """Return the line with the invalid bytes, so that the sample has them; of a long line, what is around them."""
    start = error.object.rfind(b"\n", 0, error.start) + 1
    end = error.object.find(b"\n", error.start)
    return error.object[max(start, error.start - 200) : min(len(error.object) if end < 0 else end, error.start + 2_000)]


def _detect(sample: bytes) -> tuple[str, str]:
    """Return the encoding of bytes that are not valid UTF-8, and how to treat other invalid bytes."""
    text = sample.decode("utf-8", errors="replace")
    broken = text.count("\N{REPLACEMENT CHARACTER}")
    # Text of other encodings hardly ever has sequences that are valid, so that a few of these are enough.
    if sum(not char.isascii() for char in text) - broken >= max(1, broken):
        return "utf-8", "replace"
    if _looks_western(sample):
        return "windows-1252", "strict"
    import charset_normalizer

    best = charset_normalizer.from_bytes(sample[:_SAMPLE], cp_isolation=list(_CANDIDATES)).best()
    if best is None:
        return "windows-1252", "strict"
    return ("windows-1252" if best.encoding in ("latin_1", "cp1252") else best.encoding), "strict"


def _looks_western(sample: bytes) -> bool:
    """Return whether it is like Western European text: few adjacent letters beyond ASCII, no symbols in words."""
    try:
        text = sample.decode("windows-1252")
    except UnicodeDecodeError:
        return False
    runs = re.findall(r"[^\W\d_a-zA-Z]+", text)
    symbols = len(re.findall(r"(?<=[a-zA-Z])[¡-¿×÷](?=[a-zA-Z])", text))
    return sum(map(len, runs)) <= 1.3 * max(1, len(runs)) and symbols <= 0.05 * max(1, len(runs)) and "\xad" not in text


def _utf16_without_bom(head: bytes) -> str | None:
    pairs = len(head) // 2
    if pairs < 4:
        return None
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd > 0.2 * pairs and even < 0.02 * pairs:
        return "utf-16-le"
    if even > 0.2 * pairs and odd < 0.02 * pairs:
        return "utf-16-be"
    return None


def _convert(path: Path, out: Path, encoding: str, errors: str, limits: Limits) -> None:
    """Write the text as UTF-8, without zero characters and with uniform line ends."""
    packed = path.stat().st_size
    codec = "latin-1" if errors == "latin" else encoding
    decoder = codecs.getincrementaldecoder(codec)("strict" if errors == "latin" else errors)
    written, carry = 0, ""
    try:
        with path.open("rb") as source, out.open("wb") as target:
            while True:
                chunk = source.read(_CHUNK)
                text = carry + decoder.decode(chunk, final=not chunk)
                carry = "\r" if text.endswith("\r") and chunk else ""
                text = text[: len(text) - len(carry)]
                data = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").encode("utf-8", "replace")
                written += len(data)
                limits.check_expansion(written, packed)
                target.write(data)
                if not chunk:
                    break
    except UnicodeError as error:
        if codec == "windows-1252":  # which leaves five bytes undefined
            _convert(path, out, encoding, "latin", limits)
            return
        raise InputError(
            f"The file cannot be decoded as {encoding}.", "Save it as UTF-8 and upload it again."
        ) from error
