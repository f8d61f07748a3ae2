"""Changes of a table that can be simulated: one record of settings each."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from core.checked import CheckedSettings

__all__ = [
    "Change",
    "DropLevel",
    "MultiplyColumn",
    "RemoveColumn",
    "RenameColumn",
    "SetMissing",
    "ShiftColumn",
    "ShuffleLevels",
    "changes_adapter",
]


class ShiftColumn(CheckedSettings):
    """Numbers that are moved by a number of their standard deviations.

    Parameters
    ----------
    column : str
        Column of numbers.
    deviations : float, default=0.5
        Standard deviations to add.
    """

    kind: Literal["shift"] = "shift"
    column: str
    deviations: float = Field(default=0.5, ge=-100, le=100)

    @property
    def sentence(self) -> str:
        """The change in words."""
        return f"{self.column} moved by {self.deviations:+g} standard deviations"


class MultiplyColumn(CheckedSettings):
    """Numbers in another unit.

    Parameters
    ----------
    column : str
        Column of numbers.
    factor : float, default=1000.0
        Factor of the numbers.
    """

    kind: Literal["multiply"] = "multiply"
    column: str
    factor: float = 1000.0

    @property
    def sentence(self) -> str:
        """The change in words."""
        return f"{self.column} times {self.factor:g}"


class DropLevel(CheckedSettings):
    """A level that does not occur any more: its rows are left out.

    Parameters
    ----------
    column : str
        Column of categories.
    level : str
        Level, as it is shown.
    """

    kind: Literal["drop_level"] = "drop_level"
    column: str
    level: str

    @property
    def sentence(self) -> str:
        """The change in words."""
        return f"{self.column} without '{self.level}'"


class SetMissing(CheckedSettings):
    """Cells that are missing, at random.

    Parameters
    ----------
    column : str
        Any column.
    share : float, default=0.25
        Share of the rows.
    """

    kind: Literal["missing"] = "missing"
    column: str
    share: float = Field(default=0.25, ge=0, le=1)

    @property
    def sentence(self) -> str:
        """The change in words."""
        return f"{self.share:.0%} of {self.column} missing"


class RenameColumn(CheckedSettings):
    """A column by another name.

    Parameters
    ----------
    column : str
        Name of the column.
    name : str
        Its new name.
    """

    kind: Literal["rename"] = "rename"
    column: str
    name: str = Field(min_length=1)

    @property
    def sentence(self) -> str:
        """The change in words."""
        return f"{self.column} named {self.name}"


class RemoveColumn(CheckedSettings):
    """A column that is not delivered.

    Parameters
    ----------
    column : str
        Name of the column.
    """

    kind: Literal["remove"] = "remove"
    column: str

    @property
    def sentence(self) -> str:
        """The change in words."""
        return f"without {self.column}"


class ShuffleLevels(CheckedSettings):
    """Labels of levels that are exchanged: each level gets the label of the next one in frequency.

    Parameters
    ----------
    column : str
        Column of categories.
    """

    kind: Literal["shuffle"] = "shuffle"
    column: str

    @property
    def sentence(self) -> str:
        """The change in words."""
        return f"levels of {self.column} exchanged"


Change: TypeAlias = Annotated[
    ShiftColumn | MultiplyColumn | DropLevel | SetMissing | RenameColumn | RemoveColumn | ShuffleLevels,
    Field(discriminator="kind"),
]
"""A change of a table."""


def changes_adapter() -> TypeAdapter[list[Change]]:
    """Return what reads a list of changes from JSON.

    Examples
    --------
    >>> changes_adapter().validate_json('[{"kind": "missing", "column": "age", "share": 0.5}]')
    [SetMissing(kind='missing', column='age', share=0.5)]
    """
    return TypeAdapter(list[Change])
