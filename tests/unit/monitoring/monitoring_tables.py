"""Tables for tests of monitoring: without drift, and with what a batch may bring."""

from __future__ import annotations

import numpy as np
import pandas as pd

LEVELS = (2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60)

WORDS = np.array(
    [
        "the",
        "a",
        "model",
        "screen",
        "battery",
        "is",
        "was",
        "good",
        "bad",
        "slow",
        "fast",
        "broken",
        "great",
        "cheap",
        "phone",
        "camera",
        "sound",
        "light",
        "heavy",
        "box",
    ]
)


def thirty_columns(random: np.random.Generator, n: int) -> pd.DataFrame:
    """Return a table of 10 normal, 5 lognormal and 15 categorical columns with 2 to 60 levels."""
    columns: dict[str, object] = {f"normal {index}": random.normal(size=n) for index in range(10)}
    columns |= {f"lognormal {index}": random.lognormal(size=n) for index in range(5)}
    columns |= {f"category {levels}": random.integers(0, levels, n).astype(str) for levels in LEVELS}
    return pd.DataFrame(columns)


def with_three_drifts(random: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table with two normal columns moved by 0.3 standard deviations, and a quarter of a category missing."""
    changed = frame.copy()
    changed["normal 0"] += 0.3
    changed["normal 1"] += 0.3
    changed["category 5"] = changed["category 5"].astype(object)
    changed.loc[random.random(len(frame)) < 0.25, "category 5"] = None
    return changed


DRIFTED = {"normal 0", "normal 1", "category 5"}


def texts(random: np.random.Generator, n: int, *, words: np.ndarray = WORDS) -> list[str]:
    return [" ".join(random.choice(words, 5 + index % 4)) for index in range(n)]


def mixed(random: np.random.Generator, n: int) -> pd.DataFrame:
    """Return a table with a column of each type."""
    frame = pd.DataFrame(
        {
            "income": random.lognormal(8, 1, n),
            "children": random.choice(5, n, p=[0.4, 0.25, 0.2, 0.1, 0.05]),
            "plan": random.choice(["basic", "plus", "pro"], n, p=[0.6, 0.3, 0.1]),
            "city": random.integers(0, 80, n).astype(str),
            "active": random.random(n) < 0.4,
            "since": pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 300, n), unit="D"),
            "review": texts(random, n),
            "customer": np.arange(n),
            "note": [None] * n,
        }
    )
    frame.loc[random.random(n) < 0.1, "income"] = np.nan
    return frame


SCORED_ROWS = 2_000
"""Rows of a scored batch where a test does not say otherwise."""


def scored_batch(seed: int, n: int = SCORED_ROWS) -> pd.DataFrame:
    """Return scored rows with labels whose probability is the score."""
    random = np.random.default_rng(seed)
    age, city = random.integers(18, 80, n), random.choice(["Ulm", "Bonn", "Kiel"], n)
    score = 1 / (1 + np.exp(-random.normal(0, 1.5, n)))
    return pd.DataFrame(
        {"row_id": np.arange(n), "age": age, "city": city, "y_score": score, "y_true": random.random(n) < score}
    )
