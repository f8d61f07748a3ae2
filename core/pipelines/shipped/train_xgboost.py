"""``train_xgboost``: one XGBoost model with given parameters, validated by cross-validation."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence

from core.pipelines.shipped.command import Arguments, log, run_component, write_metrics
from core.pipelines.shipped.training import log_result, read_training, require_learner, save_model, training_settings

__all__ = ["main"]

_LEARNER = "xgb_limitdepth"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the component."""
    return run_component("train_xgboost", _work, argv)


def _work(arguments: Arguments) -> None:
    from core.automl import search

    table, target = read_training(arguments.path("training_data"), arguments.text("target"))
    settings = training_settings(
        table,
        target,
        positive_label=arguments.text("positive") or table.description.positive,
        seed=arguments.integer("seed"),
        learners=(_LEARNER,),
        ensemble=False,
        calibrate=False,
        cv_repeats=1,
        time_budget_s=None,
        max_trials=2,  # the smallest number that settings have; there is one configuration
    )
    config = {
        "n_estimators": arguments.integer("n_estimators"),
        "max_depth": arguments.integer("max_depth"),
        "learning_rate": arguments.number("learning_rate"),
    }
    log("Training with " + ", ".join(f"{name} {value:g}" for name, value in config.items()) + ".")
    with tempfile.TemporaryDirectory(prefix="plumbline-") as scratch:
        result = search(table.frame, settings, configs=[[_LEARNER, config]], only_configs=True, workdir=scratch)
    require_learner(result, [_LEARNER])
    log_result(result)
    save_model(result, table, target, arguments.path("model"), component="train_xgboost")
    write_metrics({**(result.trials[0].metrics or {}), result.metric: result.winner["score"]})


if __name__ == "__main__":
    sys.exit(main())
