"""Places of a graph's nodes: layers of the longest path, no overlaps, few crossings."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from pages.pipelines.layout import Layout, layered


def crossings(layout: Layout) -> int:
    """Count the pairs of pieces of lines between the same layers that cross, by brute force."""
    pieces = [piece for line in layout.lines.values() for piece in pairwise(line)]
    return sum(
        one[0][0] == other[0][0] and (one[0][1] - other[0][1]) * (one[1][1] - other[1][1]) < 0
        for index, one in enumerate(pieces)
        for other in pieces[index + 1 :]
    )


def test_a_chain_is_straight_and_a_diamond_symmetric() -> None:
    chain = layered({"a": [], "b": ["a"], "c": ["b"]})
    assert [chain.nodes[name][0] for name in "abc"] == [0, 1, 2]
    assert len({slot for _, slot in chain.nodes.values()}) == 1
    diamond = layered({"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]})
    assert diamond.layers == 3
    assert diamond.nodes["b"][1] + diamond.nodes["c"][1] == pytest.approx(2 * diamond.nodes["a"][1])
    assert diamond.nodes["d"][1] == pytest.approx(diamond.nodes["a"][1])


def test_layers_are_longest_paths_and_long_lines_pass_between_nodes() -> None:
    layout = layered({"d": ["c", "a"], "c": ["b"], "b": ["a"], "a": []})
    assert {name: layer for name, (layer, _) in layout.nodes.items()} == {"a": 0, "b": 1, "c": 2, "d": 3}
    bends = layout.lines["a", "d"][1:-1]
    assert [layer for layer, _ in bends] == [1, 2]
    for layer, slot in bends:
        near = [other for position, other in layout.nodes.values() if position == layer]
        assert all(abs(slot - other) >= 1 - 1e-9 for other in near)


def test_orders_without_crossings_are_found() -> None:
    pairs = {f"{name}2": [f"{name}1"] for name in "dacbe"} | {f"{name}1": [] for name in "abcde"}
    assert crossings(layered(pairs)) == 0
    tree = {"root": []} | {f"n{index}": [f"n{(index - 1) // 2}" if index > 1 else "root"] for index in range(1, 31)}
    tree |= {"n2": ["root"], "n1": ["root"]}
    assert crossings(layered(dict(random.Random(1).sample(sorted(tree.items()), len(tree))))) == 0


@pytest.mark.parametrize("seed", range(8))
def test_nodes_never_overlap(seed: int) -> None:
    draw = random.Random(seed)
    names = [f"n{index}" for index in range(draw.randint(20, 60))]
    needs = {
        name: draw.sample(names[:index], min(index, draw.choice([0, 1, 1, 2, 3]))) for index, name in enumerate(names)
    }
    layout = layered(needs)
    for name, others in needs.items():
        assert layout.nodes[name][0] == 1 + max((layout.nodes[other][0] for other in others), default=-1)
    by_layer: dict[float, list[float]] = {}
    for layer, slot in layout.nodes.values():
        by_layer.setdefault(layer, []).append(slot)
    for slots in by_layer.values():
        assert all(after - before >= 1 - 1e-9 for before, after in pairwise(sorted(slots)))
    shuffled = layered(dict(draw.sample(sorted(needs.items()), len(needs))))
    assert {name: position[0] for name, position in shuffled.nodes.items()} == {
        name: position[0] for name, position in layout.nodes.items()
    }


def test_no_nodes_and_a_circle() -> None:
    assert layered({}).layers == 0
    assert layered({"a": ["elsewhere"]}).nodes == {"a": (0.0, 0.0)}
    with pytest.raises(ValueError, match="need each other"):
        layered({"a": ["b"], "b": ["a"]})
