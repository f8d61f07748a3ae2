"""Findings of a search about its trials, its final model, and the linear model that it is compared with."""

from __future__ import annotations

from core.automl.learners.registry import LEARNERS, learner_title
from core.automl.tuning.trials import Trial, Trials
from core.datasets import Finding

__all__ = ["deployment_findings", "linear_findings", "trial_findings"]


def linear_findings(linear: Trial | None) -> list[Finding]:
    """Return the reason why a linear model is missing from the comparison; nothing where it is in it."""
    if linear is not None and linear.finished:
        return []
    reason = (None if linear is None else _reason(linear)) or "it was not finished in the time there was"
    return [
        Finding(
            "linear",
            "notice",
            None,
            f"No linear model to compare with: {reason}.",
            "Give the search more time, or use fewer columns.",
        )
    ]


def deployment_findings(final: Trial) -> list[Finding]:
    """Return what it means to use the final model elsewhere, where a learner of it says something about that."""
    members = final.config["members"] if final.learner == "blend" else [{"learner": final.learner}]
    records = [LEARNERS[name] for name in dict.fromkeys(member["learner"] for member in members) if name in LEARNERS]
    return [
        Finding(
            "deployment",
            "notice",
            None,
            record.deployment,
            f"Block the learner {record.title} for a model that can be used anywhere.",
            {"learner": record.name},
        )
        for record in records
        if record.deployment
    ]


def trial_findings(board: Trials) -> list[Finding]:
    """Return the learners that failed in every trial, and how many trials gave no score."""
    failed = [trial for trial in board if trial.status not in ("finished", "pruned")]
    if not failed:
        return []
    findings = []
    scored = {trial.learner for trial in board if trial.status in ("finished", "pruned")}
    for learner in dict.fromkeys(trial.learner for trial in failed):
        own = [trial for trial in failed if trial.learner == learner]
        if learner in scored:
            continue
        count = "its only trial" if len(own) == 1 else f"all of its {len(own):,} trials"
        findings.append(
            Finding(
                "learner",
                "alert",
                None,
                f"{learner_title(learner)} failed in {count}; the first: {_reason(own[0])}.",
                "The search continued without it. Correct the cause, or block the learner.",
                {"learner": learner, "trials": [trial.number for trial in own]},
            )
        )
    findings.append(
        Finding(
            "trials",
            "notice",
            None,
            f"{len(failed)} of {len(board)} trials gave no score; the first: {_reason(failed[0])}.",
            "They are in the leaderboard with their status; the others are not affected.",
            {"trials": [trial.number for trial in failed]},
        )
    )
    return findings


def _reason(trial: Trial) -> str:
    return (trial.message or "no message").rstrip(".")
