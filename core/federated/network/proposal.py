"""What a study proposes to a site, and what the site's operator reads before approving it.

All words come from the site's own installation: of the coordinator's side only settings and names are used.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from core.errors import DeniedError, shortened
from core.federated._settings import FederatedSettings
from core.federated.algorithms.registry import ALGORITHMS
from core.federated.messages import COMMON, MESSAGES
from core.federated.privacy import describe_privacy
from core.federated.protocol.message import Request
from core.federated.site.site import Site
from core.jsonable import JsonObject

__all__ = ["Proposal", "describe_proposal"]

_EVALUATE = "evaluate"


@dataclass(frozen=True)
class Proposal:
    """What a study proposes.

    Parameters
    ----------
    study : str
        Id of the study.
    address : str
        Host and port of the server.
    sites : tuple of str
        Names of all sites.
    settings : FederatedSettings
        Settings of the study.
    """

    study: str
    address: str
    sites: tuple[str, ...]
    settings: FederatedSettings

    def to_dict(self) -> JsonObject:
        """Return the proposal as JSON-serializable values."""
        return {
            "study": self.study,
            "address": self.address,
            "sites": list(self.sites),
            "settings": self.settings.model_dump(mode="json"),
        }

    @classmethod
    def from_dict(cls, record: JsonObject) -> Proposal:
        """Return the proposal of what `to_dict` returned.

        Raises
        ------
        SettingsError
            When the settings are not those of this version.
        """
        settings = FederatedSettings(**record["settings"])
        return cls(str(record["study"]), str(record["address"]), tuple(map(str, record["sites"])), settings)

    @property
    def message_names(self) -> tuple[str, ...]:
        """Kinds of messages that the study may ask."""
        return (*COMMON, *ALGORITHMS[self.settings.algorithm].messages, _EVALUATE)

    @property
    def digest(self) -> str:
        """SHA-256 of the proposal, with the kinds of messages and what this installation says of them."""
        leaves = {name: MESSAGES[name].leaves for name in self.message_names}
        text = json.dumps([self.to_dict(), leaves], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def check(self, request: Request) -> None:
        """Raise DeniedError where a request is not part of what was proposed."""
        if request.kind not in self.message_names:
            raise DeniedError(
                f"Messages of the kind '{request.kind}' are not part of what was approved.",
                "Make a new study with the algorithm that is needed.",
            )
        if "settings" in request.content and request.content["settings"] != self.settings.model_dump(mode="json"):
            raise DeniedError(
                f"The settings in '{request.kind}' are not those that were approved.", "Make a new study with them."
            )
        others = sorted(set(request.content.get("public_keys", ())) - set(self.sites))
        if others:
            raise DeniedError(
                f"Sites that were not part of what was approved: {', '.join(map(shortened, others[:3]))}.",
                "Make a new study with them.",
            )


def describe_proposal(proposal: Proposal, site: Site | None = None) -> str:
    """Return what the operator of a site reads.

    Parameters
    ----------
    proposal : Proposal
        Proposal of the study.
    site : Site, optional
        The site, whose columns are listed with the types that would be shared.
    """
    settings, algorithm = proposal.settings, ALGORITHMS[proposal.settings.algorithm]
    lines = [
        f"Study {proposal.study}, led by the server at {proposal.address}",
        f"Sites: {', '.join(proposal.sites)} (at least {settings.min_sites} must take part)",
        f"Predicts: {settings.target}",
        f"Algorithm: {algorithm.title}. {algorithm.help} At most {settings.rounds_to_train:,} rounds.",
    ]
    if settings.sensitive_columns:
        lines.append(f"Compared by group: {', '.join(settings.sensitive_columns)}")
    if site is not None:
        lines += ["", f"Columns of your table ({len(site.frame):,} rows), as their types would be shared:"]
        reply = MESSAGES["describe"].answer(
            site, Request(0, "describe", {"settings": settings.model_dump(mode="json")})
        )
        types, reasons = reply.content["columns"], reply.content["reasons"]
        lines += [f"  {name}: {kind}{f' ({reasons[name]})' if name in reasons else ''}" for name, kind in types.items()]
        lines.append(f"  {settings.target}: the target, {reply.content['task']}")
        if reply.content["labels"]:
            lines.append(f"Labels that would be shared: {', '.join(map(str, reply.content['labels']))}")
    lines += ["", "Privacy, as the report of the study will say:"]
    lines += [f"  {sentence}" for sentence in _privacy(proposal, site)]
    lines += ["", "What leaves your site, and nothing else:"]
    lines += [f"  {MESSAGES[name].title}: {MESSAGES[name].leaves}" for name in proposal.message_names]
    return "\n".join(lines)


def _privacy(proposal: Proposal, site: Site | None) -> list[str]:
    settings = proposal.settings
    if settings.noise_multiplier is not None and site is None:
        return [
            f"Noise of {settings.noise_multiplier:g} times the largest gradient of a row ({settings.clip:g}) is added; "
            "what it promises depends on the number of your rows."
        ]
    labeled = 0 if site is None else int(site.frame[settings.target].notna().sum())
    rows = max(1, round(labeled * (1 - settings.test_fraction)))
    return describe_privacy(settings, dict.fromkeys(proposal.sites, rows), settings.rounds_to_train).sentences
