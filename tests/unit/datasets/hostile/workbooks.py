"""Hostile workbooks: Excel and OpenDocument."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import repeat
from pathlib import Path

from tests.unit.datasets.hostile.record import Content, HostileFile, write_zip

__all__ = ["WORKBOOKS"]

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_ROW = '<row r="{0}"><c r="A{0}" t="inlineStr"><is><t>name {0}</t></is></c><c r="B{0}"><v>{0}</v></c></row>'
_PLAIN = "".join(_ROW.format(i) for i in range(1, 9))


def excel(
    path: Path,
    rows: Content = _PLAIN,
    *,
    shared: Content | None = None,
    styles: Content | None = None,
    sheets: int = 1,
    head: str = "",
    before: str = "",
    tail: str = "",
    method: int = zipfile.ZIP_DEFLATED,
) -> None:
    """Write an Excel file whose parts are given as XML."""
    names = "".join(f'<sheet name="s{i}" sheetId="{i}" r:id="rId{i}"/>' for i in range(1, sheets + 1))
    relations = "".join(
        f'<Relationship Id="rId{i}" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet{i}.xml"/>'
        for i in range(1, sheets + 1)
    )
    types = "".join(
        f'<Override PartName="/xl/worksheets/sheet{i}.xml" ContentType="{_TYPES}.worksheet+xml"/>'
        for i in range(1, sheets + 1)
    )
    members: dict[str, Content] = {}
    for name, content, element, kind in (
        ("sharedStrings", shared, "sst", "sharedStrings"),
        ("styles", styles, "styleSheet", "styles"),
    ):
        if content is not None:
            relations += f'<Relationship Id="{name}" Type="{_RELATIONS}/{kind}" Target="{name}.xml"/>'
            types += f'<Override PartName="/xl/{name}.xml" ContentType="{_TYPES}.{kind}+xml"/>'
            members[f"xl/{name}.xml"] = _inside(f'<{element} xmlns="{_MAIN}">', content, f"</{element}>")
    start = f'{before}<worksheet xmlns="{_MAIN}">{head}<sheetData>'
    for i in range(1, sheets + 1):
        members[f"xl/worksheets/sheet{i}.xml"] = _inside(start, rows, f"</sheetData>{tail}</worksheet>")
    write_zip(
        path,
        {
            "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>{types}</Types>',
            "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
            f'Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>{names}</sheets></workbook>',
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{relations}'
            "</Relationships>",
            **members,
        },
        method,
    )


def _inside(start: str, content: Content, end: str) -> Iterator[str | bytes]:
    yield start
    yield from [content] if isinstance(content, str | bytes) else content
    yield end


def many(part: str, count: int, block: int = 10_000) -> Iterable[str]:
    """Yield a text so many times, in blocks."""
    return repeat(part * block, count // block)


def shared(item: Iterable[str], cells: int, index: str = "0") -> dict[str, Content]:
    """Return the parts of a workbook whose cells refer to shared strings."""
    row = '<row><c t="s"><v>0</v></c><c t="s"><v>' + index + "</v></c></row>"
    return {"rows": row * cells, "shared": item}


def long_string(megabytes: int) -> Iterator[str]:
    yield "<si><t>"
    yield from repeat("x" * 2**20, megabytes)
    yield "</t></si>"


def open_document(path: Path, table: Content, head: str = "") -> None:
    """Write an OpenDocument spreadsheet whose table is given as XML."""
    start = (
        f'{head}<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>'
        '<table:table table:name="t">'
    )
    end = "</table:table></office:spreadsheet></office:body></office:document-content>"
    mime = "application/vnd.oasis.opendocument.spreadsheet"
    write_zip(path, {"mimetype": mime, "content.xml": _inside(start, table, end)})


_CELL = "<table:table-cell {}><text:p>{}</text:p></table:table-cell>"
_ODS_ROW = f"<table:table-row {{}}>{_CELL.format('', 'a')}{_CELL.format('', '1')}</table:table-row>"
_STYLE = '<xf numFmtId="0" fontId="0" fillId="0" borderId="0"/>'
_LAUGHS = (
    '<!DOCTYPE w [<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 10)) + "]>"
)
_LAUGH = '<row><c t="inlineStr"><is><t>&a9;</t></is></c></row>'


def _nested(depth: int) -> Iterator[str]:
    yield "<row><c>"
    yield "<x>" * depth
    yield "</x>" * depth
    yield "</c></row>"


def _excel(what: str, *, hard: bool = False, **parts: object) -> HostileFile:
    return HostileFile(f"excel/{what}", partial(excel, **parts), hard)  # type: ignore[arg-type]


class _Again:
    """Parts that are made anew whenever they are read."""

    def __init__(self, make: object, *arguments: object) -> None:
        self._make, self._arguments = make, arguments

    def __iter__(self) -> Iterator[str]:
        return iter(self._make(*self._arguments))  # type: ignore[operator]


WORKBOOKS: list[HostileFile] = [
    *(
        _excel(
            f"a shared string of {size} MB in {cells} cells",
            hard=(size, cells) == (3, 200),
            **shared(_Again(long_string, size), cells),
        )
        for size in (1, 3, 30, 200)
        for cells in (1, 200)
    ),
    *(
        _excel(
            f"{count:,} shared strings", hard=count == 4_000_000, **shared(_Again(many, "<si><t>a</t></si>", count), 5)
        )
        for count in (100_000, 1_000_000, 4_000_000, 14_000_000)
    ),
    *(
        _excel(f"{count:,} empty shared strings", **shared(_Again(many, "<si/>", count), 5))
        for count in (1_000_000, 14_000_000)
    ),
    *(
        _excel(
            f"{count:,} rich runs in a shared string", **shared(["<si>", *many("<r><t>ab</t></r>", count), "</si>"], 2)
        )
        for count in (10_000, 500_000)
    ),
    *(
        _excel(f"{count:,} styles", hard=False, styles=["<cellXfs>", *many(_STYLE, count), "</cellXfs>"])
        for count in (100_000, 1_000_000, 4_000_000)
    ),
    *(
        _excel(
            f"{count:,} number formats",
            styles=["<numFmts>", *many('<numFmt numFmtId="200" formatCode="0"/>', count), "</numFmts>"],
        )
        for count in (100_000, 1_000_000)
    ),
    *(
        _excel(
            f"a row of {count:,} cells",
            hard=count == 3_000_000,
            rows=["<row>", *many("<c><v>1</v></c>", count), "</row>"],
        )
        for count in (10_000, 500_000, 3_000_000)
    ),
    *(
        _excel(f"{count:,} empty rows", rows=_Again(many, "<row/>", count))
        for count in (100_000, 2_000_000, 20_000_000)
    ),
    *(
        _excel(
            f"a cell at {cell}", hard=cell == "ZZZ9999999", rows=f'{_PLAIN}<row r="9"><c r="{cell}"><v>1</v></c></row>'
        )
        for cell in ("XFD9", "XFE9", "ZZZ9", "A1048576", "XFD1048576", "A99999999999", "ZZZ9999999", "A0", "é1", "")
    ),
    *(
        _excel(f"row {number}", rows=f'{_PLAIN}<row r="{number}"><c><v>1</v></c></row>')
        for number in ("1048576", "99999999999999", "-1", "0", "x", "1e9")
    ),
    *(
        _excel(f"a dimension of {ref}", head=f'<dimension ref="{ref}"/>')
        for ref in ("A1:XFD1048576", "A1:ZZZZZ99999999", "A1", "B2:A1", "x", "")
    ),
    *(
        _excel(f"a shared index of {index[:12]}", **shared(["<si><t>a</t></si>"], 3, index))
        for index in ("1", "-1", "99999999999", "9" * 5_000, "x", "", "1.5", "nan")
    ),
    *(
        _excel(
            f"a number {number[:12]} of {len(number):,}",
            rows=f"{_PLAIN}<row><c><v>1</v></c><c><v>{number}</v></c></row>",
        )
        for number in ("9" * 5_000, "1e400", "nan", "inf", "0x10", "1e-400", "-", "9" * 1_000_000)
    ),
    *(
        _excel(
            f"a date {number}",
            styles=_Again(lambda: ['<cellXfs><xf numFmtId="14"/></cellXfs>']),
            rows=f'{_PLAIN}<row><c s="0"><v>{number}</v></c><c s="0"><v>2</v></c></row>',
        )
        for number in ("-1", "0", "60", "2958465", "2958466", "1e10", "1e300", "nan")
    ),
    *(
        _excel(
            f"an inline string of {size} MB",
            hard=size == 100,
            rows=["<row><c t='inlineStr'><is><t>", *many("x", size * 2**20, 2**20), "</t></is></c></row>"],
        )
        for size in (1, 3, 100)
    ),
    *(
        _excel(
            f"a formula of {size} MB",
            rows=[_PLAIN, "<row><c><f>", *many("x", size * 2**20, 2**20), "</f><v>1</v></c></row>"],
        )
        for size in (1, 50)
    ),
    *(_excel(f"{count} sheets", sheets=count) for count in (50, 1_500, 3_000)),
    *(_excel(f"elements nested {depth:,} deep", rows=_Again(_nested, depth)) for depth in (1_000, 100_000)),
    *(
        _excel(
            f"a million merged cells of {ref}",
            tail="<mergeCells>" + f'<mergeCell ref="{ref}"/>' * 200_000 + "</mergeCells>",
        )
        for ref in ("A1:B2", "A1:XFD1048576")
    ),
    _excel("entities", before=_LAUGHS, rows=_LAUGH),
    _excel("entities far below", hard=True, before="<!--" + "x" * 200_000 + "-->" + _LAUGHS, rows=_LAUGH),
    _excel("entities in UTF-16", before="", rows=_LAUGH),
    *(
        _excel(f"method {method}", method=method)
        for method in (zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    ),
    *(
        HostileFile(
            f"open document/{count:,} repeated rows",
            partial(open_document, table=_ODS_ROW.format(f'table:number-rows-repeated="{count}"')),
            count == 10**9,
        )
        for count in (0, -1, 1_000_000, 10**9, 10**30)
    ),
    *(
        HostileFile(
            f"open document/{count:,} repeated columns",
            partial(
                open_document,
                table="<table:table-row>"
                + _CELL.format(f'table:number-columns-repeated="{count}"', "x") * 2
                + "</table:table-row>",
            ),
        )
        for count in (0, -1, 1_500, 10**9, 10**30)
    ),
    *(
        HostileFile(
            f"open document/a cell of {size} kB repeated {count:,} times",
            partial(
                open_document,
                table=_ODS_ROW.format(f'table:number-rows-repeated="{count}"').replace(
                    ">a<", f">{'x' * size * 1_000}<"
                ),
            ),
            size == 1,
        )
        for size, count in ((1, 10**6), (100, 10**5), (1_000, 10**4), (1_900, 10**6), (3_000, 1), (100_000, 1))
    ),
    *(
        HostileFile(
            f"open document/elements nested {depth:,} deep",
            partial(open_document, table=_Again(lambda n: ["<x>" * n, "</x>" * n], depth)),
        )
        for depth in (1_000, 500_000)
    ),
    HostileFile(
        "open document/entities",
        partial(open_document, head=_LAUGHS, table=_ODS_ROW.format("").replace(">a<", ">&a9;<")),
    ),
    HostileFile(
        "open document/entities far below",
        partial(
            open_document,
            head="<!--" + "x" * 200_000 + "-->" + _LAUGHS,
            table=_ODS_ROW.format("").replace(">a<", ">&a9;<"),
        ),
        True,
    ),
    HostileFile(
        "open document/not a number of repeats",
        partial(open_document, table=_ODS_ROW.format('table:number-rows-repeated="x"')),
    ),
    HostileFile(
        "open document/a million empty rows",
        partial(open_document, table=_Again(many, "<table:table-row/>", 3_000_000)),
    ),
]
