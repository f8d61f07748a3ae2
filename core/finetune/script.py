"""A script that trains a model again with transformers alone: ``templates/train.py``, its settings filled in."""

from __future__ import annotations

import pprint
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.evaluation import METRICS
from core.finetune.base_model import DEFAULT, PACKAGE
from core.finetune.settings import FineTuneSettings

__all__ = ["standalone_script"]

_TEMPLATE = Path(__file__).parent / "templates" / "train.py"
_SETTINGS = re.compile(r"(?<=# Settings of the run\n).*?(?=# End of the settings\n)", re.DOTALL)
_REQUIREMENTS = re.compile(r"(?<=Requirements: )pip install .*")
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
        The settings of the training.
    info : mapping
        ``FineTuneResult.to_dict()``, or at least labels, metric, training (with precision, frozen parts and head) and
        packages of it.

    Returns
    -------
    str
        Python source that imports torch, transformers, scikit-learn, pandas (and peft for LoRA), and nothing of ours.
    """
    values = {name: getattr(settings, name) for name in _NAMES}
    packaged = settings.base_model == DEFAULT
    values["base_model"] = f"package:{PACKAGE}" if packaged else settings.base_model
    values |= {"labels": info["labels"], "metric": info["metric"]}
    values["larger_is_better"] = METRICS[info["metric"]].larger_is_better
    values |= {name: info["training"][name] for name in ("precision", "frozen", "head", "constant")}
    requirements = [f"{name}=={version}" for name, version in info.get("packages", {}).items() if name != "python"]
    if packaged:
        requirements.append(PACKAGE.replace("_", "-"))
    block = f"SETTINGS: dict[str, Any] = {pprint.pformat(values, sort_dicts=False, width=110)}\n"
    source = _TEMPLATE.read_text(encoding="utf-8")
    source = _REQUIREMENTS.sub(lambda _: f"pip install {' '.join(requirements)}", source, count=1)
    return _SETTINGS.sub(lambda _: block, source, count=1)
