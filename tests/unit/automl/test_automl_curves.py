"""What is drawn of the test rows: figures by threshold against scikit-learn's."""

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score

from core.automl._curves import by_threshold


@pytest.mark.parametrize("seed", range(3))
def test_figures_by_threshold_are_scikit_learns(seed):
    random = np.random.default_rng(seed)
    positive = random.random(300) < 0.3
    scores = np.clip(0.4 * positive + random.random(300) * 0.6, 0, 1).round(2)  # many rows lie on a threshold
    found = by_threshold(positive, scores)
    for place, threshold in enumerate(found["threshold"]):
        chosen = scores >= threshold
        assert found["selected"][place] == pytest.approx(chosen.mean(), abs=1e-6)
        assert found["recall"][place] == pytest.approx(recall_score(positive, chosen), abs=1e-6)
        if chosen.any():
            assert found["precision"][place] == pytest.approx(precision_score(positive, chosen))
            assert found["f1"][place] == pytest.approx(f1_score(positive, chosen), abs=1e-6)
        else:
            assert found["precision"][place] is None
            assert found["f1"][place] == 0
