"""What a fine-tuning is asked to do: typed once, validated here, stored with its result."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from core.checked import CheckedSettings
from core.errors import SettingsError

__all__ = ["FineTuneSettings"]

_CLASS_METRICS = ("accuracy", "f1_macro", "log_loss")
_NUMBER_METRICS = ("rmse", "mae", "r2")


class FineTuneSettings(CheckedSettings):
    """Settings of `fine_tune`.

    Parameters
    ----------
    text_column, label_column : str
        What is read, and what is predicted.
    base_model : str
        A name of `base_models`, a folder, or a name on the Hugging Face hub.
    epochs : int
        Passes over the training rows.
    train_batch_size, eval_batch_size : int
        Texts a step, and texts scored at once.
    learning_rate : float
        Its peak; it rises during the warm-up and falls linearly to 0. LoRA wants about ten times more.
    warmup_steps : float
        Below 1 a share of all steps, else a number of steps.
    weight_decay : float
        Of AdamW.
    max_length : int
        Tokens of a text that are read; the rest is cut off.
    class_weights : bool
        Weigh classes by the inverse of their frequency.
    lora : int or None
        Rank of low-rank adapters that are trained in place of the weights, and merged at the end; None trains all.
    freeze_layers : int
        First layers, with the embeddings, that keep their weights.
    early_stopping_patience : int or None
        End after so many epochs without a better validation metric.
    label_smoothing : float
        Share of the target that is spread over all classes.
    gradient_accumulation : int
        Batches whose gradients make one step.
    precision : str
        auto (bf16 where a GPU has it, else float32), float32, bf16 or fp16 (GPUs only).
    metric_for_best_model : str
        Which epoch is kept; auto is accuracy (F1, macro with class weights), or rmse for a number.
    task : str
        auto, classification or regression.
    validation_fraction, test_fraction : float
        Shares of rows held out to choose the epoch, and for the test; 0 means no test.
    sensitive_columns : tuple of str
        Columns that are stored with the predictions; the model does not see them.
    seed : int
        Of splits, new weights, order and dropout.
    threads : int or None
        Threads of torch; None leaves them as they are.
    max_steps : int or None
        End after so many steps, whatever `epochs` says.

    Raises
    ------
    SettingsError
        When a value, or a combination, is invalid.

    Examples
    --------
    >>> FineTuneSettings(text_column="review", label_column="stars").base_model
    'minilm-l6'
    """

    text_column: str = Field(min_length=1)
    label_column: str = Field(min_length=1)
    base_model: str = Field(default="minilm-l6", min_length=1)
    epochs: int = Field(default=3, ge=1, le=1_000)
    train_batch_size: int = Field(default=16, ge=1, le=4_096)
    eval_batch_size: int = Field(default=64, ge=1, le=4_096)
    learning_rate: float = Field(default=5e-5, gt=0, le=1)
    warmup_steps: float = Field(default=0.1, ge=0)
    weight_decay: float = Field(default=0.01, ge=0, le=1)
    max_length: int = Field(default=128, ge=8, le=8_192)
    class_weights: bool = False
    lora: int | None = Field(default=None, ge=1, le=512)
    freeze_layers: int = Field(default=0, ge=0)
    early_stopping_patience: int | None = Field(default=None, ge=1)
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    gradient_accumulation: int = Field(default=1, ge=1, le=1_024)
    precision: Literal["auto", "float32", "bf16", "fp16"] = "auto"
    metric_for_best_model: Literal["auto", "accuracy", "f1_macro", "log_loss", "rmse", "mae", "r2"] = "auto"
    task: Literal["auto", "classification", "regression"] = "auto"
    validation_fraction: float = Field(default=0.1, gt=0, le=0.5)
    test_fraction: float = Field(default=0.2, ge=0, le=0.5)
    sensitive_columns: tuple[str, ...] = ()
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    threads: int | None = Field(default=None, ge=1, le=1_024)
    max_steps: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _combination(self) -> FineTuneSettings:
        if self.text_column == self.label_column:
            raise ValueError(f"'{self.text_column}' cannot be the text and the label")
        if self.lora is not None and self.freeze_layers:
            raise ValueError("LoRA keeps all weights of the base model as they are: set freeze_layers to 0")
        if self.validation_fraction + self.test_fraction >= 0.8:
            raise ValueError("validation and test together leave too few rows to train on (less than a fifth)")
        if self.warmup_steps >= 1 and self.warmup_steps != int(self.warmup_steps):
            raise ValueError(f"warmup_steps is a share below 1 or a whole number, not {self.warmup_steps}")
        wrong = {"classification": _NUMBER_METRICS, "regression": _CLASS_METRICS}.get(self.task, ())
        if self.metric_for_best_model in wrong:
            raise ValueError(f"the metric '{self.metric_for_best_model}' does not fit {self.task}")
        return self

    def best_metric(self, classification: bool) -> str:
        """Return the metric that chooses the epoch.

        Raises
        ------
        SettingsError
            When the chosen one does not fit the labels.
        """
        if self.metric_for_best_model == "auto":
            if not classification:
                return "rmse"
            return "f1_macro" if self.class_weights else "accuracy"
        if self.metric_for_best_model not in (_CLASS_METRICS if classification else _NUMBER_METRICS):
            kind = "classes" if classification else "a number"
            raise SettingsError(
                f"The metric '{self.metric_for_best_model}' does not fit '{self.label_column}', which holds {kind}.",
                "Choose another, or auto.",
            )
        return self.metric_for_best_model
