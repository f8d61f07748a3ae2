"""How a training table came from its file: its version, and the steps in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from pydantic import JsonValue, TypeAdapter

from core.access import Access
from core.catalog import Dataset, datasets
from core.datasets import STEPS, Effect, Recipe
from core.errors import NotFoundError

if TYPE_CHECKING:
    from core.datasets import Replay

__all__ = ["PreparationStep", "preparation_of", "steps_of_replay"]


@dataclass(frozen=True)
class PreparationStep:
    """A step between a file and a training table.

    Parameters
    ----------
    title : str
        Kind of the step, in words.
    description : str
        Phrase that says what it does.
    effect : str, default=""
        Phrase with the numbers of its effect on the training table.
    notes : tuple of str, default=()
        Sentences on what else it did, such as the value that was filled in.
    """

    title: str
    description: str
    effect: str = ""
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the step as JSON-serializable values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, JsonValue]) -> PreparationStep:
        """Return the step that `to_dict` described."""
        return TypeAdapter(PreparationStep).validate_python(dict(values))


def preparation_of(dataset: Dataset, *, access: Access) -> list[PreparationStep]:
    """Return the steps that made a version of a dataset, in order; none for a table as it was read."""
    recipe = Recipe.from_dict(dataset.lineage["recipe"]) if "recipe" in dataset.lineage else Recipe()
    effects = [Effect.from_dict(values) for values in dataset.lineage.get("effects", [])]
    steps = []
    for index, step in enumerate(recipe.steps):
        effect = effects[index] if index < len(effects) else None
        steps.append(
            PreparationStep(
                STEPS[step.name].title,
                _with_names(step.describe(), step.dataset_ids(), access=access),
                "" if effect is None else effect.summary,
                () if effect is None else effect.notes,
            )
        )
    return steps


def steps_of_replay(replay: Replay | None) -> list[PreparationStep]:
    """Return the row-wise steps that a model keeps, where its training table is gone."""
    steps = () if replay is None else replay.recipe.steps
    return [PreparationStep(STEPS[step.name].title, step.describe()) for step in steps]


def _with_names(text: str, ids: set[str], *, access: Access) -> str:
    """Return a phrase with the names of datasets in place of their ids."""
    for dataset_id in ids:
        try:
            name = f"'{datasets.get(dataset_id, access=access).name}'"
        except NotFoundError:
            name = "a dataset that was deleted"
        text = text.replace(f"dataset {dataset_id}", name)
    return text
