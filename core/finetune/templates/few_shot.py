"""The function of the script that differs where a model learned from pairs of a few texts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from core.finetune.templates.train import SETTINGS, Rows, Text


def mixed_batches(y: NDArray[Any], random: np.random.Generator) -> Iterator[Rows]:
    """Yield batches that hold the classes in equal shares, rare ones repeatedly."""
    classes, most = np.unique(y), int(np.bincount(y).max())
    columns = []
    for code in classes:
        rows = np.flatnonzero(y == code)
        columns.append(np.concatenate([random.permutation(rows) for _ in range(-(-most // len(rows)))])[:most])
    order, size = np.column_stack(columns).ravel(), max(SETTINGS["train_batch_size"], 2 * len(classes))
    for begin in range(0, len(order), size):
        if len(np.unique(y[order[begin : begin + size]])) > 1:
            yield order[begin : begin + size]


def read_by_head(model: Any, batch: Any) -> torch.Tensor:
    """Return what the last layer reads of each text."""
    kept: list[torch.Tensor] = []
    hook = model.get_submodule(SETTINGS["head"]).register_forward_pre_hook(lambda _, given: kept.append(given[0]))
    model(**batch)
    hook.remove()
    return kept[0] if kept[0].ndim == 2 else kept[0][:, 0]


def train(
    model: Any, tokenizer: Any, texts: list[Text], y: NDArray[Any], rows: Rows, validation: Rows, folder: Path
) -> Any:
    """Return the model after it learned from pairs, with a logistic regression as its last layer."""
    options = {"truncation": True, "max_length": SETTINGS["max_length"]}
    encoded, y = [dict(tokenizer(*texts[row], **options)) for row in rows], y[rows]
    random = np.random.default_rng(SETTINGS["seed"])
    torch.manual_seed(SETTINGS["seed"])
    batches = [batch for _ in range(20) for batch in mixed_batches(y, random)]
    parts = [part for part in model.parameters() if part.requires_grad]
    optimizer = torch.optim.AdamW(parts, SETTINGS["learning_rate"], weight_decay=SETTINGS["weight_decay"])
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, SETTINGS["learning_rate"], total_steps=len(batches), pct_start=0.1, anneal_strategy="linear"
    )
    model.train()
    for batch in batches:
        inputs = tokenizer.pad([encoded[row] for row in batch], return_tensors="pt").to(model.device)
        with torch.autocast(model.device.type, dtype=torch.bfloat16, enabled=SETTINGS["precision"] == "bf16"):
            read = read_by_head(model, inputs)
        unit = torch.nn.functional.normalize(read.float(), dim=1)
        classes = torch.tensor(y[batch], device=unit.device)
        same = classes[:, None] == classes[None]
        errors, others = (unit @ unit.T - same.float()) ** 2, ~torch.eye(len(batch), dtype=torch.bool)
        losses = [errors[pairs].mean() for pairs in (same & others.to(unit.device), ~same) if bool(pairs.any())]
        torch.stack(losses).mean().backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    model.eval()
    size, blocks = SETTINGS["eval_batch_size"], []
    with torch.inference_mode():
        for begin in range(0, len(encoded), size):
            inputs = tokenizer.pad(encoded[begin : begin + size], return_tensors="pt").to(model.device)
            blocks.append(read_by_head(model, inputs).float().cpu().numpy())
    read = np.concatenate(blocks).astype(float)
    center, spread = read.mean(axis=0), max(float(read.std()), 1e-6)
    fitted = LogisticRegression(C=1.0, max_iter=2_000, class_weight="balanced").fit((read - center) / spread, y)
    weights, constants = fitted.coef_, fitted.intercept_
    if len(fitted.classes_) == 2:  # scikit-learn keeps the difference of both
        weights, constants = np.vstack([-weights, weights]) / 2, np.concatenate([-constants, constants]) / 2
    weights, constants = weights / spread, constants - weights @ center / spread
    head = model.get_submodule(SETTINGS["head"])
    with torch.no_grad():
        head.bias.fill_(float(constants.min()) - 10.0)  # of classes without a training text
        head.weight.zero_()
        for row, code in enumerate(fitted.classes_.tolist()):
            head.weight[code] = torch.tensor(weights[row], dtype=head.weight.dtype)
            head.bias[code] = float(constants[row])
    return model
