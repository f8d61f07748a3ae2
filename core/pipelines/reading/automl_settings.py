"""Settings of nodes that search for a model: their types, and those that are inputs of the pipeline."""

from __future__ import annotations

from collections.abc import Callable

from core.errors import PlumblineError
from core.jsonable import JsonObject
from core.pipelines.azure_automl import automl_inputs, metric_of
from core.pipelines.bindings import InputOf
from core.pipelines.errors import PipelineError
from core.pipelines.reading.context import Origin, Reading
from core.pipelines.reading.keys import AUTOML_SETTINGS
from core.pipelines.reading.references import binding_in
from core.pipelines.reading.sections import Section, flag_of, text_of, whole_of
from core.pipelines.reading.yaml_nodes import Item, Mapping, Scalar, Sequence, describe, plain

__all__ = ["read_automl_settings"]


def _whole(item: Item, noun: str) -> None:
    whole_of(item, noun, low=1)


def _number(item: Item, noun: str) -> None:
    if not isinstance(item, Scalar) or isinstance(item.value, bool) or not isinstance(item.value, int | float):
        raise PipelineError(f"{noun} has to be a number, not {describe(item)}.", "Write digits.", item.position)


def _folds(item: Item, noun: str) -> None:
    if not isinstance(item, Scalar) or item.text.lower() != "auto":
        whole_of(item, noun, low=2)


def _list(item: Item, noun: str) -> None:
    if not isinstance(item, Sequence):
        raise PipelineError(f"{noun} has to be a list, not {describe(item)}.", "Write [first, second].", item.position)
    for value in item.items:
        text_of(value, f"a value of {noun}")


def _metric(item: Item, noun: str) -> None:
    try:
        metric_of(text_of(item, noun))
    except PipelineError:
        raise
    except PlumblineError as error:
        raise PipelineError(error.message, error.hint, item.position) from error


def _group(item: Item, noun: str) -> None:
    if not isinstance(item, Mapping):
        raise PipelineError(f"{noun} has to be a group of keys, not {describe(item)}.", "Write keys.", item.position)


Check = Callable[[Item, str], object]

CHECKS: dict[str, Check] = {
    "task": text_of,
    "target_column_name": text_of,
    "primary_metric": _metric,
    "positive_label": text_of,
    "weight_column_name": text_of,
    "validation_data_size": _number,
    "test_data_size": _number,
    "n_cross_validations": _folds,
    "cv_split_column_names": _list,
}
"""Checks of the settings that are single values or lists, by key."""

GROUPS: dict[str, dict[str, Check]] = {
    "limits": {
        "max_trials": _whole,
        "max_concurrent_trials": _whole,
        "max_cores_per_trial": whole_of,
        "max_nodes": _whole,
        "timeout_minutes": _whole,
        "trial_timeout_minutes": _whole,
        "exit_score": _number,
        "enable_early_termination": flag_of,
    },
    "training": {
        "allowed_training_algorithms": _list,
        "blocked_training_algorithms": _list,
        "enable_dnn_training": flag_of,
        "enable_model_explainability": flag_of,
        "enable_onnx_compatible_models": flag_of,
        "enable_stack_ensemble": flag_of,
        "enable_vote_ensemble": flag_of,
        "ensemble_model_download_timeout": _whole,
        "stack_ensemble_settings": _group,
        "training_mode": text_of,
    },
    "featurization": {
        "mode": text_of,
        "dataset_language": text_of,
        "blocked_transformers": _list,
        "column_name_and_types": _group,
        "transformer_params": _group,
        "enable_dnn_featurization": flag_of,
    },
}
"""Checks of the settings in groups, by group and key."""


def read_automl_settings(section: Section, origin: Origin, reading: Reading) -> tuple[JsonObject, dict[str, InputOf]]:
    """Return the settings of an ``automl`` node, and those that are inputs of the pipeline, by their path of keys.

    ``limits: {max_trials: ${{parent.inputs.n}}}`` is the second kind, under "limits.max_trials".

    Parameters
    ----------
    section : Section
        Keys of the node.
    origin : Origin
        File it stands in.
    reading : Reading
        Reading that it is part of.
    """
    settings: JsonObject = {}
    bound: dict[str, InputOf] = {}
    for key in [key for key in section.entries if key in AUTOML_SETTINGS and key in section]:
        item = section.entries[key].value
        if key in GROUPS:
            group = Section(item, f"'{key}'", GROUPS[key])
            settings[key] = {
                name: plain(entry.value)
                for name, entry in group.entries.items()
                if name in group and not _bound(entry.value, f"{key}.{name}", GROUPS[key][name], bound)
            }
        elif not _bound(item, key, CHECKS[key], bound):
            settings[key] = plain(item)
    _note_differences(settings, section, origin, reading)
    return settings, bound


def _bound(item: Item, path: str, check: Check, bound: dict[str, InputOf]) -> bool:
    """Return whether a setting is an input of the pipeline, which is added to `bound`; check it where it is not."""
    binding = binding_in(item) if isinstance(item, Scalar) else None
    if binding is None:
        check(item, f"'{path}'")
        if "${{" in str(plain(item)):
            raise PipelineError(
                f"A reference in a list of '{path}' is not filled in here.", "Give the value itself.", item.position
            )
        return False
    if binding.kind != "input":
        raise PipelineError(
            f"'{path}' cannot be the output of a step.", "Write a value, or ${{parent.inputs.NAME}}.", item.position
        )
    bound[path] = InputOf(binding.name, item.position)
    return True


def _note_differences(settings: JsonObject, section: Section, origin: Origin, reading: Reading) -> None:
    """Put what the search here does in another way into the notices."""
    try:
        notes = automl_inputs(str(settings.get("task", "")), settings).notes
    except PlumblineError as error:
        raise PipelineError(error.message, error.hint, section.position) from error
    for note in notes:
        reading.note(f"automl: {note}", section.position, note, origin)
