"""Nodes that sweep: the settings around the trial."""

from __future__ import annotations

from dataclasses import replace

from core.jsonable import JsonObject
from core.pipelines.errors import PipelineError
from core.pipelines.model import Component, Port
from core.pipelines.reading.commands import swept_in
from core.pipelines.reading.components import reject_bindings
from core.pipelines.reading.ports import check_literal, literal_of
from core.pipelines.reading.sections import Section, text_of, whole_of
from core.pipelines.reading.yaml_nodes import Item, Scalar, Sequence, describe, plain
from core.registry import unknown_name

__all__ = ["read_sweep_settings", "swept_names", "unused_sweep_settings"]

DISTRIBUTIONS = {
    "choice": ("values",),
    "uniform": ("min_value", "max_value"),
    "loguniform": ("min_value", "max_value"),
    "quniform": ("min_value", "max_value", "q"),
    "qloguniform": ("min_value", "max_value", "q"),
    "normal": ("mu", "sigma"),
    "lognormal": ("mu", "sigma"),
    "qnormal": ("mu", "sigma", "q"),
    "qlognormal": ("mu", "sigma", "q"),
    "randint": ("upper",),
}
"""Distributions of a search space, with the keys that each of them needs."""

FRACTIONS = ("uniform", "loguniform", "normal", "lognormal")
"""Distributions that do not give whole numbers."""

ALGORITHMS = ("random", "grid", "bayesian")
GOALS = ("minimize", "maximize")
LIMITS = ("max_total_trials", "max_concurrent_trials", "timeout", "trial_timeout")
POLICIES = {
    "bandit": ("slack_factor", "slack_amount", "evaluation_interval", "delay_evaluation"),
    "median_stopping": ("evaluation_interval", "delay_evaluation"),
    "truncation_selection": ("truncation_percentage", "evaluation_interval", "delay_evaluation"),
}


def swept_names(section: Section) -> set[str]:
    """Return the names of the search space."""
    return set(section.group("search_space"))


def read_sweep_settings(section: Section, trial: Component) -> JsonObject:
    """Return the settings of a sweep as plain values.

    Parameters
    ----------
    section : Section
        Keys of the node.
    trial : Component
        Component of its trials.
    """
    named = swept_in(trial.command)
    space = section.require("search_space", "Name the parameters and their values.")
    for name, entry in section.group("search_space").items():
        if name in named:
            _check_distribution(entry.value, name)
            continue
        if name not in trial.inputs:
            raise PipelineError(
                f"The search space has '{name[:60]}', which is not an input of the trial.",
                unknown_name(name, trial.inputs),
                entry.position,
            )
        if trial.inputs[name].is_data:
            raise PipelineError(
                f"The input '{name}' takes files, and cannot be swept.", "Sweep a value.", entry.position
            )
        _check_distribution(entry.value, name)
        _check_values(entry.value, trial.inputs[name])
    objective = Section(
        section.require("objective", "Give 'goal' and 'primary_metric'."), "'objective'", ("goal", "primary_metric")
    )
    _one_of(objective.require("goal", "Write minimize or maximize."), "goal", GOALS)
    objective.require("primary_metric", "Name a metric that the trial reports.")
    objective.text("primary_metric")
    limits = Section(section.require("limits", "Give 'max_total_trials'."), "'limits'", LIMITS)
    limits.require("max_total_trials", "Say how many trials may run.")
    for key in LIMITS:
        item = limits.item(key)
        if item is not None:
            whole_of(item, f"'{key}'", low=1)
    settings: JsonObject = {"search_space": plain(space)}
    algorithm, policy = section.item("sampling_algorithm"), section.item("early_termination")
    if algorithm is not None:
        _check_algorithm(algorithm, Section(space, "'search_space'"))
        settings["sampling_algorithm"] = plain(algorithm)
    if policy is not None:
        _check_policy(policy)
        settings["early_termination"] = plain(policy)
    for key in ("search_space", "objective", "limits", "sampling_algorithm", "early_termination"):
        item = section.item(key)
        if item is not None:
            reject_bindings(item, f"'{key}'")
    return settings | {
        "objective": {key: plain(entry.value) for key, entry in objective.entries.items()},
        "limits": {key: int(plain(entry.value)) for key, entry in limits.entries.items() if key in limits},
    }


def unused_sweep_settings(settings: JsonObject) -> dict[str, str]:
    """Return the settings of a sweep that have another effect here, with a sentence each."""
    unused = {}
    algorithm = settings.get("sampling_algorithm")
    kind = algorithm.get("type") if isinstance(algorithm, dict) else algorithm
    if str(kind).lower() == "bayesian":
        unused["sampling_algorithm"] = "The sampling algorithm 'bayesian' draws at random here."
    if "early_termination" in settings:
        unused["early_termination"] = "'early_termination' has no effect: every trial runs to its end."
    return unused


def _check_distribution(item: Item, name: str) -> None:
    section = Section(item, f"the search space of '{name[:60]}'")
    kind = _one_of(section.require("type", "Name the distribution."), "distribution", tuple(DISTRIBUTIONS))
    keys = DISTRIBUTIONS[kind]
    Section(item, f"the search space of '{name[:60]}'", ("type", *keys))
    for key in keys:
        value = section.require(key, f"The distribution '{kind}' needs {', '.join(keys)}.")
        if key == "values":
            if not isinstance(value, Sequence) or not value.items:
                raise PipelineError(
                    f"'values' has to be a list of values, not {describe(value)}.",
                    "Write [first, second].",
                    value.position,
                )
            for choice in value.items:
                if not isinstance(choice, Scalar) or choice.value is None:
                    raise PipelineError(
                        f"A value of 'values' is {describe(choice)}.", "Write texts or numbers.", choice.position
                    )
        elif not isinstance(value, Scalar) or isinstance(value.value, bool) or not isinstance(value.value, int | float):
            raise PipelineError(f"'{key}' has to be a number, not {describe(value)}.", "Write digits.", value.position)
    if "min_value" in keys and plain(section.entries["min_value"].value) > plain(section.entries["max_value"].value):
        raise PipelineError("'min_value' is above 'max_value'.", "Exchange them.", section.at("min_value"))


def _check_values(item: Item, port: Port) -> None:
    """Check what a distribution can give against the input of the trial."""
    section = Section(item, f"the search space of '{port.name}'")
    kind = section.text("type").lower()
    values = section.item("values")
    if isinstance(values, Sequence):
        for choice in values.items:
            check_literal(literal_of(choice, "a value"), port, choice.position)
    if kind in ("uniform", "quniform"):
        for key in ("min_value", "max_value"):
            bound = section.entries[key].value
            check_literal(literal_of(bound, f"'{key}'"), replace(port, type="number"), bound.position)
    if (port.type == "boolean" and kind != "choice") or (port.type == "integer" and kind in FRACTIONS):
        raise PipelineError(
            f"The distribution '{kind}' does not give what the input '{port.name}' takes ({port.type}).",
            "Write a choice, or randint for whole numbers.",
            section.at("type"),
        )


def _check_algorithm(item: Item, space: Section) -> None:
    algorithm = item if isinstance(item, Scalar) else _algorithm_of(item)
    if _one_of(algorithm, "sampling algorithm", ALGORITHMS) == "grid":
        for name, entry in space.entries.items():
            kind = Section(entry.value, "the search space").text("type")
            if kind.lower() != "choice":
                raise PipelineError(
                    f"A grid needs choices, but '{name[:60]}' is of the type '{kind}'.",
                    "List its values as a choice, or write 'sampling_algorithm: random'.",
                    entry.position,
                )


def _algorithm_of(item: Item) -> Item:
    section = Section(item, "'sampling_algorithm'", ("type", "seed", "rule", "logbase"))
    seed = section.item("seed")
    if seed is not None:
        whole_of(seed, "'seed'")
    return section.require("type", "Write random, grid or bayesian.")


def _check_policy(item: Item) -> None:
    section = Section(item, "'early_termination'")
    kind = _one_of(section.require("type", "Name the policy."), "policy", tuple(POLICIES))
    Section(item, "'early_termination'", ("type", *POLICIES[kind]))


def _one_of(item: Item, noun: str, allowed: tuple[str, ...]) -> str:
    text = text_of(item, f"the {noun}").lower()
    if text not in allowed:
        raise PipelineError(f"There is no {noun} '{text[:60]}'.", unknown_name(text, allowed), item.position)
    return text
