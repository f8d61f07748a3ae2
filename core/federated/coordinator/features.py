"""The coordinator's way from the sites' schemas to one plan and shared features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from core.automl import Label, order_labels
from core.datasets import Finding
from core.errors import InputError
from core.federated._settings import MIN_COUNT, FederatedSettings
from core.federated.coordinator.study import Study
from core.federated.features.histograms import CELLS, REFINEMENTS, KnownCuts, first_edges, quantiles
from core.federated.features.summary import SUMMARY_ROWS, center_and_width, shared_encoder
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
    scale : (float, float)
        Number that is taken from a target of numbers, and one that it is divided by then.
    findings : list of Finding
        Columns that were left out because too little of them may be shared.
    """

    columns: list[JsonObject]
    encoder: TableEncoder
    scale: tuple[float, float] = (0.0, 1.0)
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True)
class Agreement:
    """A plan, and what it left out.

    Parameters
    ----------
    plan : Plan
        The plan.
    positive_reason : str
        Reason why the last label of two is the positive class.
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
        types_by_site = {site: replies[site].content["columns"].get(name) for site in sites}
        reason = _conflict(types_by_site)
        if not reason:
            used = {kind for kind in types_by_site.values() if kind != "left out"}
            types = {_TYPES[str(kind)] for kind in used}
            columns[name] = types.pop() if len(types) == 1 else "categorical"
            if types:
                findings.append(
                    Finding(
                        "site_types",
                        "notice",
                        name,
                        f"'{name}' has numbers at some sites and text at others ({_by_kind(types_by_site)}).",
                        "It is used as text. Read it as numbers everywhere if it should be one.",
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


def _conflict(types_by_site: Mapping[str, str | None]) -> str:
    """Return why a column cannot be used; "left out" where no site can use it, empty where it can."""
    absent = [site for site, kind in types_by_site.items() if kind is None]
    if absent:
        more = f" and {len(absent) - 3:,} more" if len(absent) > 3 else ""
        return f"it is missing at {', '.join(map(repr, absent[:3]))}{more}"
    used = {kind for kind in types_by_site.values() if kind != "left out"}
    if not used:
        return "left out"
    if "text" in used:
        return "it is free text, whose words are not shared between sites"
    if "date" in used and len(used) > 1:
        return f"it has dates at some sites and other values at others ({_by_kind(types_by_site)})"
    return ""


def _by_kind(types_by_site: Mapping[str, str | None]) -> str:
    groups: dict[str, list[str]] = {}
    for site, kind in types_by_site.items():
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
        Agreement of the sites.
    """
    findings: list[Finding] = []
    replies = study.ask("categories")
    counts = [reply.content for reply in replies.values()]
    missing = {name for content in counts for name in content["missing"]}
    numbers = [name for name, kind in plan.columns.items() if kind != "categorical"]
    target = [] if plan.classes else [plan.settings.target]
    distributions = _distributions(study, [*numbers, *target])
    scale = center_and_width(distributions.get(plan.settings.target, [])) if target else (0.0, 1.0)
    columns: list[JsonObject] = []
    for name, kind in plan.columns.items():
        coerced = plan.settings.column_types.get(name) == "numeric"
        column: JsonObject = {"name": name, "type": kind, "missing": name in missing, "coerced": coerced}
        if kind == "categorical":
            totals = _frequent([content["categories"].get(name, {}) for content in counts])
            column["categories"], column["counts"] = list(totals), list(totals.values())
            too_few = not totals
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
    study.ask("features", {"columns": jsonable(columns), "scale": list(scale)})
    return SharedFeatures(columns, encoder, scale, findings)


def _frequent(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """Return categories with their counts over all sites, the most frequent first."""
    totals: dict[str, int] = {}
    for by_value in counts:
        for value, count in by_value.items():
            totals[value] = totals.get(value, 0) + int(count)
    return dict(sorted(totals.items(), key=lambda item: (-item[1], item[0])))


def _distributions(study: Study, names: Sequence[str]) -> dict[str, list[float]]:
    """Return quantiles of each number; those of which nothing may be shared are absent."""
    edges = dict.fromkeys(names, first_edges())
    known: dict[str, dict[str, KnownCuts]] = {name: {} for name in names}
    for _ in range(REFINEMENTS + 1):
        asked = [name for name in names if name in edges]
        if not asked:
            break
        content: JsonObject = {"columns": list(asked)}
        replies = study.ask("histograms", content, {f"edges {index}": edges[name] for index, name in enumerate(asked)})
        if not any(array.size for reply in replies.values() for array in reply.arrays.values()):
            break  # nobody has anything to add
        for index, name in enumerate(asked):
            for site, reply in replies.items():
                cuts = known[name].setdefault(site, KnownCuts())
                cuts.add(edges[name], reply.arrays[f"cuts {index}"], reply.arrays[f"below {index}"])
            refined = np.unique(quantiles(list(known[name].values()), np.linspace(0, 1, CELLS + 1)))
            if len(refined) > 1:
                edges[name] = refined
            elif not len(refined):
                edges.pop(name)
    shares = (np.arange(SUMMARY_ROWS) + 0.5) / SUMMARY_ROWS
    return {name: quantiles(list(known[name].values()), shares).tolist() for name in names if name in edges}
