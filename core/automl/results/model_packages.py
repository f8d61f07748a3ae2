"""The packages that a model needs: not those of learners that it is not made of."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import version

from core.automl._types import Config
from core.automl.learners.registry import LEARNERS

__all__ = ["installed_packages", "model_packages"]

_PACKAGES = (
    "scikit-learn",
    "flaml",
    "pandas",
    "numpy",
    "skops",
    "pyarrow",
    "duckdb",
    "openpyxl",
    "charset-normalizer",
    "pydantic-settings",
)


def model_packages(packages: Mapping[str, str], learner: str, config: Config) -> dict[str, str]:
    """Return the versions of a result without the packages of learners that its model has no member of.

    Parameters
    ----------
    packages : mapping of str to str
        Versions by package.
    learner : str
        Key of `LEARNERS`, "linear" or "blend".
    config : dict
        Its configuration; of a blend, its members.

    Examples
    --------
    >>> model_packages({"numpy": "2.4", "lightgbm": "4.7", "xgboost": "2.1"}, "lgbm", {})
    {'numpy': '2.4', 'lightgbm': '4.7'}
    """
    learners = [member["learner"] for member in config["members"]] if learner == "blend" else [learner]
    used = {name for member in learners for name in _packages_of(member)}
    others = {name for record in LEARNERS.values() for name in record.packages} - used
    return {name: number for name, number in packages.items() if name not in others}


def _packages_of(learner: str) -> tuple[str, ...]:
    record = LEARNERS.get(learner)
    return () if record is None else record.packages


def installed_packages() -> dict[str, str]:
    """Return the versions that the result depends on."""
    names = dict.fromkeys([*_PACKAGES, *(name for learner in LEARNERS.values() for name in learner.packages)])
    return {"python": platform.python_version()} | {name: version(name) for name in names}
