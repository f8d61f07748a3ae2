"""A script that trains a model again with transformers alone: people take their work with them."""

from __future__ import annotations

import json
import pprint
from collections.abc import Mapping
from typing import Any

from core.finetune._base import DEFAULT, PACKAGE
from core.finetune._settings import FineTuneSettings

__all__ = ["standalone_script"]

_NAMES = (
    "text_column",
    "label_column",
    "epochs",
    "train_batch_size",
    "eval_batch_size",
    "learning_rate",
    "warmup_steps",
    "weight_decay",
    "max_length",
    "class_weights",
    "lora",
    "freeze_layers",
    "early_stopping_patience",
    "label_smoothing",
    "gradient_accumulation",
    "validation_fraction",
    "test_fraction",
    "seed",
    "threads",
    "max_steps",
)


def standalone_script(settings: FineTuneSettings, info: Mapping[str, Any]) -> str:
    """Return a script ``python train.py table.csv out`` that reaches the same test metrics on the same machine.

    Parameters
    ----------
    settings : FineTuneSettings
        Those of the training.
    info : mapping
        ``FineTuneResult.to_dict()``, or as much of it: labels, metric, training and packages.

    Returns
    -------
    str
        Python source that imports torch, transformers, scikit-learn, pandas (and peft for LoRA), and nothing of ours.
    """
    values = {name: getattr(settings, name) for name in _NAMES}
    values["base_model"] = settings.base_model
    if settings.base_model == DEFAULT:
        values["base_model"] = f"package:{PACKAGE}"
    values["labels"] = info["labels"]
    values["metric"] = info["metric"]
    values["precision"] = info["training"]["precision"]
    packages = [f"{name}=={number}" for name, number in info.get("packages", {}).items() if name != "python"]
    if settings.base_model == DEFAULT:
        packages.append(PACKAGE.replace("_", "-"))
    text = pprint.pformat(values, sort_dicts=False, width=110)
    return _TEMPLATE.replace("@SETTINGS@", text).replace("@PACKAGES@", json.dumps(" ".join(packages))[1:-1])


_TEMPLATE = '''"""Train a text model: python train.py table.csv out

Needs: pip install @PACKAGES@
The table is the one of the run, in the same order. The folder gets the model, and metrics.json of the test rows.
"""

import importlib.util
import json
import os
import re
import sys
from pathlib import Path

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import numpy as np
import pandas as pd
import torch
from sklearn import metrics as sk
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit
from transformers import (
    AutoModelForSequenceClassification, AutoTokenizer, EarlyStoppingCallback, Trainer, TrainerCallback,
    TrainingArguments, set_seed,
)
from transformers.trainer_pt_utils import get_length_grouped_indices

S = @SETTINGS@


def read(path):
    """Return texts and labels; rows without either are left out."""
    text, label = S["text_column"], S["label_column"]
    kinds = {text: str} | ({label: str} if S["labels"] else {})
    table = pd.read_csv(path, dtype=kinds, keep_default_na=False, na_values={name: [""] for name in (text, label)})
    table = table[table[text].notna() & (table[text].str.strip() != "") & table[label].notna()]
    if S["labels"] is None:
        return table[text].tolist(), pd.to_numeric(table[label]).to_numpy(float)
    names = table[label].map(lambda name: re.sub(r"^(-?\\d+)\\.0$", r"\\1", name))
    return table[text].tolist(), names.map({name: code for code, name in enumerate(S["labels"])}).to_numpy(int)


def hold_out(y, fraction):
    """Split rows, stratified by class or by bands of a number; a class of one row stays in training."""
    if fraction == 0:
        return np.arange(len(y)), np.arange(0)
    strata = y if S["labels"] else np.searchsorted(np.quantile(y, np.linspace(0, 1, 11)[1:-1]), y)
    free = np.flatnonzero(np.bincount(strata)[strata] > 1)
    size = round(fraction * len(free))
    few = min(size, len(free) - size) < len(np.unique(strata[free]))
    kind = ShuffleSplit if few else StratifiedShuffleSplit
    _, held = next(kind(1, test_size=size, random_state=S["seed"]).split(free, strata[free]))
    mask = np.isin(np.arange(len(y)), free[held])
    return np.flatnonzero(~mask), np.flatnonzero(mask)


def build(folder):
    names = S["labels"] or ["number"]
    set_seed(S["seed"])  # before the model is built: its head is drawn at random
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, num_labels=len(names), id2label=dict(enumerate(names)),
        label2id={name: code for code, name in enumerate(names)}, ignore_mismatched_sizes=True,
        problem_type="single_label_classification" if S["labels"] else "regression",
        use_safetensors=True, dtype=torch.float32,
    )
    if S["freeze_layers"]:
        base = model.base_model
        layers = (getattr(base, "encoder", None) or base.transformer).layer
        for part in (base.embeddings, *layers[: S["freeze_layers"]]):
            part.requires_grad_(False)
    if S["lora"]:
        from peft import LoraConfig, TaskType, get_peft_model

        base = model.base_model_prefix
        model = get_peft_model(model, LoraConfig(
            task_type=TaskType.SEQ_CLS, r=S["lora"], lora_alpha=2 * S["lora"], lora_dropout=0.05,
            target_modules=[
                name for name, part in model.named_modules()
                if isinstance(part, torch.nn.Linear) and name.startswith(f"{base}.")
            ],
            modules_to_save=[name for name, part in model.named_children() if name != base and list(part.parameters())],
        ))
    return model


class LengthGrouped(torch.utils.data.Sampler):
    """Random order with batches of like lengths; an epoch's order follows from the seed and its number."""

    def __init__(self, lengths, batch_size, seed):
        self.lengths, self.batch_size, self.seed, self.epoch = lengths, batch_size, seed, 0

    def __len__(self):
        return len(self.lengths)

    def __iter__(self):
        drawn = torch.Generator()
        drawn.manual_seed(self.seed + self.epoch)
        return iter(get_length_grouped_indices(self.lengths, self.batch_size, generator=drawn))


class GroupedTrainer(Trainer):
    def _get_train_sampler(self, train_dataset=None):
        lengths = [len(row["input_ids"]) for row in self.train_dataset]
        size = self.args.train_batch_size * self.args.gradient_accumulation_steps
        self.sampler = LengthGrouped(lengths, size, self.args.seed)
        return self.sampler


class Epochs(TrainerCallback):
    trainer = None

    def on_epoch_begin(self, args, state, control, **others):
        self.trainer.sampler.epoch = int(state.epoch or 0)


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def figures(y, output):
    if S["labels"] is None:
        return {
            "r2": float(sk.r2_score(y, output)), "rmse": float(sk.root_mean_squared_error(y, output)),
            "mae": float(sk.mean_absolute_error(y, output)),
        }
    predicted = output.argmax(axis=1)
    own = -np.log(np.clip(output[np.arange(len(y)), y], 1e-15, None))
    return {
        "accuracy": float(np.mean(predicted == y)), "f1_macro": float(sk.f1_score(y, predicted, average="macro")),
        "f1_weighted": float(sk.f1_score(y, predicted, average="weighted")), "log_loss": float(own.mean()),
    }


def main(source, target):
    if S["threads"]:
        torch.set_num_threads(S["threads"])
    texts, y = read(source)
    rest, test = hold_out(y, S["test_fraction"])
    left = np.unique(y[rest], return_inverse=True)[1] if S["labels"] else y[rest]
    train, validation = hold_out(left, S["validation_fraction"] / (1 - S["test_fraction"]))
    train, validation = rest[train], rest[validation]

    folder = S["base_model"]
    if folder.startswith("package:"):
        folder = Path(importlib.util.find_spec(folder.removeprefix("package:")).origin).parent / "model"
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = build(folder)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
        model.config.pad_token_id = tokenizer.pad_token_id
    mean, spread = (0.0, 1.0) if S["labels"] else (float(y[train].mean()), float(y[train].std()) or 1.0)

    def rows_of(rows):
        found = []
        for row in rows:
            item = dict(tokenizer(texts[row], truncation=True, max_length=S["max_length"]))
            item["labels"] = int(y[row]) if S["labels"] else (float(y[row]) - mean) / spread
            found.append(item)
        return found

    weights = None
    if S["class_weights"] and S["labels"]:
        counts = np.bincount(y[train], minlength=len(S["labels"]))
        weights = torch.tensor(
            np.where(counts > 0, len(train) / ((counts > 0).sum() * np.maximum(counts, 1)), 1.0), dtype=torch.float32
        )

    def loss(outputs, labels, num_items_in_batch=None):
        logits = outputs["logits"].float()
        if S["labels"] is None:
            total = torch.nn.functional.mse_loss(logits.squeeze(-1), labels.float(), reduction="sum")
        else:
            weight = None if weights is None else weights.to(logits.device)
            total = torch.nn.functional.cross_entropy(
                logits, labels, weight=weight, label_smoothing=S["label_smoothing"], reduction="sum"
            )
        return total / (labels.numel() if num_items_in_batch is None else num_items_in_batch)

    def evaluate(found):
        logits = np.asarray(found.predictions, dtype=float)
        if S["labels"] is None:
            return figures(np.asarray(found.label_ids) * spread + mean, logits.reshape(-1) * spread + mean)
        return figures(np.asarray(found.label_ids), softmax(logits))

    device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    arguments = TrainingArguments(
        output_dir=str(Path(target) / "checkpoints"), num_train_epochs=S["epochs"], max_steps=S["max_steps"] or -1,
        per_device_train_batch_size=S["train_batch_size"], per_device_eval_batch_size=S["eval_batch_size"],
        gradient_accumulation_steps=S["gradient_accumulation"], learning_rate=S["learning_rate"],
        warmup_steps=S["warmup_steps"] if S["warmup_steps"] < 1 else int(S["warmup_steps"]),
        weight_decay=S["weight_decay"], eval_strategy="epoch", save_strategy="epoch", save_total_limit=2,
        load_best_model_at_end=True, metric_for_best_model=S["metric"],
        greater_is_better=S["metric"] in ("accuracy", "f1_macro", "r2"), seed=S["seed"], use_cpu=device == "cpu",
        bf16=S["precision"] == "bf16", fp16=S["precision"] == "fp16", dataloader_pin_memory=device == "cuda",
        remove_unused_columns=False, label_names=["labels"], report_to="none", logging_steps=10,
    )
    epochs = Epochs()
    callbacks = [epochs]
    if S["early_stopping_patience"]:
        callbacks.append(EarlyStoppingCallback(S["early_stopping_patience"]))
    trainer = GroupedTrainer(
        model=model, args=arguments, train_dataset=rows_of(train),
        # Like lengths together; the figures do not depend on the order.
        eval_dataset=sorted(rows_of(validation), key=lambda item: len(item["input_ids"])),
        processing_class=tokenizer, compute_metrics=evaluate, compute_loss_func=loss, callbacks=callbacks,
    )
    epochs.trainer = trainer
    trainer.train()

    model = trainer.model.merge_and_unload() if S["lora"] else trainer.model
    if S["labels"] is None:  # the model answers in the unit of the table
        head = [part for part in model.modules() if isinstance(part, torch.nn.Linear)][-1]
        with torch.no_grad():
            head.weight.mul_(spread)
            head.bias.mul_(spread).add_(mean)
    model.eval().save_pretrained(target)
    tokenizer.save_pretrained(target)
    found = []
    with torch.inference_mode():
        for row in test:
            batch = tokenizer(texts[row], truncation=True, max_length=S["max_length"], return_tensors="pt")
            found.append(model(**batch.to(model.device)).logits[0].float().cpu().numpy())
    if len(test):
        logits = np.asarray(found, dtype=float)
        result = figures(y[test], softmax(logits) if S["labels"] else logits[:, 0])
        Path(target, "metrics.json").write_text(json.dumps(result, indent=1))
        print(json.dumps(result))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
'''
