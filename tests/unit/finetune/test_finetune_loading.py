"""Base models that do not fit together are refused before anything is trained, and the message names what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file, save_file

from core.errors import InputError, SettingsError
from core.finetune import fine_tune
from tests.unit.finetune.families import write_base
from tests.unit.finetune.test_finetune_families import settings_of, trained


@pytest.fixture
def bert(reviews: Any, tmp_path: Path) -> Path:
    """A small BERT that may be spoiled."""
    return write_base("bert", tmp_path / "base", reviews["text"].tolist())


def change_config(folder: Path, **values: Any) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


def change_weights(folder: Path, change: Any) -> None:
    weights = load_file(folder / "model.safetensors")
    save_file(change(weights), folder / "model.safetensors", metadata={"format": "pt"})


def other_architecture(folder: Path) -> None:
    change_config(folder, model_type="mpnet", architectures=["MPNetModel"])


def wrong_width(folder: Path) -> None:
    change_config(folder, hidden_size=64)


def more_layers(folder: Path) -> None:
    change_config(folder, num_hidden_layers=3)


def fewer_layers(folder: Path) -> None:
    change_config(folder, num_hidden_layers=1)


def larger_vocabulary(folder: Path) -> None:
    change_config(folder, vocab_size=30_522)


def no_tokenizer(folder: Path) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()


def truncated_weights(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1_000])


def pointer(folder: Path) -> None:
    text = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 90868376\n"
    (folder / "model.safetensors").write_text(text)


def smaller_embedding(folder: Path) -> None:
    change_config(folder, vocab_size=300)
    change_weights(
        folder,
        lambda weights: {
            name: value[:300].copy() if name.endswith("word_embeddings.weight") else value
            for name, value in weights.items()
        },
    )


def lost_weight(folder: Path) -> None:
    change_weights(
        folder,
        lambda weights: {name: value for name, value in weights.items() if "layer.1.output.dense.weight" not in name},
    )


def foreign_tokenizer(folder: Path) -> None:
    tokens = json.loads((folder / "tokenizer.json").read_text())
    vocab = tokens["model"]["vocab"]
    tokens["model"]["vocab"] = {word: code for word, code in vocab.items() if code < 100}
    (folder / "tokenizer.json").write_text(json.dumps(tokens))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (other_architecture, "lacks .* of the weights that its configuration asks for, such as '"),
        (wrong_width, "do not fit its configuration: '.*' is .*, and config.json asks for"),
        (more_layers, r"lacks 16 of the weights .* such as 'bert.encoder.layer.2"),
        (fewer_layers, r"holds 16 weights that its configuration has no place for, such as '.*encoder.layer.1"),
        (larger_vocabulary, "do not fit its configuration: '.*word_embeddings.weight'"),
        (no_tokenizer, "has no tokenizer: none of tokenizer.json, vocab.txt"),
        (truncated_weights, "cannot be loaded as a model of texts"),
        (pointer, "holds a pointer to its weights, not the weights"),
        (smaller_embedding, r"has ids up to \d+; the model knows 300"),
        (lost_weight, "lacks 1 of the weights .*'bert.encoder.layer.1.output.dense.weight'"),
        (foreign_tokenizer, r"has \d+ tokens; the model has weights for"),
    ],
)
def test_what_does_not_fit_is_refused_before_training(spoil, message, bert, reviews, tmp_path):
    spoil(bert)
    with pytest.raises(InputError, match=message) as caught:
        trained(bert, reviews.head(60), tmp_path / "training")
    assert caught.value.hint
    assert not list((tmp_path / "training").rglob("*.safetensors"))


@pytest.mark.parametrize("family", ["bert", "roberta", "bart", "t5", "gpt2", "distilbert"])
def test_a_model_that_was_made_for_another_purpose_is_taken(family, reviews, tmp_path):
    """Its own head is left out, and a pooler that it lacks is new."""
    import torch
    from transformers import (
        AutoConfig,
        AutoModelForCausalLM,
        AutoModelForMaskedLM,
        AutoModelForSeq2SeqLM,
        AutoTokenizer,
    )

    source = write_base(family, tmp_path / "source", reviews["text"].tolist())
    purpose: Any = {"gpt2": AutoModelForCausalLM, "bart": AutoModelForSeq2SeqLM, "t5": AutoModelForSeq2SeqLM}.get(
        family, AutoModelForMaskedLM
    )
    torch.manual_seed(0)
    purpose.from_config(AutoConfig.from_pretrained(source)).save_pretrained(tmp_path / "base")
    AutoTokenizer.from_pretrained(source).save_pretrained(tmp_path / "base")
    result = trained(tmp_path / "base", reviews.head(60), tmp_path / "training", max_steps=1, warmup_steps=0)
    assert result.training["steps"] == 1


def test_a_classifier_of_other_classes_gets_a_new_head(bert, reviews, tmp_path):
    first = trained(bert, reviews.head(60), tmp_path / "first", max_steps=1, warmup_steps=0)
    three = reviews.head(60).assign(sentiment=["a", "b", "c"] * 20)
    again = trained(first.model_dir, three, tmp_path / "again", max_steps=1, warmup_steps=0)
    assert again.labels == ["a", "b", "c"]


def test_texts_that_the_tokenizer_does_not_know_are_refused(bert, reviews, tmp_path):
    foreign = reviews.head(60).assign(text=["\N{HIRAGANA LETTER A}\N{HIRAGANA LETTER KA} " * 20] * 60)
    with pytest.raises(InputError, match=r"does not know 100% of the tokens in 'text'"):
        trained(bert, foreign, tmp_path / "training")


@pytest.mark.parametrize(
    ("family", "longest"),
    [
        ("bert", 512),
        ("roberta", 512),
        ("mpnet", 512),
        ("longformer", 512),
        ("bart", 512),
        ("gpt2", 512),
        ("xlnet", None),
    ],
)
def test_the_longest_texts_are_read_and_longer_ones_are_refused(family, longest, reviews, tmp_path):
    base = write_base(family, tmp_path / "base", reviews["text"].tolist())
    table = reviews.head(40).copy()
    table.loc[0, "text"] = "word " * 2_000
    change_tokens(base)
    values = {"max_steps": 1, "warmup_steps": 0, "train_batch_size": 2}
    result = trained(base, table, tmp_path / "training", max_length=longest or 700, **values)
    assert result.training["steps"] == 1
    if longest is not None:
        with pytest.raises(SettingsError, match=f"max_length is {longest + 1}; the base model reads at most {longest}"):
            fine_tune(table, settings_of(base, max_length=longest + 1), output_dir=tmp_path / "longer")


def change_tokens(folder: Path) -> None:
    """Let the tokenizer cut nothing by itself."""
    file = folder / "tokenizer_config.json"
    values = json.loads(file.read_text())
    values.pop("model_max_length", None)
    file.write_text(json.dumps(values))
