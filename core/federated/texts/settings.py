"""The settings of a federated fine-tuning: typed once, validated here, stored with its result."""

from __future__ import annotations

from pydantic import Field, model_validator

from core.checked import CheckedSettings

__all__ = ["FederatedTextSettings"]


class FederatedTextSettings(CheckedSettings):
    """Settings of `federate_texts`.

    Parameters
    ----------
    text_column : str
        Column of texts that the model reads.
    target : str
        Column of the classes to predict.
    site_column : str or None, default=None
        Column whose values are the sites, where one table has the rows of all. None where each site has its own table.
    base_model : str, default="minilm-l6"
        A name of `core.finetune.base_models`, a folder, or a name on the Hugging Face hub; each site has it already.
    rounds : int, default=5
        Number of rounds.
    local_epochs : int, default=1
        Number of times per round that a site sees its texts.
    train_batch_size : int, default=16
        Texts of a local step.
    learning_rate : float, default=1e-3
        Step of local training.
    lora : int, default=8
        Rank of the adapters.
    max_length : int, default=128
        Maximum number of tokens that are read of a text.
    threads : int or None, default=None
        Number of threads; None: all cores.
    secure_sums : bool, default=True
        Whether the coordinator sees the sum of the updates only, by masks.
    min_sites : int, default=2
        Number of sites without which a round cannot be made.
    sensitive_columns : tuple of str, default=()
        Columns that are stored with the predictions.
    validation_fraction : float, default=0.15
        Share of each site's texts that thresholds are chosen on.
    test_fraction : float, default=0.2
        Share of each site's texts held out for the test.
    local_models : bool, default=True
        Whether a simulation also trains each site's own model, with as many passes, to compare.
    pooled : bool, default=False
        Whether it also trains on the texts of all sites in one place.
    seed : int, default=0
        Seed of the splits and of the training.

    Raises
    ------
    SettingsError
        When a value, or a combination, is invalid.
    """

    text_column: str = Field(min_length=1)
    target: str = Field(min_length=1)
    site_column: str | None = Field(default=None, min_length=1)
    base_model: str = "minilm-l6"
    rounds: int = Field(default=5, ge=1, le=1_000)
    local_epochs: int = Field(default=1, ge=1, le=100)
    train_batch_size: int = Field(default=16, ge=1, le=1_024)
    learning_rate: float = Field(default=1e-3, gt=0, le=1)
    lora: int = Field(default=8, ge=1, le=256)
    max_length: int = Field(default=128, ge=8, le=8_192)
    threads: int | None = Field(default=None, ge=1)
    secure_sums: bool = True
    min_sites: int = Field(default=2, ge=1)
    sensitive_columns: tuple[str, ...] = ()
    validation_fraction: float = Field(default=0.15, gt=0, le=0.4)
    test_fraction: float = Field(default=0.2, ge=0, le=0.5)
    local_models: bool = True
    pooled: bool = False
    seed: int = Field(default=0, ge=0, le=2**31 - 1)

    @model_validator(mode="after")
    def _combination(self) -> FederatedTextSettings:
        names = [self.text_column, self.target, *([] if self.site_column is None else [self.site_column])]
        if len(set(names)) < len(names):
            raise ValueError("the texts, the classes and the sites are three different columns")
        return self

    @property
    def masked(self) -> bool:
        """Whether the coordinator sees sums only."""
        return self.secure_sums
