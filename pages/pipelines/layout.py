"""Places of a graph's nodes in layers, and the lines between them: from what is needed to what needs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import mean

__all__ = ["Layout", "Place", "layered"]

Place = tuple[float, float]
"""A layer, counted from 0, and a slot across: nodes of one layer are at least one slot apart."""

_SWEEPS = 12
_BEND_GAP = 0.5  # slots between a line that passes a layer, and what is beside it

_Point = tuple[str, str, int]  # a node is (name, "", 0), a bend of a line (from, to, layer)


@dataclass(frozen=True)
class Layout:
    """A drawing of a graph without coordinates of a screen.

    Parameters
    ----------
    nodes : dict of str to tuple
        Places of the nodes.
    lines : dict of (str, str) to list of tuple
        Places that the line from a node to another one passes, both ends included.
    """

    nodes: Mapping[str, Place]
    lines: Mapping[tuple[str, str], Sequence[Place]]

    @property
    def layers(self) -> int:
        """Number of layers."""
        return 1 + max((int(layer) for layer, _ in self.nodes.values()), default=-1)

    @property
    def span(self) -> tuple[float, float]:
        """Lowest and highest slot of nodes and lines."""
        slots = [slot for _, slot in self.nodes.values()]
        slots += [slot for line in self.lines.values() for _, slot in line]
        return (min(slots), max(slots)) if slots else (0.0, 0.0)


def layered(needs: Mapping[str, Sequence[str]]) -> Layout:
    """Return places for the nodes of a graph without cycles.

    Parameters
    ----------
    needs : dict of str to sequence of str
        Nodes that each node needs; names that are no nodes are left out.

    Notes
    -----
    A node lies in the layer after the last one that it needs (longest path). A line across several layers has a place
    in each, so that it passes between nodes. Orders within layers follow the mean of the neighbors, sweep by sweep, and
    the one with the fewest crossings is kept; slots are the least squares solution that keeps the order and the gaps.

    Examples
    --------
    >>> layered({"prepare": [], "train": ["prepare"], "test": ["prepare", "train"]}).nodes["test"][0]
    2.0
    """
    known = {name: [other for other in dict.fromkeys(others) if other in needs] for name, others in needs.items()}
    layer_of = _layers(known)
    rows: list[list[_Point]] = [[] for _ in range(1 + max(layer_of.values(), default=-1))]
    for name, layer in layer_of.items():
        rows[layer].append((name, "", 0))
    paths: dict[tuple[str, str], list[_Point]] = {}
    for name, others in known.items():
        for other in others:
            bends = [(other, name, layer) for layer in range(layer_of[other] + 1, layer_of[name])]
            for bend in bends:
                rows[bend[2]].append(bend)
            paths[other, name] = [(other, "", 0), *bends, (name, "", 0)]
    before, after = _neighbors(paths)
    rows = _ordered(rows, before, after)
    slots = _slots(rows, before, after)
    places = {point: (float(layer), slots[point]) for layer, row in enumerate(rows) for point in row}
    return Layout(
        {name: places[name, "", 0] for name in known},
        {ends: [places[point] for point in path] for ends, path in paths.items()},
    )


def _layers(needs: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Return the layer of each node, in the order of the nodes."""
    layers: dict[str, int] = {}
    left = dict(needs)
    while left:
        ready = [name for name, others in left.items() if all(other in layers for other in others)]
        if not ready:
            raise ValueError(f"These nodes need each other: {', '.join(left)}.")
        for name in ready:
            layers[name] = 1 + max((layers[other] for other in left.pop(name)), default=-1)
    return {name: layers[name] for name in needs}


def _neighbors(
    paths: Mapping[tuple[str, str], list[_Point]],
) -> tuple[dict[_Point, list[_Point]], dict[_Point, list[_Point]]]:
    before: dict[_Point, list[_Point]] = {}
    after: dict[_Point, list[_Point]] = {}
    for path in paths.values():
        for one, next_one in pairwise(path):
            before.setdefault(next_one, []).append(one)
            after.setdefault(one, []).append(next_one)
    return before, after


def _ordered(
    rows: list[list[_Point]], before: Mapping[_Point, list[_Point]], after: Mapping[_Point, list[_Point]]
) -> list[list[_Point]]:
    """Return the rows in the order with the fewest crossings that the sweeps met."""
    best, fewest = [list(row) for row in rows], _crossings(rows, after)
    for sweep in range(_SWEEPS):
        if fewest == 0:
            break
        down = sweep % 2 == 0
        for index in range(1, len(rows)) if down else range(len(rows) - 2, -1, -1):
            rows[index] = _by_neighbors(rows[index], rows[index - 1 if down else index + 1], before if down else after)
        crossings = _crossings(rows, after)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
    return best


def _by_neighbors(row: list[_Point], beside: list[_Point], around: Mapping[_Point, list[_Point]]) -> list[_Point]:
    """Return a row ordered by the mean position of each point's neighbors in the row beside it."""
    position = {point: index for index, point in enumerate(beside)}
    means = [
        mean(position[other] for other in around[point]) if point in around else float(index)
        for index, point in enumerate(row)
    ]
    return [row[index] for index in sorted(range(len(row)), key=means.__getitem__)]


def _crossings(rows: list[list[_Point]], after: Mapping[_Point, list[_Point]]) -> int:
    count = 0
    for row, following in pairwise(rows):
        position = {point: index for index, point in enumerate(following)}
        ends = [end for point in row for end in sorted(position[other] for other in after.get(point, []))]
        count += sum(later < end for index, end in enumerate(ends) for later in ends[index + 1 :])
    return count


def _slots(
    rows: list[list[_Point]], before: Mapping[_Point, list[_Point]], after: Mapping[_Point, list[_Point]]
) -> dict[_Point, float]:
    """Return slots that are near those of the neighbors, and keep the order and the gaps."""
    slots = {point: index - (len(row) - 1) / 2 for row in rows for index, point in enumerate(row)}
    for sweep in range(_SWEEPS):
        around = [before, after] if sweep % 2 == 0 else [after, before]
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            wanted = []
            for point in row:
                others = around[0].get(point) or around[1].get(point, [])
                wanted.append(mean(slots[other] for other in others) if others else slots[point])
            slots.update(zip(row, _apart(wanted, _gaps(row)), strict=True))
    return slots


def _gaps(row: list[_Point]) -> list[float]:
    """Return the distance that each point keeps from the one before it."""
    return [0.0] + [_BEND_GAP if one[1] and other[1] else 1.0 for one, other in pairwise(row)]


def _apart(wanted: list[float], gaps: list[float]) -> list[float]:
    """Return the numbers nearest to those wanted, in squares, with at least these gaps: pooled adjacent violators."""
    offsets = [sum(gaps[: index + 1]) for index in range(len(gaps))]
    pools: list[tuple[float, int]] = []
    for value, offset in zip(wanted, offsets, strict=True):
        pools.append((value - offset, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (high, many), (low, few) = pools[-2], pools[-1]
            pools[-2:] = [((high * many + low * few) / (many + few), many + few)]
    level = [value for value, count in pools for _ in range(count)]
    return [value + offset for value, offset in zip(level, offsets, strict=True)]
