"""The grammar of a table's columns: how the cells of a file became values. It travels with a model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.datasets import CellFormat, ReadReport

__all__ = ["Reading"]

_NA = "NA"


@dataclass(frozen=True)
class Reading:
    """The grammar of a table's columns.

    Parameters
    ----------
    columns : dict of str to str
        Types by column, as ``ReadReport.grammar()`` returns them.
    missing_values : tuple of str, optional
        Texts that mean a missing value, where they are not the usual ones.
    without_na : tuple of str, default=()
        Columns of text in which NA meant a missing value. In others it may be a word, such as the code of Namibia.
    typed : bool, default=False
        Whether the file had the types of its columns, so that every text in a column of text is a word.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    missing_values: tuple[str, ...] | None = None
    without_na: tuple[str, ...] = ()
    typed: bool = False

    @classmethod
    def of(cls, report: ReadReport) -> Reading:
        """Return the grammar of a table that was read."""
        from core.datasets import FILE_FORMATS

        typed = report.format in FILE_FORMATS and FILE_FORMATS[report.format].typed
        markers = report.options.missing_values
        given = report.given.missing_values != "auto"
        without = tuple(name for name, counts in report.missing_markers.items() if _NA in counts)
        given_markers = tuple(markers) if given and not isinstance(markers, str) else None
        return cls(report.grammar(), given_markers, without, typed)

    @classmethod
    def from_json(cls, text: str | bytes) -> Reading:
        """Return what `to_json` wrote; earlier versions wrote the types alone."""
        values = json.loads(text)
        if all(isinstance(value, str) for value in values.values()):
            return cls(values)
        markers = values["missing_values"]
        without = tuple(values.get("without_na", ()))
        return cls(values["columns"], None if markers is None else tuple(markers), without, values.get("typed", False))

    def to_json(self) -> str:
        """Return the grammar as JSON."""
        markers = None if self.missing_values is None else list(self.missing_values)
        values = {"columns": dict(self.columns), "missing_values": markers}
        return json.dumps(values | {"without_na": list(self.without_na), "typed": self.typed})

    def like(self) -> dict[str, str]:
        """Return the types by which other rows are read.

        NA stays in a column of text where it may be a word, as the model's words say whether it is one.
        """
        from core.datasets import TEXT_STYLES

        specs = {meaning: f"text:{style}" for style, meaning in TEXT_STYLES.items()}
        texts = {
            name: specs["missing" if name in self.without_na else "value"]
            for name, spec in self.columns.items()
            if spec == "text"
        }
        return {**self.columns, **texts}

    def formats(self) -> dict[str, CellFormat]:
        """Return the format of each column, which code without DuckDB reads cells by."""
        from core.datasets import cell_format

        formats = {name: cell_format(spec, self.missing_values) for name, spec in self.columns.items()}
        for name, item in formats.items():
            if item["kind"] == "text" and self.missing_values is None:
                item["words"] = item["missing"] if self.typed else [_NA] if name not in self.without_na else []
        return formats
