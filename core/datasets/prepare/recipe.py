"""A recipe: the steps that make a table ready, in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from core.datasets.prepare.registry import STEPS, step_from_dict
from core.datasets.prepare.step import Step
from core.errors import InputError, PlumblineError, SettingsError
from core.jsonable import JsonObject

__all__ = ["Recipe", "columns_made"]

VERSION = 1
MAX_STEPS = 200


@dataclass(frozen=True)
class Recipe:
    """Steps in the order in which they are applied.

    Parameters
    ----------
    steps : tuple of Step, default=()
        Steps. Mappings as `to_dict` returns them are taken as well.

    Raises
    ------
    SettingsError
        When a step is not valid; the message has its number.

    Examples
    --------
    >>> recipe = Recipe([{"step": "rename", "column": "a", "to": "b"}])
    >>> recipe.steps[0].describe()
    "Rename 'a' to 'b'"
    >>> Recipe.from_yaml(recipe.to_yaml()) == recipe
    True
    """

    steps: Sequence[Step] = field(default=())

    def __post_init__(self) -> None:
        if len(self.steps) > MAX_STEPS:
            raise SettingsError(f"The recipe has {len(self.steps):,} steps; {MAX_STEPS} are possible.", "Use fewer.")
        object.__setattr__(self, "steps", tuple(_step(number, step) for number, step in enumerate(self.steps, 1)))

    def dataset_ids(self) -> set[str]:
        """Return the ids of other datasets that the steps need."""
        return {name for step in self.steps for name in step.dataset_ids()}

    def row_wise(self) -> Recipe:
        """Return the steps whose result for a row depends on that row alone: they travel with a model."""
        return Recipe([step for step in self.steps if step.row_wise])

    def inputs(self) -> set[str]:
        """Return the names of the columns that a table must have at the start."""
        needed: set[str] = set()
        made: set[str] = set()
        for step in self.steps:
            needed |= step.inputs() - made
            made |= columns_made(step)
        return needed

    def to_dict(self) -> JsonObject:
        """Return the recipe as JSON-serializable values."""
        return {"recipe": VERSION, "steps": [step.to_dict() for step in self.steps]}

    @classmethod
    def from_dict(cls, values: JsonObject) -> Recipe:
        """Return the recipe from what `to_dict` returned.

        Raises
        ------
        SettingsError
            When it is not a recipe, or a step is not valid.
        """
        if not isinstance(values, dict) or not isinstance(values.get("steps", None), list):
            raise SettingsError("This is not a recipe: it has no steps.", "A recipe has a list with the name steps.")
        if values.get("recipe") != VERSION:
            raise SettingsError(
                f"The recipe has the version {values.get('recipe')!r}; {VERSION} can be read.", "Export it again."
            )
        unknown = sorted(set(values) - {"recipe", "steps"})
        if unknown:
            raise SettingsError(f"A recipe has no '{unknown[0]}'.", "It has a version, recipe, and a list, steps.")
        return cls(values["steps"])

    def to_yaml(self) -> str:
        """Return the recipe as YAML."""
        import yaml

        return str(yaml.safe_dump(self.to_dict(), allow_unicode=True, sort_keys=False))

    @classmethod
    def from_yaml(cls, text: str) -> Recipe:
        """Return the recipe that a YAML text has.

        Raises
        ------
        InputError
            When the text is not YAML.
        SettingsError
            When it is not a recipe, or a step is not valid.
        """
        import yaml

        if len(text) > 2_000_000:
            raise InputError("The recipe is too large.", "A recipe has at most 200 steps.")
        try:
            values: Any = yaml.load(text, Loader=_without_aliases())
        except yaml.YAMLError as error:
            raise InputError(
                f"The recipe is not YAML: {str(error).splitlines()[0]}.", "Export one to see how."
            ) from None
        except RecursionError:
            raise InputError("The recipe is too deeply nested.", "Export one to see how it is written.") from None
        return cls.from_dict(values)


def _without_aliases() -> Any:
    """Return a safe loader without aliases, by which a short text becomes a huge one."""
    import yaml

    class Loader(yaml.SafeLoader):
        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.events.AliasEvent):
                raise yaml.YAMLError("it has an alias (*)")
            return super().compose_node(parent, index)

    return Loader


def _step(number: int, step: Step | JsonObject) -> Step:
    if isinstance(step, Step):
        return step
    try:
        if not isinstance(step, dict):
            raise SettingsError(f"{step!r} is not a step.", f"Choose one of {', '.join(STEPS)}.")
        return step_from_dict(step)
    except PlumblineError as error:
        raise SettingsError(f"Step {number}: {error.message}", error.hint) from error


def columns_made(step: Step) -> set[str]:
    """Return the names of the columns that a step adds; none for one that changes a column in place."""
    values = step.model_dump()
    match step.name:
        case "rename":
            return {values["to"]}
        case "split":
            return set(values["into"])
        case "derive":
            return {values["column"]}
        case "join":
            return set(values["columns"])
    return set()
