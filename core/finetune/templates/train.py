"""Train a text model again: python train.py table.csv out

Requirements: pip install torch transformers accelerate peft scikit-learn pandas
The table is the one of the run, with its rows in the same order. The folder gets the model, and metrics.json with the
metrics of the test rows.
"""

import importlib.util
import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn import metrics
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    EarlyStoppingCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    set_seed,
)
from transformers.trainer_pt_utils import get_length_grouped_indices

# Settings of the run
SETTINGS: dict[str, Any] = {
    "text_column": "text",
    "second_text_column": None,  # of pairs
    "label_column": "label",
    "epochs": 3,
    "train_batch_size": 16,
    "eval_batch_size": 64,
    "learning_rate": 5e-05,
    "warmup_steps": 0.1,
    "weight_decay": 0.01,
    "max_length": 128,
    "class_weights": False,
    "lora": None,
    "early_stopping_patience": None,
    "label_smoothing": 0.0,
    "gradient_accumulation": 1,
    "validation_fraction": 0.1,
    "test_fraction": 0.2,
    "seed": 0,
    "threads": None,
    "max_steps": None,
    "base_model": "distilbert/distilbert-base-uncased",
    "labels": ["negative", "positive"],  # None: the label is a number
    "problem_type": "single_label_classification",
    "metric": "accuracy",
    "larger_is_better": True,
    "precision": "float32",
    "frozen": [],  # parts that keep their weights
    "head": "classifier",  # the last layer
    "constant": True,  # whether the last layer has one
}
# End of the settings

Rows = NDArray[np.intp]
Text = tuple[str, ...]  # one text, or two of a pair


def label_columns() -> list[str]:
    """Return the columns of the labels."""
    return [SETTINGS["label_column"]]


def read_table(path: str) -> tuple[list[Text], NDArray[Any]]:
    """Return texts and labels; rows that lack one of them are left out."""
    texts = [SETTINGS[name] for name in ("text_column", "second_text_column") if SETTINGS[name]]
    used, labels = [*texts, *label_columns()], SETTINGS["labels"]
    types = dict.fromkeys(used if labels else texts, str)
    table = pd.read_csv(path, dtype=types, keep_default_na=False, na_values={name: [""] for name in used})
    usable = table[used].notna().all(axis=1) & (table[texts].fillna("").map(str.strip) != "").all(axis=1)
    rows = table.loc[usable, texts].itertuples(index=False, name=None)
    return list(rows), read_labels(table.loc[usable, label_columns()])


def read_labels(table: pd.DataFrame) -> NDArray[Any]:
    """Return the class codes, or numbers, of rows."""
    label, names = table[SETTINGS["label_column"]], SETTINGS["labels"]
    if names is None:
        return np.asarray(pd.to_numeric(label), dtype=float)
    codes = {name: code for code, name in enumerate(names)}
    # A whole number may be written with a decimal point; a label that is a text such as "1.0" stays one.
    values = label.map(lambda value: value if value in codes else re.sub(r"^(-?\d+)\.0+$", r"\1", value))
    unknown = sorted(set(values) - set(codes))
    if unknown:
        sys.exit(f"{unknown[0]!r} is not a label of the run: {', '.join(names[:20])}.")
    return np.asarray(values.map(codes), dtype=int)


def strata(y: NDArray[Any]) -> NDArray[Any]:
    """Return the classes, or deciles of a number, in which rows are held out."""
    return y if SETTINGS["labels"] else np.searchsorted(np.quantile(y, np.linspace(0, 1, 11)[1:-1]), y)


def hold_out(y: NDArray[Any], fraction: float) -> tuple[Rows, Rows]:
    """Split rows, stratified; a class of one row stays in training."""
    if fraction == 0:
        return np.arange(len(y)), np.arange(0)
    parts = strata(y)
    free = np.flatnonzero(np.bincount(parts)[parts] > 1)
    size = round(fraction * len(free))
    too_few = min(size, len(free) - size) < len(np.unique(parts[free]))
    splitter = ShuffleSplit if too_few else StratifiedShuffleSplit
    _, held_out = next(splitter(1, test_size=size, random_state=SETTINGS["seed"]).split(free, parts[free]))
    mask = np.isin(np.arange(len(y)), free[held_out])
    return np.flatnonzero(~mask), np.flatnonzero(mask)


def split(y: NDArray[Any]) -> tuple[Rows, Rows, Rows]:
    """Return the training, validation and test rows."""
    rest, test = hold_out(y, SETTINGS["test_fraction"])
    codes = np.unique(y[rest], return_inverse=True)[1] if SETTINGS["labels"] else y[rest]
    train, validation = hold_out(codes, SETTINGS["validation_fraction"] / (1 - SETTINGS["test_fraction"]))
    return rest[train], rest[validation], test


def build_model(folder: str | Path) -> Any:
    """Return the base model with a new head; the seed decides on its weights."""
    names = SETTINGS["labels"] or ["number"]
    set_seed(SETTINGS["seed"])  # before the model is built: its head is drawn at random
    model = AutoModelForSequenceClassification.from_pretrained(
        folder,
        num_labels=len(names),
        id2label=dict(enumerate(names)),
        label2id={name: code for code, name in enumerate(names)},
        ignore_mismatched_sizes=True,
        problem_type=SETTINGS["problem_type"],
        use_safetensors=True,
        dtype=torch.float32,
    )
    for name in SETTINGS["frozen"]:
        model.get_submodule(name).requires_grad_(False)
    if SETTINGS["lora"]:
        from peft import LoraConfig, TaskType, get_peft_model
        from transformers.pytorch_utils import Conv1D

        prefix = model.base_model_prefix
        linear = [name for name, part in model.named_modules() if isinstance(part, (torch.nn.Linear, Conv1D))]
        config = LoraConfig(
            task_type=TaskType.SEQ_CLS,
            r=SETTINGS["lora"],
            lora_alpha=2 * SETTINGS["lora"],
            lora_dropout=0.05,
            target_modules=[name for name in linear if name.startswith(f"{prefix}.")],
            modules_to_save=[name for name, part in model.named_children() if name != prefix and [*part.parameters()]],
        )
        model = get_peft_model(model, config)
    return model


class LengthGroupedSampler(torch.utils.data.Sampler):
    """Rows in random order, with similar lengths in a batch; seed and number of the epoch decide on the order."""

    def __init__(self, lengths: list[int], batch_size: int, seed: int) -> None:
        self.lengths, self.batch_size, self.seed, self.epoch = lengths, batch_size, seed, 0

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Any:
        generator = torch.Generator().manual_seed(self.seed + self.epoch)
        return iter(get_length_grouped_indices(self.lengths, self.batch_size, generator=generator))


class GroupedTrainer(Trainer):
    """A Trainer with batches of similar lengths, which evaluates in float32 also where it trains in bf16."""

    def compute_loss_context_manager(self) -> Any:
        contexts = super().compute_loss_context_manager()
        if SETTINGS["precision"] == "bf16" and self.model.training:
            contexts.enter_context(torch.autocast(self.args.device.type, dtype=torch.bfloat16))
        return contexts

    def _get_train_sampler(self, train_dataset: Any = None) -> LengthGroupedSampler:
        lengths = [len(row["input_ids"]) for row in self.train_dataset]
        size = self.args.train_batch_size * self.args.gradient_accumulation_steps
        self.sampler = LengthGroupedSampler(lengths, size, self.args.seed)
        return self.sampler


class EpochCallback(TrainerCallback):
    """Tells the sampler the number of the epoch."""

    trainer: GroupedTrainer

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.trainer.sampler.epoch = int(state.epoch or 0)


def class_weights(y: NDArray[Any]) -> torch.Tensor | None:
    """Return weights of the classes whose mean over the rows is 1, if the settings ask for them."""
    if not SETTINGS["class_weights"] or not SETTINGS["labels"]:
        return None
    counts = np.bincount(y, minlength=len(SETTINGS["labels"]))
    weights = np.where(counts > 0, len(y) / ((counts > 0).sum() * np.maximum(counts, 1)), 1.0)
    return torch.tensor(weights, dtype=torch.float32)


def total_loss(logits: torch.Tensor, labels: torch.Tensor, weight: torch.Tensor | None) -> torch.Tensor:
    """Return cross-entropy with class weights and label smoothing, or the squared error, summed over the rows."""
    if SETTINGS["labels"] is None:
        return torch.nn.functional.mse_loss(logits.squeeze(-1), labels.float(), reduction="sum")
    smoothing = SETTINGS["label_smoothing"]
    return torch.nn.functional.cross_entropy(logits, labels, weight=weight, label_smoothing=smoothing, reduction="sum")


def loss_function(weights: torch.Tensor | None) -> Any:
    """Return the loss as the Trainer takes it."""

    def loss(outputs: Any, labels: torch.Tensor, num_items_in_batch: Any = None) -> torch.Tensor:
        logits = outputs["logits"].float()
        total = total_loss(logits, labels, None if weights is None else weights.to(logits.device))
        return total / (labels.numel() if num_items_in_batch is None else num_items_in_batch)

    return loss


def probabilities(logits: Any) -> NDArray[np.float64]:
    """Return probabilities of the classes."""
    return np.asarray(softmax(np.asarray(logits, dtype=float), axis=1))


def evaluate(y: NDArray[Any], output: NDArray[np.float64]) -> dict[str, float]:
    """Return the metrics of probabilities (n, classes), or of predicted numbers (n,)."""
    if SETTINGS["labels"] is None:
        return {
            "r2": float(metrics.r2_score(y, output)),
            "rmse": float(metrics.root_mean_squared_error(y, output)),
            "mae": float(metrics.mean_absolute_error(y, output)),
        }
    predicted = output.argmax(axis=1)
    losses = -np.log(np.clip(output[np.arange(len(y)), y], 1e-15, None))
    return {
        "accuracy": float(np.mean(predicted == y)),
        "f1_macro": float(metrics.f1_score(y, predicted, average="macro")),
        "f1_weighted": float(metrics.f1_score(y, predicted, average="weighted")),
        "log_loss": float(losses.mean()),
    }


def training_arguments(folder: Path) -> TrainingArguments:
    """Return the settings as the Trainer takes them."""
    device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    warmup = SETTINGS["warmup_steps"]
    return TrainingArguments(
        output_dir=str(folder / "checkpoints"),
        num_train_epochs=SETTINGS["epochs"],
        max_steps=SETTINGS["max_steps"] or -1,
        per_device_train_batch_size=SETTINGS["train_batch_size"],
        per_device_eval_batch_size=SETTINGS["eval_batch_size"],
        gradient_accumulation_steps=SETTINGS["gradient_accumulation"],
        learning_rate=SETTINGS["learning_rate"],
        warmup_steps=warmup if warmup < 1 else int(warmup),
        weight_decay=SETTINGS["weight_decay"],
        eval_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=2,
        load_best_model_at_end=True,
        metric_for_best_model=SETTINGS["metric"],
        greater_is_better=SETTINGS["larger_is_better"],
        seed=SETTINGS["seed"],
        use_cpu=device == "cpu",
        fp16=SETTINGS["precision"] == "fp16",
        dataloader_pin_memory=device == "cuda",
        remove_unused_columns=False,
        label_names=["labels"],
        report_to="none",
        logging_steps=10,
    )


def scale_of(numbers: NDArray[Any]) -> tuple[float, float]:
    """Return center and unit of the numbers; a head without a constant has the center 0."""
    mean, spread = float(numbers.mean()), float(numbers.std()) or 1.0
    return (mean, spread) if SETTINGS["constant"] else (0.0, float(np.sqrt(mean**2 + spread**2)))


def train(
    model: Any, tokenizer: Any, texts: list[Text], y: NDArray[Any], rows: Rows, validation: Rows, folder: Path
) -> Any:
    """Return the model of the best epoch."""
    names = SETTINGS["labels"]
    mean, spread = (0.0, 1.0) if names else scale_of(y[rows])

    def encode(part: Rows) -> list[dict[str, Any]]:
        encoded = []
        for row in part:
            options = {"truncation": True, "max_length": SETTINGS["max_length"], "return_special_tokens_mask": True}
            item = dict(tokenizer(*texts[row], **options))
            ids, added = item["input_ids"], item.pop("special_tokens_mask")
            if model.config.is_encoder_decoder:  # it answers from the token that ends a text: no text holds another
                kept = [index for index, token in enumerate(ids) if token != model.config.eos_token_id or added[index]]
                item = {name: [values[index] for index in kept] for name, values in item.items()}
            item["labels"] = y[row].tolist() if names else (float(y[row]) - mean) / spread
            encoded.append(item)
        return encoded

    def compute_metrics(prediction: Any) -> dict[str, float]:
        logits, labels = prediction.predictions, np.asarray(prediction.label_ids)
        if names is None:
            return evaluate(labels * spread + mean, np.asarray(logits, float).reshape(-1) * spread + mean)
        return evaluate(labels, probabilities(logits))

    epochs = EpochCallback()
    patience = SETTINGS["early_stopping_patience"]
    epochs.trainer = GroupedTrainer(
        model=model,
        args=training_arguments(folder),
        train_dataset=encode(rows),
        # Similar lengths together; the metrics do not depend on the order.
        eval_dataset=sorted(encode(validation), key=lambda item: len(item["input_ids"])),
        processing_class=tokenizer,
        compute_metrics=compute_metrics,
        preprocess_logits_for_metrics=lambda outputs, _: outputs[0] if isinstance(outputs, tuple) else outputs,
        compute_loss_func=loss_function(class_weights(y[rows])),
        callbacks=[epochs, *([EarlyStoppingCallback(patience)] if patience else [])],
    )
    epochs.trainer.train()
    model = epochs.trainer.model
    if SETTINGS["lora"]:
        model = model.merge_and_unload()
    if names is None:  # the model predicts in the unit of the table
        head = model.get_submodule(SETTINGS["head"])
        with torch.no_grad():
            head.weight.mul_(spread)
            if head.bias is not None:
                head.bias.mul_(spread).add_(mean)
    return model.eval()


def predict(model: Any, tokenizer: Any, texts: list[Text]) -> NDArray[np.float64]:
    """Return probabilities (n, classes), or numbers (n,)."""
    logits = []
    with torch.inference_mode():
        for text in texts:
            batch = tokenizer(*text, truncation=True, max_length=SETTINGS["max_length"], return_tensors="pt")
            logits.append(model(**batch.to(model.device)).logits[0].float().cpu().numpy())
    return probabilities(logits) if SETTINGS["labels"] else np.asarray(logits, float)[:, 0]


def main(source: str, target: str) -> None:
    """Train on a table, and write the model and its metrics into a folder."""
    if SETTINGS["threads"]:
        torch.set_num_threads(SETTINGS["threads"])
    texts, y = read_table(source)
    rows, validation, test = split(y)
    base: str | Path = SETTINGS["base_model"]
    if str(base).startswith("package:"):
        package = importlib.util.find_spec(str(base).removeprefix("package:"))
        if package is None or package.origin is None:
            sys.exit(f"{base} is not installed.")
        base = Path(package.origin).parent / "model"
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = build_model(base)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
    for config in (model.config, model.config.get_text_config()):
        if config.pad_token_id is None or hasattr(model, "score"):  # a decoder looks for the last other token
            config.pad_token_id = tokenizer.pad_token_id
    model = train(model, tokenizer, texts, y, rows, validation, Path(target))
    model.save_pretrained(target)
    tokenizer.save_pretrained(target)
    if len(test):
        result = evaluate(y[test], predict(model, tokenizer, [texts[row] for row in test]))
        Path(target, "metrics.json").write_text(json.dumps(result, indent=1), encoding="utf-8")
        print(json.dumps(result))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
