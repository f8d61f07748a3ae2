"""A federation on one machine: from tables of sites to a model, its evidence and its files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError
from core.federated import ALGORITHMS, FederatedResult, FederatedSettings, federate


def sites_table(rows: int = 600, seed: int = 0) -> pd.DataFrame:
    """Return rows of three sites that differ: numbers, categories, missing cells, and a label that depends on both."""
    random = np.random.default_rng(seed)
    site = random.choice(["north", "south", "west"], rows, p=[0.5, 0.3, 0.2])
    shift = pd.Series(site).map({"north": 0.0, "south": 1.0, "west": -1.0}).to_numpy()
    age = np.round(random.normal(45 + 5 * shift, 12))
    job = random.choice(["clerk", "nurse", "smith"], rows)
    score = 0.08 * (age - 45) + np.where(job == "nurse", 1.0, -0.5) + random.logistic(size=rows)
    income = np.exp(random.normal(10, 0.5, rows))
    income[random.random(rows) < 0.1] = np.nan
    return pd.DataFrame(
        {"age": age, "job": job, "income": income, "hospital": site, "ill": np.where(score > 0, "yes", "no")}
    )


@pytest.mark.parametrize("algorithm", list(ALGORITHMS))
def test_every_algorithm_makes_a_model_that_is_saved_and_read(algorithm: str, tmp_path: Path) -> None:
    table = sites_table()
    settings = FederatedSettings(target="ill", site_column="hospital", algorithm=algorithm, rounds=10, folds=2)
    result = federate(table, settings)
    assert list(result.by_site.index) == ["north", "south", "west"]
    assert result.test_metrics["roc_auc"].value > 0.65
    result.save(tmp_path)
    again = FederatedResult.load(tmp_path)
    assert again.to_dict() == result.to_dict()
    raw = table.drop(columns=["hospital", "ill"])
    np.testing.assert_allclose(again.model.predict_proba(raw), result.model.predict_proba(raw))
    stored = result.search.test
    own = result.model.predict_proba(table.iloc[stored["row_id"]])[:, 1]
    np.testing.assert_allclose(own, stored["p(yes)"], atol=1e-7)
    assert not set(stored["row_id"]) & set(result.search.oof["row_id"])
    assert set(result.search.oof["hospital"]) == {"north", "south", "west"}


def test_a_table_per_site_is_the_same_as_a_column_of_sites() -> None:
    table = sites_table()
    settings = FederatedSettings(target="ill", algorithm="linear", folds=0, pooled=False)
    frames = {str(name): part.drop(columns="hospital") for name, part in table.groupby("hospital")}
    apart = federate(frames, settings)
    together = federate(table, settings.model_copy(update={"site_column": "hospital"}))
    pd.testing.assert_frame_equal(apart.by_site, together.by_site)


def test_sites_that_cannot_take_part_are_named() -> None:
    table = sites_table()
    table.loc[:10, "hospital"] = "tiny"
    table.loc[11:15, "hospital"] = None
    settings = FederatedSettings(target="ill", site_column="hospital", algorithm="linear", folds=0, pooled=False)
    result = federate(table, settings)
    messages = " ".join(finding.message for finding in result.findings)
    assert "5 rows have no 'hospital'" in messages
    assert "'tiny'" in messages
    with pytest.raises(InputError, match="two are needed"):
        federate(table.assign(hospital="one"), settings)
