"""Hostile JSON and ARFF."""

from __future__ import annotations

from tests.unit.datasets.hostile.record import HostileFile
from tests.unit.datasets.hostile.text_file import MB, text_file

__all__ = ["DOCUMENTS"]

_JSON = [
    *(
        text_file(
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
        text_file(
            f"json/a row of arrays nested {depth:,} deep",
            '{"a": 1}\n{"a": ' + "[" * depth + "]" * depth + "}\n",
            hard=depth == 500_000,
        )
        for depth in (500, 3_000, 500_000)
    ),
    *(
        text_file(
            f"json/a key of {size} MB", lambda size=size: ['{"', "k" * size * MB, '": 1}\n{"a": 2}\n'], hard=size == 10
        )
        for size in (1, 10, 30)
    ),
    *(
        text_file(
            f"json/a value of {size} MB",
            lambda size=size: ['{"a": "', "v" * size * MB, '"}\n{"a": "x"}\n'],
            hard=size == 30,
        )
        for size in (1, 3, 30)
    ),
    *(
        text_file(f"json/an integer of {digits:,} digits", '{"a": ' + "9" * digits + '}\n{"a": 1}\n')
        for digits in (30, 5_000, 1_000_000)
    ),
    *(
        text_file(f"json/an integer of {digits:,} digits in a document", '{"data": [{"a": ' + "9" * digits + "}]}")
        for digits in (30, 5_000, 1_000_000)
    ),
    *(
        text_file(
            f"json/{count:,} keys",
            lambda count=count: ["[{", ",".join(f'"k{i}": {i}' for i in range(count)), "}]"],
            hard=count == 500_000,
        )
        for count in (2_001, 500_000)
    ),
    *(
        text_file(
            f"json/a key of its own in each of {count:,} rows",
            lambda count=count: (f'{{"k{i}": 1}}\n' for i in range(count)),
        )
        for count in (2_001, 500_000)
    ),
    *(
        text_file(f"json/{count:,} empty arrays", lambda count=count: ["[", "[]," * count, "[]]"])
        for count in (1_000, 5_000_000)
    ),
    *(
        text_file(f"json/{count:,} empty objects", lambda count=count: ["[", "{}," * count, "{}]"])
        for count in (1_000, 5_000_000)
    ),
    *(
        text_file(
            f"json/a row of {count:,} values in an array of arrays",
            lambda count=count: ["[[", "1," * count, "1]]"],
            hard=count < 10**6,
        )
        for count in (3_000, 3_000_000)
    ),
    *(
        text_file(f"json/{what}", content)
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
        text_file(
            f"json/rows below a key, {size} MB of the rest",
            lambda size=size: ['{"rows": [{"a": 1}, {"a": 2}], "rest": [', '{"a": []},' * (size * 100_000), "1]}"],
            hard=size == 1,
        )
        for size in (1, 60)
    ),
]
_ARFF = [
    text_file(f"arff/{what}", content)
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

DOCUMENTS: list[HostileFile] = [*_JSON, *_ARFF]
