"""A study between machines, from its folder to its result; it continues where it was interrupted."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from core.datasets import Finding
from core.errors import PlumblineError
from core.evaluation import METRICS, resolve_metric
from core.federated.coordinator.study import Study
from core.federated.coordinator.training import Fitted, train
from core.federated.evidence.model_result import model_result
from core.federated.evidence.site_evidence import SiteEvidence, verdict
from core.federated.network.cell_channel import CellChannel
from core.federated.network.journal import Journal
from core.federated.network.server import StudyServer
from core.federated.network.study_folder import NetworkSettings, load_study
from core.federated.privacy import describe_privacy
from core.federated.protocol.message import Reply
from core.federated.result import FederatedResult
from core.files import write_text
from core.progress import Event, Report, silent

__all__ = ["coordinate"]


def coordinate(
    folder: str | Path,
    *,
    report: Report | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> FederatedResult:
    """Run the study of a folder: wait for the sites, train, and have each site test the model.

    Where an earlier process was interrupted, this one continues from its journal.

    Parameters
    ----------
    folder : path
        Folder that `create_study` has made.
    report : callable, optional
        Function that receives an `Event` per round and step.
    should_stop : callable, optional
        Function that returns whether to end after the present round and keep the model as it is then.

    Returns
    -------
    FederatedResult
        Without test rows and their predictions, which stay at the sites: `overall` is None. The folder's
        ``groups.json`` has the metrics by group of each site.

    Raises
    ------
    LimitError
        When too few sites approve, or answer.
    RemoteError
        When a site answers with an error, or nothing can listen at the address.

    See Also
    --------
    core.federated.federate : The same with all tables on one machine.
    """
    path, tell, stop = Path(folder), report or silent, should_stop or bool
    network = load_study(path)
    server = StudyServer(path, network)
    journal = Journal(path / "journal")
    over, reason = False, ""
    try:
        server.start()
        sites = _participants(server, journal, tell, stop)
        channel = CellChannel(server, journal, sites)
        result = _run(path, channel, server, tell, stop)
        server.states.phase("finished", result.verdict)
        over, reason = True, result.verdict
    except PlumblineError as error:
        server.states.phase("failed", error.message)
        raise
    finally:
        server.stop(reason, over=over)
        journal.close()
    return result


def _participants(server: StudyServer, journal: Journal, report: Report, should_stop: Callable[[], bool]) -> list[str]:
    """Return the sites that take part, which the journal keeps from the first time on."""
    if len(journal):
        return list(next(iter(journal.records()))[0]["sites"])
    report(Event("approvals", 0.0, "Waiting for the approval of the sites"))
    sites = server.wait_for_approvals(should_stop)
    journal.append({"study": server.network.study, "sites": list(sites)}, {})
    return sites


def _run(
    folder: Path, channel: CellChannel, server: StudyServer, report: Report, should_stop: Callable[[], bool]
) -> FederatedResult:
    network, settings, taking_part = server.network, server.network.settings, list(channel.sites)
    server.states.phase("training")
    study = Study(channel, settings.masked, settings.min_sites)
    fitted = train(study, settings, report=report, should_stop=should_stop)
    rounds = fitted.rounds.records
    elapsed = sum(record.seconds for record in rounds)
    metric = resolve_metric(settings.metric, fitted.plan.task)
    server.states.phase("evaluation")
    report(Event("compare", 0.0, "The sites test the model"))
    content = {"metric": metric, "state": fitted.state.content}
    replies = study.ask("evaluate", content, dict(fitted.state.arrays), enough=0)
    evidence = [
        SiteEvidence.from_dict(reply.content["evidence"]) for reply in replies.values() if reply.content["evidence"]
    ]
    groups = {site: reply.content["groups"] for site, reply in replies.items()}
    write_text(folder / "groups.json", json.dumps(groups, indent=2))
    search = model_result(
        None,
        settings,
        fitted,
        metric=metric,
        site_column=None,
        train_rows=np.array([], dtype=np.intp),
        test_rows=np.array([], dtype=np.intp),
        out_of_fold=None,
        elapsed_s=elapsed,
        stopped=should_stop(),
    )
    findings = [
        *search.findings,
        *_absent(network, taking_part, server),
        *_missing(fitted, channel.sites),
        *_untested(channel.sites, replies),
    ]
    return FederatedResult(
        search=search,
        settings=settings,
        sites=evidence,
        overall=None,
        rounds=rounds,
        messages=pd.DataFrame([asdict(record) for record in study.log]),
        privacy=describe_privacy(settings, {site: study.rows.get(site, 0) for site in channel.sites}, len(rounds)),
        verdict=verdict(evidence, None, METRICS[metric].title),
        findings=findings,
        elapsed_s=elapsed,
    )


def _absent(network: NetworkSettings, taking_part: Sequence[str], server: StudyServer) -> list[Finding]:
    return [
        Finding(
            "site_absent",
            "notice",
            None,
            f"'{site}' did not take part: {server.states.reason(site) or 'it had not approved in time'}.",
            "Make a new study if it should take part.",
        )
        for site in network.sites
        if site not in taking_part
    ]


def _missing(fitted: Fitted, sites: Sequence[str]) -> list[Finding]:
    """Return which sites were missing in which rounds."""
    rounds = fitted.rounds.records
    findings = []
    for site in sites:
        numbers = [record.round for record in rounds if site in record.missing]
        if numbers:
            findings.append(
                Finding(
                    "site_missing",
                    "notice",
                    None,
                    f"'{site}' was missing in {len(numbers):,} of {len(rounds):,} rounds, first in round "
                    f"{numbers[0]:,}.",
                    "The model has learned less of its rows. Run a new study when the site is there.",
                    {"site": site, "rounds": numbers},
                )
            )
    return findings


def _untested(sites: Sequence[str], replies: dict[str, Reply]) -> list[Finding]:
    findings = []
    for site in sites:
        reason = "It did not answer." if site not in replies else str(replies[site].content["reason"])
        if reason:
            findings.append(
                Finding("site_untested", "notice", None, f"'{site}' did not test the model. {reason}", "Nothing to do.")
            )
    return findings
