"""Tables of three sites that differ: numbers, categories, missing cells, and a label that depends on both."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

SITES = ("north", "south", "west")


def sites_table(rows: int = 600, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    site = random.choice(SITES, rows, p=[0.5, 0.3, 0.2])
    shift = pd.Series(site).map({"north": 0.0, "south": 1.0, "west": -1.0}).to_numpy()
    age = np.round(random.normal(45 + 5 * shift, 12))
    job = random.choice(["clerk", "nurse", "smith"], rows)
    score = 0.08 * (age - 45) + np.where(job == "nurse", 1.0, -0.5) + random.logistic(size=rows)
    income = np.round(np.exp(random.normal(10, 0.5, rows)), 2)
    income[random.random(rows) < 0.1] = np.nan
    label = np.where(score > 0, "yes", "no")
    return pd.DataFrame({"age": age, "job": job, "income": income, "hospital": site, "ill": label})


def write_tables(folder: Path) -> dict[str, Path]:
    """Write the table of each site, and return the files by site."""
    paths = {}
    for site, part in sites_table().groupby("hospital"):
        paths[str(site)] = folder / f"{site}.csv"
        part.drop(columns="hospital").to_csv(paths[str(site)], index=False)
    return paths
