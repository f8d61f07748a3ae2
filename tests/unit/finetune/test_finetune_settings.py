"""Settings: typed, combined, stored with the result."""

import pytest

from core.errors import SettingsError
from core.finetune import TARGET_KINDS, FineTuneSettings

NAMES = {"text_column": "text", "label_column": "label"}
CLASSES, NUMBER = TARGET_KINDS["classification"], TARGET_KINDS["regression"]


def test_defaults_are_those_of_the_page():
    settings = FineTuneSettings(**NAMES)
    assert (settings.base_model, settings.epochs, settings.train_batch_size) == ("minilm-l6", 3, 16)
    assert (settings.learning_rate, settings.warmup_steps, settings.max_length) == (5e-5, 0.1, 128)
    assert FineTuneSettings(**settings.model_dump(mode="json")) == settings


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"label_column": "text"}, "cannot be the text and the label"),
        ({"lora": 8, "freeze_layers": 2}, "set freeze_layers to 0"),
        ({"validation_fraction": 0.4, "test_fraction": 0.45}, "too few rows"),
        ({"warmup_steps": 2.5}, "whole number"),
        ({"task": "regression", "metric_for_best_model": "accuracy"}, "does not fit regression"),
        ({"epochs": 0}, "epochs"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"optimizer": "sgd"}, "optimizer"),
        ({"precision": "int8"}, "precision"),
    ],
)
def test_what_is_invalid_is_named(values, said):
    with pytest.raises(SettingsError, match=said) as caught:
        FineTuneSettings(**NAMES | values)
    assert caught.value.hint


def test_metric_that_chooses_the_epoch():
    assert FineTuneSettings(**NAMES).best_metric(CLASSES) == "accuracy"
    assert FineTuneSettings(**NAMES, class_weights=True).best_metric(CLASSES) == "f1_macro"
    assert FineTuneSettings(**NAMES).best_metric(NUMBER) == "rmse"
    with pytest.raises(SettingsError, match="holds a number"):
        FineTuneSettings(**NAMES, metric_for_best_model="accuracy").best_metric(NUMBER)
