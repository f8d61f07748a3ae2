"""Texts: tokenised in the measuring process, timed apart, with the lengths they have or one that is set."""

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from core.edge.latency import Texts, measure_latency
from core.edge.scoring.encoder import Encoder
from core.errors import InputError

WORDS = ["[PAD]", "[UNK]", "good", "bad", "film", "the"]
TEXTS = ["the film", "good good good film the bad film", "bad"]
NAMES = ["input_ids", "attention_mask"]


@pytest.fixture
def tokenizer(tmp_path):
    made = Tokenizer(models.WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    path = tmp_path / "tokenizer.json"
    made.save(str(path))
    return path


def test_texts_have_their_own_length_or_the_one_that_is_set(tokenizer):
    own = Encoder(str(tokenizer), NAMES, 128, None)
    assert own(TEXTS)["input_ids"].shape == (3, 7)
    assert own(TEXTS[:1])["input_ids"].tolist() == [[5, 4]]
    assert own.lengths(TEXTS) == [2, 7, 1]
    fixed = Encoder(str(tokenizer), NAMES, 128, 5)(TEXTS)
    assert fixed["input_ids"].shape == (3, 5)
    assert fixed["attention_mask"].sum(axis=1).tolist() == [2, 5, 1]
    assert Encoder(str(tokenizer), NAMES, 4, None)(TEXTS)["input_ids"].shape == (3, 4)


def test_tokenisation_is_timed_apart(file, quick, tokenizer):
    report = measure_latency(file("tokens"), quick(batch_size=2), inputs=Texts(TEXTS * 20, tokenizer))
    assert report.tokenisation.percentiles[50].n == 30  # batches of two
    assert report.tokenisation.percentiles[50].value > 0
    assert report.tokenisation.tokens_max == 7
    assert report.tokenisation.tokens_median == 2
    assert not report.preprocessing


def test_tokenising_can_be_part_of_what_is_timed(file, quick, tokenizer):
    texts = Texts(["the film " * 60], tokenizer)
    with_, without = (
        measure_latency(file("tokens"), quick(), inputs=texts, include_preprocessing=part) for part in (True, False)
    )
    assert with_.preprocessing
    assert with_.percentiles[50].value > without.percentiles[50].value
    assert with_.tokenisation.percentiles[50].n == without.tokenisation.percentiles[50].n == 1


def test_random_tokens_have_the_length_that_is_set(file, quick):
    short, long = (
        measure_latency(file("tokens"), quick(sequence_length=length, batch_size=8)) for length in (8, 20_000)
    )
    assert long.percentiles[50].value > 2 * short.percentiles[50].value


def test_what_cannot_be_tokenised_is_refused(file, quick, tokenizer, tmp_path):
    with pytest.raises(InputError, match="input 'x' is not one that a tokenizer makes"):
        measure_latency(file("matmul"), quick(), inputs=Texts(TEXTS, tokenizer))
    with pytest.raises(InputError, match="no tokenizer 'absent"):
        measure_latency(file("tokens"), quick(), inputs=Texts(TEXTS, tmp_path / "absent.json"))
    broken = tmp_path / "broken.json"
    broken.write_text("{}")
    with pytest.raises(InputError, match="tokenizer cannot be read"):
        measure_latency(file("tokens"), quick(), inputs=Texts(TEXTS, broken))
    with pytest.raises(InputError, match="3 is not a text"):
        measure_latency(file("tokens"), quick(), inputs=Texts(["a", 3], tokenizer))
