"""A search on a machine that has other work to do: it ends in a model, and says what it could not do in time."""

import subprocess
import sys
import time

import pandas as pd
import pytest
from sklearn.datasets import make_friedman1

from core.automl import AutoMLSettings, search
from core.datasets import load_sample

BUSY = 16


@pytest.fixture
def _busy():
    """Sixteen processes that compute without an end."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(BUSY)]
    yield
    for process in processes:
        process.kill()
        process.wait()


def numbers():
    X, y = make_friedman1(1_000, noise=1.0, random_state=0)
    return pd.DataFrame(X, columns=list("abcdefghij")).assign(y=y)


@pytest.mark.nightly
@pytest.mark.usefixtures("_busy")
@pytest.mark.parametrize(
    ("name", "target", "metric", "least"),
    [("numbers", "y", "r2", 0.6), ("german_credit", "credit", "roc_auc", 0.7), ("wine", "cultivar", "accuracy", 0.9)],
)
@pytest.mark.parametrize("seconds", [5, 15])
def test_a_search_beside_other_work_ends_in_a_model(name, target, metric, least, seconds):
    frame = numbers() if name == "numbers" else load_sample(name).frame
    began = time.monotonic()
    result = search(frame, AutoMLSettings(target=target, time_budget_s=seconds, explain=False))
    elapsed = time.monotonic() - began
    assert result.test_metrics[metric].value > least
    assert elapsed < seconds + 90
    if result.model_ready_s > 1.02 * seconds + 2:
        assert [finding for finding in result.findings if finding.check == "late"], "what is late says so"
