"""How a site answers a request: by a registry of its own, and with masks where the reply is part of a sum."""

from __future__ import annotations

import hashlib

from core.errors import InputError
from core.federated.messages import MESSAGES
from core.federated.protocol.message import Reply, Request, encode
from core.federated.site.masking import masked_reply
from core.federated.site.site import Site

__all__ = ["answer"]


def answer(site: Site, request: Request) -> Reply:
    """Return a site's reply.

    Parameters
    ----------
    site : Site
        The site.
    request : Request
        Question of the coordinator.

    Raises
    ------
    SettingsError
        When the kind of the request is unknown.
    InputError
        When the same number asked for something else before: two different values under one mask would show their
        difference.
    """
    kind = MESSAGES.require(request.kind)
    most = kind.most if isinstance(kind.most, int) else kind.most(site.agreed)
    if site.count(kind.name) > most:
        raise InputError(
            f"'{site.name}' was asked for '{kind.title}' more often than the study needs, which is {most:,} times.",
            "Start a new study.",
        )
    if not kind.summed:
        return kind.answer(site, request)
    if "participants" not in request.content:
        if not site.plain_sums and site.agreed.settings.masked:
            raise InputError(
                f"'{site.name}' was asked for its own {kind.title.lower()}, which it gives as part of a sum alone.",
                "Start the study again.",
            )
        return kind.answer(site, request)
    asked = sorted(map(str, request.content["participants"]))
    question = hashlib.sha256(encode({"kind": request.kind, "content": request.content}, request.arrays)).hexdigest()
    if not site.remember(request.number, question, asked):
        raise InputError(
            f"Request {request.number} has asked '{site.name}' for another sum before.", "Start the study again."
        )
    return masked_reply(site, request, kind.answer(site, request))
