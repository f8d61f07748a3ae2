"""The estimate before a training: as long as the training itself takes, refused where that would be."""

import numpy as np
import pytest

from core.errors import InputError, SettingsError, StoppedError
from core.finetune import TrainingEstimate, estimate_training, seconds_by_earlier
from core.finetune.estimate import batch_lengths, extrapolate


def test_it_measures_steps_of_this_training(reviews, settings_of):
    events = []
    estimate = estimate_training(reviews, settings_of(epochs=3), report=events.append)
    assert estimate.steps == 3 * 14
    assert estimate.rows == {"train": 210, "validation": 30, "test": 60}
    assert estimate.measured == 10
    assert estimate.low <= estimate.seconds <= estimate.high
    assert estimate.memory_mb > 100
    assert [event.fraction for event in events][-1] == 1.0
    assert 0 < estimate.tokens["median"] <= estimate.tokens["p95"] <= estimate.tokens["longest"]
    assert TrainingEstimate.from_dict(estimate.to_dict()) == estimate


def test_the_share_of_cut_texts_is_counted(reviews, settings_of, tiny):
    from transformers import AutoTokenizer

    lengths = [len(ids) for ids in AutoTokenizer.from_pretrained(tiny)(reviews["text"].tolist())["input_ids"]]
    tokens = estimate_training(reviews, settings_of(max_length=24)).tokens
    assert tokens["cut"] == np.mean(np.array(lengths) > 24)
    assert tokens["longest"] == max(lengths)


def test_time_adds_up_over_batches_of_all_lengths(settings_of):
    settings = settings_of(epochs=2, train_batch_size=2)
    batches = batch_lengths(np.array([5, 1, 9, 3, 7]), 2)
    assert batches.tolist() == [3, 7, 9]
    seconds = np.array([[1.0, 3.0], [2.0, 4.0]])
    steps, (mean, low, high) = extrapolate(batches, [0, 2], seconds, settings)
    assert steps == 6
    assert (mean, low, high) == (2 * (1.5 + 2.5 + 3.5), 2 * (1 + 2 + 3), 2 * (2 + 3 + 4))
    assert extrapolate(batches, [0, 2], seconds, settings_of(max_steps=3))[1][0] == mean / 2


def test_what_cannot_be_trained_is_refused(reviews, settings_of):
    with pytest.raises(InputError, match="no column 'nothing'"):
        estimate_training(reviews, settings_of(label_column="nothing"))
    with pytest.raises(SettingsError, match="max_length is 1024"):
        estimate_training(reviews, settings_of(max_length=1024))
    with pytest.raises(StoppedError):
        estimate_training(reviews, settings_of(), should_stop=lambda: True)


def test_an_earlier_training_says_how_long_others_take(plain, settings_of):
    result = plain.result
    own = seconds_by_earlier(result.settings, result)
    assert own == pytest.approx(result.elapsed_s, rel=0.05)
    steps_s = result.rows["train"] / result.samples_a_second
    longer = result.settings.model_copy(update={"epochs": 7})
    assert seconds_by_earlier(longer, result) == pytest.approx(own + 4 * steps_s)
    short = result.settings.model_copy(update={"max_steps": 2})
    assert seconds_by_earlier(short, result) == pytest.approx(own - 3 * steps_s + 32 / result.samples_a_second)
    for change in ({"max_length": 24}, {"base_model": "minilm-l6"}, {"lora": 4}, {"second_text_column": "group"}):
        assert seconds_by_earlier(result.settings.model_copy(update=change), result) is None
