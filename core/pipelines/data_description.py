"""What is known of a table besides its cells: roles of columns, how it was read and prepared, how it was split."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from core.jsonable import JsonObject

__all__ = ["DataDescription"]


@dataclass(frozen=True)
class DataDescription:
    """What is known of a table besides its cells.

    Parameters
    ----------
    name : str, default=""
        Name for users.
    target : str, optional
        Column to predict.
    target_reason : str, default=""
        Why it is this one, where a step chose it.
    sensitive, ignore : tuple of str, default=()
        Columns with people's attributes, and those that a model must not use.
    positive : str, optional
        Class of the target that figures are about.
    time, group : str, optional
        Columns that decided which rows were held out.
    fingerprint : str, default=""
        Fingerprint of the table.
    reading : dict, optional
        Grammar of the file that the table was read from, as `core.grammar.Reading` stores it.
    steps : dict, optional
        Row-wise steps between that file and the table, as `core.datasets.Replay` stores them.
    split : dict, default={}
        Facts about the parts: rows by part, method, seed.
    """

    name: str = ""
    target: str | None = None
    target_reason: str = ""
    sensitive: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    positive: str | None = None
    time: str | None = None
    group: str | None = None
    fingerprint: str = ""
    reading: JsonObject | None = None
    steps: JsonObject | None = None
    split: JsonObject = field(default_factory=dict)

    def with_columns(self, columns: Iterable[str], renamed: Mapping[str, str] | None = None) -> DataDescription:
        """Return the description of a table with other columns: roles follow a new name, and end with their column.

        Parameters
        ----------
        columns : iterable of str
            Columns of the table.
        renamed : mapping of str to str, optional
            New names by old name.

        Examples
        --------
        >>> described = DataDescription(target="churned", sensitive=("sex", "age"))
        >>> described.with_columns(["left", "age"], {"churned": "left"})
        DataDescription(name='', target='left', target_reason='', sensitive=('age',), ignore=(), ...)
        """
        present, names = set(columns), renamed or {}

        def kept(name: str | None) -> str | None:
            name = name if name is None or name in present else names.get(name)
            return name if name in present else None

        def all_kept(listed: Sequence[str]) -> tuple[str, ...]:
            return tuple(name for name in map(kept, listed) if name is not None)

        target = kept(self.target)
        return replace(
            self,
            target=target,
            target_reason="" if target is None else self.target_reason,
            positive=None if target is None else self.positive,
            sensitive=all_kept(self.sensitive),
            ignore=all_kept(self.ignore),
            time=kept(self.time),
            group=kept(self.group),
        )

    def to_dict(self) -> JsonObject:
        """Return the description as JSON-serializable values."""
        values = asdict(self)
        roles = {name: values.pop(name) for name in ("target", "sensitive", "ignore", "positive", "time", "group")}
        return {**values, "roles": roles}

    @classmethod
    def from_dict(cls, values: JsonObject) -> DataDescription:
        """Return the description from what `to_dict` returned; what it does not know is left out."""
        roles = values.get("roles") or {}
        fields: dict[str, Any] = {}
        for names, kind in ((("name", "target_reason", "fingerprint"), str), (("reading", "steps", "split"), dict)):
            fields |= {name: values[name] for name in names if isinstance(values.get(name), kind)}
        for name in ("target", "positive", "time", "group"):
            if roles.get(name) is not None:
                fields[name] = str(roles[name])
        for name in ("sensitive", "ignore"):
            listed = roles.get(name) or ()
            fields[name] = (listed,) if isinstance(listed, str) else tuple(map(str, listed))
        return cls(**fields)
