"""The packaged MiniLM in every mode on real reviews, and its work in FLOP."""

import numpy as np
import onnx
import pytest

from core.datasets import load_sample
from core.edge import export_onnx
from core.edge._graph import describe_graph
from core.edge._inspect import inspect_onnx
from core.edge._quantize import quantize
from core.errors import InputError
from core.finetune import base_models

# torch's exporter and transformers warn of their own future and of packages that are not there.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.slow]

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
                {name: np.array([getattr(each, field) for each in encoded]) for name, field in fields.items()}
            )
        return batches

    return make


@pytest.fixture(scope="module")
def minilm(reviews, tmp_path_factory):
    """MiniLM's export with a random head."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    folder = tmp_path_factory.mktemp("minilm")
    torch.manual_seed(0)
    names = {0: "negative", 1: "positive"}
    model = AutoModelForSequenceClassification.from_pretrained(base_models()[0].path, num_labels=2, id2label=names)
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(base_models()[0].path).save_pretrained(folder)
    texts = reviews["text"].tolist()
    found = export_onnx(folder, folder / "model.onnx", train=texts[:8], held_out=texts[200:208], max_length=LENGTH)
    model = onnx.load(found.path)
    model.metadata_props.add(key="mark", value="kept")
    onnx.save(model, found.path)
    return found


@pytest.fixture(scope="module")
def logits(feeds):
    """``logits(path)``: of reviews 200 to 300, which the calibration did not see."""
    import onnxruntime

    def compute(path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
        return np.concatenate([session.run(None, each)[0] for each in feeds(200, 300)])

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
    ("mode", "megabytes", "gap"),
    [("dynamic-int8", 23.5, 0.05), ("static-int8-u8s8", 23.5, 0.05), ("static-int8-s8s8", 23.5, 0.05),
     ("fp16", 46.5, 0.001)],
)  # fmt: skip
def test_every_mode_is_small_and_answers_nearly_alike(minilm, made, logits, mode, megabytes, gap):
    found = made(mode)
    assert found.size_bytes < megabytes * 1e6 < minilm.size_bytes / 1.9
    before, after = logits(minilm.path), logits(found.path)
    assert np.abs(after - before).max() < gap
    margins = [each[:, 1] - each[:, 0] for each in (before, after)]
    assert np.corrcoef(margins)[0, 1] > 0.95  # the logits of a random head are small, and so is any gap


def test_the_metadata_go_along(minilm, made):
    props = {each.key: each.value for each in onnx.load(minilm.path).metadata_props}
    found = made("dynamic-int8")
    kept = {each.key: each.value for each in onnx.load(found.path).metadata_props}
    assert kept == props | {"plumbline.variant": "dynamic-int8"}
    assert kept["mark"] == "kept"
    assert (found.labels, found.max_length, found.variant) == (minilm.labels, LENGTH, "dynamic-int8")


@pytest.mark.parametrize("mode", [None, "dynamic-int8", "static-int8-u8s8", "fp16"])
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


@pytest.mark.parametrize("mode", [None, "dynamic-int8", "static-int8-s8s8", "fp16"])
def test_what_is_exported_passes_inspection_and_what_is_cut_does_not(minilm, made, mode):
    data = (minilm.path if mode is None else made(mode).path).read_bytes()
    found = inspect_onnx(data)
    assert sorted(port.name for port in found.graph.inputs) == ["attention_mask", "input_ids", "token_type_ids"]
    with pytest.raises(InputError, match="damaged"):
        inspect_onnx(data[: len(data) // 2])
