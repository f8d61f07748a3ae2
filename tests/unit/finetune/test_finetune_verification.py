"""A training whose saved model answers otherwise than it did has not succeeded, and loses nothing."""

from __future__ import annotations

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from core.errors import TrainingError
from core.finetune import fine_tune
from core.finetune.checkpoints import TrainingFolder
from core.finetune.verification import TOLERANCE, check_saved


def spoil(monkeypatch, change):
    """Let what is saved be changed before it is loaded anew."""
    from core.finetune import loading, train

    def save(tokenizer, folder, max_length):
        loading.save_tokenizer(tokenizer, folder, max_length)
        file = folder / "model.safetensors"
        weights = load_file(file)
        change(weights)
        save_file(weights, file, metadata={"format": "pt"})

    monkeypatch.setattr(train, "save_tokenizer", save)


def shift_head(weights):
    weights["classifier.bias"] = weights["classifier.bias"] + np.float32(0.01) * np.arange(
        len(weights["classifier.bias"])
    )


def scale_head(weights):
    weights["classifier.weight"] = np.float32(1.01) * weights["classifier.weight"]


@pytest.mark.parametrize("label", ["sentiment", "rating"])
@pytest.mark.parametrize("change", [scale_head, shift_head])
def test_a_saved_model_that_is_another_is_seen(change, label, reviews, settings_of, tmp_path, monkeypatch):
    if change is shift_head and label == "rating":
        pytest.skip("a single output has no second bias")
    spoil(monkeypatch, change)
    settings = settings_of(epochs=1, label_column=label)
    with pytest.raises(TrainingError, match=r"The saved model does not answer as it did at step \d+") as caught:
        fine_tune(reviews, settings, output_dir=tmp_path)
    assert "checkpoints are kept" in caught.value.hint
    assert list((tmp_path / "checkpoints").glob("checkpoint-*"))
    assert TrainingFolder(tmp_path).trained() is None
    monkeypatch.undo()
    result = fine_tune(reviews, settings, output_dir=tmp_path, resume=True)
    assert len(result.test)


def test_the_best_step_is_the_one_that_is_compared(reviews, settings_of, tmp_path):
    """Its weights are saved, whichever came last; what the model answered at the others is not kept."""
    result = fine_tune(reviews, settings_of(epochs=3, learning_rate=2e-2), output_dir=tmp_path)
    losses = {line["step"]: line["accuracy"] for line in result.history if "accuracy" in line}
    assert losses[result.training["best_step"]] == max(losses.values())
    correct = (result.validation["sentiment"] == result.validation["prediction"]).mean()
    assert correct == pytest.approx(max(losses.values()))
    assert not (tmp_path / "evaluations").exists()


@pytest.mark.parametrize(("error", "allowed"), [(0.5 * TOLERANCE, True), (2 * TOLERANCE, False), (np.nan, False)])
def test_the_tolerance(plain, settings_of, tmp_path, error, allowed):
    folder = TrainingFolder(tmp_path)
    result = plain.result
    folder.model.symlink_to(result.model_dir)
    own = result.validation[[f"p({label})" for label in result.labels]].to_numpy()
    folder.keep_evaluation(7, own + error, None)
    texts = plain.frame["text"].iloc[result.validation["row_id"]].tolist()
    settings = settings_of(epochs=3)
    if allowed:
        check_saved(folder, 7, texts, settings, "float32", None)
        return
    with pytest.raises(TrainingError, match="differs by"):
        check_saved(folder, 7, texts, settings, "float32", None)
