"""The base of all steps."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import ClassVar, Self

from core.checked import CheckedSettings
from core.datasets.prepare.effect import Effect
from core.datasets.prepare.work_table import WorkTable
from core.jsonable import JsonObject

__all__ = ["Step"]


class Step(CheckedSettings):
    """One step of a preparation. Its fields are what the user chose.

    Each kind of step is a class with these attributes, and its instances are stored as JSON or YAML.

    Attributes
    ----------
    name : str
        Name of the kind of step in recipes. It never changes.
    title : str
        Title in lists.
    help : str
        Sentence that says what it does.
    row_wise : bool
        Whether the result for a row depends on that row alone: such steps travel with a model.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    help: ClassVar[str]
    row_wise: ClassVar[bool] = True

    @abstractmethod
    def describe(self) -> str:
        """Return a phrase for lists of steps, such as "Drop 'id'"."""

    @abstractmethod
    def apply(self, table: WorkTable) -> tuple[Effect, Step]:
        """Change the table.

        Parameters
        ----------
        table : WorkTable
            Table to change.

        Returns
        -------
        effect : Effect
            What changed.
        fitted : Step
            The step with what it learned from the table (a median, a format): it does the same to other rows.

        Raises
        ------
        InputError
            When the table has no such column, or the step is not possible with it.
        """

    @abstractmethod
    def inputs(self) -> set[str]:
        """Return the names of the columns that the step needs."""

    def narrowed(self, columns: Iterable[str]) -> Step | None:
        """Return the step for rows with these columns; None where there is nothing left to do."""
        return self

    def dataset_ids(self) -> set[str]:
        """Return the ids of other datasets that the step needs."""
        return set()

    def to_dict(self) -> JsonObject:
        """Return the step as JSON-serializable values, without fields that have their default."""
        return {"step": self.name, **self.model_dump(mode="json", exclude_defaults=True)}

    def replaced(self, **values: object) -> Self:
        """Return the step with other values."""
        return type(self)(**{**self.model_dump(), **values})
