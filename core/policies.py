"""Policies that are kept with a search or a training, which of them is in force, and reads of its test rows.

A model has at most one rule in force: the policy that was chosen last, be it thresholds by group or one threshold for
all rows, or none, and then the model's own labels decide. The choices are a file of the run (``decision-rule.json``),
so that they travel with its download.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import JsonValue

from core.access import EXAMPLES, Access, Role
from core.catalog import Run, RunArtifact, artifacts, events, models
from core.errors import InputError, NotFoundError
from core.fairness import ThresholdPolicy
from core.progress import Event
from core.registry import unknown_name
from core.rule_choices import NO_POLICY, RULE_FILE, RuleChoice, RuleChoices
from core.storage import get_store

__all__ = [
    "NO_POLICY",
    "RuleInForce",
    "choices",
    "choose",
    "describe",
    "describe_reads",
    "in_force",
    "keep",
    "kept",
    "note_read",
    "reads",
    "reads_sentence",
    "without_policy",
]

_PHASE = "test_read"
_PREFIX = "policy-"
_MAX_NAME = 80


@dataclass(frozen=True)
class RuleInForce:
    """What decides on the rows that a model scores.

    Parameters
    ----------
    name : str or None
        Name of the policy's file; None where the model's own labels decide.
    policy : ThresholdPolicy or None
        The policy.
    unclear : str, default=""
        Reason why it is not clear which policy is in force; empty where it is. No policy is given then.
    """

    name: str | None = None
    policy: ThresholdPolicy | None = None
    unclear: str = ""


def keep(run: Run, name: str, policy: ThresholdPolicy, *, access: Access) -> str:
    """Store a policy with a run and put it in force; return the file's name.

    It becomes part of the model's download. Policies that were kept before stay, and can be chosen again.

    Parameters
    ----------
    run : Run
        The run that made the model.
    name : str
        Name of the policy; one of the same name is replaced.
    policy : ThresholdPolicy
        The policy.
    access : Access
        The workspace, and who acts in it.
    """
    access.require(Role.EDITOR)
    safe = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:_MAX_NAME] or "policy"
    file = f"{_PREFIX}{safe}.json"
    _store(run, file, json.dumps(policy.to_dict(), indent=2, allow_nan=False).encode(), access=access)
    choose(run, file, access=access)
    return file


def kept(run: Run, *, access: Access) -> dict[str, ThresholdPolicy]:
    """Return the policies of a run by the name of their file."""
    store = get_store()
    return {
        artifact.name: ThresholdPolicy.from_dict(json.loads(store.read_bytes(artifact.digest)))
        for artifact in artifacts.find(run.id, access=access)
        if artifact.name.startswith(_PREFIX)
    }


def choose(run: Run, name: str, *, access: Access) -> None:
    """Put a kept policy in force, in place of the one before; versions of the model note it in their history.

    Parameters
    ----------
    run : Run
        The run that made the model.
    name : str
        Name of the policy's file, or "none" for the model's own labels.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    InputError
        When no policy of this name is kept with the run.
    """
    access.require(Role.EDITOR)
    known = [item.name for item in artifacts.find(run.id, access=access) if item.name.startswith(_PREFIX)]
    if name not in (*known, NO_POLICY):
        raise InputError(f"No policy '{name}' is kept with this model.", unknown_name(name, [*known, NO_POLICY]))
    made = choices(run, access=access)
    _store(
        run,
        RULE_FILE,
        RuleChoices((*made.choices, RuleChoice(name, time.time(), access.actor))).to_json(),
        access=access,
    )
    models.note_rule(run.id, name, access=access)


def choices(run: Run, *, access: Access) -> RuleChoices:
    """Return the choices of a run's rule, oldest first; a run of an earlier version has none."""
    try:
        stored = artifacts.get(run.id, RULE_FILE, access=access)
    except NotFoundError:
        return RuleChoices()
    return RuleChoices.from_json(get_store().read_bytes(stored.digest))


def in_force(run: Run, *, access: Access) -> RuleInForce:
    """Return the rule that decides where none is named.

    That is the policy that was chosen last; in a run of an earlier version, where nothing was chosen, the only one.
    """
    known = kept(run, access=access)
    try:
        name = choices(run, access=access).in_force(list(known))
    except InputError as error:
        return RuleInForce(unclear=error.message)
    return RuleInForce() if name is None else RuleInForce(name, known[name])


def describe(policy: ThresholdPolicy) -> str:
    """Return in a few words what a policy decides by.

    Examples
    --------
    >>> describe(ThresholdPolicy.for_all(0.4213, settings={"positive": "yes"}))
    "'yes' from 0.4213 on, for all rows"
    >>> describe(ThresholdPolicy.for_all(93.5, settings={"event": "at least 100"}))
    "from 93.5 on, for all rows, to find 'at least 100'"
    >>> describe(ThresholdPolicy({"a": ((0.5, 1.0),)}, ("group",), {"sampled_rows": 1_000, "all_rows": 25_000}))
    "thresholds by 'group', chosen on a sample of 1,000 of 25,000 rows"
    """
    sampled, total = policy.settings.get("sampled_rows"), policy.settings.get("all_rows")
    if sampled is not None and total is not None:
        return f"{_rule(policy)}, chosen on a sample of {sampled:,} of {total:,} rows"
    return _rule(policy)


def _rule(policy: ThresholdPolicy) -> str:
    if policy.columns:
        drawn = ", some decisions drawn" if policy.randomized else ""
        return f"thresholds by {' and '.join(map(repr, policy.columns))}{drawn}"
    (part,) = next(iter(policy.to_dict()["rules"].values()))
    threshold, positive = part["threshold"], policy.settings.get("positive")
    label = "" if positive is None else f"'{positive}' "
    event = policy.settings.get("event")
    rows = "for all rows" if event is None else f"for all rows, to find '{event}'"
    if isinstance(threshold, str):
        return f"{label}{threshold}, {rows}"
    return f"{label}from {threshold:.4g} on, {rows}"


def without_policy(labels: Sequence[str] | None) -> str:
    """Return in a few words what decides where no policy does.

    Parameters
    ----------
    labels : sequence of str or None
        Classes of the model; None for a number.

    Examples
    --------
    >>> without_policy(["no", "yes"]), without_policy(None)
    ("the model's own labels", 'the predicted numbers alone')
    """
    return "the predicted numbers alone" if labels is None else "the model's own labels"


def note_read(run: Run, check: Mapping[str, JsonValue], *, access: Access) -> None:
    """Note that the test rows were used for a check; the same check counts once, and so does that of a viewer.

    In the example of a demo none counts: strangers look at it, who decide nothing.

    Parameters
    ----------
    run : Run
        Run that held the rows out.
    check : mapping
        Record of the check: a rule, a cohort whose figures were read, or another model that was compared.
    access : Access
        The workspace, and who acts in it.
    """
    if access.workspace == EXAMPLES:
        return
    if check not in [event.values for event in events.read(run.id, phase=_PHASE, access=access)]:
        event = Event(_PHASE, None, "The test rows were used for a check", dict(check))
        events.append(run.id, event, access=replace(access, role=Role.EDITOR))


def reads(run: Run, *, access: Access) -> int:
    """Return for how many checks the test rows were used: the model's own rule, others, cohorts and comparisons."""
    return 1 + len(events.read(run.id, phase=_PHASE, access=access))


def describe_reads(run: Run, *, access: Access) -> str:
    """Return what the test rows were used for so far, to follow "used": "to check 2 rules and to read 1 cohort"."""
    checks = [event.values for event in events.read(run.id, phase=_PHASE, access=access)]
    comparisons = sum("compared_with" in check for check in checks)
    cohorts = sum("cohort" in check and "rules" not in check for check in checks)
    rules = reads(run, access=access) - comparisons - cohorts
    parts = [
        f"{purpose} {count:,} {name}{'s' * (count != 1)}"
        for purpose, count, name in (
            ("to check", rules, "rule"),
            ("to read", cohorts, "cohort"),
            ("to compare it with", comparisons, "model"),
        )
        if count
    ]
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def reads_sentence(run: Run, *, access: Access) -> str:
    """Return the sentence that pages and cards say about the uses of the test rows: rules, cohorts and comparisons."""
    uses = describe_reads(run, access=access)
    return (
        f"The test rows of this model were used {uses} so far, the model's own rule included. Each "
        "further use makes them less of a test."
    )


def _store(run: Run, file: str, content: bytes, *, access: Access) -> None:
    digest = get_store().put_bytes(content)
    artifacts.add(
        RunArtifact(workspace=run.workspace, run_id=run.id, name=file, digest=digest, size_bytes=len(content)),
        access=access,
    )
