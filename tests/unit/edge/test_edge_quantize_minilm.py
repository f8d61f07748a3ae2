"""The packaged MiniLM in every mode on real reviews, with a head that was trained on some, and its work in FLOP."""

import numpy as np
import onnx
import pytest
from sklearn.linear_model import LogisticRegression

from core.datasets import load_sample
from core.edge import TextScorer, describe_graph, export_onnx, inspect_onnx, prune_vocabulary, quantize
from core.edge.variants.compare import compare_variants
from core.finetune import base_models

# torch's exporter and transformers warn of their own future and of packages that are not there.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.nightly]

LENGTH = 128


@pytest.fixture(scope="module")
def reviews():
    frame = load_sample("product_reviews").frame
    return frame[frame["sentiment"] != "neutral"].reset_index(drop=True)


@pytest.fixture(scope="module")
def feeds(reviews):
    """``feeds(start, end)``: the inputs of these reviews, in batches of 16."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(f"{base_models()[0].path}/tokenizer.json")
    tokenizer.enable_truncation(LENGTH)
    tokenizer.enable_padding()

    def make(start, end):
        batches = []
        for begin in range(start, end, 16):
            encoded = tokenizer.encode_batch(reviews["text"][begin : min(begin + 16, end)].tolist())
            fields = {"input_ids": "ids", "attention_mask": "attention_mask", "token_type_ids": "type_ids"}
            batches.append(
                {name: np.array([getattr(item, field) for item in encoded]) for name, field in fields.items()}
            )
        return batches

    return make


@pytest.fixture(scope="module")
def minilm(reviews, feeds, tmp_path_factory):
    """MiniLM's export with a head fitted to 200 reviews, so that labels mean something."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    folder = tmp_path_factory.mktemp("minilm")
    model = AutoModelForSequenceClassification.from_pretrained(base_models()[0].path, num_labels=2).eval()
    with torch.inference_mode():
        pooled = [model.bert(**{n: torch.tensor(v) for n, v in feed.items()}).pooler_output for feed in feeds(0, 200)]
    head = LogisticRegression(C=1.0, max_iter=1_000).fit(
        np.concatenate([feed.numpy() for feed in pooled]), reviews["sentiment"][:200] == "positive"
    )
    with torch.no_grad():
        model.classifier.weight.copy_(torch.tensor(np.vstack([-head.coef_, head.coef_]) / 2))
        model.classifier.bias.copy_(torch.tensor(np.concatenate([-head.intercept_, head.intercept_]) / 2))
    model.config.id2label = {0: "negative", 1: "positive"}
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(base_models()[0].path).save_pretrained(folder)
    texts = reviews["text"].tolist()
    exported = export_onnx(folder, folder / "model.onnx", train=texts[:8], held_out=texts[200:208], max_length=LENGTH)
    props = onnx.load(exported.path)
    onnx.helper.set_model_props(props, {feed.key: feed.value for feed in props.metadata_props} | {"mark": "kept"})
    onnx.save(props, exported.path)
    return exported


@pytest.fixture(scope="module")
def probabilities(feeds):
    """``probabilities(path)``: of reviews 200 to 400, which neither the head nor the calibration saw."""
    import onnxruntime

    def compute(path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
        logits = np.concatenate([session.run(None, feed)[0] for feed in feeds(200, 400)]).astype(float)
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        return shares / shares.sum(axis=1, keepdims=True)

    return compute


@pytest.fixture(scope="module")
def made(minilm, feeds, tmp_path_factory):
    """``made(mode)``: the export in a mode, made once."""
    folder = tmp_path_factory.mktemp("variants")
    known = {}

    def make(mode):
        if mode not in known:
            calibration = feeds(0, 64) if mode.startswith("static") else None
            known[mode] = quantize(minilm.path, folder / f"{mode}.onnx", mode=mode, calibration=calibration)
        return known[mode]

    return make


@pytest.mark.parametrize(
    ("mode", "megabytes", "equal", "gap"),
    [
        ("dynamic-int8", 23.5, 0.97, 0.2),
        ("static-int8-u8s8", 23.6, 0.95, 0.3),
        ("static-int8-s8s8", 23.6, 0.95, 0.3),
        ("fp16", 46.5, 1.0, 0.01),
        ("int4", 15.5, 0.95, 0.4),
    ],
)
def test_every_mode_is_small_and_answers_nearly_alike(
    minilm, made, probabilities, reviews, mode, megabytes, equal, gap
):
    result = made(mode)
    assert result.size_bytes < megabytes * 1e6 < minilm.size_bytes / 1.9
    y = (reviews["sentiment"][200:400] == "positive").to_numpy().astype(int)
    before, after = probabilities(minilm.path), probabilities(result.path)
    compared = compare_variants(y, before, after, task="binary")
    assert compared.before["roc_auc"].value > 0.8
    assert compared.equal_labels.value >= equal
    assert compared.largest_difference < gap
    assert abs(compared.gains["roc_auc"].value) < 0.01


def test_the_metadata_go_along(minilm, made):
    props = {metadata_prop.key: metadata_prop.value for metadata_prop in onnx.load(minilm.path).metadata_props}
    result = made("dynamic-int8")
    kept = {metadata_prop.key: metadata_prop.value for metadata_prop in onnx.load(result.path).metadata_props}
    assert kept == props | {"plumbline.variant": "dynamic-int8"}
    assert kept["mark"] == "kept"
    assert (result.labels, result.max_length, result.variant) == (minilm.labels, LENGTH, "dynamic-int8")


@pytest.mark.parametrize("mode", [None, "dynamic-int8", "static-int8-u8s8", "fp16", "int4"])
def test_the_work_is_that_of_the_formula_in_every_mode(minilm, made, mode):
    path = minilm.path if mode is None else made(mode).path
    ones = {name: np.ones((1, LENGTH), np.int64) for name in ("input_ids", "attention_mask", "token_type_ids")}
    work = describe_graph(path, ones).work
    layers, hidden, wide = 6, 384, 1536
    layer = 2 * LENGTH * (4 * hidden * hidden + 2 * LENGTH * hidden + 2 * hidden * wide)
    assert work.flop == pytest.approx(layers * layer, rel=0.03)
    assert work.flop == pytest.approx(2.87e9, rel=0.03)
    assert work.uncounted == {}
    assert work.bytes_least < path.stat().st_size < work.bytes_moved


def test_parameters_are_those_of_the_model(minilm, made):
    whole, small = describe_graph(minilm.path), describe_graph(made("dynamic-int8").path)
    assert whole.parameters == pytest.approx(22_713_216, rel=0.001)
    assert whole.quantized_parameters == 0
    assert small.quantized_parameters > 0.99 * whole.parameters
    assert small.parameter_bytes < whole.parameter_bytes / 3.9


@pytest.mark.parametrize("mode", [None, "dynamic-int8", "static-int8-s8s8", "fp16", "int4"])
def test_what_is_exported_passes_inspection_and_what_is_cut_does_not(minilm, made, mode):
    data = (minilm.path if mode is None else made(mode).path).read_bytes()
    inspection = inspect_onnx(data)
    assert sorted(port.name for port in inspection.graph.inputs) == ["attention_mask", "input_ids", "token_type_ids"]
    with pytest.raises(Exception, match="damaged"):
        inspect_onnx(data[: len(data) // 2])


def test_a_pruned_vocabulary_leaves_known_texts_as_they_are(minilm, reviews, tmp_path):
    tokenizer = f"{base_models()[0].path}/tokenizer.json"
    out, own = tmp_path / "pruned.onnx", tmp_path / "tokenizer.json"
    texts = reviews["text"][:200].tolist()
    result = prune_vocabulary(minilm.path, tokenizer, texts, out=out, out_tokenizer=own)
    assert result.kept < 0.25 * result.before
    assert out.stat().st_size < 0.62 * minilm.size_bytes
    scorers = [TextScorer(path, words, minilm.labels, LENGTH) for path, words in ((minilm.path, tokenizer), (out, own))]
    known, other = texts[:50], reviews["text"][200:250].tolist()
    before, after = (scorer.outputs(known) for scorer in scorers)
    assert np.abs(before - after).max() <= 1e-5
    before, after = (scorer.probabilities(other) for scorer in scorers)
    assert (before.argmax(axis=1) == after.argmax(axis=1)).mean() > 0.8
    assert quantize(out, tmp_path / "int8.onnx").size_bytes < 15e6
