"""German credit by purpose: what federation brings, and how near it comes to rows in one place."""

from __future__ import annotations

import numpy as np

from core.datasets import load_sample
from core.federated import FederatedSettings, federate


def test_a_federation_is_near_pooled_training_and_above_the_sites_own_models() -> None:
    table = load_sample("german_credit").frame
    largest = table["purpose"].value_counts().index[:4]
    table = table[table["purpose"].isin(largest)].reset_index(drop=True)
    federated, pooled, local, distances = [], [], [], []
    for seed in range(3):
        settings = FederatedSettings(target="credit", site_column="purpose", algorithm="linear", folds=0, seed=seed)
        result = federate(table, settings)
        assert result.overall is not None
        federated.append(result.by_site["federated"].mean())
        pooled.append(result.by_site["pooled"].mean())
        local.append(result.by_site["local"].mean())
        metrics = result.overall.metrics
        distances.append(metrics["federated"]["roc_auc"].value - metrics["pooled"]["roc_auc"].value)
    assert abs(np.mean(distances)) < 0.01
    assert abs(np.mean(federated) - np.mean(pooled)) < 0.01
    assert np.mean(federated) > np.mean(local) + 0.01
