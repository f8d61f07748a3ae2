"""What the script has besides where the base model was adapted to the texts by masked words."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from transformers import (
    AutoModel,
    AutoModelForMaskedLM,
    DataCollatorForTokenClassification,
    TrainingArguments,
    set_seed,
)

from core.finetune.templates.train import (
    SETTINGS,
    EpochCallback,
    GroupedTrainer,
    Text,
    label_columns,
    training_arguments,
)


def unlabeled_texts(path: str) -> list[Text]:
    """Return the texts of rows without a label, each once."""
    texts = [SETTINGS[name] for name in ("text_column", "second_text_column") if SETTINGS[name]]
    used = [*texts, *label_columns()]
    table = pd.read_csv(path, dtype=str, keep_default_na=False, na_values={name: [""] for name in used})
    has_text = table[texts].notna().all(axis=1) & (table[texts].fillna("").map(str.strip) != "").all(axis=1)
    rows = table[has_text & table[label_columns()].isna().any(axis=1)]
    return list(dict.fromkeys(rows[texts].itertuples(index=False, name=None)))


class MaskedTexts:
    """Texts with masked words, others in each epoch."""

    def __init__(self, encoded: list[dict[str, Any]], tokenizer: Any) -> None:
        self.encoded, self.epoch = encoded, 0
        self.special, self.mask, self.tokens = tokenizer.all_special_ids, tokenizer.mask_token_id, len(tokenizer)

    def __len__(self) -> int:
        return len(self.encoded)

    def __getitem__(self, row: int) -> dict[str, Any]:
        random = np.random.default_rng((SETTINGS["seed"], self.epoch, row))
        ids = np.array(self.encoded[row]["input_ids"])
        masked = (random.random(len(ids)) < 0.15) & ~np.isin(ids, self.special)
        fate, others = random.random(len(ids)), random.integers(self.tokens, size=len(ids))
        shown = np.where(masked & (fate < 0.8), self.mask, np.where(masked & (fate >= 0.9), others, ids))
        return {
            **self.encoded[row],
            "input_ids": shown.tolist(),
            "labels": np.where(masked, ids, -100).tolist(),
        }


class AdaptationEpochs(EpochCallback):
    """Tells the sampler and the texts the number of the epoch."""

    masked: MaskedTexts

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        super().on_epoch_begin(args, state, control, **kwargs)
        self.masked.epoch = int(state.epoch or 0)


def adapt(base: str | Path, tokenizer: Any, texts: list[Text], held_out: list[Text], path: str, folder: Path) -> Path:
    """Let the base model learn to guess masked words of all texts but the held-out ones; return its folder."""
    texts = [*texts, *(text for text in unlabeled_texts(path) if text not in set(held_out))]
    set_seed(SETTINGS["seed"])
    model = AutoModelForMaskedLM.from_pretrained(base, use_safetensors=True, dtype=torch.float32)
    usual = training_arguments(folder / "adaptation")
    arguments = TrainingArguments(
        output_dir=str(folder / "adaptation"),
        num_train_epochs=SETTINGS["adaptation_epochs"],
        per_device_train_batch_size=SETTINGS["train_batch_size"],
        learning_rate=5e-5,
        warmup_steps=0.1,
        weight_decay=SETTINGS["weight_decay"],
        save_strategy="no",
        seed=SETTINGS["seed"],
        use_cpu=usual.use_cpu,
        fp16=usual.fp16,
        dataloader_pin_memory=usual.dataloader_pin_memory,
        remove_unused_columns=False,
        report_to="none",
    )
    encoded = [dict(tokenizer(*text, truncation=True, max_length=SETTINGS["max_length"])) for text in texts]
    masked = MaskedTexts(encoded, tokenizer)
    epochs = AdaptationEpochs()
    epochs.masked = masked
    epochs.trainer = GroupedTrainer(
        model=model,
        args=arguments,
        train_dataset=masked,
        processing_class=tokenizer,
        data_collator=DataCollatorForTokenClassification(tokenizer),
        callbacks=[epochs],
    )
    epochs.trainer.train()
    whole = AutoModel.from_pretrained(base, use_safetensors=True, dtype=torch.float32)
    learned = {name: value.cpu() for name, value in model.base_model.state_dict().items()}
    whole.load_state_dict(learned, strict=False)  # parts that masked words do not train stay as they were
    whole.save_pretrained(folder / "adapted")
    tokenizer.save_pretrained(folder / "adapted")
    return folder / "adapted"
