"""A small base model with random weights of each family that is tested, with a tokenizer of the family's type."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

__all__ = ["write_base", "write_tokenizer"]

_SIZE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
_VOCABULARY = 400


def _wordpiece(texts: Sequence[str], special: Sequence[str], unknown: str) -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(unk_token=unknown))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.train_from_iterator(
        texts, trainers.WordPieceTrainer(vocab_size=_VOCABULARY, special_tokens=list(special), show_progress=False)
    )
    return tokenizer


def _bytes(texts: Sequence[str], special: Sequence[str], unknown: str | None = None) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(unk_token=unknown))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=_VOCABULARY, special_tokens=list(special), initial_alphabet=alphabet, show_progress=False
        ),
    )
    return tokenizer


def _unigram(texts: Sequence[str], special: Sequence[str], unknown: str) -> Tokenizer:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.train_from_iterator(
        texts,
        trainers.UnigramTrainer(
            vocab_size=_VOCABULARY, special_tokens=list(special), unk_token=unknown, show_progress=False
        ),
    )
    return tokenizer


def _finish(tokenizer: Tokenizer, template: str, folder: Path, **names: Any) -> int:
    """Write a tokenizer that puts special tokens around a text, as the template says; return its number of tokens."""
    from transformers import PreTrainedTokenizerFast

    if template != "$A":
        around = [part.partition(":")[0] for part in template.split() if not part.startswith("$")]
        tokenizer.post_processor = processors.TemplateProcessing(
            single=template,
            pair=f"{template} $B:1 {template.split()[-1].partition(':')[0]}:1",
            special_tokens=[(name, tokenizer.token_to_id(name)) for name in dict.fromkeys(around)],
        )
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names)
    fast.save_pretrained(folder)
    return len(fast)


_BERT = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
_ROBERTA = {
    "bos_token": "<s>",
    "eos_token": "</s>",
    "pad_token": "<pad>",
    "unk_token": "<unk>",
    "cls_token": "<s>",
    "sep_token": "</s>",
}
_MASKED = {"model_input_names": ["input_ids", "attention_mask"], "model_max_length": 512}
_TYPED = {"model_input_names": ["input_ids", "token_type_ids", "attention_mask"], "model_max_length": 512}


def _bert_tokens(texts: Sequence[str], folder: Path, **names: Any) -> dict[str, int]:
    tokenizer = _wordpiece(texts, ["[PAD]", "[UNK]", "[CLS]", "[SEP]"], "[UNK]")
    size = _finish(tokenizer, "[CLS] $A [SEP]", folder, **_BERT, **names)
    return {"vocab_size": size, "pad_token_id": 0}


def _roberta_tokens(texts: Sequence[str], folder: Path, **names: Any) -> dict[str, int]:
    tokenizer = _bytes(texts, ["<s>", "<pad>", "</s>", "<unk>"], "<unk>")
    size = _finish(tokenizer, "<s> $A </s>", folder, **_ROBERTA, **_MASKED, **names)
    return {"vocab_size": size, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}


def _xlmr_tokens(texts: Sequence[str], folder: Path) -> dict[str, int]:
    tokenizer = _unigram(texts, ["<s>", "<pad>", "</s>", "<unk>"], "<unk>")
    size = _finish(tokenizer, "<s> $A </s>", folder, **_ROBERTA, **_MASKED)
    return {"vocab_size": size, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}


def _unigram_bert_tokens(texts: Sequence[str], folder: Path, **names: Any) -> dict[str, int]:
    tokenizer = _unigram(texts, ["[PAD]", "[CLS]", "[SEP]", "[UNK]"], "[UNK]")
    size = _finish(tokenizer, "[CLS] $A [SEP]", folder, **_BERT, **names)
    return {"vocab_size": size, "pad_token_id": 0}


def _bert(texts: Sequence[str], folder: Path) -> Any:
    from transformers import BertConfig

    return BertConfig(**_SIZE, **_bert_tokens(texts, folder, **_TYPED))


def _distilbert(texts: Sequence[str], folder: Path) -> Any:
    from transformers import DistilBertConfig

    return DistilBertConfig(dim=32, n_layers=2, n_heads=2, hidden_dim=64, **_bert_tokens(texts, folder, **_MASKED))


def _mpnet(texts: Sequence[str], folder: Path) -> Any:
    from transformers import MPNetConfig

    tokenizer = _wordpiece(texts, ["<s>", "<pad>", "</s>", "[UNK]"], "[UNK]")
    names = _ROBERTA | {"unk_token": "[UNK]"}
    size = _finish(tokenizer, "<s> $A </s>", folder, **names, **_MASKED)
    return MPNetConfig(**_SIZE, vocab_size=size, pad_token_id=1, max_position_embeddings=514)


def _albert(texts: Sequence[str], folder: Path) -> Any:
    from transformers import AlbertConfig

    return AlbertConfig(**_SIZE, embedding_size=16, **_unigram_bert_tokens(texts, folder, **_TYPED))


def _fnet(texts: Sequence[str], folder: Path) -> Any:
    from transformers import FNetConfig

    size = {name: value for name, value in _SIZE.items() if name != "num_attention_heads"}
    names = {"model_input_names": ["input_ids", "token_type_ids"], "model_max_length": 512}
    return FNetConfig(**size, **_unigram_bert_tokens(texts, folder, **names))


def _deberta(texts: Sequence[str], folder: Path) -> Any:
    from transformers import DebertaV2Config

    # As DeBERTa-v3: relative positions in buckets, shared keys, layer norm on them.
    return DebertaV2Config(
        **_SIZE,
        **_unigram_bert_tokens(texts, folder, **_MASKED),
        relative_attention=True,
        position_buckets=16,
        norm_rel_ebd="layer_norm",
        share_att_key=True,
        pos_att_type=["p2c", "c2p"],
        position_biased_input=False,
        type_vocab_size=0,
    )


def _roberta(texts: Sequence[str], folder: Path) -> Any:
    from transformers import RobertaConfig

    return RobertaConfig(**_SIZE, **_roberta_tokens(texts, folder), max_position_embeddings=514, type_vocab_size=1)


def _xlm_roberta(texts: Sequence[str], folder: Path) -> Any:
    from transformers import XLMRobertaConfig

    return XLMRobertaConfig(**_SIZE, **_xlmr_tokens(texts, folder), max_position_embeddings=514, type_vocab_size=1)


def _camembert(texts: Sequence[str], folder: Path) -> Any:
    from transformers import CamembertConfig

    return CamembertConfig(**_SIZE, **_xlmr_tokens(texts, folder), max_position_embeddings=514, type_vocab_size=1)


def _longformer(texts: Sequence[str], folder: Path) -> Any:
    from transformers import LongformerConfig

    tokens = _roberta_tokens(texts, folder)
    return LongformerConfig(**_SIZE, **tokens, attention_window=16, max_position_embeddings=514, type_vocab_size=1)


def _modernbert(texts: Sequence[str], folder: Path) -> Any:
    from transformers import ModernBertConfig

    tokens = _roberta_tokens(texts, folder)
    special = {"cls_token_id": 0, "sep_token_id": 2}
    return ModernBertConfig(**_SIZE, **tokens, **special, max_position_embeddings=512, local_attention=16)


def _xlnet(texts: Sequence[str], folder: Path) -> Any:
    from transformers import XLNetConfig

    tokenizer = _unigram(texts, ["<unk>", "<s>", "</s>", "<cls>", "<sep>", "<pad>"], "<unk>")
    size = _finish(
        tokenizer,
        "$A:0 <sep>:0 <cls>:2",
        folder,
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        sep_token="<sep>",
        pad_token="<pad>",
        cls_token="<cls>",
        padding_side="left",
        pad_token_type_id=3,
        **_TYPED,
    )
    return XLNetConfig(d_model=32, n_layer=2, n_head=2, d_inner=64, vocab_size=size, pad_token_id=5)


def _bart(texts: Sequence[str], folder: Path) -> Any:
    from transformers import BartConfig

    return BartConfig(
        **_roberta_tokens(texts, folder),
        d_model=32,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        max_position_embeddings=512,
        decoder_start_token_id=2,
        forced_eos_token_id=2,
    )


def _t5(texts: Sequence[str], folder: Path) -> Any:
    from transformers import T5Config

    tokenizer = _unigram(texts, ["<pad>", "</s>", "<unk>"], "<unk>")
    names = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    size = _finish(tokenizer, "$A </s>", folder, **names, **_MASKED)
    return T5Config(
        d_model=32,
        d_kv=16,
        d_ff=64,
        num_layers=2,
        num_heads=2,
        vocab_size=size,
        pad_token_id=0,
        eos_token_id=1,
        decoder_start_token_id=0,
    )


def _decoder_tokens(texts: Sequence[str], folder: Path) -> int:
    end = "<|endoftext|>"
    return _finish(_bytes(texts, [end]), "$A", folder, bos_token=end, eos_token=end, **_MASKED)


def _gpt2(texts: Sequence[str], folder: Path) -> Any:
    from transformers import GPT2Config

    size = _decoder_tokens(texts, folder)
    special = {"bos_token_id": 0, "eos_token_id": 0}
    return GPT2Config(n_embd=32, n_layer=2, n_head=2, n_positions=512, vocab_size=size, **special)


def _qwen2(texts: Sequence[str], folder: Path) -> Any:
    from transformers import Qwen2Config

    size = _decoder_tokens(texts, folder)
    special = {"bos_token_id": 0, "eos_token_id": 0}
    return Qwen2Config(**_SIZE, num_key_value_heads=1, max_position_embeddings=512, vocab_size=size, **special)


def _llama(texts: Sequence[str], folder: Path) -> Any:
    from transformers import LlamaConfig

    tokenizer = _bytes(texts, ["<unk>", "<s>", "</s>"], "<unk>")
    names = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"}
    size = _finish(tokenizer, "<s> $A", folder, **names, **_MASKED)
    special = {"bos_token_id": 1, "eos_token_id": 2}
    return LlamaConfig(**_SIZE, num_key_value_heads=2, max_position_embeddings=512, vocab_size=size, **special)


_MAKERS: dict[str, Callable[[Sequence[str], Path], Any]] = {
    "bert": _bert,
    "distilbert": _distilbert,
    "roberta": _roberta,
    "xlm-roberta": _xlm_roberta,
    "camembert": _camembert,
    "deberta-v2": _deberta,
    "albert": _albert,
    "mpnet": _mpnet,
    "modernbert": _modernbert,
    "longformer": _longformer,
    "xlnet": _xlnet,
    "bart": _bart,
    "t5": _t5,
    "gpt2": _gpt2,
    "qwen2": _qwen2,
    "llama": _llama,
    "fnet": _fnet,
}


def write_base(family: str, folder: Path, texts: Sequence[str]) -> Path:
    """Write a model without a head, of two thin layers with random weights, and its tokenizer; return the folder."""
    from transformers import AutoModel, set_seed

    folder.mkdir(parents=True)
    config = _MAKERS[family](texts, folder)
    set_seed(1)
    AutoModel.from_config(config).save_pretrained(folder)
    return folder


def write_tokenizer(family: str, folder: Path, texts: Sequence[str]) -> Path:
    """Write a tokenizer of the family's type, trained on texts, without a model; return the folder."""
    folder.mkdir(parents=True)
    _MAKERS[family](texts, folder)
    return folder
