"""Texts, tiny base models, and trainings that several tests look at, each done once."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest

from core.datasets import load_sample
from core.finetune import FineTuneResult, FineTuneSettings, fine_tune
from core.progress import Event
from tests.golden import tiny_base


class Trained(NamedTuple):
    """A training that is over: what it was given, told and found, and its folder."""

    result: FineTuneResult
    frame: pd.DataFrame
    events: list[Event]
    folder: Path


@pytest.fixture(scope="session")
def reviews() -> pd.DataFrame:
    """Positive and negative sentences about products, and a column that stands for a group."""
    frame = load_sample("product_reviews").frame
    frame = frame[frame["sentiment"] != "neutral"].head(300).reset_index(drop=True)
    return frame.assign(group=["x", "y", "z"] * 100)


@pytest.fixture(scope="session")
def tiny(reviews: pd.DataFrame, shared: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of two thin layers with random weights and a small vocabulary."""
    return shared(
        "finetune-tiny",
        lambda: tiny_base(tmp_path_factory.mktemp("models") / "tiny-bert", reviews["text"].tolist()),
    )


@pytest.fixture(scope="session")
def settings_of(tiny: Path) -> Any:
    """``settings_of(epochs=2)``: settings for the tiny model and the reviews."""

    def make(**values: Any) -> FineTuneSettings:
        defaults = {"text_column": "text", "label_column": "sentiment", "base_model": str(tiny), "epochs": 2}
        defaults |= {"learning_rate": 3e-3, "max_length": 48, "threads": 1}
        return FineTuneSettings(**defaults | values)

    return make


@pytest.fixture(scope="session")
def train(reviews: pd.DataFrame, settings_of: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """``train(settings...)`` trains the tiny model and keeps what it told."""

    def run(frame: pd.DataFrame = reviews, **values: Any) -> Trained:
        events: list[Event] = []
        folder = tmp_path_factory.mktemp("training")
        result = fine_tune(frame, settings_of(**values), output_dir=folder, report=events.append)
        return Trained(result, frame, events, folder)

    return run


@pytest.fixture(scope="session")
def plain(train: Any, shared: Any) -> Trained:
    """Two classes, three epochs, a sensitive column."""
    return shared("finetune-plain", lambda: train(epochs=3, sensitive_columns=("group",)))


@pytest.fixture(scope="session")
def number(train: Any, shared: Any) -> Trained:
    """A number."""
    return shared("finetune-number", lambda: train(label_column="rating", epochs=3))
