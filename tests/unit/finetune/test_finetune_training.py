"""Training: what is told, what is kept, and what each setting changes."""

import json

import numpy as np
import pandas as pd
import pytest
from safetensors.torch import load_file

from core.errors import SettingsError
from core.finetune import TARGET_KINDS, FineTuneSettings, fine_tune
from core.finetune.base_model import resolve
from core.finetune.build import build, class_weights


@pytest.fixture(scope="module")
def minilm(reviews, tmp_path_factory):
    """The packaged model, its last layer trained on real sentences."""
    settings = FineTuneSettings(
        text_column="text", label_column="sentiment", freeze_layers=5, epochs=2, learning_rate=2e-3, max_length=32
    )
    return fine_tune(reviews, settings, output_dir=tmp_path_factory.mktemp("minilm"))


@pytest.mark.nightly
def test_the_packaged_model_learns(minilm):
    assert minilm.test_metrics["accuracy"].value > minilm.baseline_metrics["majority"]["accuracy"].value
    assert minilm.differences["majority"].low > 0
    assert minilm.verdict.startswith("Better than guessing by")
    assert minilm.base_model["name"] == "minilm-l6"


def test_events_tell_steps_losses_and_time_left(plain):
    reported = [event for event in plain.events if event.phase == "train" and "steps" in event.values]
    last = reported[-1]
    assert set(last.values) == {"step", "steps", "epoch", "loss", "learning_rate", "samples_a_second", "left_s"}
    assert last.fraction == 1.0
    assert last.values["left_s"] == 0
    steps = [event.values["step"] for event in reported]
    assert steps == sorted(set(steps))
    assert max(np.diff([0, *steps])) <= max(1, last.values["steps"] // 50)
    evaluated = [event.values for event in plain.events if "eval_loss" in event.values]
    assert [values["step"] for values in evaluated] == [14, 28, 42]
    assert {"accuracy", "f1_macro"} <= set(evaluated[0])
    assert [event.phase for event in plain.events][-1] == "evaluate"


def test_nothing_is_printed(train, capfd):
    train(epochs=1)
    assert capfd.readouterr().out == ""


@pytest.mark.nightly
def test_the_same_seed_gives_the_same_model(plain, train):
    again = train(epochs=3, sensitive_columns=("group",))
    assert again.result.history == plain.result.history
    assert again.result.test.equals(plain.result.test)
    other = train(epochs=3, sensitive_columns=("group",), seed=7)
    assert other.result.history != plain.result.history


def test_best_epoch_is_kept(train):
    result = train(epochs=6, learning_rate=2e-2, metric_for_best_model="log_loss").result
    losses = {line["step"]: line["log_loss"] for line in result.history if "log_loss" in line}
    assert result.training["best_step"] == min(losses, key=losses.get)
    y = (result.validation["sentiment"] == "positive").to_numpy()
    own = -np.log(np.where(y, result.validation["p(positive)"], result.validation["p(negative)"])).mean()
    assert own == pytest.approx(min(losses.values()), abs=1e-5)


def test_early_stopping_ends_after_epochs_without_gain(train):
    result = train(epochs=30, learning_rate=2e-2, early_stopping_patience=2, metric_for_best_model="log_loss").result
    losses = [line["log_loss"] for line in result.history if "log_loss" in line]
    assert len(losses) < 30
    assert len(losses) == int(np.argmin(losses)) + 1 + 2


def test_class_weights_have_mean_one():
    weights = class_weights(np.array([0] * 90 + [1] * 10), 3)
    assert weights.tolist() == pytest.approx([100 / 180, 5.0, 1.0])
    assert (90 * weights[0] + 10 * weights[1]) / 100 == pytest.approx(1.0)


@pytest.mark.nightly
def test_class_weights_find_the_rare_class(reviews, train):
    rare = reviews[reviews["sentiment"] == "positive"].head(30)
    frame = pd.concat([reviews[reviews["sentiment"] == "negative"].head(120), rare], ignore_index=True)
    probability = [
        train(frame, class_weights=weights, epochs=1, metric_for_best_model="accuracy")
        .result.test["p(positive)"]
        .mean()
        for weights in (False, True)
    ]
    assert probability[1] > probability[0] + 0.05


def test_frozen_layers_keep_their_weights(tiny, settings_of):
    model, _ = build(resolve(str(tiny)), TARGET_KINDS["classification"], ["a", "b"], settings_of(freeze_layers=1))
    trained = {name for name, part in model.named_parameters() if part.requires_grad}
    assert not any(name.startswith(("bert.embeddings", "bert.encoder.layer.0")) for name in trained)
    assert any(name.startswith("bert.encoder.layer.1") for name in trained)
    with pytest.raises(SettingsError, match="has 2 layers"):
        build(resolve(str(tiny)), TARGET_KINDS["classification"], ["a", "b"], settings_of(freeze_layers=3))


def test_lora_is_merged_into_a_plain_model(train, tiny):
    trained = train(lora=4, learning_rate=1e-2)
    names = json.loads((trained.result.model_dir / "config.json").read_text())["architectures"]
    assert names == ["BertForSequenceClassification"]
    assert trained.result.training["trainable"] < 20_000
    base, merged = (load_file(folder / "model.safetensors") for folder in (tiny, trained.result.model_dir))
    for name, changed in (("embeddings.word_embeddings", False), ("encoder.layer.0.attention.self.query", True)):
        assert bool((base[f"{name}.weight"] != merged[f"bert.{name}.weight"]).any()) == changed
    y = trained.result.test
    again = trained.result.predict(trained.frame["text"].iloc[y["row_id"]].tolist())
    assert np.allclose(again["p(positive)"], y["p(positive)"], atol=1e-6)


@pytest.mark.nightly
def test_accumulation_is_a_larger_batch(train):
    whole = train(epochs=1, train_batch_size=16, max_steps=4).result.history
    parts = train(epochs=1, train_batch_size=8, gradient_accumulation=2, max_steps=4).result.history
    # Dropout differs, so the losses do a little: a sum in place of a mean would double them.
    assert parts[0]["loss"] == pytest.approx(whole[0]["loss"], rel=0.05)


def test_a_number_is_predicted_in_its_own_unit(number):
    result = number.result
    assert result.labels is None
    assert list(result.test_metrics) == ["r2", "rmse", "mae", "mape"]
    assert abs(result.test["prediction"].mean() - number.frame["rating"].mean()) < 1.5
    assert result.predict(["very good"]).columns.tolist() == ["label"]
    rmse = [line["rmse"] for line in result.history if "rmse" in line]
    own = np.sqrt(np.mean((result.validation["prediction"] - result.validation["rating"]) ** 2))
    assert own == pytest.approx(min(rmse), abs=1e-4)


def test_long_texts_are_counted(train):
    finding = next(item for item in train(epochs=1, max_length=8).result.findings if item.check == "truncated_text")
    assert finding.level == "alert"
    assert 0.5 < finding.values["share"] < 1


def test_more_tokens_than_the_model_reads_are_refused(train):
    with pytest.raises(SettingsError, match="at most 512 tokens"):
        train(max_length=600)


def test_half_precision_needs_a_gpu(train):
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(SettingsError, match="fp16"):
        train(precision="fp16")


def test_device_and_versions_are_kept(plain):
    assert plain.result.device
    assert plain.result.training["precision"] in ("float32", "bf16")
    assert {"torch", "transformers", "peft", "python"} <= set(plain.result.packages)
