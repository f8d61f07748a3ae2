"""Domain adaptation: masked words of all texts but the held-out ones, before the training."""

from __future__ import annotations

import itertools
import json
import runpy

import numpy as np
import pytest

from core.errors import InputError, SettingsError, StoppedError
from core.finetune import fine_tune
from tests.golden import tiny_base
from tests.unit.finetune.families import write_base

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def masked_base(reviews, tmp_path_factory):
    """A tiny base model whose tokenizer has a token for masked words."""
    return tiny_base(tmp_path_factory.mktemp("masked") / "base", reviews["text"].tolist())


def test_the_base_model_learns_the_words_of_all_texts_but_the_held_out(train, reviews, masked_base, monkeypatch):
    monkeypatch.setattr("core.finetune.adaptation._RATE", 3e-3)  # for random weights
    frame = reviews.copy()
    frame.loc[200:, "sentiment"] = None
    frame.loc[200:259, "text"] = frame.loc[:59, "text"].to_numpy()  # some of them are held out with a label
    adapted = train(frame, base_model=str(masked_base), adaptation_epochs=6, epochs=1)
    facts = adapted.result.training["adaptation"]
    rows = adapted.result.rows
    assert facts["texts"] == rows["train"] + facts["unlabeled"]
    # Texts that a held-out row has as well are not read.
    held = {*adapted.result.test["row_id"], *adapted.result.validation["row_id"]}
    texts = set(frame["text"].iloc[200:]) - set(frame["text"].iloc[sorted(held)])
    assert facts["unlabeled"] == len(texts)
    assert facts["after"] < facts["before"] - 0.3
    assert facts["before"] == pytest.approx(np.log(400), rel=0.2)  # of a vocabulary of hundreds, at random
    assert facts["steps"] == 6 * -(-facts["texts"] // 16)
    events = [event.message for event in adapted.events if event.phase == "adapt"]
    assert events[0].startswith("Adapting")
    assert events[-1].startswith("Adapted: the loss of masked words fell from")
    assert not (adapted.folder / "adapted").exists()


def test_the_training_begins_from_the_adapted_weights(train, reviews, masked_base):
    plain, adapted = (
        train(reviews, base_model=str(masked_base), adaptation_epochs=passes, epochs=1).result for passes in (0, 1)
    )
    assert "adaptation" not in plain.training
    assert not plain.test.equals(adapted.test)


def test_a_pause_within_the_adaptation_changes_nothing(settings_of, reviews, masked_base, tmp_path):
    settings = settings_of(base_model=str(masked_base), adaptation_epochs=2, epochs=1)
    calls = itertools.count()
    with pytest.raises(StoppedError, match=r"Stopped at step \d+ of \d+ of the adaptation"):
        fine_tune(reviews, settings, output_dir=tmp_path / "own", should_stop=lambda: next(calls) > 5)
    resumed = fine_tune(reviews, settings, output_dir=tmp_path / "own", resume=True)
    whole = fine_tune(reviews, settings, output_dir=tmp_path / "whole")
    assert resumed.test.equals(whole.test)
    assert resumed.training["adaptation"] == whole.training["adaptation"]


def test_a_pause_after_the_adaptation_keeps_it(settings_of, reviews, masked_base, tmp_path):
    settings = settings_of(base_model=str(masked_base), adaptation_epochs=1, epochs=1)
    messages: list[str] = []

    def stop() -> bool:
        return any(message.startswith("Training on") for message in messages)

    with pytest.raises(StoppedError):
        fine_tune(
            reviews,
            settings,
            output_dir=tmp_path,
            report=lambda event: messages.append(event.message),
            should_stop=stop,
        )
    assert (tmp_path / "adapted" / "model.safetensors").is_file()
    again: list[str] = []
    fine_tune(reviews, settings, output_dir=tmp_path, resume=True, report=lambda event: again.append(event.phase))
    assert "adapt" not in again


def test_the_script_adapts_the_base_model_as_well(train, reviews, masked_base, tmp_path, monkeypatch):
    frame = reviews.head(150).copy()
    frame.loc[100:, "sentiment"] = None
    result = train(frame, base_model=str(masked_base), adaptation_epochs=2, epochs=1).result
    result.save(tmp_path / "result")
    frame.to_csv(tmp_path / "table.csv", index=False)
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    script = runpy.run_path(str(tmp_path / "result" / "train.py"))
    script["main"](str(tmp_path / "table.csv"), str(tmp_path / "out"))
    written = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert {name: result.test_metrics[name].value for name in written} == pytest.approx(written, abs=1e-6)


@pytest.mark.parametrize("family", ["gpt2", "t5", "bert"])
def test_models_that_do_not_mask_words_are_refused(family, settings_of, reviews, tmp_path):
    """The tokenizers of these tests have no token for masked words, whatever the family."""
    base = write_base(family, tmp_path / "base", reviews["text"].tolist())
    with pytest.raises(SettingsError, match=f"'{family}' model does not learn from masked words") as caught:
        fine_tune(reviews, settings_of(base_model=str(base), adaptation_epochs=1), output_dir=tmp_path / "out")
    assert "Set adaptation_epochs to 0" in caught.value.hint


def test_few_texts_are_refused(settings_of, reviews, masked_base, tmp_path):
    with pytest.raises(InputError, match="texts are too few to adapt"):
        fine_tune(reviews.head(20), settings_of(base_model=str(masked_base), adaptation_epochs=1), output_dir=tmp_path)


def test_what_masked_words_do_not_train_stays(settings_of, reviews, masked_base, tmp_path):
    """The part that sums a text up is the base model's, not a random one."""
    from transformers import AutoModel

    with pytest.raises(StoppedError):
        fine_tune(
            reviews,
            settings_of(base_model=str(masked_base), adaptation_epochs=1),
            output_dir=tmp_path,
            should_stop=lambda: (tmp_path / "adapted" / "adaptation.json").is_file(),
        )
    before, after = (AutoModel.from_pretrained(folder) for folder in (masked_base, tmp_path / "adapted"))
    assert (before.pooler.dense.weight == after.pooler.dense.weight).all()
    assert (before.embeddings.word_embeddings.weight != after.embeddings.word_embeddings.weight).any()
