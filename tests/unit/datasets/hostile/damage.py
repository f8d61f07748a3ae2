"""Sound files of every format, damaged at random: at the same places for the same name."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from pathlib import Path

from core.datasets import FILE_FORMATS
from tests.unit.datasets.hostile.record import HostileFile
from tests.unit.datasets.test_file_formats import WRITERS

__all__ = ["DAMAGE"]

SEEDS = 5


def _flip(content: bytearray, chance: random.Random) -> None:
    for _ in range(chance.randrange(1, 6)):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)


def _cut(content: bytearray, chance: random.Random) -> None:
    del content[chance.randrange(1, len(content)) :]


def _zero(content: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(content))
    size = min(chance.choice((4, 40, 400)), len(content) - start)
    content[start : start + size] = bytes(size)


def _repeat(content: bytearray, chance: random.Random) -> None:
    start, end = sorted(chance.randrange(len(content)) for _ in range(2))
    content[end:end] = content[start:end]


def _exchange(content: bytearray, chance: random.Random) -> None:
    size = max(1, len(content) // 20)
    first, second = (chance.randrange(max(1, len(content) - size)) for _ in range(2))
    a, b = content[first : first + size], content[second : second + size]
    content[first : first + len(b)], content[second : second + len(a)] = b, a


_HARMS: tuple[Callable[[bytearray, random.Random], None], ...] = (_flip, _cut, _zero, _repeat, _exchange)


def _damaged(path: Path, name: str, harm: Callable[[bytearray, random.Random], None], seed: int) -> None:
    sound = path.with_name("sound" + FILE_FORMATS[name].extensions[0])
    WRITERS[name](sound)
    content = bytearray(sound.read_bytes())
    sound.unlink()
    harm(content, random.Random(f"{name} {harm.__name__} {seed}"))
    path.write_bytes(content)


DAMAGE: list[HostileFile] = [
    HostileFile(
        f"damaged {name}/{harm.__name__.lstrip('_')} {seed}", partial(_damaged, name=name, harm=harm, seed=seed)
    )
    for name in WRITERS
    for harm in _HARMS
    for seed in range(SEEDS)
]
