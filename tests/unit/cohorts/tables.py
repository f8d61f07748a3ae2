"""Tables with a loss per row that depends on no column, or is doubled in a planted cohort of about 5% of the rows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

N = 4_000

Loss = Callable[[np.random.Generator, np.ndarray], np.ndarray]


def numeric(random: np.random.Generator, n: int = N) -> pd.DataFrame:
    return pd.DataFrame(
        {f"x{index}": random.normal(size=n) for index in range(6)} | {"amount": random.lognormal(7, 1, n).round(2)}
    )


def categorical(random: np.random.Generator, n: int = N) -> pd.DataFrame:
    sizes = {"sex": 2, "housing": 3, "job": 8, "city": 20, "code": 200}
    frame = pd.DataFrame(
        {name: [f"{name} {value}" for value in random.integers(size, size=n)] for name, size in sizes.items()}
    )
    frame["active"] = random.random(n) < 0.3
    return frame


def mixed(random: np.random.Generator, n: int = N) -> pd.DataFrame:
    frame = pd.concat([numeric(random, n).iloc[:, :4], categorical(random, n)], axis=1)
    frame["since"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 1_500, n), unit="D")
    return frame


def with_missing(random: np.random.Generator, n: int = N) -> pd.DataFrame:
    frame = mixed(random, n).astype({"active": object})
    for index, name in enumerate(frame.columns):
        frame.loc[random.random(n) < 0.025 * (index % 5), name] = None
    return frame


def correlated(random: np.random.Generator, n: int = N) -> pd.DataFrame:
    common = random.normal(size=n)
    frame = pd.DataFrame({f"x{index}": common + 0.5 * random.normal(size=n) for index in range(8)})
    frame["band"] = pd.cut(common, 6, labels=list("abcdef")).astype(str)
    return frame


SHAPES = {
    "numeric": numeric,
    "categorical": categorical,
    "mixed": mixed,
    "with missing cells": with_missing,
    "correlated": correlated,
}


def wrong(random: np.random.Generator, times: np.ndarray) -> np.ndarray:
    return (random.random(len(times)) < 0.25 * times).astype(float)


def absolute(random: np.random.Generator, times: np.ndarray) -> np.ndarray:
    return np.abs(random.normal(size=len(times))) * times


def exponential(random: np.random.Generator, times: np.ndarray) -> np.ndarray:
    return random.exponential(size=len(times)) * times


def skewed(random: np.random.Generator, times: np.ndarray) -> np.ndarray:
    return random.lognormal(0, 1, len(times)) * times


LOSSES: dict[str, Loss] = {"wrong": wrong, "absolute": absolute, "exponential": exponential, "skewed": skewed}


def planted(frame: pd.DataFrame, shape: str) -> dict[str, np.ndarray]:
    """Return cohorts of about 5% of the rows by their name."""
    cohorts = {}
    if shape in ("numeric", "correlated"):
        cohorts["tail"] = (frame["x1"] > frame["x1"].quantile(0.95)).to_numpy()
        cohorts["corner"] = (
            (frame["x1"] > frame["x1"].quantile(0.8))
            & (frame["x2"] < frame["x2"].quantile(0.25 if shape == "numeric" else 0.8))
        ).to_numpy()
    if shape == "categorical":
        cohorts["value"] = (frame["city"] == "city 3").to_numpy()
        cohorts["pair"] = ((frame["sex"] == "sex 1") & frame["city"].isin(["city 4", "city 5"])).to_numpy()
    if shape in ("mixed", "with missing cells"):
        cohorts["corner"] = ((frame["x1"] > frame["x1"].quantile(0.85)) & (frame["housing"] == "housing 1")).to_numpy()
        cohorts["late"] = (frame["since"] >= frame["since"].quantile(0.95)).to_numpy()
    if shape == "with missing cells":
        cohorts["missing"] = frame["city"].isna().to_numpy()
    return cohorts
