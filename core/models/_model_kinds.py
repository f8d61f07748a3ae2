"""The kinds of model there are, by what they read."""

from __future__ import annotations

from dataclasses import dataclass

from core.registry import Registry

__all__ = ["MODEL_KINDS", "TABLE_TASKS", "TEXT_TASKS", "ModelKind", "kind_of_task"]

TABLE_TASKS = ("automl", "federated")
"""Kinds of run that make a model of a table, with the files of a search's result."""
TEXT_TASKS = ("finetune", "federated_texts")
"""Kinds of run that make a model of texts, with the files of a training's result."""


@dataclass(frozen=True)
class ModelKind:
    """One kind of model.

    Parameters
    ----------
    name : str
        The key that is stored with each version.
    title : str
        The name that pages show.
    help : str
        Description of what such a model reads.
    tasks : tuple of str
        The kinds of run that make such models.
    target_setting : str
        The setting of the run that names the column to predict.
    model_file : str
        The artifact that holds the weights.
    library : str
        Library name in Hugging Face's metadata.
    classification, regression : tuple of (str, str)
        Pipeline tag in Hugging Face's metadata, and its title.
    packages : tuple of str
        Packages that loading a model needs, besides the code that travels with it.
    """

    name: str
    title: str
    help: str
    tasks: tuple[str, ...]
    target_setting: str
    model_file: str
    library: str
    classification: tuple[str, str]
    regression: tuple[str, str]
    packages: tuple[str, ...]


MODEL_KINDS: Registry[ModelKind] = Registry(
    "kind of model",
    [
        ModelKind(
            name="table",
            title="Table",
            help="Reads the columns of a table.",
            tasks=TABLE_TASKS,
            target_setting="target",
            model_file="model.skops",
            library="sklearn",
            classification=("tabular-classification", "Tabular classification"),
            regression=("tabular-regression", "Tabular regression"),
            packages=(
                "scikit-learn",
                "lightgbm",
                "catboost",
                "xgboost",
                "pandas",
                "numpy",
                "skops",
                "pydantic-settings",
            ),
        ),
        ModelKind(
            name="text",
            title="Text",
            help="Reads one column of text.",
            tasks=TEXT_TASKS,
            target_setting="label_column",
            model_file="model/model.safetensors",
            library="transformers",
            classification=("text-classification", "Text classification"),
            regression=("text-classification", "Text regression"),
            packages=(
                "torch",
                "transformers",
                "tokenizers",
                "scikit-learn",
                "pandas",
                "numpy",
            ),  # SciPy with scikit-learn
        ),
    ],
)


def kind_of_task(task: str) -> ModelKind | None:
    """Return the kind of model that a kind of run makes, or None when it makes no model.

    Parameters
    ----------
    task : str
        Name of the kind of run.

    Examples
    --------
    >>> kind_of_task("finetune").title, kind_of_task("export")
    ('Text', None)
    """
    return next((kind for kind in MODEL_KINDS.values() if task in kind.tasks), None)
