"""Hostile texts: delimited, JSON, ARFF, and what packs them."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from itertools import repeat
from pathlib import Path

from tests.unit.datasets.hostile.record import Content, HostileFile, write_zip

__all__ = ["TEXTS"]

_ROWS = "".join(f"{i},name {i},{i / 7}\n" for i in range(200))
_SMALL = f"id,name,value\n{_ROWS}"
MB = 2**20


def text(path: Path, parts: Callable[[], Content] | Content) -> None:
    content = parts() if callable(parts) else parts
    with path.open("wb") as file:
        for part in [content] if isinstance(content, str | bytes) else content:
            file.write(part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part)


def squeezed(path: Path, parts: Callable[[], Iterator[bytes]], layers: int = 1) -> None:
    buffer = io.BytesIO()
    with gzip.open(buffer, "wb", compresslevel=1) as file:
        for part in parts():
            file.write(part)
    content = buffer.getvalue()
    for _ in range(layers - 1):
        content = gzip.compress(content)
    path.write_bytes(content)


def patched_zip(path: Path, old: bytes, new: bytes) -> None:
    write_zip(path, {"t.csv": _SMALL})
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new))


def overlapping(path: Path, members: int) -> None:
    """Write a zip whose members are all the same bytes."""
    write_zip(path, {"t.csv": "a,b\n" + "1,2\n" * 1_000_000})
    content = path.read_bytes()
    start, end = content.index(b"PK\x01\x02"), content.index(b"PK\x05\x06")
    entry = content[start:end]
    directory = b"".join(entry.replace(b"t.csv", f"{i:05d}".encode()) for i in range(members))
    tail = bytearray(content[end : end + 22])
    tail[8:10] = tail[10:12] = min(members, 0xFFFF).to_bytes(2, "little")
    tail[12:16] = len(directory).to_bytes(4, "little")
    path.write_bytes(content[:start] + directory + tail)


def _text(name: str, parts: Callable[[], Content] | Content, *, hard: bool = False) -> HostileFile:
    return HostileFile(name, partial(text, parts=parts), hard)


def _cell(size: int, filling: str, quote: str = '"') -> Callable[[], Content]:
    def parts() -> Iterator[str]:
        yield f"{_SMALL}1000,{quote}"
        yield from repeat(filling * (MB // len(filling)), size)
        yield f"{quote},1\n{_ROWS}"

    return parts


_FILLINGS = {
    "letters": "x",
    "line breaks": "x\n",
    "quotes": '""',
    "delimiters": ",",
    "digits": "1",
    "blanks": " ",
    "quoted rows": '1,""a"",2\n',
}
_DELIMITED = [
    *(
        _text(
            f"delimited/a cell of {size} MB of {what}",
            _cell(size, filling),
            hard=size == 3 and what in ("line breaks", "blanks"),
        )
        for what, filling in _FILLINGS.items()
        for size in (1, 3, 20)
    ),
    *(
        _text(
            f"delimited/an unquoted cell of {size} MB of {what}",
            _cell(size, filling, ""),
            hard=what in ("letters", "delimiters"),
        )
        for what, filling in _FILLINGS.items()
        for size in (5,)
    ),
    *(
        _text(
            f"delimited/nothing but {size} MB of {what}",
            lambda filling=filling, size=size: repeat(filling * (MB // len(filling)), size),
            hard=size == 1 and what not in ("quoted rows", "colons", "dashes", "line breaks", "a quote and a comma"),
        )
        for what, filling in {
            **_FILLINGS,
            "lone quotes": '"',
            "apostrophes": "'",
            "lines": "\n",
            "carriage returns": "\r",
            "zeros": "\0",
            "marks": "\ufeff",
            "backslashes": "\\",
            "tabs": "\t",
            "semicolons": ";",
            "a quote and a comma": '",',
            "a backslash and a quote": '\\"',
            "points": ".",
            "hashes": "#\n",
            "colons": "::1\n",
            "dashes": "-\n",
        }.items()
        for size in (1, 7)
    ),
    *(
        _text(
            f"delimited/{count:,} columns named {name}",
            lambda name=name, count=count: [",".join([name] * count) + "\n" + (",".join(["1"] * count) + "\n") * 3],
            hard=count == 2_001,
        )
        for name in ("a", "", "a_2", "'")
        for count in (1_999, 2_000, 2_001, 300_000)
    ),
    *(
        _text(f"delimited/a name of {size:,} characters", "id," + "x" * size + "\n1,2\n2,3\n", hard=size > 10**6)
        for size in (1_000, 1_001, 2_000_001, 10_000_000)
    ),
    *(
        _text(f"delimited/rows of {width:,} fields below 3", f"a,b,c\n{_ROWS}" + "1," * width + "\n" + _ROWS)
        for width in (10, 100_000, 900_000)
    ),
    *(
        _text(f"delimited/numbers of {digits:,} digits", "a,b\n" + f"{'9' * digits},1\n" * 5)
        for digits in (30, 400, 5_000, 1_000_000)
    ),
    *(
        _text(f"delimited/exponent {number}", "a,b\n" + f"{number},1\n" * 5)
        for number in ("1e400", "-1e400", "1e-400", "1e99999999999", "0x" + "f" * 400, "1_0", "nan", "infinity", "1e")
    ),
    *(
        _text(f"delimited/date {date[:20]}", "a,b\n" + f"{date},1\n" * 30)
        for date in (
            "9999999-01-01",
            "0000-00-00",
            "290309-12-31",
            "-5877641-06-23",
            "2024-13-45",
            "99/99/9999",
            "1970-01-01T99:99:99Z",
            "12:99",
            "2024-01-01 00:00:00+99:99",
        )
    ),
    *(
        _text(f"delimited/in {encoding}", _SMALL.replace("name", "näme").encode(encoding, "replace"))
        for encoding in ("utf-16", "utf-16-le", "utf-32", "cp1252", "utf-7", "cp037", "shift_jis")
    ),
    _text("delimited/surrogates", _SMALL + "1,\udcff\ud800,2\n"),
    _text("delimited/an odd number of bytes in UTF-16", _SMALL.encode("utf-16") + b"x"),
    _text("delimited/bytes that are no text anywhere", (bytes(range(128, 256)) + b",1\n") * 20_000),
    _text("delimited/a mark alone", b"\xef\xbb\xbf"),
    _text("delimited/sep=", "sep=\n1,2\n"),
    _text("delimited/sep= and a quote", 'sep="\na"b\n1"2\n3"4\n'),
    _text("delimited/a formula", "a,b\n=cmd|' /C calc'!A0,1\n=1+1,2\n"),
    _text("delimited/names that are SQL", "a\"; DROP TABLE t; --,b'); ATTACH 'x',\"c\n\"\n1,2,3\n4,5,6\n"),
    _text(
        "delimited/an open quote above 200,000 rows",
        lambda: ['a,b,c\n1,"x,2\n', *repeat("1,y,2\n" * 10_000, 20)],
        hard=True,
    ),
    _text("delimited/a quote in each of 300,000 rows", lambda: ["a,b,c\n", *repeat('1,y"z,2\n' * 10_000, 30)]),
    _text(
        "delimited/an open quote in each of 300,000 rows",
        lambda: ["a,b,c\n", *repeat('1,"z,2\n' * 10_000, 30)],
        hard=True,
    ),
    _text("delimited/50 open quotes and line breaks", lambda: ["a,b,c\n", *repeat('1,"z\nx,2\n' * 10_000, 10)]),
]
_JSON = [
    *(
        _text(
            f"json/{what} nested {depth:,} deep",
            opening * depth + middle + closing * depth,
            hard=depth > 10**5 and what != "arrays in rows",
        )
        for what, opening, middle, closing in (
            ("arrays", "[", "1", "]"),
            ("objects", '{"a":', "1", "}"),
            ("open arrays", "[", "", ""),
            ("open objects", '{"a":', "", ""),
        )
        for depth in (500, 3_000, 100_000, 1_000_000)
    ),
    *(
        _text(
            f"json/a row of arrays nested {depth:,} deep",
            '{"a": 1}\n{"a": ' + "[" * depth + "]" * depth + "}\n",
            hard=depth == 500_000,
        )
        for depth in (500, 3_000, 500_000)
    ),
    *(
        _text(
            f"json/a key of {size} MB", lambda size=size: ['{"', "k" * size * MB, '": 1}\n{"a": 2}\n'], hard=size == 10
        )
        for size in (1, 10, 30)
    ),
    *(
        _text(
            f"json/a value of {size} MB",
            lambda size=size: ['{"a": "', "v" * size * MB, '"}\n{"a": "x"}\n'],
            hard=size == 30,
        )
        for size in (1, 3, 30)
    ),
    *(
        _text(f"json/an integer of {digits:,} digits", '{"a": ' + "9" * digits + '}\n{"a": 1}\n')
        for digits in (30, 5_000, 1_000_000)
    ),
    *(
        _text(f"json/an integer of {digits:,} digits in a document", '{"data": [{"a": ' + "9" * digits + "}]}")
        for digits in (30, 5_000, 1_000_000)
    ),
    *(
        _text(
            f"json/{count:,} keys",
            lambda count=count: ["[{", ",".join(f'"k{i}": {i}' for i in range(count)), "}]"],
            hard=count == 500_000,
        )
        for count in (2_001, 500_000)
    ),
    *(
        _text(
            f"json/a key of its own in each of {count:,} rows",
            lambda count=count: (f'{{"k{i}": 1}}\n' for i in range(count)),
        )
        for count in (2_001, 500_000)
    ),
    *(
        _text(f"json/{count:,} empty arrays", lambda count=count: ["[", "[]," * count, "[]]"])
        for count in (1_000, 5_000_000)
    ),
    *(
        _text(f"json/{count:,} empty objects", lambda count=count: ["[", "{}," * count, "{}]"])
        for count in (1_000, 5_000_000)
    ),
    *(
        _text(
            f"json/a row of {count:,} values in an array of arrays",
            lambda count=count: ["[[", "1," * count, "1]]"],
            hard=count < 10**6,
        )
        for count in (3_000, 3_000_000)
    ),
    *(
        _text(f"json/{what}", content)
        for what, content in {
            "columns that lie": '{"columns": ["a"], "data": [[1], [1, 2]]}',
            "columns that are objects": '{"columns": [{}], "data": [[1]]}',
            "a number beyond floats": '[{"a": 1e999}, {"a": -1e999}]',
            "no number": '[{"a": NaN}, {"a": Infinity}]',
            "lone surrogates": '[{"a": "\\ud800"}, {"a": "\\udfff"}]',
            "a null character": '[{"a": "\\u0000"}, {"a\\u0000b": 1}]',
            "the same key twice": '[{"a": 1, "a": 2}, {"a": 3}]',
            "an open text": '[{"a": "' + "x" * 100_000,
            "an empty key": '[{"": 1}, {"": 2}]',
            "keys with marks of paths": '[{"$": 1, "/": 2, "~": 3, ".": 4, "[0]": 5, "\\"": 6}]',
            "a list of values per column": '{"a": [1, 2], "b": [1]}',
            "mixed types": '[{"a": 1}, {"a": "x"}, {"a": [1]}, {"a": {"b": 1}}, {"a": null}]',
            "nothing but a bracket": "[",
            "two documents": '[{"a": 1}][{"a": 2}]',
            "deep below a key": '{"x": {"y": {"z": [{"a": 1}]}}}',
        }.items()
    ),
    *(
        _text(
            f"json/rows below a key, {size} MB of the rest",
            lambda size=size: ['{"rows": [{"a": 1}, {"a": 2}], "rest": [', '{"a": []},' * (size * 100_000), "1]}"],
            hard=size == 1,
        )
        for size in (1, 60)
    ),
]
_ARFF = [
    _text(f"arff/{what}", content)
    for what, content in {
        "3,000 attributes": "@relation r\n"
        + "".join(f"@attribute a{i} numeric\n" for i in range(3_000))
        + "@data\n1\n",
        "a sparse row at a billion": "@relation r\n@attribute a numeric\n@data\n{1000000000 1}\n",
        "a class of 5 MB": "@relation r\n@attribute a {"
        + "x," * 2_500_000
        + "y}\n@attribute b numeric\n@data\nx,1\ny,2\n",
        "no data": "@relation r\n@attribute a numeric\n",
        "a line of 30 MB": "@relation r\n@attribute a string\n@attribute b numeric\n@data\n"
        + "x" * 30 * MB
        + ",1\ny,2\n",
        "comments of 20 MB": lambda: "%\n" * 10 * MB + "@relation r\n@attribute a numeric\n@data\n1\n",
        "quotes": "@relation r\n@attribute '" + "\\'" * 100_000 + "' numeric\n@data\n1\n2\n",
    }.items()
]
_PACKED = [
    *(
        HostileFile(
            f"gzip/{size:,} MB of {what}",
            partial(squeezed, parts=lambda size=size, part=part: repeat(part * (MB // len(part)), size)),
            (size, what) == (300, "zeros"),
        )
        for what, part in {"zeros": b"\0", "rows": b"1,2\n", "letters": b"x", "lines": b"\n"}.items()
        for size in (10, 300, 2_100)
    ),
    *(
        HostileFile(
            f"gzip/packed {layers} times", partial(squeezed, parts=lambda: iter([_SMALL.encode()]), layers=layers)
        )
        for layers in (2, 3, 20)
    ),
    *(
        _text(f"gzip/{count:,} members", lambda count=count: repeat(gzip.compress(b"1,2\n"), count))
        for count in (100, 100_000)
    ),
    _text("gzip/empty members", lambda: repeat(gzip.compress(b""), 200_000)),
    *(
        HostileFile(
            f"zip/{size:,} MB by method {method}",
            partial(write_zip, members={"t.csv": repeat(b"1,2\n" * (MB // 4), size)}, method=method),
        )
        for size in (300,)
        for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    ),
    *(
        HostileFile(f"zip/{count:,} members over one another", partial(overlapping, members=count), count == 300_000)
        for count in (2, 65_000, 300_000)
    ),
    *(
        HostileFile(f"zip/{what}", partial(patched_zip, old=old, new=new))
        for what, old, new in (
            ("a name upwards", b"t.csv", b"../.."),
            ("a name from the root", b"t.csv", b"/etc/"),
            ("another method", b"PK\x01\x02\x2d\x03\x2d\x00\x00\x00\x08", b"PK\x01\x02\x2d\x03\x2d\x00\x00\x00\x63"),
            ("a password", b"PK\x01\x02\x2d\x03\x2d\x00\x00\x00", b"PK\x01\x02\x2d\x03\x2d\x00\x01\x00"),
            ("no end", b"PK\x05\x06", b"PK\x05\x07"),
            ("a folder", b"t.csv", b"t.cs/"),
        )
    ),
    HostileFile("zip/a zip in a zip in a zip", lambda path: _zips(path, 5)),
    HostileFile("zip/nothing", lambda path: write_zip(path, {})),
]


def _zips(path: Path, layers: int) -> None:
    content = _SMALL.encode()
    for _ in range(layers):
        write_zip(path, {"t.csv": content})
        content = path.read_bytes()


TEXTS: list[HostileFile] = [*_DELIMITED, *_JSON, *_ARFF, *_PACKED]
