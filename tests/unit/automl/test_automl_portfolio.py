"""The portfolio: made features are explored with one learner, passed on where they pay, and replayed."""

from dataclasses import replace

import numpy as np
import pytest

from core.automl.data.training_data import TrainingData
from core.automl.tuning.portfolio import Portfolio
from core.automl.tuning.proposer import Proposer
from core.automl.tuning.trials import Trial
from core.features import FeatureGroups


def training_data():
    """Two numbers and a category of three values."""
    random = np.random.default_rng(0)
    X = np.hstack([random.normal(size=(600, 2)), np.eye(3)[random.integers(0, 3, 600)]]).astype(np.float32)
    groups = FeatureGroups({"a": 0, "b": 1}, {}, {"c": [2, 3, 4]}, {"c": 4})
    return TrainingData(X, X[:, 0], 0, [(np.arange(400), np.arange(400, 600))], feature_groups=groups)


def outcome(config, loss, folds=5, noise=0.001):
    scores = [
        0.9 - loss + noise * fold * (1 if config.get("made_features", "none") == "none" else -1)
        for fold in range(folds)
    ]
    return Trial(None, "lgbm", config, "finished", seconds=1.0, fold_scores=scores)


def run_portfolio(portfolio, losses, favorite=None):
    """Let a portfolio propose until it has no more; return what it proposed."""
    proposed = []
    while (proposal := portfolio.next(favorite)) is not None:
        config = proposal.config
        loss = losses.get(proposal.family, 0.5) + config["a"] / 100
        portfolio.note(proposal, outcome(config, loss), loss)
        proposed.append((config["a"], config.get("made_features", "none")))
    return proposed


POINTS = [{"a": 0}, {"a": 1}, {"a": 2}]
FAMILIES = ["none", "target_means", "arithmetic", "all"]


def test_a_portfolio_explores_what_pays():
    portfolio = Portfolio(POINTS, FAMILIES, explores=True)
    assert portfolio.favorite is None
    assert portfolio.exploring
    losses = {"none": 0.5, "target_means": 0.52, "arithmetic": 0.4}
    assert run_portfolio(portfolio, losses) == [
        (0, "none"),
        (0, "target_means"),
        (0, "arithmetic"),
        (1, "arithmetic"),
        (2, "arithmetic"),
    ]
    assert portfolio.favorite == "arithmetic"
    assert not portfolio.exploring
    both = Portfolio(POINTS, FAMILIES, explores=True)
    losses = {"none": 0.5, "target_means": 0.45, "arithmetic": 0.4, "all": 0.42}
    assert [family for _, family in run_portfolio(both, losses)][:4] == ["none", "target_means", "arithmetic", "all"]
    neither = Portfolio(POINTS, FAMILIES, explores=True)
    losses = {"none": 0.5, "target_means": 0.4999, "arithmetic": 0.6}
    run_portfolio(neither, losses)
    assert neither.favorite == "none", "the gain is within its error"


def test_other_learners_try_the_favorite_only():
    losses = {"none": 0.5, "arithmetic": 0.4}
    assert run_portfolio(Portfolio(POINTS, FAMILIES), losses)[:2] == [(0, "none"), (1, "none")]
    favored = run_portfolio(Portfolio(POINTS, FAMILIES), losses, "arithmetic")
    assert favored == [(0, "arithmetic"), (0, "none"), (1, "arithmetic"), (2, "arithmetic")]
    against = run_portfolio(Portfolio(POINTS, FAMILIES), {"none": 0.3, "arithmetic": 0.4}, "arithmetic")
    assert against[2:] == [(1, "none"), (2, "none")]
    assert run_portfolio(Portfolio(POINTS, ["none"]), {}) == [(0, "none"), (1, "none"), (2, "none")]


@pytest.mark.parametrize("learner", ["lgbm", "gam"])
def test_replayed_trials_are_taken_over_whatever_was_known_then(learner):
    """The favorite became known in the midst of the earlier search; what it had not tried is tried next."""
    data = training_data()
    known = []
    earlier = Proposer((learner,), data, 0, 60.0, favorite=lambda: known[-1] if known else None)
    done = []
    for number in range(4):
        if number == 1:
            known.append("arithmetic")
        name, config = earlier.propose()
        trial = Trial(None, name, config, "finished", seconds=0.1, fold_scores=[0.5, 0.6])
        loss = 0.4 if "made_features" in config else 0.5
        earlier.tell(trial, loss)
        done.append((trial, loss))
    assert ["made_features" in trial.config for trial, _ in done] == [False, True, True, True]
    later = Proposer((learner,), data, 0, 60.0, favorite=lambda: "arithmetic")
    for trial, loss in done:
        later.replay(trial, loss)
    assert later.propose() == earlier.propose()


def test_a_search_of_an_earlier_version_is_continued_with_features():
    data = training_data()
    before = Proposer(("lgbm",), replace(data, feature_groups=FeatureGroups()), 0, 60.0)
    now = Proposer(("lgbm",), data, 0, 60.0)
    for _ in range(3):
        name, config = before.propose()
        trial = Trial(None, name, config, "finished", seconds=0.1, fold_scores=[0.5, 0.6])
        before.tell(trial, 0.5)
        now.replay(trial, 0.5)
    assert now.favorite is None
    assert [now.propose()[1].get("made_features")] == ["target_means"]
