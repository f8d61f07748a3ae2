"""Text models as ONNX: equal to the model on any batch and length, or not there at all; scored without torch."""

import json
import subprocess
import sys

import numpy as np
import pytest

from core.edge import Metadata, OnnxModel, TextScorer, export_onnx
from core.errors import ExportError, InputError

# torch's exporter and transformers warn of their own future and of packages that are not there.
pytestmark = pytest.mark.filterwarnings("ignore")

WORDS = ["good", "bad", "film", "the", "was", "a", "very", "story", "and", "dull", "bright", "!"]
TRAIN = ["the film was good", "the story was very bad and dull !", "a", "bright and good and bright " * 10]
OTHERS = ["a very dull film", "zebra", "good", "the story the story " * 40]


def make(folder, labels: int):
    """Write a tiny BERT with random weights and a tokenizer of a few words."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS]
    tokenizer = Tokenizer(models.WordLevel({word: index for index, word in enumerate(names)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_max_length=64,
    )
    fast.save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(names),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.3,
        num_labels=labels,
        id2label={index: f"class {index}" for index in range(labels)},
    )
    model = BertForSequenceClassification(config).eval()
    model.save_pretrained(folder)
    return model, fast


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    model, tokenizer = make(folder, 3)
    result = export_onnx(folder, folder / "model.onnx", train=TRAIN, held_out=OTHERS)
    return folder, model, tokenizer, result


def scorer_of(folder, result):
    return TextScorer(result.path, folder / "tokenizer.json", result.labels, result.max_length)


def test_export_says_how_equal_it_is(exported):
    folder, _, _, result = exported
    assert result.labels == ("class 0", "class 1", "class 2")
    assert result.path == folder / "model.onnx"
    for part in ("train", "held_out"):
        assert result.parity[part]["rows"] == 4
        assert result.parity[part]["largest_difference"] < 1e-4
        assert result.parity[part]["label_flips"] == 0
    assert [path.name for path in folder.glob(".*")] == []


@pytest.mark.parametrize("count", [1, 2, 7, 40])
def test_any_batch_and_length_is_torchs(exported, count):
    import torch

    folder, model, tokenizer, result = exported
    random = np.random.default_rng(count)
    texts = [" ".join(random.choice(WORDS, size=random.integers(1, 90))) for _ in range(count)]
    encoded = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
    with torch.inference_mode():
        expected = torch.softmax(model(**encoded).logits, dim=-1).numpy()
    table = scorer_of(folder, result).predict(texts)
    assert np.abs(table.iloc[:, 1:].to_numpy() - expected).max() < 1e-5
    assert table["label"].tolist() == [f"class {index}" for index in expected.argmax(axis=1)]


def test_order_and_company_of_texts_do_not_matter(exported):
    folder, _, _, result = exported
    scorer = scorer_of(folder, result)
    together = scorer.predict(TRAIN + OTHERS)
    alone = [scorer.predict([text]).iloc[0]["p(class 1)"] for text in TRAIN + OTHERS]
    assert together["p(class 1)"].tolist() == pytest.approx(alone, abs=1e-5)


@pytest.mark.nightly
def test_a_number_has_no_classes(tmp_path):
    make(tmp_path, 1)
    result = export_onnx(tmp_path, tmp_path / "m.onnx", train=TRAIN, held_out=OTHERS)
    assert result.labels is None
    assert list(scorer_of(tmp_path, result).predict(TRAIN).columns) == ["label"]


@pytest.mark.nightly
def test_classes_without_names_are_numbered(tmp_path):
    """A configuration leaves out what is the default: two labels, called LABEL_0 and LABEL_1."""
    make(tmp_path, 2)
    config = json.loads((tmp_path / "config.json").read_text())
    for name in ("id2label", "label2id"):
        del config[name]
    (tmp_path / "config.json").write_text(json.dumps(config))
    result = export_onnx(tmp_path, tmp_path / "m.onnx", train=TRAIN, held_out=OTHERS)
    assert result.labels == ("LABEL_0", "LABEL_1")


def test_what_differs_is_not_kept(tmp_path, monkeypatch):
    from core.edge.export import export_text as _export_text

    make(tmp_path, 2)
    monkeypatch.setattr(_export_text, "TOLERANCE", -1.0)
    with pytest.raises(ExportError, match="answers differently") as caught:
        export_onnx(tmp_path, tmp_path / "m.onnx", train=TRAIN, held_out=OTHERS)
    assert caught.value.hint
    assert not (tmp_path / "m.onnx").exists()
    assert list(tmp_path.glob(".*")) == []


def test_description_survives_json(exported):
    _, _, _, result = exported
    assert OnnxModel.from_dict(json.loads(json.dumps(result.to_dict())), result.path) == result


def test_a_description_written_earlier_still_loads(exported):
    _, _, _, result = exported
    earlier = result.to_dict()
    del earlier["variant"], earlier["columns"]
    earlier["parity"] = {"train": {"rows": 4, "largest_difference": 1e-7, "other_labels": 0}}
    read = OnnxModel.from_dict(json.loads(json.dumps(earlier)), result.path)
    assert (read.variant, read.columns) == ("fp32", ())
    assert read.parity == {"train": {"rows": 4, "largest_difference": 1e-7, "label_flips": 0}}


def test_the_file_tells_what_it_is(exported):
    _, _, _, result = exported
    read = Metadata.read(result.path)
    assert (read.kind, read.task, read.variant) == ("text", "multiclass", "fp32")
    assert (read.labels, read.max_length) == (result.labels, result.max_length)


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(ExportError, match=r"no config\.json"):
        export_onnx(tmp_path, tmp_path / "m.onnx", train=TRAIN, held_out=OTHERS)


def test_a_word_weighs_what_its_absence_costs(exported):
    folder, _, _, result = exported
    scorer = scorer_of(folder, result)
    words = scorer.attribution("the film was good", "class 1")
    assert words["token"].tolist() == ["the", "film", "was", "good"]
    whole, without = scorer.predict(["the film was good", "the  was good"])["p(class 1)"]
    assert words["weight"][1] == pytest.approx(whole - without, abs=1e-6)
    with pytest.raises(InputError, match="Unknown label 'other'"):
        scorer.attribution("the film", "other")


def test_empty_texts_are_refused(exported):
    folder, _, _, result = exported
    for texts in ([], ["good", "  "], ["good", None], ["good", float("nan")]):
        with pytest.raises(InputError, match="no text" if not texts else "1 of 2 texts are empty or missing"):
            scorer_of(folder, result).predict(texts)


def test_what_cannot_be_loaded_is_refused(exported, tmp_path):
    folder, _, _, result = exported
    with pytest.raises(InputError, match="no file 'absent"):
        TextScorer(tmp_path / "absent.onnx", folder / "tokenizer.json", None, 8)
    with pytest.raises(InputError, match="tokenizer cannot be read"):
        TextScorer(result.path, tmp_path / "absent.json", None, 8)


def test_scoring_loads_neither_torch_nor_transformers(exported):
    folder, _, _, result = exported
    code = (
        "import sys\nfrom core.edge import TextScorer\n"
        f"print(TextScorer({str(result.path)!r}, {str(folder / 'tokenizer.json')!r}, {list(result.labels)!r}, 64)"
        ".predict(['good'])['label'][0])\n"
        "assert not {'torch', 'transformers'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("class ")
