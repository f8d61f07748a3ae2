"""Settings of a fine-tuning: typed once, validated here, stored with its result."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from core.checked import CheckedSettings
from core.errors import SettingsError
from core.finetune.targets import TARGET_KINDS, TargetKind

__all__ = ["FineTuneSettings"]


class FineTuneSettings(CheckedSettings):
    """Settings of `fine_tune`.

    Parameters
    ----------
    text_column : str
        The column of texts that the model reads.
    label_column : str
        The column that the model predicts; with `label_columns`, the name of their labels in results.
    second_text_column : str, optional
        A second column of texts, where the model reads pairs: a question and its answer, a claim and its source.
    label_columns : tuple of str, default=()
        Columns of yes and no, one for each label of a multilabel task; by default the labels are in `label_column`.
    label_separator : str, optional
        Sign between the labels of a cell of a multilabel task, or "lists"; by default it is chosen by the cells.
    base_model : str, default="minilm-l6"
        A name of `base_models`, a folder, or a name on the Hugging Face hub.
    epochs : int, default=3
        Number of passes over the training rows.
    train_batch_size : int, default=16
        Number of texts of a training batch.
    eval_batch_size : int, default=64
        Number of texts that are scored at once.
    learning_rate : float, default=5e-5
        Peak learning rate; it rises during the warm-up and falls linearly to 0. LoRA needs one about ten times higher.
    warmup_steps : float, default=0.1
        Length of the warm-up: below 1 a share of all steps, else a number of steps.
    weight_decay : float, default=0.01
        Weight decay of AdamW.
    max_length : int, default=128
        Maximum number of tokens that are read of a text; the rest is cut off.
    class_weights : bool, default=False
        Whether to weight classes by the inverse of their frequency.
    lora : int, optional
        Rank of low-rank adapters that are trained in place of the weights and merged at the end; by default all weights
        are trained.
    freeze_layers : int, default=0
        Number of first layers that keep their weights, as do the embeddings then.
    early_stopping_patience : int, optional
        Number of epochs without a better validation metric after which the training stops.
    label_smoothing : float, default=0.0
        Share of the target that is spread over all classes.
    gradient_accumulation : int, default=1
        Number of batches whose gradients make one step.
    precision : {"auto", "float32", "bf16", "fp16"}, default="auto"
        Precision of the training; "auto" is bf16 where a GPU has it, or the processor (AMX) and a
        base model of usual width; else float32. fp16 needs a GPU. Evaluations are in float32, but those of fp16.
    metric_for_best_model : str, default="auto"
        Metric that chooses the epoch; "auto" is accuracy (macro F1 with class weights), RMSE for a number, or F1 over
        all labels (the mean F1 of the labels with class weights).
    task : {"auto", "classification", "regression", "multilabel"}, default="auto"
        The task; "auto" infers it from the labels, and is never multilabel where these are in one column.
    adaptation_epochs : int, default=0
        Number of passes over all texts, also those without a label but not the held-out ones, in which the base model
        learns to guess masked words before it is trained: domain adaptation. It needs an encoder such as BERT.
    few_shot : bool, default=False
        Whether the model learns from pairs of texts, and then a linear head: for fewer than about 20 texts per class.
        `epochs` and what else belongs to the usual training does not count then.
    validation_fraction : float, default=0.1
        Share of the rows that choose the epoch.
    test_fraction : float, default=0.2
        Share of the rows that are held out for the test; 0 means no test.
    sensitive_columns : tuple of str, default=()
        Columns that are stored with the predictions; the model does not see them.
    seed : int, default=0
        Seed of the random number generator for splits, new weights, order and dropout.
    threads : int, optional
        Number of threads of torch; by default it is not changed.
    max_steps : int, optional
        Number of steps after which the training stops, whatever `epochs` is.
    nodes : int, default=1
        Number of nodes of the cluster that share each batch out among themselves: the one that the training runs on,
        and others that have free cores. More than one needs an installation that runs on a Ray cluster.

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
    second_text_column: str | None = Field(default=None, min_length=1)
    label_columns: tuple[str, ...] = ()
    label_separator: str | None = Field(default=None, min_length=1, max_length=20)
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
    metric_for_best_model: Literal[
        "auto",
        "accuracy",
        "f1_macro",
        "log_loss",
        "rmse",
        "mae",
        "r2",
        "f1_micro",
        "f1_labels",
        "exact_match",
        "label_log_loss",
    ] = "auto"
    task: Literal["auto", "classification", "regression", "multilabel"] = "auto"
    adaptation_epochs: int = Field(default=0, ge=0, le=100)
    few_shot: bool = False
    validation_fraction: float = Field(default=0.1, gt=0, le=0.5)
    test_fraction: float = Field(default=0.2, ge=0, le=0.5)
    sensitive_columns: tuple[str, ...] = ()
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    threads: int | None = Field(default=None, ge=1, le=1_024)
    max_steps: int | None = Field(default=None, ge=1)
    nodes: int = Field(default=1, ge=1, le=64)

    @model_validator(mode="after")
    def _combination(self) -> FineTuneSettings:
        for name in self.text_columns:
            if name == self.label_column or name in self.label_columns:
                raise ValueError(f"'{name}' cannot be the text and the label")
        if self.second_text_column == self.text_column:
            raise ValueError(f"'{self.text_column}' cannot be both texts of a pair")
        self._check_labels()
        if self.lora is not None and self.freeze_layers:
            raise ValueError("LoRA already freezes all weights of the base model: set freeze_layers to 0")
        if self.few_shot and (self.lora is not None or self.task in ("regression", "multilabel")):
            raise ValueError("few_shot trains all weights of a model of classes: set lora to None and task to auto")
        if self.train_batch_size % self.nodes:
            raise ValueError(f"{self.train_batch_size} texts of a batch cannot be shared evenly by {self.nodes} nodes")
        if self.few_shot and self.nodes > 1:
            raise ValueError("few_shot trains on one node: set nodes to 1")
        if self.validation_fraction + self.test_fraction >= 0.8:
            raise ValueError("validation and test leave too few rows for the training (less than a fifth)")
        if self.warmup_steps >= 1 and self.warmup_steps != int(self.warmup_steps):
            raise ValueError(f"warmup_steps is a share below 1 or a whole number, not {self.warmup_steps}")
        metric = self.metric_for_best_model
        if "auto" not in (metric, self.task) and metric not in TARGET_KINDS[self.task].metrics:
            raise ValueError(f"the metric '{metric}' does not fit {self.task}")
        return self

    def _check_labels(self) -> None:
        if self.label_columns and self.task not in ("auto", "multilabel"):
            raise ValueError(f"label_columns are for a multilabel task, not {self.task}")
        if len(self.label_columns) == 1 or len(set(self.label_columns)) < len(self.label_columns):
            raise ValueError("label_columns are at least two different columns, one for each label")
        if self.label_separator is not None and (self.task != "multilabel" or self.label_columns):
            raise ValueError("label_separator is for a multilabel task whose labels are in one column")

    @property
    def text_columns(self) -> list[str]:
        """Columns that the model reads: one, or the two of a pair."""
        return [self.text_column, *([] if self.second_text_column is None else [self.second_text_column])]

    @property
    def target_columns(self) -> list[str]:
        """Columns that the labels are in."""
        return list(self.label_columns) or [self.label_column]

    @property
    def columns(self) -> list[str]:
        """Columns of the table that are used, each once."""
        return list(dict.fromkeys([*self.text_columns, *self.target_columns, *self.sensitive_columns]))

    def best_metric(self, kind: TargetKind) -> str:
        """Return the metric that chooses the epoch.

        Parameters
        ----------
        kind : TargetKind
            The kind of target.

        Raises
        ------
        SettingsError
            When the metric of the settings does not fit the labels.
        """
        if self.metric_for_best_model == "auto":
            return kind.balanced_metric if self.class_weights else kind.metrics[0]
        if self.metric_for_best_model not in kind.metrics:
            raise SettingsError(
                f"The metric '{self.metric_for_best_model}' does not fit '{self.label_column}', which holds "
                f"{kind.holds}.",
                "Choose another, or auto.",
            )
        return self.metric_for_best_model
