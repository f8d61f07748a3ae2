"""A pruned vocabulary: kept tokens stay what they were, any text can be read, and answers to known texts are equal."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from core.edge import Metadata, TextScorer, make_variants, prune_vocabulary, quantize
from core.edge.variants.token_ids import reduce_tokenizer
from core.errors import ExportError
from tests.unit.edge.edge_models import reviews, text_graph, word_tokenizer

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
TEXTS = reviews(300)
KEPT = TEXTS[:40]


def _template(tokenizer):
    ids = [(token, tokenizer.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", "[CLS] $A [SEP] $B [SEP]", ids)
    tokenizer.enable_padding(pad_id=tokenizer.token_to_id("[PAD]"), pad_token="[PAD]")
    return tokenizer


def wordpiece():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=1_500, special_tokens=SPECIAL, show_progress=False)
    tokenizer.train_from_iterator(TEXTS, trainer)
    return _template(tokenizer)


def byte_pairs():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(), decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=1_500,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    return _template(tokenizer)


def unigram():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=1_000, special_tokens=SPECIAL, unk_token="[UNK]", show_progress=False)
    tokenizer.train_from_iterator(TEXTS, trainer)
    tokenizer.add_special_tokens(["<new>"])  # outside of the model's own vocabulary, as in DeBERTa
    return _template(tokenizer)


MAKERS = {"WordPiece": wordpiece, "BPE": byte_pairs, "Unigram": unigram}


@pytest.fixture(scope="module", params=MAKERS)
def pair(request):
    """A tokenizer, the same with the tokens of some texts only, and the ids that these had."""
    before = MAKERS[request.param]()
    plain = Tokenizer.from_str(before.to_str())
    plain.no_padding()
    used = {number for encoding in plain.encode_batch(KEPT) for number in encoding.ids}
    reduced = reduce_tokenizer(json.loads(before.to_str()), used)
    return before, Tokenizer.from_str(json.dumps(reduced.config)), reduced


def test_an_id_means_the_token_that_it_meant(pair):
    before, after, reduced = pair
    size = after.get_vocab_size(with_added_tokens=True)
    assert size == len(reduced.old_ids) < before.get_vocab_size(with_added_tokens=True)
    for number, old in enumerate(reduced.old_ids):
        assert after.id_to_token(number) == before.id_to_token(old)
    assert after.padding["pad_id"] == after.token_to_id("[PAD]")
    for token in SPECIAL:
        assert after.token_to_id(token) is not None


def test_texts_whose_tokens_are_kept_are_read_as_before(pair):
    before, after, reduced = pair
    for old, new in zip(before.encode_batch(KEPT), after.encode_batch(KEPT), strict=True):
        assert new.tokens == old.tokens
        assert [reduced.old_ids[number] for number in new.ids] == old.ids


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(st.sampled_from(sorted({word for text in TEXTS for word in text.split()})), min_size=1))
def test_any_other_text_is_spelled_with_smaller_tokens(pair, words):
    before, after, _ = pair
    text = " ".join(words)
    assert after.encode(text).tokens.count("[UNK]") <= before.encode(text).tokens.count("[UNK]")
    assert len(after.encode(text).ids) >= len(before.encode(text).ids)


def test_special_tokens_keep_their_ids_where_they_can():
    vocab = {f"word{number}": number for number in range(20)} | {"[UNK]": 20, "[PAD]": 21, "a": 22, "##a": 23}
    config = {
        "model": {"type": "WordPiece", "vocab": vocab, "unk_token": "[UNK]"},
        "added_tokens": [{"id": 21, "content": "[PAD]"}],
        "padding": {"pad_id": 21},
        "post_processor": {
            "type": "Sequence",
            "processors": [
                {"type": "BertProcessing", "sep": ["[UNK]", 20], "cls": ["[PAD]", 21]},
                {"type": "TemplateProcessing", "special_tokens": {"[UNK]": {"id": "[UNK]", "ids": [20]}}},
            ],
        },
    }
    reduced = reduce_tokenizer(config, range(10))
    assert reduced.moved_special == ("[PAD]", "[UNK]")
    after = reduced.config
    ids = after["model"]["vocab"]
    assert after["padding"]["pad_id"] == after["added_tokens"][0]["id"] == ids["[PAD]"] < 21
    bert, template = after["post_processor"]["processors"]
    assert (bert["sep"], bert["cls"]) == (["[UNK]", ids["[UNK]"]], ["[PAD]", ids["[PAD]"]])
    assert template["special_tokens"]["[UNK]"]["ids"] == [ids["[UNK]"]]
    reduced = reduce_tokenizer(config, range(20))
    assert reduced.moved_special == ()
    assert reduced.config["model"]["vocab"]["[UNK]"] == 20


def test_a_tokenizer_of_whole_words_is_refused():
    with pytest.raises(ExportError, match="WordLevel, which cannot spell a word"):
        reduce_tokenizer(json.loads(word_tokenizer().to_str()), [4])


@pytest.fixture(scope="module")
def text_model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vocabulary")
    tokenizer = wordpiece()
    tokenizer.save(str(folder / "tokenizer.json"))
    return text_graph(folder / "model.onnx", tokenizer), folder / "tokenizer.json"


def _answers(path, tokenizer, texts):
    metadata = Metadata.read(path)
    return TextScorer(path, tokenizer, metadata.labels, metadata.max_length).outputs(texts)


def test_a_pruned_model_answers_as_before_where_it_knows_all_tokens(text_model, tmp_path):
    path, tokenizer = text_model
    out, own = tmp_path / "pruned.onnx", tmp_path / "tokenizer.pruned.json"
    result = prune_vocabulary(path, tokenizer, KEPT, out=out, out_tokenizer=own)
    assert 100 < result.kept < 0.95 * result.before
    assert result.largest_difference <= 1e-5
    assert out.stat().st_size < path.stat().st_size
    assert Metadata.read(out).variant == "pruned"
    assert np.abs(_answers(path, tokenizer, KEPT) - _answers(out, own, KEPT)).max() <= 1e-5
    others = [text for text in TEXTS[40:] if text not in KEPT]
    difference = np.abs(_answers(path, tokenizer, others) - _answers(out, own, others)).max()
    assert 1e-3 < difference < np.inf  # that is what held-out rows are asked about


def test_it_can_be_quantized_as_well(text_model, tmp_path):
    path, tokenizer = text_model
    out, own = tmp_path / "pruned.onnx", tmp_path / "tokenizer.pruned.json"
    prune_vocabulary(path, tokenizer, KEPT, out=out, out_tokenizer=own)
    both = quantize(out, tmp_path / "both.onnx", mode="int4")
    assert both.variant == "pruned-int4"
    assert both.size_bytes < out.stat().st_size / 2
    assert np.abs(_answers(out, own, KEPT) - _answers(both.path, own, KEPT)).mean() < 0.5
    with pytest.raises(ExportError, match="already quantized"):
        quantize(both.path, tmp_path / "again.onnx")


def test_variants_have_a_tokenizer_of_their_own(text_model, tmp_path):
    path, tokenizer = text_model
    names = ("pruned", "pruned-dynamic-int8", "int4")
    variants = make_variants(path, tmp_path, modes=names, train=KEPT, tokenizer=tokenizer)
    by_name = {variant.name: variant for variant in variants}
    assert [variant.reason for variant in variants] == [""] * 4
    assert by_name["pruned"].tokenizer == by_name["pruned-dynamic-int8"].tokenizer == "tokenizer.pruned.json"
    assert by_name["int4"].tokenizer is None
    assert by_name["pruned"].vocabulary.kept < by_name["pruned"].vocabulary.before
    assert by_name["pruned-dynamic-int8"].size_bytes < by_name["pruned"].size_bytes
    restored = type(variants[1]).from_dict(json.loads(json.dumps(variants[1].to_dict())))
    assert restored.vocabulary == variants[1].vocabulary


def test_what_cannot_be_pruned_says_why(text_model, tmp_path):
    path, tokenizer = text_model
    out = {"out": tmp_path / "pruned.onnx", "out_tokenizer": tmp_path / "own.json"}
    with pytest.raises(ExportError, match="no training texts"):
        prune_vocabulary(path, tokenizer, [], **out)
    every = " ".join(json.loads(tokenizer.read_text())["model"]["vocab"])
    with pytest.raises(ExportError, match="use nearly all of the"):
        prune_vocabulary(path, tokenizer, [every.replace(" ##", ""), *TEXTS], **out)
    fixed = Tokenizer.from_file(str(tokenizer))
    vocab = fixed.get_vocab()
    config = json.loads(fixed.to_str())
    last = max(vocab, key=vocab.__getitem__)  # swap the padding with the last token
    config["model"]["vocab"] |= {"[PAD]": vocab[last], last: vocab["[PAD]"]}
    next(token for token in config["added_tokens"] if token["content"] == "[PAD]")["id"] = vocab[last]
    config["padding"]["pad_id"] = vocab[last]
    (tmp_path / "tokenizer.json").write_text(json.dumps(config))
    compared = text_graph(tmp_path / "model.onnx", Tokenizer.from_str(json.dumps(config)), compared=True)
    with pytest.raises(ExportError, match=r"compares tokens with fixed ids, and '\[PAD\]'"):
        prune_vocabulary(compared, tmp_path / "tokenizer.json", KEPT, **out)
    assert not out["out"].exists()
    assert not out["out_tokenizer"].exists()
