"""Text models of each family as ONNX: torch's answers on any batch, in the form that runs fastest on a processor."""

from functools import cache

import numpy as np
import pytest

from core.edge import TextScorer, describe_graph, export_onnx, quantize
from core.edge.latency import LatencySettings, Texts, profile_operators
from tests.golden import golden_files
from tests.unit.edge.edge_models import word_tokenizer

# torch's exporter and transformers warn of their own future and of packages that are not there.
pytestmark = pytest.mark.filterwarnings("ignore")

SIZES = {
    "vocab_size": 8,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 66,
    "initializer_range": 0.3,
    "num_labels": 3,
}
FAMILIES = {
    "Bert": {},
    "Roberta": {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3},
    "Electra": {"embedding_size": 32},
    "Albert": {"embedding_size": 16},
    "DistilBert": {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64},
    "DebertaV2": {
        "relative_attention": True,
        "pos_att_type": ["p2c", "c2p"],
        "position_buckets": 16,
        "norm_rel_ebd": "layer_norm",
        "share_att_key": True,
        "position_biased_input": False,
    },
    "ModernBert": {"pad_token_id": 0, "cls_token_id": 2, "sep_token_id": 3, "bos_token_id": 2, "eos_token_id": 3},
}
TEXTS = ["good", "bad film", "a film", "good bad good film " * 9, "film " * 90]


def write(folder, family, **options):
    """Write a small model of a family, with random weights."""
    import torch
    import transformers

    names = ["input_ids", "attention_mask", *(["token_type_ids"] if family in ("Bert", "Electra", "Albert") else [])]
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=word_tokenizer(),
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_input_names=names,
    )
    fast.save_pretrained(folder)
    torch.manual_seed(0)
    config = getattr(transformers, f"{family}Config")(**SIZES | FAMILIES[family] | options)
    model = transformers.AutoModelForSequenceClassification.from_config(config).eval()
    model.save_pretrained(folder)
    return model, fast


@pytest.fixture(scope="module")
def exported_family(tmp_path_factory):
    """``exported_family(family)`` writes and exports a small model of a family, once."""

    @cache
    def export(family):
        folder = tmp_path_factory.mktemp(family)
        model, tokenizer = write(folder, family)
        return folder, model, tokenizer, export_onnx(folder, folder / "m.onnx", train=TEXTS, held_out=TEXTS[::-1])

    return export


@pytest.mark.nightly
@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_exports_and_answers_as_torch_does(exported_family, tmp_path, family):
    import torch

    folder, model, tokenizer, exported = exported_family(family)
    assert set(exported.inputs) == set(tokenizer.model_input_names)
    # RoBERTa's positions begin after the padding token's id; DeBERTa's are relative, so that no table ends them.
    assert exported.max_length == {"Roberta": 65, "DebertaV2": 512}.get(family, 66)
    encoded = tokenizer(TEXTS, padding=True, truncation=True, max_length=exported.max_length, return_tensors="pt")
    with torch.inference_mode():
        expected = torch.softmax(model(**encoded).logits, dim=-1).numpy()
    scorer = TextScorer(exported.path, folder / "tokenizer.json", exported.labels, exported.max_length)
    assert np.abs(scorer.probabilities(TEXTS) - expected).max() < 1e-5
    assert np.ptp(expected, axis=0).max() > 0.01  # the texts are told apart at all
    int8 = quantize(exported.path, tmp_path / "int8.onnx")
    assert int8.size_bytes < exported.size_bytes
    small = TextScorer(int8.path, folder / "tokenizer.json", exported.labels, exported.max_length)
    assert (small.outputs(TEXTS) == np.concatenate([small.outputs([text]) for text in TEXTS])).all()


def test_attention_is_written_out_and_slow_kernels_are_left_out(golden):
    folder = golden_files("text")
    graph = folder / "model.onnx"
    operators = describe_graph(graph).operators
    assert "IsNaN" not in operators  # torch's fused attention looks for rows without sight
    assert ("Gelu" in operators, "Erf" in operators) == (True, False)
    texts = Texts(TEXTS, folder / "model" / "tokenizer.json", 8)
    fused = profile_operators(graph, LatencySettings(duration_s=0.1, disabled_optimizers=()), texts)
    ours = profile_operators(graph, LatencySettings(duration_s=0.1), texts)
    assert "SkipLayerNormalization" in set(fused["operator"])
    assert "SkipLayerNormalization" not in set(ours["operator"])
    assert "LayerNormalization" in set(ours["operator"])


def test_the_model_is_compared_as_it_was_loaded(tmp_path):
    from core.edge.export.export_text import load_trained, write_onnx

    write(tmp_path, "Bert")
    loaded = load_trained(tmp_path)
    before = loaded.model.config._attn_implementation
    assert before == "sdpa"  # what torch takes by itself
    write_onnx(loaded, tmp_path / "m.onnx")
    assert loaded.model.config._attn_implementation == before
