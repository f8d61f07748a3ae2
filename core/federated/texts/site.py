"""A site with texts: its split, and what it answers to a coordinator that shares adapters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import InputError
from core.federated._settings import MIN_COUNT
from core.federated.protocol.message import Reply, Request
from core.federated.site.site import Plan, Site, plain_labels, target_codes
from core.federated.texts.settings import FederatedTextSettings

if TYPE_CHECKING:
    from core.finetune import FineTuneSettings, SharedAdapters

__all__ = [
    "TextPlan",
    "TextSite",
    "adapters_of",
    "answer_adapters",
    "describe_texts",
    "take_text_plan",
    "tuning_settings",
]

_CACHE = "adapters"


@dataclass(frozen=True)
class TextPlan(Plan):
    """What all sites of a study of texts have agreed on; see `Plan`."""

    settings: FederatedTextSettings  # type: ignore[assignment]


@dataclass
class TextSite(Site):
    """A site of a study of texts.

    Parameters
    ----------
    shared : dict, optional
        Memory of the process for the model, which sites of a simulation share.

    Attributes
    ----------
    validation : array of int
        Positions of texts that thresholds are chosen on.
    """

    shared: dict[str, Any] = field(default_factory=dict, repr=False)

    def agree(self, plan: Plan) -> None:
        """Take a plan, and split off test and validation texts before anything is learned of the others."""
        from core.evaluation import split_test

        assert isinstance(plan, TextPlan)
        settings = plan.settings
        self.plan = plan
        codes = target_codes(self.frame, settings.target, plan.labels)
        codes[_empty(self.frame[settings.text_column])] = np.nan
        known = np.flatnonzero(np.isfinite(codes))
        if len(known) < 2 * MIN_COUNT:
            raise InputError(
                f"The site '{self.name}' has {len(known)} texts with a label that can be predicted; "
                f"{2 * MIN_COUNT} are needed.",
                "Leave the site out.",
            )
        y = codes[known].astype(np.intp)
        rest, test = split_test(y, True, settings.test_fraction, settings.seed)
        share = settings.validation_fraction / (1 - settings.test_fraction)
        strata = np.unique(y[rest], return_inverse=True)[1].astype(np.intp)
        train, validation = split_test(strata, True, share, settings.seed)
        self.train, self.validation, self.test = known[rest[train]], known[rest[validation]], known[test]
        self.y, self.y_test = y[rest[train]], y[test]
        self.memory.clear()

    @property
    def text_plan(self) -> TextPlan:
        """The plan."""
        plan = self.agreed
        assert isinstance(plan, TextPlan)
        return plan

    def texts(self, rows: NDArray[np.intp]) -> list[str]:
        """Return texts by their positions."""
        settings = self.text_plan.settings
        return [str(text) for text in self.frame[settings.text_column].iloc[rows]]


def _empty(texts: pd.Series) -> NDArray[np.bool_]:
    missing: NDArray[np.bool_] = texts.isna().to_numpy() | (texts.astype(str).str.strip() == "").to_numpy(dtype=bool)
    return missing


def describe_texts(site: Site, request: Request) -> Reply:
    """Return the labels with at least ten texts, and the site's public key."""
    settings = FederatedTextSettings.model_validate(request.content["settings"])
    for name in (settings.text_column, settings.target):
        if name not in site.frame.columns:
            raise InputError(f"The site '{site.name}' has no column '{name}'.", "Leave the site out.")
    usable = ~_empty(site.frame[settings.text_column])
    counts = plain_labels(site.frame[settings.target][usable]).dropna().value_counts()
    labels = [str(label) for label, count in counts.items() if count >= MIN_COUNT]
    return Reply({"labels": labels, "public_key": site.keys.public})


def take_text_plan(site: Site, request: Request) -> Reply:
    """Take the plan, and return how many texts the site trains, validates and tests on."""
    content = request.content
    settings = FederatedTextSettings.model_validate(content["settings"])
    site.agree(TextPlan(settings, content["task"], content["labels"], {}, content["public_keys"]))
    assert isinstance(site, TextSite)
    return Reply({"train": len(site.train), "validation": len(site.validation), "test": len(site.test)})


def answer_adapters(site: Site, request: Request) -> Reply:
    """Train adapters from the shared weights, and return by how much they changed, times the number of texts."""
    assert isinstance(site, TextSite)
    settings = site.text_plan.settings
    adapters = adapters_of(site.text_plan, site.shared)
    shared = np.asarray(request.arrays["weights"], dtype=np.float64)
    adapters.set_weights(shared)
    texts = site.texts(site.train)
    chances = adapters.outputs(texts)[np.arange(len(texts)), site.y]
    seed = int(site.generator(request.number).integers(2**31 - 1))
    adapters.train(texts, site.y.astype(np.intp), epochs=settings.local_epochs, seed=seed)
    rows = float(len(texts))
    site.loss = float(-np.log(np.maximum(chances, 1e-12)).mean())
    arrays = {
        "update": rows * (adapters.weights() - shared),
        "rows": np.array([rows]),
        "loss": np.array([rows * site.loss]),
    }
    return Reply({}, arrays)


def adapters_of(plan: TextPlan, memory: dict[str, Any]) -> SharedAdapters:
    """Return the model of a plan, made once per memory."""
    from core.finetune import SharedAdapters

    if _CACHE not in memory:
        memory[_CACHE] = SharedAdapters(tuning_settings(plan.settings), [str(label) for label in plan.labels or ()])
    adapters: SharedAdapters = memory[_CACHE]
    return adapters


def tuning_settings(settings: FederatedTextSettings) -> FineTuneSettings:
    """Return the settings of a fine-tuning in one place that trains in the same way."""
    from core.finetune import FineTuneSettings

    sites = () if settings.site_column is None else (settings.site_column,)
    return FineTuneSettings(
        text_column=settings.text_column,
        label_column=settings.target,
        base_model=settings.base_model,
        epochs=settings.local_epochs,
        train_batch_size=settings.train_batch_size,
        learning_rate=settings.learning_rate,
        lora=settings.lora,
        max_length=settings.max_length,
        threads=settings.threads,
        task="classification",
        sensitive_columns=tuple(dict.fromkeys([*settings.sensitive_columns, *sites])),
        validation_fraction=settings.validation_fraction,
        test_fraction=settings.test_fraction,
        seed=settings.seed,
    )
