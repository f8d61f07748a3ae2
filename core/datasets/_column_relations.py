"""Relations between the columns of a table: to the target, the closest pairs, and an overview in a telling order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from core.columns import require_columns
from core.datasets._column_codes import encode_column
from core.datasets._pair_measures import MEASURES, ColumnRelation, relate
from core.datasets._pair_screen import likely_pairs
from core.datasets._target_by_column import TargetByColumn, target_by_column
from core.datasets._task import infer_task
from core.errors import InputError
from core.jsonable import JsonObject
from core.progress import Event, Report, silent

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ColumnRelations", "relate_columns", "rows_to_compare"]

MAX_OVERVIEW = 60
PARTNERS = 5
MAX_ROWS = 50_000
MIN_ROWS = 5_000
MAX_CELLS = 10_000_000


@dataclass(frozen=True)
class ColumnRelations:
    """Relations between the columns of a table.

    Parameters
    ----------
    rows : int
        Number of rows that were looked at.
    columns : tuple of str
        Names of all columns.
    target : str or None
        Name of the column to predict.
    pairs : tuple of ColumnRelation
        Measured pairs, the strongest first.
    overview : tuple of str
        Names of at most 60 columns, all pairs of which were measured, ordered so that related columns are neighbors.
    all_pairs : bool
        Whether all pairs were measured. In a table of more than 60 columns, they are the pairs with the target, within
        the overview, and of each column with the 5 that are likely to be closest.
    left_out : mapping of str to str
        Reason for each column without any relation.
    targets : mapping of str to TargetByColumn
        The target by bins of each other column.
    """

    rows: int
    columns: tuple[str, ...]
    target: str | None
    pairs: tuple[ColumnRelation, ...]
    overview: tuple[str, ...]
    all_pairs: bool
    left_out: Mapping[str, str] = field(default_factory=dict)
    targets: Mapping[str, TargetByColumn] = field(default_factory=dict)

    def of(self, name: str) -> list[ColumnRelation]:
        """Return the relations of a column, the strongest first."""
        return [pair for pair in self.pairs if name in (pair.one, pair.other)]

    def between(self, one: str, other: str) -> ColumnRelation | None:
        """Return the relation of two columns, or None where none was measured."""
        return next((pair for pair in self.pairs if {pair.one, pair.other} == {one, other}), None)

    def to_dict(self) -> JsonObject:
        """Return the relations as JSON-serializable values."""
        position = {name: index for index, name in enumerate(self.columns)}
        measures = list(MEASURES)
        pairs = [
            [
                position[pair.one],
                position[pair.other],
                measures.index(pair.measure),
                pair.strength,
                pair.rows,
                pair.direction,
                pair.low,
                pair.high,
            ]
            for pair in self.pairs
        ]
        values = {name: value for name, value in vars(self).items() if name != "targets"}
        return values | {"pairs": pairs, "targets": {name: asdict(item) for name, item in self.targets.items()}}

    @classmethod
    def from_dict(cls, values: JsonObject) -> ColumnRelations:
        """Return the relations from what `to_dict` returned, or from its JSON."""
        columns, measures = tuple(values["columns"]), list(MEASURES)
        pairs = tuple(
            ColumnRelation(columns[one], columns[other], measures[measure], *rest)
            for one, other, measure, *rest in values["pairs"]
        )
        targets = {}
        for name, item in values["targets"].items():
            lists = {key: tuple(item[key]) for key in ("rows", "mean", "low", "high")}
            hits = {label: tuple(counts) for label, counts in item["hits"].items()}
            targets[name] = TargetByColumn(bins=tuple(map(tuple, item["bins"])), hits=hits, **lists)
        fixed = {"columns": columns, "pairs": pairs, "overview": tuple(values["overview"]), "targets": targets}
        return cls(**values | fixed)


def relate_columns(frame: pd.DataFrame, target: str | None = None, *, report: Report = silent) -> ColumnRelations:
    """Measure how strongly the columns of a table are related.

    Parameters
    ----------
    frame : pandas.DataFrame
        Table, or a random sample of its rows.
    target : str, optional
        Name of the column to predict. Numbers that are classes, such as 0 and 1, are categories in it.
    report : callable, default=silent
        Function that receives events of progress.

    Returns
    -------
    ColumnRelations

    Raises
    ------
    InputError
        When the target is not in the table.

    See Also
    --------
    check : Check a table for what would spoil a model, for example columns that carry the same information.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"x": range(40), "square": [x * x for x in range(40)], "half": ["a"] * 20 + ["b"] * 20})
    >>> for pair in relate_columns(frame).pairs:
    ...     print(pair.one, pair.other, pair.measure, round(pair.strength, 3))
    x square spearman 1.0
    x half correlation_ratio 0.862
    square half correlation_ratio 0.862
    """
    frame = frame.rename(columns=str)
    require_columns(frame, [] if target is None else [target])
    report(Event("relations", 0.1, "Reading the columns"))
    encoded = [encode_column(frame[name], category=name == target and _has_classes(frame[name])) for name in frame]
    usable = [column for column in encoded if not column.problem]
    chosen = next((index for index, column in enumerate(usable) if column.name == target), None)
    all_pairs = len(usable) <= MAX_OVERVIEW
    report(Event("relations", 0.3, f"Comparing {len(usable):,} columns"))
    pairs = set(_pairs(range(len(usable)))) if all_pairs else likely_pairs(usable, PARTNERS)
    if chosen is not None:
        pairs |= {(min(chosen, index), max(chosen, index)) for index in range(len(usable)) if index != chosen}
    relations = {pair: relation for pair in sorted(pairs) if (relation := relate(usable[pair[0]], usable[pair[1]]))}
    overview = _most_related(relations, len(usable), chosen)
    for pair in set(_pairs(overview)) - pairs:
        if relation := relate(usable[pair[0]], usable[pair[1]]):
            relations[pair] = relation
    targets = {}
    if chosen is not None:
        report(Event("relations", 0.8, "Describing the target by column"))
        targets = {column.name: target_by_column(column, usable[chosen]) for column in usable if column.name != target}
    return ColumnRelations(
        rows=len(frame),
        columns=tuple(frame),
        target=target,
        pairs=tuple(sorted(relations.values(), key=lambda item: -item.strength)),
        overview=tuple(usable[index].name for index in _neighbors(overview, relations)),
        all_pairs=all_pairs,
        left_out={column.name: column.problem for column in encoded if column.problem},
        targets=targets,
    )


def rows_to_compare(columns: int) -> int:
    """Return how many rows of a table with so many columns are enough and fast: 50,000, or fewer of a wide table.

    Examples
    --------
    >>> rows_to_compare(20), rows_to_compare(2_000)
    (50000, 5000)
    """
    return max(MIN_ROWS, min(MAX_ROWS, MAX_CELLS // max(columns, 1)))


def _has_classes(series: pd.Series) -> bool:
    try:
        return infer_task(series) != "regression"
    except InputError:  # dates, or no values
        return False


def _pairs(positions: Iterable[int]) -> list[tuple[int, int]]:
    ordered = sorted(positions)
    return [(one, other) for index, one in enumerate(ordered) for other in ordered[index + 1 :]]


def _most_related(relations: Mapping[tuple[int, int], ColumnRelation], columns: int, target: int | None) -> list[int]:
    """Return the positions of the target and of the columns with the strongest relations."""
    strongest = np.zeros(columns)
    for pair, relation in relations.items():
        for index in pair:
            strongest[index] = max(strongest[index], relation.strength)
    if target is not None:
        strongest[target] = 2.0
    return [int(index) for index in np.argsort(-strongest, kind="stable")[:MAX_OVERVIEW]]


def _neighbors(positions: Sequence[int], relations: Mapping[tuple[int, int], ColumnRelation]) -> list[int]:
    """Return positions ordered so that related columns are neighbors (average linkage, optimal order of leaves)."""
    if len(positions) < 3:
        return list(positions)
    from scipy.cluster.hierarchy import leaves_list, linkage

    ordered = sorted(positions)
    distances = np.array([1 - relations[pair].strength if pair in relations else 1.0 for pair in _pairs(ordered)])
    return [ordered[leaf] for leaf in leaves_list(linkage(distances, "average", optimal_ordering=True))]
