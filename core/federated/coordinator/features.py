"""The coordinator's way from the sites' schemas to one plan and shared features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.automl import Label, order_labels
from core.datasets import Finding
from core.errors import InputError
from core.federated._settings import MIN_COUNT, FederatedSettings
from core.federated.coordinator.study import Study
from core.federated.features.histograms import CELLS, REFINEMENTS, first_edges, quantiles, refined_edges
from core.federated.features.summary import SUMMARY_ROWS, shared_encoder
from core.federated.protocol.message import Reply
from core.federated.site.site import Plan
from core.jsonable import JsonObject, jsonable

if TYPE_CHECKING:
    from core.features import TableEncoder

__all__ = ["SharedFeatures", "agree", "share_features"]

_TYPES = {"number": "numeric", "boolean": "numeric", "category": "categorical", "date": "date"}


@dataclass(frozen=True)
class SharedFeatures:
    """Features that all sites have in common.

    Parameters
    ----------
    columns : list of dict
        Shared statistics by column, as of `summary_table`.
    encoder : TableEncoder
        The encoder that they make.
    findings : list of Finding
        Columns that were left out for want of shared statistics.
    """

    columns: list[JsonObject]
    encoder: TableEncoder
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True)
class Agreement:
    """A plan, and what it left out.

    Parameters
    ----------
    plan : Plan
        The plan.
    positive_reason : str
        Why the last label of two is the positive class.
    rows : dict of str to dict
        Numbers of rows by site: train, test, left_out (-1: fewer than ten).
    findings : list of Finding
        Differences between the sites' tables.
    """

    plan: Plan
    positive_reason: str
    rows: dict[str, dict[str, int]]
    findings: list[Finding]


def agree(study: Study, settings: FederatedSettings, *, task: str | None = None, labels: Any = None) -> Agreement:
    """Ask for the sites' schemas, and settle task, labels and columns.

    Parameters
    ----------
    study : Study
        The study.
    settings : FederatedSettings
        Its settings.
    task : str, optional
        Task that was settled before; by default the sites' own.
    labels : list, optional
        Labels that were settled before, with `task`.

    Raises
    ------
    InputError
        When the sites' tables do not fit together.
    """
    wanted = settings.model_dump(mode="json")
    replies = study.ask("describe", {"settings": wanted})
    study.public_keys |= {site: str(reply.content["public_key"]) for site, reply in replies.items()}
    findings: list[Finding] = []
    reason = ""
    if task is None:
        task, labels, reason = _target(settings, replies, findings)
    columns = _columns(replies, findings)
    plan = Plan(settings, task, labels, columns, dict(study.public_keys))
    content: JsonObject = {
        "settings": wanted,
        "task": task,
        "labels": labels,
        "columns": dict(columns),
        "public_keys": dict(study.public_keys),
    }
    answers = study.ask("plan", content, sites=list(replies))
    rows = {site: {name: int(reply.content[name]) for name in reply.content} for site, reply in answers.items()}
    study.rows |= {site: counts["train"] for site, counts in rows.items()}
    findings += _left_out(rows, settings.target)
    return Agreement(plan, reason, rows, findings)


def _target(
    settings: FederatedSettings, replies: Mapping[str, Reply], findings: list[Finding]
) -> tuple[str, list[Label] | None, str]:
    tasks = {site: str(reply.content["task"]) for site, reply in replies.items()}
    if "regression" in tasks.values():
        other = sorted(site for site, task in tasks.items() if task != "regression")
        if other and settings.task == "auto":
            raise InputError(
                f"'{settings.target}' looks like a number at some sites and like classes at others "
                f"({', '.join(other[:5])}).",
                "Set the task.",
            )
        return "regression", None, ""
    by_name: dict[str, Label] = {}
    for reply in replies.values():
        for label in reply.content["labels"]:
            by_name.setdefault(str(label), label)
    labels = list(by_name.values())
    if len({type(label) for label in labels}) > 1:
        labels = [str(label) for label in labels]
    labels.sort()
    if len(labels) < 2:
        raise InputError(
            f"'{settings.target}' has fewer than two values that {MIN_COUNT} rows of a site have.",
            "Choose a target that varies, or bring larger sites together.",
        )
    if settings.task == "binary" and len(labels) != 2:
        raise InputError(f"'{settings.target}' has {len(labels)} classes, not two.", "Set the task to multiclass.")
    ordered = order_labels(labels, settings.positive_label, settings.target)
    for site, reply in replies.items():
        known = {str(label) for label in reply.content["labels"]}
        lacking = [str(label) for label in ordered.labels if str(label) not in known]
        if lacking:
            findings.append(
                Finding(
                    "site_labels",
                    "notice",
                    settings.target,
                    f"'{site}' has fewer than {MIN_COUNT} rows with {', '.join(map(repr, lacking[:5]))}.",
                    "Its own metrics may have no interval.",
                )
            )
    return ("binary" if len(ordered.labels) == 2 else "multiclass"), ordered.labels, ordered.reason


def _columns(replies: Mapping[str, Reply], findings: list[Finding]) -> dict[str, str]:
    """Return the type of each column that all sites have, and note what does not fit."""
    sites = list(replies)
    names = dict.fromkeys(name for reply in replies.values() for name in reply.content["columns"])
    columns: dict[str, str] = {}
    for name in names:
        kinds = {site: replies[site].content["columns"].get(name) for site in sites}
        reason = _conflict(kinds)
        if not reason:
            used = {kind for kind in kinds.values() if kind != "left out"}
            types = {_TYPES[str(kind)] for kind in used}
            columns[name] = types.pop() if len(types) == 1 else "categorical"
            if types:
                findings.append(
                    Finding(
                        "site_types",
                        "notice",
                        name,
                        f"'{name}' has numbers at some sites and text at others ({_by_kind(kinds)}); it is text.",
                        "Read it as numbers everywhere if it should be one.",
                    )
                )
            continue
        if reason == "left out":
            reasons = sorted({replies[site].content["reasons"].get(name, "") for site in sites} - {""})
            reason = f"at each site, {' or '.join(reasons)}" if reasons else "no site can use it"
        findings.append(
            Finding(
                "left_out",
                "notice",
                name,
                f"'{name}' is left out of the model: {reason}.",
                "Nothing to do, unless it has more information than that.",
            )
        )
    if not columns:
        raise InputError("No column is left that all sites have and a model could use.", "Agree on a common schema.")
    return columns


def _conflict(kinds: Mapping[str, str | None]) -> str:
    """Return why a column cannot be used; "left out" where no site can use it, empty where it can."""
    absent = [site for site, kind in kinds.items() if kind is None]
    if absent:
        more = f" and {len(absent) - 3:,} more" if len(absent) > 3 else ""
        return f"it is missing at {', '.join(map(repr, absent[:3]))}{more}"
    used = {kind for kind in kinds.values() if kind != "left out"}
    if not used:
        return "left out"
    if "text" in used:
        return "it is free text, whose words are not shared between sites"
    if "date" in used and len(used) > 1:
        return f"it has dates at some sites and other values at others ({_by_kind(kinds)})"
    return ""


def _by_kind(kinds: Mapping[str, str | None]) -> str:
    groups: dict[str, list[str]] = {}
    for site, kind in kinds.items():
        groups.setdefault(str(kind), []).append(site)
    return "; ".join(f"{kind}: {', '.join(sites[:3])}" for kind, sites in sorted(groups.items()))


def _left_out(rows: Mapping[str, Mapping[str, int]], target: str) -> list[Finding]:
    return [
        Finding(
            "missing_target",
            "notice",
            target,
            f"{'Fewer than 10' if counts['left_out'] < 0 else format(counts['left_out'], ',')} rows of '{site}' have "
            f"no '{target}', or a label that too few rows have, and are left out.",
            "Fill them in if they should count.",
            {"rows": max(counts["left_out"], 0)},
        )
        for site, counts in rows.items()
        if counts["left_out"]
    ]


def share_features(study: Study, plan: Plan) -> SharedFeatures:
    """Ask for counts and histograms, and give all sites the features that they make.

    Parameters
    ----------
    study : Study
        The study.
    plan : Plan
        What was agreed on.
    """
    findings: list[Finding] = []
    replies = study.ask("categories")
    counts = [reply.content for reply in replies.values()]
    missing = {name for content in counts for name in content["missing"]}
    numbers = [name for name, kind in plan.columns.items() if kind != "categorical"]
    distributions = _distributions(study, numbers)
    columns: list[JsonObject] = []
    for name, kind in plan.columns.items():
        column: JsonObject = {"name": name, "type": kind, "missing": name in missing}
        if kind == "categorical":
            column["categories"] = _frequent([content["categories"].get(name, {}) for content in counts])
            too_few = not column["categories"]
        else:
            column["values"] = distributions.get(name, [])
            too_few = not column["values"]
        if too_few:
            findings.append(
                Finding(
                    "left_out",
                    "notice",
                    name,
                    f"'{name}' is left out of the model: no value, or range of values, has {MIN_COUNT} rows at a site.",
                    "Group its values.",
                )
            )
            continue
        columns.append(column)
    if not columns:
        raise InputError("No column has statistics that may be shared.", "Bring larger sites together.")
    encoder = shared_encoder(columns)
    study.ask("features", {"columns": jsonable(columns)})
    return SharedFeatures(columns, encoder, findings)


def _frequent(counts: Sequence[Mapping[str, int]]) -> list[str]:
    """Return categories, the most frequent over all sites first."""
    totals: dict[str, int] = {}
    for by_value in counts:
        for value, count in by_value.items():
            totals[value] = totals.get(value, 0) + int(count)
    return sorted(totals, key=lambda value: (-totals[value], value))


def _distributions(study: Study, names: Sequence[str]) -> dict[str, list[float]]:
    """Return quantiles of each number; those of which no count may be shared are absent."""
    edges = dict.fromkeys(names, first_edges())
    totals: dict[str, NDArray[np.float64]] = {}
    for refinement in range(REFINEMENTS + 1):
        known = [name for name in names if name in edges]
        if not known:
            break
        content: JsonObject = {"columns": list(known)}
        replies = study.ask("histograms", content, {f"edges {index}": edges[name] for index, name in enumerate(known)})
        for index, name in enumerate(known):
            total = np.zeros(len(edges[name]) - 1)
            for reply in replies.values():
                np.add.at(total, reply.arrays[f"cells {index}"].astype(np.intp), reply.arrays[f"counts {index}"])
            if not total.any():
                edges.pop(name)
                continue
            totals[name] = total
            if refinement < REFINEMENTS:
                refined = refined_edges(edges[name], total, CELLS)
                edges[name] = refined if len(refined) > 1 else edges[name]
    shares = (np.arange(SUMMARY_ROWS) + 0.5) / SUMMARY_ROWS
    return {name: quantiles(edges[name], totals[name], shares).tolist() for name in names if name in edges}
