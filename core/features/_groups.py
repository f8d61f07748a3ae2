"""Which encoded columns are numbers, and which belong to one category: what further features can be made of."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.features._cells import date_features
from core.features._encoder import TableEncoder

__all__ = ["FAMILIES", "FeatureGroups", "feature_groups"]

FAMILIES = ("none", "target_means", "arithmetic", "all")
"""What may be made: means of the target by category; arithmetic of numbers and differences from a group's mean."""


@dataclass(frozen=True)
class FeatureGroups:
    """Encoded columns by what they hold.

    Parameters
    ----------
    numbers : dict of str to int
        Position of each column of numbers.
    shifted : dict of str to int
        Position of each number that is encoded less a center, and of the seconds of each date: only their differences
        mean something.
    categories : dict of str to list of int
        Positions of each category of three values or more: one for each value, or a single one with their codes.
    sizes : dict of str to int
        Number of codes of each category, of which 0 stands for a value that the encoder has not seen.
    monotone : list of int
        Direction in which a model's answer may change with each encoded column: 1 up, -1 down, 0 both. Empty where all
        may go both ways. Otherwise no features are made, because they would change with the columns.

    Examples
    --------
    >>> FeatureGroups(numbers={"income": 0}).families, FeatureGroups(numbers={"income": 0, "debt": 1}).families
    (['none'], ['none', 'arithmetic'])
    """

    numbers: dict[str, int] = field(default_factory=dict)
    shifted: dict[str, int] = field(default_factory=dict)
    categories: dict[str, list[int]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    monotone: list[int] = field(default_factory=list)

    @property
    def families(self) -> list[str]:
        """What can be made of them, the most comprehensive last: none, target_means, arithmetic, all."""
        if self.monotone:
            return ["none"]
        means = bool(self.categories)
        arithmetic = len(self.numbers) > 1 or len(self.shifted) > 1 or (means and bool(self.numbers))
        possible = {"none": True, "target_means": means, "arithmetic": arithmetic, "all": means and arithmetic}
        return [family for family in FAMILIES if possible[family]]


def feature_groups(encoder: TableEncoder) -> FeatureGroups:
    """Return the groups of a fitted encoder's columns.

    Parameters
    ----------
    encoder : TableEncoder
        Fitted encoder.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"age": [20.0, None, 40.0], "job": ["a", "b", "c"]})
    >>> feature_groups(TableEncoder().fit(frame))
    FeatureGroups(numbers={'age': 0}, shifted={}, categories={'job': [2, 3, 4]}, sizes={'job': 4}, monotone=[])
    """
    types = dict(zip(encoder.columns_, encoder.kinds_, strict=True))
    epochs = {date_features(name, encoder.columns_)[0]: name for name in encoder.dates_}
    groups = FeatureGroups()
    for step, fitted, used in encoder.encoder_.transformers_:
        if step == "remainder" or not len(used):
            continue
        used = [str(name) for name in used]
        start = encoder.encoder_.output_indices_[step].start
        if step == "one_hot":
            for name, values in zip(used, fitted.categories_, strict=True):
                if len(values) > 2:
                    groups.categories[name] = list(range(start, start + len(values)))
                    groups.sizes[name] = len(values) + 1
                start += len(values)
        elif step == "ordinal":
            for index, (name, values) in enumerate(zip(used, fitted.categories_, strict=True)):
                groups.categories[name] = [start + index]
                groups.sizes[name] = len(values) + 1
        elif step.split(":")[0] == "number":
            for index, name in enumerate(used):  # flags of missing cells come after them
                if name in epochs:
                    groups.shifted[epochs[name]] = start + index
                elif types.get(name) == "number":
                    (groups.shifted if name in encoder.centers else groups.numbers)[name] = start + index
    return groups
