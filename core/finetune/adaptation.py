"""Domain adaptation: the pre-training of a base model is continued, by masked words, on the texts of the table.

Gururangan et al. 2020, "Don't Stop Pretraining". Texts without a label count too; those that are held out do not, so
that the test still stands for texts that were never seen.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import TypeAdapter

from core.errors import InputError, SettingsError, StoppedError
from core.files import write_text
from core.finetune.base_model import BaseModel
from core.finetune.checkpoints import TrainingFolder, latest_checkpoint
from core.finetune.data import TextData
from core.finetune.device import device_of, on_one_device, precision_of
from core.finetune.encode import Encoded, encode_texts
from core.finetune.settings import FineTuneSettings
from core.progress import Event, Report

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase, TrainingArguments

__all__ = ["Adaptation", "adapt"]

_MASKED = 0.15  # of the tokens, as in BERT's own pre-training
_RATE = 5e-5
_FEWEST = 20  # texts
_EVALUATED = 500


@dataclass(frozen=True)
class Adaptation:
    """What an adaptation read, and how well the model guessed masked words of the validation texts.

    Parameters
    ----------
    texts : int
        Number of texts that it read.
    unlabeled : int
        Number of those without a label.
    steps : int
        Number of its steps.
    before, after : float
        Mean negative logarithm of the probability of a masked token.
    """

    texts: int
    unlabeled: int
    steps: int
    before: float
    after: float


def adapt(
    base: BaseModel,
    data: TextData,
    settings: FineTuneSettings,
    folder: TrainingFolder,
    report: Report,
    should_stop: Callable[[], bool],
) -> tuple[BaseModel, Adaptation]:
    """Return a base model that has read the texts, and what that brought.

    Parameters
    ----------
    base : BaseModel
        The base model.
    data : TextData
        Texts and their split.
    settings : FineTuneSettings
        The settings of the training.
    folder : TrainingFolder
        The folder of the training; an adaptation that was stopped continues from its last checkpoint.
    report, should_stop : callable
        The same as those of `core.finetune.fine_tune`.

    Raises
    ------
    SettingsError
        When the base model did not learn from masked words.
    InputError
        When there are hardly any texts.
    StoppedError
        When `should_stop` returned True before the end.
    """
    adapted = replace(base, path=str(folder.adapted))
    facts = folder.adapted / "adaptation.json"
    if facts.is_file():
        return adapted, TypeAdapter(Adaptation).validate_json(facts.read_bytes())
    model, tokenizer = _load(base, settings)
    held_out = {*data.part(data.validation), *data.part(data.test)}
    unlabeled = [text for text in dict.fromkeys(data.unlabeled) if text not in held_out]
    texts = [*data.part(data.train), *unlabeled]
    if len(texts) < _FEWEST:
        raise InputError(
            f"{len(texts)} texts are too few to adapt a base model to.", "Set adaptation_epochs to 0, or add texts."
        )
    examples = encode_texts(tokenizer, texts, settings.max_length)
    probe = encode_texts(tokenizer, data.part(data.validation)[:_EVALUATED], settings.max_length)
    before = _loss(model, tokenizer, probe, settings.eval_batch_size)
    report(Event("adapt", 0.0, f"Adapting {base.title} to {len(texts):,} texts, by masked words"))
    steps = _train(model, tokenizer, examples, settings, folder, report, should_stop)
    after = _loss(model, tokenizer, probe, settings.eval_batch_size)
    _save(base, model, tokenizer, folder)
    result = Adaptation(len(texts), len(unlabeled), steps, before, after)
    write_text(facts, json.dumps(asdict(result)))
    message = f"Adapted: the loss of masked words fell from {before:.2f} to {after:.2f}"
    report(Event("adapt", 1.0, message if after < before else f"Adapted, without gain ({before:.2f}, {after:.2f})"))
    return adapted, result


def _load(base: BaseModel, settings: FineTuneSettings) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    import torch
    from transformers import AutoConfig, AutoModelForMaskedLM, AutoTokenizer, set_seed
    from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING

    config = AutoConfig.from_pretrained(base.path, local_files_only=True)
    tokenizer = AutoTokenizer.from_pretrained(base.path, local_files_only=True, trust_remote_code=False)
    learned = type(config) in MODEL_FOR_MASKED_LM_MAPPING and not config.is_encoder_decoder
    if not learned or tokenizer.mask_token is None:
        raise SettingsError(
            f"A '{config.model_type}' model does not learn from masked words, by which base models are adapted.",
            "Set adaptation_epochs to 0, or choose an encoder such as BERT or RoBERTa.",
        )
    set_seed(settings.seed)  # of the layer that guesses words, where the base model has none
    model = AutoModelForMaskedLM.from_pretrained(
        base.path, local_files_only=True, trust_remote_code=False, use_safetensors=True, dtype=torch.float32
    )
    return model.to(device_of()[0]), tokenizer


def _train(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    examples: list[Encoded],
    settings: FineTuneSettings,
    folder: TrainingFolder,
    report: Report,
    should_stop: Callable[[], bool],
) -> int:
    from transformers import DataCollatorForTokenClassification, TrainerCallback
    from transformers.trainer_callback import PrinterCallback

    from core.finetune.trainer import GroupedTrainer

    masked = _MaskedTexts(examples, tokenizer, settings.seed)

    class Progress(TrainerCallback):
        stopped_at: int | None = None

        def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            trainer.sampler.epoch = masked.epoch = int(state.epoch or 0)

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if state.global_step < state.max_steps and should_stop():
                self.stopped_at = state.global_step
                control.should_training_stop = control.should_save = True

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
            if logs and "loss" in logs:
                said = f"Masked words: step {state.global_step:,} of {state.max_steps:,}, loss {logs['loss']:.2f}"
                report(Event("adapt", state.global_step / state.max_steps, said))

    precision = precision_of(settings.precision, device_of()[0], model)
    progress = Progress()
    trainer = GroupedTrainer(
        model=model,
        args=_arguments(settings, folder, len(examples), precision),
        train_dataset=masked,
        processing_class=tokenizer,
        data_collator=DataCollatorForTokenClassification(tokenizer),
        callbacks=[progress],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.bf16 = precision == "bf16"
    checkpoint = latest_checkpoint(folder.adaptation)
    trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    if progress.stopped_at is not None:
        raise StoppedError(
            f"Stopped at step {progress.stopped_at:,} of {trainer.state.max_steps:,} of the adaptation.",
            "Resume to continue from there.",
        )
    return int(trainer.state.global_step)


def _arguments(settings: FineTuneSettings, folder: TrainingFolder, texts: int, precision: str) -> TrainingArguments:
    from transformers import TrainingArguments

    device, _ = device_of()
    steps = settings.adaptation_epochs * -(-texts // settings.train_batch_size)
    arguments = TrainingArguments(
        output_dir=str(folder.adaptation),
        num_train_epochs=settings.adaptation_epochs,
        per_device_train_batch_size=settings.train_batch_size,
        learning_rate=_RATE,
        warmup_steps=0.1,
        weight_decay=settings.weight_decay,
        eval_strategy="no",
        save_strategy="epoch",
        save_total_limit=1,
        logging_steps=max(1, steps // 50),
        seed=settings.seed,
        use_cpu=device == "cpu",
        fp16=precision == "fp16",
        dataloader_num_workers=0,
        dataloader_pin_memory=device == "cuda",
        remove_unused_columns=False,
        disable_tqdm=True,
        report_to="none",
    )
    return on_one_device(arguments)


class _MaskedTexts(Sequence[Encoded]):
    """Texts with masked words, others in each epoch; they depend on seed, epoch and position alone.

    So an adaptation that resumes in mid-epoch masks the same words as one that was never stopped. Of the masked tokens
    80% are hidden, 10% replaced by others, and 10% left as they are (Devlin et al. 2019).
    """

    def __init__(self, encoded: Sequence[Encoded], tokenizer: PreTrainedTokenizerBase, seed: int) -> None:
        self._encoded, self._seed, self.epoch = encoded, seed, 0
        self._special, self._mask = np.array(tokenizer.all_special_ids), int(tokenizer.mask_token_id)
        self._tokens = len(tokenizer)

    def __len__(self) -> int:
        return len(self._encoded)

    def __getitem__(self, row: Any) -> Any:
        random = np.random.default_rng((self._seed, self.epoch, row))
        ids = np.array(self._encoded[row]["input_ids"])
        masked = (random.random(len(ids)) < _MASKED) & ~np.isin(ids, self._special)
        fate, others = random.random(len(ids)), random.integers(self._tokens, size=len(ids))
        shown = np.where(masked & (fate < 0.8), self._mask, np.where(masked & (fate >= 0.9), others, ids))
        labels = np.where(masked, ids, -100)
        return {**self._encoded[row], "input_ids": shown.tolist(), "labels": labels.tolist()}


def _loss(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, encoded: list[Encoded], batch_size: int) -> float:
    """Return the loss of masked words, the same words whenever it is asked."""
    import torch
    from transformers import DataCollatorForTokenClassification

    total, count = 0.0, 0
    model.eval()
    masked = _MaskedTexts(sorted(encoded, key=lambda item: len(item["input_ids"])), tokenizer, 0)
    collate = DataCollatorForTokenClassification(tokenizer)
    with torch.inference_mode():
        for begin in range(0, len(masked), batch_size):
            rows = range(begin, min(begin + batch_size, len(masked)))
            batch = collate([masked[row] for row in rows]).to(model.device)
            labels = batch.pop("labels")
            logits = model(**batch).logits.float()
            total += float(torch.nn.functional.cross_entropy(logits.mT, labels, reduction="sum"))
            count += int((labels != -100).sum())
    model.train()
    return total / max(count, 1)


def _save(base: BaseModel, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: TrainingFolder) -> None:
    """Write the base model with its new weights; parts that masked words do not train stay as they were."""
    import torch
    from transformers import AutoModel

    whole = AutoModel.from_pretrained(base.path, local_files_only=True, use_safetensors=True, dtype=torch.float32)
    whole.load_state_dict({name: value.cpu() for name, value in model.base_model.state_dict().items()}, strict=False)
    whole.save_pretrained(folder.adapted)
    tokenizer.save_pretrained(folder.adapted)
