"""The precision of a training: what "auto" chooses, and what it changes."""

from types import SimpleNamespace

import numpy as np
import pytest

from core.errors import SettingsError
from core.finetune.device import gpus_for, in_precision, precision_of


def model_of_width(width):
    return SimpleNamespace(config=SimpleNamespace(hidden_size=width))


@pytest.mark.parametrize(
    ("amx", "width", "expected"),
    [(True, 384, "bf16"), (True, 64, "float32"), (False, 384, "float32"), (None, 384, "float32")],
)
def test_auto_is_bf16_where_the_processor_has_it_and_it_pays(monkeypatch, amx, width, expected):
    import torch

    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {} if amx is None else {"amx_bf16": amx})
    assert precision_of("auto", "cpu", model_of_width(width)) == expected


def test_auto_on_a_gpu_asks_the_gpu(monkeypatch):
    import torch

    for has in (True, False):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda has=has: has)
        assert precision_of("auto", "cuda", model_of_width(64)) == ("bf16" if has else "float32")


def test_what_is_asked_for_is_used_or_refused():
    assert precision_of("float32", "cpu", model_of_width(384)) == "float32"
    assert precision_of("bf16", "cpu", model_of_width(32)) == "bf16"
    for precision, device in (("fp16", "cpu"), ("fp16", "mps"), ("bf16", "mps")):
        with pytest.raises(SettingsError, match=rf"\({device}\) cannot train in {precision}"):
            precision_of(precision, device, model_of_width(384))


def test_a_model_computes_in_the_precision():
    import torch

    layer, rows = torch.nn.Linear(8, 8), torch.ones(2, 8)
    for precision, expected in (("float32", torch.float32), ("bf16", torch.bfloat16), ("fp16", torch.float16)):
        with in_precision(precision, "cpu"):
            assert layer(rows).dtype == expected


def test_a_training_in_bf16_learns_otherwise_and_is_evaluated_in_float32(plain, train):
    trained = train(precision="bf16", epochs=3, sensitive_columns=("group",))
    assert trained.result.training["precision"] == "bf16"
    losses = [[line["loss"] for line in made.result.history if "loss" in line] for made in (plain, trained)]
    assert losses[0] != losses[1]
    np.testing.assert_allclose(*losses, rtol=0.1)
    # That the saved model repeats the evaluation within 1e-5 is checked by every training. What bf16 rounds is more:
    probabilities = [made.result.validation.filter(like="p(").to_numpy() for made in (plain, trained)]
    assert np.abs(probabilities[0] - probabilities[1]).max() > 1e-5


def test_few_texts_train_in_bf16_but_not_in_fp16(train, monkeypatch):
    assert train(precision="bf16", few_shot=True).result.training["precision"] == "bf16"
    monkeypatch.setattr("core.finetune.train.precision_of", lambda *_: "fp16")
    with pytest.raises(SettingsError, match="fp16"):
        train(few_shot=True, seed=1)


@pytest.mark.parametrize(
    ("gpus", "batch", "expected"), [(0, 16, 1), (1, 16, 1), (2, 16, 2), (3, 16, 2), (4, 6, 3), (8, 7, 7)]
)
def test_a_batch_is_shared_out_evenly(monkeypatch, gpus, batch, expected):
    import torch

    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    assert gpus_for(batch) == expected
