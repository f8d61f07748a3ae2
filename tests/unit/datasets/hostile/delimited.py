"""Hostile delimited texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import repeat

from tests.unit.datasets.hostile.record import Content, HostileFile
from tests.unit.datasets.hostile.text_file import MB, ROWS, SMALL, text_file

__all__ = ["DELIMITED"]


def _cell(size: int, filling: str, quote: str = '"') -> Callable[[], Content]:
    def parts() -> Iterator[str]:
        yield f"{SMALL}1000,{quote}"
        yield from repeat(filling * (MB // len(filling)), size)
        yield f"{quote},1\n{ROWS}"

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
DELIMITED: list[HostileFile] = [
    *(
        text_file(
            f"delimited/a cell of {size} MB of {what}",
            _cell(size, filling),
            hard=size == 3 and what in ("line breaks", "blanks"),
        )
        for what, filling in _FILLINGS.items()
        for size in (1, 3, 20)
    ),
    *(
        text_file(
            f"delimited/an unquoted cell of {size} MB of {what}",
            _cell(size, filling, ""),
            hard=what in ("letters", "delimiters"),
        )
        for what, filling in _FILLINGS.items()
        for size in (5,)
    ),
    *(
        text_file(
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
        text_file(
            f"delimited/{count:,} columns named {name}",
            lambda name=name, count=count: [",".join([name] * count) + "\n" + (",".join(["1"] * count) + "\n") * 3],
            hard=count == 2_001,
        )
        for name in ("a", "", "a_2", "'")
        for count in (1_999, 2_000, 2_001, 300_000)
    ),
    *(
        text_file(f"delimited/a name of {size:,} characters", "id," + "x" * size + "\n1,2\n2,3\n", hard=size > 10**6)
        for size in (1_000, 1_001, 2_000_001, 10_000_000)
    ),
    *(
        text_file(f"delimited/rows of {width:,} fields below 3", f"a,b,c\n{ROWS}" + "1," * width + "\n" + ROWS)
        for width in (10, 100_000, 900_000)
    ),
    *(
        text_file(f"delimited/numbers of {digits:,} digits", "a,b\n" + f"{'9' * digits},1\n" * 5)
        for digits in (30, 400, 5_000, 1_000_000)
    ),
    *(
        text_file(f"delimited/exponent {number}", "a,b\n" + f"{number},1\n" * 5)
        for number in ("1e400", "-1e400", "1e-400", "1e99999999999", "0x" + "f" * 400, "1_0", "nan", "infinity", "1e")
    ),
    *(
        text_file(f"delimited/date {date[:20]}", "a,b\n" + f"{date},1\n" * 30)
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
        text_file(f"delimited/in {encoding}", SMALL.replace("name", "näme").encode(encoding, "replace"))
        for encoding in ("utf-16", "utf-16-le", "utf-32", "cp1252", "utf-7", "cp037", "shift_jis")
    ),
    text_file("delimited/surrogates", SMALL + "1,\udcff\ud800,2\n"),
    text_file("delimited/an odd number of bytes in UTF-16", SMALL.encode("utf-16") + b"x"),
    text_file("delimited/bytes that are no text anywhere", (bytes(range(128, 256)) + b",1\n") * 20_000),
    text_file("delimited/a mark alone", b"\xef\xbb\xbf"),
    text_file("delimited/sep=", "sep=\n1,2\n"),
    text_file("delimited/sep= and a quote", 'sep="\na"b\n1"2\n3"4\n'),
    text_file("delimited/a formula", "a,b\n=cmd|' /C calc'!A0,1\n=1+1,2\n"),
    text_file("delimited/names that are SQL", "a\"; DROP TABLE t; --,b'); ATTACH 'x',\"c\n\"\n1,2,3\n4,5,6\n"),
    text_file(
        "delimited/an open quote above 200,000 rows",
        lambda: ['a,b,c\n1,"x,2\n', *repeat("1,y,2\n" * 10_000, 20)],
        hard=True,
    ),
    text_file("delimited/a quote in each of 300,000 rows", lambda: ["a,b,c\n", *repeat('1,y"z,2\n' * 10_000, 30)]),
    text_file(
        "delimited/an open quote in each of 300,000 rows",
        lambda: ["a,b,c\n", *repeat('1,"z,2\n' * 10_000, 30)],
        hard=True,
    ),
    text_file("delimited/50 open quotes and line breaks", lambda: ["a,b,c\n", *repeat('1,"z\nx,2\n' * 10_000, 10)]),
]
